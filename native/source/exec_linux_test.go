package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLeftRunning: what a command leaves running with its output open costs no address, and ends.
func TestLeftRunning(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	got, err := ask(t, "exec:sleep 1000 & echo $! > "+pid+"; echo a:1", Options{})
	expect(t, "it leaves something running", got, err, []string{"a:1"}, "")
	text, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	// Who has taken it over may not have waited for it: then it is a zombie.
	for range 1000 {
		stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(text)) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("what it left running runs on")
}
