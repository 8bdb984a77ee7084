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
// MemoryDenyWriteExecute=, modules are interpreted, and this is known.
func TestNothingMayBeCompiled(t *testing.T) {
	switch os.Getenv(deniedEnv) {
	case "": // in a process of its own
		self := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNothingMayBeCompiled$", "-test.v")
		self.Env = append(os.Environ(), deniedEnv+"=to be")
		out, err := self.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if strings.Contains(string(out), "--- SKIP") {
			t.Skipf("%s", out)
		}
	case "to be": // which has made engines already, perhaps, and so begins anew
		if err := unix.Prctl(unix.PR_SET_MDWE, unix.PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0); err == unix.EINVAL {
			t.Skip("this kernel, from before Linux 6.3, denies no process to run what it has written")
		} else if err != nil {
			t.Fatal(err)
		}
		t.Setenv(deniedEnv, "is")
		t.Fatal(unix.Exec(os.Args[0], os.Args, os.Environ()))
	default:
		if !host.Interpreted() {
			t.Error("modules are taken for compiled where that is denied")
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
}
