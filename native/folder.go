package native

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
)

// The files in a data folder.
const (
	ringName    = "ring"         // the newest generation
	prevName    = "ring.prev"    // the one before
	damagedName = "ring.damaged" // what was found damaged, kept for people
	markerName  = "removed"      // this node was removed
	lockName    = "lock"
)

// folder is a node's data folder, locked against other processes.
type folder struct {
	dir  string
	lock *flock.Flock
	made []string // what was not there before: the lock, and folders around it
}

func openFolder(dir string) (*folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	f := &folder{dir: dir, lock: flock.New(filepath.Join(dir, lockName))}
	for tries, locked := 0, false; !locked; tries++ {
		locked, err = f.tryLock()
		takenAway := errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) // while it was made, perhaps
		if err != nil && (!takenAway || tries >= 10) {
			return nil, err
		}
	}
	// What a crash left half-written.
	for _, pattern := range []string{"." + ringName + "*", "." + markerName + "*"} {
		left, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, path := range left {
			os.Remove(path)
		}
	}
	return f, nil
}

// tryLock makes and locks the folder. It says false if another process has just
// taken away what it had made, for it to be tried again.
func (f *folder) tryLock() (bool, error) {
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
		return false, fmt.Errorf("cannot make the data folder %s: %w: choose another (--data)", f.dir, err)
	}
	locked, err := f.lock.TryLock()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot lock the data folder %s: %w: make it writable for this user, or choose another (--data)", f.dir, err)
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

func (f *folder) close() error { return f.lock.Close() }

// abandon closes the folder of a node that did not start. It leaves nothing
// there that was not there before.
func (f *folder) abandon() error {
	f.unmake()
	return f.close()
}

// unmake takes away what was made, as far as it is empty.
func (f *folder) unmake() {
	for _, path := range f.made {
		os.Remove(path)
	}
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

// load returns the last snapshot, nil if there is none yet. It leaves all files
// alone: if ring.prev stands in for a damaged ring, of which damaged says what is
// wrong, that is to be set aside before anything is written.
func (f *folder) load(log *slog.Logger) (snapshot []byte, damaged, err error) {
	ring, prev := f.path(ringName), f.path(prevName)
	snapshot, err = readRing(ring)
	if err == nil {
		return snapshot, nil, nil
	}
	fail := func(format string, args ...any) ([]byte, error, error) {
		return nil, nil, fmt.Errorf(format+", or choose another data folder (--data)", args...)
	}
	snapshot, prevErr := readRing(prev)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case errors.Is(err, ErrRingVersion):
		return fail("the ring file %s is left as it is: %w: start the version that wrote it", ring, err)
	case errors.Is(err, ErrRingForeign) && prevErr == nil:
		return fail("the file %s is left as it is: %w: move it away to go on from the ring file before it, %s, which is whole", ring, err, prev)
	case errors.Is(err, ErrRingForeign):
		return fail("the file %s is left as it is: %w: put a copy of the ring file in its place, delete it to start as a new ring of this node alone", ring, err)
	case !missing && !errors.Is(err, ErrRingDamaged):
		return fail("cannot read the ring file: %w: make it a file that this user may read", err)
	case missing && errors.Is(prevErr, fs.ErrNotExist):
		return nil, nil, nil
	case prevErr != nil:
		return fail("cannot use the ring file %s (%w) nor the one before it, %s (%w): they are left as they are; put back a copy of either, remove both for a new ring of this node alone and add it again", ring, err, prev, prevErr)
	case missing:
		log.Error("the ring file is missing: going on from the one before it, without the last change", "file", ring, "used", prev)
		return snapshot, nil, nil
	}
	return snapshot, err, nil
}

// setAside keeps a damaged ring file for people.
func (f *folder) setAside(log *slog.Logger, damaged error) error {
	ring, kept := f.path(ringName), f.path(damagedName)
	if err := os.Rename(ring, kept); err != nil {
		return fmt.Errorf("cannot move the damaged ring file aside: %w", err)
	}
	log.Error("the ring file is damaged: going on from the one before it, without the last change", "file", ring, "err", damaged, "kept", kept, "used", f.path(prevName))
	return syncDir(f.dir)
}

func readRing(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return DecodeRingFile(b)
}

// writeRing replaces the ring file by the bytes of a new one. Whenever the
// machine stops, ring or ring.prev is whole.
func writeRing(dir string, data []byte) error {
	ring := filepath.Join(dir, ringName)
	file, err := renameio.NewPendingFile(ring, renameio.WithTempDir(dir), renameio.WithPermissions(0o600))
	if err != nil {
		return err
	}
	defer file.Cleanup()
	if _, err := file.Write(data); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := keepPrevious(dir); err != nil {
		return err
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return syncDir(dir)
}

// keepPrevious makes ring.prev another name of ring. It does so by a rename,
// so that there is no moment without a ring.prev.
func keepPrevious(dir string) error {
	ring, prev, link := filepath.Join(dir, ringName), filepath.Join(dir, prevName), filepath.Join(dir, "."+prevName)
	os.Remove(link)
	switch err := os.Link(ring, link); {
	case errors.Is(err, fs.ErrNotExist):
		return nil // the first write, or ring was found damaged: ring.prev stays
	case err != nil:
		return os.Rename(ring, prev) // a file system without links; a start without ring takes ring.prev
	}
	defer os.Remove(link) // still there if both were one file already
	return os.Rename(link, prev)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("fsync of the folder: %w", err)
	}
	return nil
}

// forget deletes the ring files, the older first: what a crash leaves is a
// member that learns again that it is none.
func (f *folder) forget() error {
	for _, name := range []string{prevName, ringName} {
		if err := os.Remove(f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return syncDir(f.dir)
}

// marker is what DATA/removed says to people.
type marker struct {
	Removed time.Time `json:"removed"`
	Ring    string    `json:"ring"`
	Name    string    `json:"name"`
}

// removed leaves the marker and deletes the ring files, in this order: ring
// files beside a marker count for nothing.
func (f *folder) removed(m marker) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	err = renameio.WriteFile(f.path(markerName), append(b, '\n'), 0o600, renameio.WithTempDir(f.dir))
	if err == nil {
		err = syncDir(f.dir)
	}
	return errors.Join(err, f.forget())
}

// marked says whether the marker is there, and what it says.
func (f *folder) marked() (m marker, there bool, err error) {
	b, err := os.ReadFile(f.path(markerName))
	if errors.Is(err, fs.ErrNotExist) {
		return m, false, nil
	}
	if err != nil {
		return m, false, err
	}
	_ = json.Unmarshal(b, &m) // that it is there is what counts
	return m, true, nil
}

// unmark deletes what a removed node left behind.
func (f *folder) unmark() error {
	if err := f.forget(); err != nil {
		return err
	}
	if err := os.Remove(f.path(markerName)); err != nil {
		return err
	}
	return syncDir(f.dir)
}
