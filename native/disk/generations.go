package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Load returns the last snapshot, nil if there is none yet. It leaves all files
// alone: if ring.prev stands in for a damaged ring, of which damaged says what is
// wrong, that is to be set aside before anything is written.
func (f *Folder) Load() (snapshot []byte, damaged, err error) {
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
	case errors.Is(err, ErrVersion):
		return fail("the ring file %s is left as it is: %w: start the version that wrote it", ring, err)
	case errors.Is(err, ErrForeign) && prevErr == nil:
		return fail("the file %s is left as it is: %w: move it away to go on from the ring file before it, %s, which is whole", ring, err, prev)
	case errors.Is(err, ErrForeign):
		return fail("the file %s is left as it is: %w: put a copy of the ring file in its place, delete it to start as a new ring of this node alone", ring, err)
	case !missing && !errors.Is(err, ErrDamaged):
		return fail("cannot read the ring file: %w: make it a file that this user may read", err)
	case missing && errors.Is(prevErr, fs.ErrNotExist):
		return nil, nil, nil
	case prevErr != nil:
		return fail("cannot use the ring file %s (%w) nor the one before it, %s (%w): they are left as they are; put back a copy of either, remove both for a new ring of this node alone and add it again", ring, err, prev, prevErr)
	case missing:
		f.log.Error("the ring file is missing: going on from the one before it, without the last change", "file", ring, "used", prev)
		return snapshot, nil, nil
	}
	return snapshot, err, nil
}

// SetAside keeps a damaged ring file for people.
func (f *Folder) SetAside(damaged error) error {
	if err := f.rename(ringName, damagedName); err != nil {
		return fmt.Errorf("cannot move the damaged ring file aside: %w", err)
	}
	f.log.Error("the ring file is damaged: going on from the one before it, without the last change", "file", f.RingFile(), "err", damaged, "kept", f.path(damagedName), "used", f.path(prevName))
	return f.syncDir()
}

func readRing(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return DecodeRingFile(b)
}

// Write makes a snapshot the newest: it replaces the ring file. Whenever the machine
// stops, ring or ring.prev is whole.
func (f *Folder) Write(snapshot []byte) error {
	return f.replace(ringName, EncodeRingFile(snapshot), f.keepPrevious)
}

// keepPrevious makes ring.prev another name of ring. It does so by a rename,
// so that there is no moment without a ring.prev.
func (f *Folder) keepPrevious() error {
	link := "." + prevName
	os.Remove(f.path(link))
	switch err := f.link(ringName, link); {
	case errors.Is(err, fs.ErrNotExist):
		return nil // the first write, or ring was found damaged: ring.prev stays
	case err != nil:
		return f.rename(ringName, prevName) // a file system without links; a start without ring takes ring.prev
	}
	defer os.Remove(f.path(link)) // still there if both were one file already
	return f.rename(link, prevName)
}
