//go:build linux

package siege

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
)

// besiegerEnv is set in the process that attacks.
const besiegerEnv = "NANORING_BESIEGER"

func TestMain(m *testing.M) {
	if os.Getenv(besiegerEnv) == "" {
		os.Exit(m.Run())
	}
	// Who attacks has a machine of its own: here it gets what the others leave.
	if own, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0); err == nil {
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 20-own+10) // the kernel's own call says 20 less it
	}
	runtime.GOMAXPROCS(1)
	var o orders
	if err := json.NewDecoder(os.Stdin).Decode(&o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(besiege(&o)); err != nil {
		os.Exit(1)
	}
}

// command is nanoring, which no race detector watches.
var command = sync.OnceValues(func() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(self), "nanoring") // goes when the tests end
	if out, err := exec.Command("go", "build", "-o", path, "..").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})
