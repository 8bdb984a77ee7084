package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"github.com/gofrs/flock"
)

// The files in a data folder.
const (
	ringName    = "ring"         // the newest generation
	prevName    = "ring.prev"    // the one before
	damagedName = "ring.damaged" // what was found damaged, kept for people
	markerName  = "removed"      // this node was removed
	lockName    = "lock"
)

// A Folder is a node's data folder, locked against other processes.
type Folder struct {
	dir  string
	log  *slog.Logger
	lock *flock.Flock
	made []string // what was not there before: the lock, and folders around it

	// Of the ring file that was written last, if changes can follow it.
	size    int64 // 0 if not
	first   int64 // bytes of the snapshot and what is around it
	sum     uint64
	written uint64 // see Usage

	before func(step string) error // tests have a step fail; nil
}

// Open makes the folder if it is missing, and locks it.
func Open(dir string, log *slog.Logger) (*Folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	f := &Folder{dir: dir, log: log, lock: flock.New(filepath.Join(dir, lockName))}
	for tries, locked := 0, false; !locked; tries++ {
		locked, err = f.tryLock()
		takenAway := errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) // while it was made, perhaps
		if err != nil && (!takenAway || tries >= 10) {
			return nil, err
		}
	}
	f.clean()
	return f, nil
}

// tryLock makes and locks the folder. It says false if another process has just
// taken away what it had made, for it to be tried again.
func (f *Folder) tryLock() (bool, error) {
	f.made = nil
	for path := f.lock.Path(); ; path = filepath.Dir(path) {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		f.made = append(f.made, path)
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		f.unmake()
		var at *fs.PathError
		if errors.As(err, &at) && at.Path == f.dir {
			err = at.Err
		}
		return false, f.unusable("make", err)
	}
	locked, err := f.lock.TryLock()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) && at.Path == f.lock.Path() {
			err = at.Err
		}
		return false, f.unusable("lock", err)
	}
	if !locked {
		return false, fmt.Errorf("the data folder %s is in use by another process, which holds %s: stop that one, or choose another folder (--data)", f.dir, f.lock.Path())
	}
	held, err := f.lock.Stat()
	there, thereErr := os.Stat(f.lock.Path())
	if err != nil || thereErr != nil || !os.SameFile(held, there) {
		f.lock.Close()
		return false, nil
	}
	return true, nil
}

// Close lets go of the folder.
func (f *Folder) Close() error { return f.lock.Close() }

// Abandon closes the folder of a node that did not start. It leaves nothing
// there that was not there before.
func (f *Folder) Abandon() error {
	if runtime.GOOS == "windows" { // where no file goes that is open, here or in the process that locks it now
		defer f.unmake()
		return f.Close()
	}
	f.unmake()
	return f.Close()
}

// unmake takes away what was made, as far as it is empty.
func (f *Folder) unmake() {
	for _, path := range f.made {
		os.Remove(path)
	}
}

// Dir returns where the folder is, as an absolute path.
func (f *Folder) Dir() string { return f.dir }

// RingFile returns where the ring file is, or will be.
func (f *Folder) RingFile() string { return f.path(ringName) }

func (f *Folder) path(name string) string { return filepath.Join(f.dir, name) }
