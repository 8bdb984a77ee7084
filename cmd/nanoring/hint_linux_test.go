package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOthersFolderHint: who may not enter a node's data folder is told whose it is to do it as, and is not told to
// start a node there.
func TestOthersFolderHint(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	var command []string
	if os.Geteuid() == 0 { // root may enter all, unless it lacks the right to
		if err := os.Chown(data, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		command = []string{"setpriv", "--bounding-set=-dac_override,-dac_read_search"}
	} else {
		if err := os.Chmod(data, 0); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(data, 0o700)
	}
	command = append(command, "nanoring", "--data", data, "status")
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	exit, _ := err.(*exec.ExitError)
	says := string(out)
	if exit == nil || exit.ExitCode() != exitNoNode || !strings.Contains(says, "permission denied\nThat folder is another user's: do this as that user, or as root (sudo).\n") || strings.Contains(says, "Start") {
		t.Errorf("%v: %s", err, says)
	}
}
