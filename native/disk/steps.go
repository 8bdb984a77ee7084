package disk

import (
	"fmt"
	"os"
	"path/filepath"
)

// All that changes the folder's files is done in these steps, before each of which
// tests may have it fail, or the process end.

func (f *Folder) step(what string) error {
	if f.before == nil {
		return nil
	}
	return f.before(what)
}

func (f *Folder) rename(from, to string) error {
	if err := f.step("rename"); err != nil {
		return err
	}
	return os.Rename(f.path(from), f.path(to))
}

func (f *Folder) link(from, to string) error {
	if err := f.step("link"); err != nil {
		return err
	}
	return os.Link(f.path(from), f.path(to))
}

func (f *Folder) remove(name string) error {
	if err := f.step("remove"); err != nil {
		return err
	}
	return os.Remove(f.path(name))
}

func (f *Folder) createEmpty(name string) error {
	if err := f.step("create"); err != nil {
		return err
	}
	file, err := os.OpenFile(f.path(name), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// replace makes a file have these bytes; whatever happens, it has all of them or
// those of before. When they are on disk, and have not its name yet, it calls whole.
func (f *Folder) replace(name string, b []byte, whole func() error) error {
	if err := f.step("create"); err != nil {
		return err
	}
	file, err := newPending(f.dir, f.path(name))
	if err != nil {
		return err
	}
	defer file.Cleanup()
	if err := f.step("write"); err != nil {
		return err
	}
	if _, err := file.Write(b); err != nil {
		return err
	}
	if err := f.step("sync"); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if whole != nil {
		if err := whole(); err != nil {
			return err
		}
	}
	if err := f.step("rename"); err != nil {
		return err
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return f.syncDir()
}

// extend adds bytes to a file that has so many.
func (f *Folder) extend(name string, size int64, b []byte) error {
	file, err := os.OpenFile(f.path(name), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil {
		return err
	} else if info.Size() != size {
		return fmt.Errorf("%s: %w", f.path(name), errChanged)
	}
	if err := f.step("write"); err != nil {
		return err
	}
	if _, err := file.Write(b); err != nil {
		return err
	}
	if err := f.step("sync"); err != nil {
		return err
	}
	return file.Sync()
}

func (f *Folder) syncDir() error {
	if err := f.step("syncdir"); err != nil {
		return err
	}
	return syncFolder(f.dir)
}

// clean deletes what a crash left half-written.
func (f *Folder) clean() {
	for _, pattern := range []string{"." + ringName + "*", "." + markerName + "*"} {
		left, _ := filepath.Glob(f.path(pattern))
		for _, path := range left {
			os.Remove(path)
		}
	}
}
