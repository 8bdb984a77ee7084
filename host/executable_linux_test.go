package host_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/host"
	"golang.org/x/sys/unix"
)

const deniedEnv = "NANORING_TEST_DENIED"

// TestNothingMayBeCompiled: where a process may not run what it has written, as under systemd's
// MemoryDenyWriteExecute=, modules are interpreted.
func TestNothingMayBeCompiled(t *testing.T) {
	if os.Getenv(deniedEnv) == "" {
		self := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNothingMayBeCompiled$", "-test.v")
		self.Env = append(os.Environ(), deniedEnv+"=1")
		out, err := self.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if strings.Contains(string(out), "--- SKIP") {
			t.Skipf("%s", out)
		}
		return
	}
	if err := unix.Prctl(unix.PR_SET_MDWE, unix.PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0); err == unix.EINVAL {
		t.Skip("this kernel, from before Linux 6.3, denies no process to run what it has written")
	} else if err != nil {
		t.Fatal(err)
	}
	if !host.Interpreted() {
		t.Error("modules are to be compiled where that is denied")
	}
	e, err := host.New(t.Context(), host.Config{Node: config("me")})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	effects, err := e.Step(core.Input{Kind: core.Start, Wall: 1})
	if err != nil || len(effects) == 0 {
		t.Errorf("its first step: %v, %v", effects, err)
	}
}
