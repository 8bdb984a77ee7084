package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestWritable: what keeps snapshots from being written is said once, before anything
// is changed, with what to do about it.
func TestWritable(t *testing.T) {
	for _, test := range []struct {
		err    error
		says   string
		member bool // a node that has a ring file cannot go on either
	}{
		{syscall.EACCES, "permission denied: make it a folder of the user", true},
		{syscall.EROFS, "read-only file system: the disk is read-only", true},
		{syscall.EIO, "input/output error: the disk is failing", true},
		{syscall.ENOSPC, "no space left on device: the disk is full: free some space there", false},
		{syscall.EDQUOT, "quota exceeded: the disk is full: free some space there", false},
	} {
		for _, at := range []string{"create", "write", "sync"} {
			for _, name := range []string{"nothing", "both", "prev alone"} {
				dir := fill(t, folders[name])
				f := open(t, dir)
				f.before = func(step string) error {
					if step != at {
						return nil
					}
					return &os.PathError{Op: step, Path: "a file", Err: test.err}
				}
				err := f.Writable()
				if name != "nothing" && !test.member {
					if err != nil {
						t.Errorf("%s, %v at %s: %v", name, test.err, at, err)
					}
				} else if !errors.Is(err, test.err) || !strings.Contains(err.Error(), dir+": ") || !strings.Contains(err.Error(), test.says) || !strings.HasSuffix(err.Error(), "choose another (--data)") {
					t.Errorf("%s, %v at %s: %v", name, test.err, at, err)
				}
				if entries, _ := os.ReadDir(dir); len(entries) != len(folders[name])+1 {
					t.Errorf("left behind: %v", entries)
				}
				f.before = nil
				if err := f.Writable(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// TestTryOverwritesNothing: a link to a file of this user's, that somebody else has put where the folder is
// tried, leads nowhere.
func TestTryOverwritesNothing(t *testing.T) {
	dir := fill(t, folders["nothing"])
	f := open(t, dir)
	mine := filepath.Join(t.TempDir(), "mine")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.before = func(step string) error {
		if step == "create" {
			return os.Symlink(mine, filepath.Join(dir, ".ring.try"))
		}
		return nil
	}
	err := f.Writable()
	if b, _ := os.ReadFile(mine); string(b) != "mine" || err == nil {
		t.Errorf("%d bytes are there now: %v", len(b), err)
	}
	f.before = nil
	if err := f.Writable(); err != nil {
		t.Error(err)
	}
}
