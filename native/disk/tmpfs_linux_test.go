package disk

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

// onDisk runs the test in a process whose temporary folders are on a small disk of
// its own: a tmpfs in its own mount namespace. It says true in that process.
func onDisk(t *testing.T) bool {
	t.Helper()
	const env = "NANORING_TEST_DISK"
	if dir := os.Getenv(env); dir != "" {
		if err := syscall.Mount("none", dir, "tmpfs", 0, "size=64k,nr_inodes=32"); err != nil {
			t.Fatal(err)
		}
		t.Setenv("TMPDIR", dir)
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), env+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS} // makes mounts private, too
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		t.Skip("this machine gives a test no mount namespace; the tests of each step's failure need none")
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// fillDisk leaves no room on the disk that a folder is on: no block, or no inode.
func fillDisk(t *testing.T, dir string, inodes bool) {
	t.Helper()
	var b []byte
	if !inodes {
		b = make([]byte, 1<<10)
	}
	for i := range 1000 {
		name := "fill"
		if inodes {
			name = fmt.Sprint("fill", i)
		}
		file, err := os.OpenFile(filepath.Join(filepath.Dir(dir), name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = file.Write(b)
			file.Close()
		}
		if errors.Is(err, syscall.ENOSPC) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the disk does not get full")
}

// TestRemovedOnFullDisk: a real file system has no room, and what becomes free there
// others take.
func TestRemovedOnFullDisk(t *testing.T) {
	if !onDisk(t) {
		return
	}
	for _, name := range []string{"both", "ring alone", "prev alone", "ring damaged"} {
		for _, inodes := range []bool{false, true} {
			dir := filepath.Join(t.TempDir(), "data")
			f := open(t, dir)
			for name, b := range folders[name] {
				put(t, dir, name, b)
			}
			fillDisk(t, dir, inodes)
			if err := f.Write([]byte("three")); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%s: it writes on a full disk: %v", name, err)
			}
			f.before = func(string) error {
				fillDisk(t, dir, inodes)
				return nil
			}
			if err := operations["removed"](f); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			f.Close()
			if got := found(t, dir); got != "removed" {
				t.Errorf("%s: there is %q", name, got)
			}
			os.RemoveAll(filepath.Dir(dir))
		}
	}
}

// TestAppendOnFullDisk: what there is no room for is refused, also if a part of it fits, and a start
// finds what was before. When there is room again all there is is written.
func TestAppendOnFullDisk(t *testing.T) {
	if !onDisk(t) {
		return
	}
	for _, size := range []int{1, 100, 200} { // of a change, in members; the disk has 64 KiB
		dir := filepath.Join(t.TempDir(), "data")
		f := open(t, dir)
		if err := f.Write(state(500)); err != nil {
			t.Fatal(err)
		}
		fillDisk(t, dir, false)
		var c wire.Change
		for i := range size {
			c.Records = append(c.Records, node(fmt.Sprint("other", i), 1))
		}
		var err error
		n := 0
		for ; err == nil && n < 1000; n++ {
			err = f.Append(c.Append(nil)) // the last block has some room
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%d members at once: after %d changes %v", size, n, err)
		}
		want := 500
		if n > 1 {
			want += size
		}
		f.Close()
		if n := stateIn(t, dir); n != want {
			t.Errorf("%d members at once: there are %d", size, n)
		}
		f = open(t, dir)
		m, err := f.Load()
		if err != nil || f.Use(m) != nil {
			t.Fatal(err)
		}
		os.Remove(filepath.Join(filepath.Dir(dir), "fill"))
		if err := errors.Join(f.Write(m.Snapshot), f.Append(next(700))); err != nil {
			t.Error(err)
		}
		f.Close()
		if n := stateIn(t, dir); n != want+1 {
			t.Errorf("%d members at once: then there are %d", size, n)
		}
		os.RemoveAll(filepath.Dir(dir))
	}
}

// TestRemovedOnReadOnlyDisk: nothing is changed, and the error says why.
func TestRemovedOnReadOnlyDisk(t *testing.T) {
	if !onDisk(t) {
		return
	}
	dir := fill(t, folders["both"])
	f := open(t, dir)
	readOnly(t, true)
	err := operations["removed"](f)
	if !errors.Is(err, syscall.EROFS) {
		t.Error(err)
	}
	f.Close()
	if got := found(t, dir); got != "two" {
		t.Errorf("there is %q", got)
	}
	readOnly(t, false)
}

func readOnly(t *testing.T, yes bool) {
	t.Helper()
	flags := uintptr(syscall.MS_REMOUNT)
	if yes {
		flags |= syscall.MS_RDONLY
	}
	if err := syscall.Mount("none", os.Getenv("TMPDIR"), "tmpfs", flags, ""); err != nil {
		t.Fatal(err)
	}
}
