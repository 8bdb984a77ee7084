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
}

func openFolder(dir string) (*folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the data folder %s: %w", dir, err)
	}
	f := &folder{dir: dir, lock: flock.New(filepath.Join(dir, lockName))}
	locked, err := f.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("cannot lock the data folder %s: %w: make it writable for this user, or choose another (--data)", dir, err)
	}
	if !locked {
		return nil, fmt.Errorf("the data folder %s is in use by another process, which holds %s: stop that one, or choose another folder (--data)", dir, f.lock.Path())
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

func (f *folder) close() error { return f.lock.Close() }

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

// load returns the last snapshot, nil if there is none yet. A file that it
// cannot use it leaves alone; only a damaged one that ring.prev stands in for
// is moved aside.
func (f *folder) load(log *slog.Logger) ([]byte, error) {
	snapshot, err := readRing(f.path(ringName))
	missing, damaged := errors.Is(err, fs.ErrNotExist), errors.Is(err, ErrRingDamaged)
	if err == nil {
		return snapshot, nil
	}
	if !missing && !damaged {
		return nil, fmt.Errorf("cannot use the ring file %s: %w: it is left as it is; start the version that wrote it, or another data folder (--data)", f.path(ringName), err)
	}
	snapshot, prevErr := readRing(f.path(prevName))
	switch {
	case missing && errors.Is(prevErr, fs.ErrNotExist):
		return nil, nil
	case prevErr != nil:
		return nil, fmt.Errorf("cannot use the ring file %s (%w) nor the one before it, %s (%w): they are left as they are; put back a copy of either, or remove both for a new ring of this node alone, and add it again", f.path(ringName), err, f.path(prevName), prevErr)
	case damaged:
		if err := os.Rename(f.path(ringName), f.path(damagedName)); err != nil {
			return nil, fmt.Errorf("cannot move the damaged ring file aside: %w", err)
		}
		if err := syncDir(f.dir); err != nil {
			return nil, err
		}
		log.Error("the ring file is damaged: going on from the one before it, without the last change", "file", f.path(ringName), "err", err, "kept", f.path(damagedName), "used", f.path(prevName))
	default:
		log.Error("the ring file is missing: going on from the one before it, without the last change", "file", f.path(ringName), "used", f.path(prevName))
	}
	return snapshot, nil
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
