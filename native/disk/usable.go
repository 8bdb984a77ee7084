package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Hint says what to do about an error of the data folder's disk, "" if that is not known.
func Hint(err error) string {
	switch {
	case isFull(err):
		return "the disk is full: free some space there"
	case errors.Is(err, errReadOnly):
		return "the disk is read-only: mount it for writing"
	case errors.Is(err, fs.ErrPermission):
		return "make it a folder of the user that runs the node"
	case errors.Is(err, errNoFolder):
		return "a file is where a folder has to be: move it away"
	case errors.Is(err, errFailing):
		return "the disk is failing: look at the system's log"
	}
	return ""
}

func isFull(err error) bool {
	return errors.Is(err, errFull) || errors.Is(err, errQuota)
}

// unusable says that something cannot be done with the folder, and what to do about it.
func (f *Folder) unusable(what string, err error) error {
	hint := "choose another (--data)"
	if h := Hint(err); h != "" {
		hint = h + ", or " + hint
	}
	return fmt.Errorf("cannot %s the data folder %s: %w: %s", what, f.dir, err, hint)
}

// Writable finds out at the start what would keep every snapshot from being written:
// that the disk is read-only, or full, or this user may not. A full disk is no error
// where a ring file is: the node goes on from that, and writes when there is room.
func (f *Folder) Writable() error {
	err := f.try()
	if isFull(err) && (f.has(ringName) || f.has(prevName)) {
		return nil
	}
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err // the file's name says nothing
		}
		return f.unusable("write to", err)
	}
	return nil
}

func (f *Folder) has(name string) bool {
	_, err := os.Lstat(f.path(name))
	return err == nil
}

// try writes a file that is of no use.
func (f *Folder) try() error {
	path := f.path("." + ringName + ".try")
	defer os.Remove(path)
	if err := f.step("create"); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // by no link that somebody has put there
	if err != nil {
		return err
	}
	defer file.Close()
	if err := f.step("write"); err != nil {
		return err
	}
	if _, err := file.Write(make([]byte, 4<<10)); err != nil {
		return err
	}
	if err := f.step("sync"); err != nil { // where some disks say that they are full
		return err
	}
	return file.Sync()
}
