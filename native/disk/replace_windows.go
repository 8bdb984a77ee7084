package disk

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// pending is a file that is written in a folder, and takes the place of another when it is whole:
// renameio has none for Windows.
type pending struct {
	*os.File
	path string // whose place it takes
	done bool
}

func newPending(dir, path string) (*pending, error) {
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"*")
	if err != nil {
		return nil, err
	}
	return &pending{File: f, path: path}, nil
}

// CloseAtomicallyReplace returns when the name is on disk, too.
func (p *pending) CloseAtomicallyReplace() error {
	if err := p.Sync(); err != nil {
		return err
	}
	if err := p.Close(); err != nil {
		return err
	}
	from, err := windows.UTF16PtrFromString(p.Name())
	if err != nil {
		return err
	}
	to, err := windows.UTF16PtrFromString(p.path)
	if err != nil {
		return err
	}
	if err := windows.MoveFileEx(from, to, windows.MOVEFILE_REPLACE_EXISTING|windows.MOVEFILE_WRITE_THROUGH); err != nil {
		return &os.LinkError{Op: "rename", Old: p.Name(), New: p.path, Err: err}
	}
	p.done = true
	return nil
}

// Cleanup deletes what has not taken its place.
func (p *pending) Cleanup() error {
	if p.done {
		return nil
	}
	p.Close()
	return os.Remove(p.Name())
}

// syncFolder has nothing to do: folders cannot be synced, and NTFS keeps a journal of their names.
func syncFolder(string) error { return nil }
