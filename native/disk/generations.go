package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

var (
	// ErrRefused: a ring file is whole, but the engine cannot use its snapshot.
	ErrRefused = errors.New("it is whole, but the engine cannot use it")
)

// A Memory is a snapshot of the folder: the newest that can be used.
type Memory struct {
	Snapshot []byte // nil: there is none yet
	File     string // that has it
	instead  error  // what is wrong with the ring file
}

// Load returns the newest snapshot that is whole, which is what the ring file was before
// what is damaged of it. If an engine cannot use it, the one before it is had by Refuse. All
// files are left alone until Use.
func (f *Folder) Load() (*Memory, error) {
	snapshot, err := f.read(ringName)
	if snapshot != nil {
		return &Memory{snapshot, f.path(ringName), err}, nil
	}
	return f.previous(err)
}

// Refuse returns the Memory before one that the engine cannot use, for why.
func (f *Folder) Refuse(m *Memory, why error) (*Memory, error) {
	why = fmt.Errorf("%w: %w", ErrRefused, why)
	if m.File == f.path(prevName) {
		return nil, f.neither(m.instead, why)
	}
	return f.previous(why)
}

// Use is for when an engine runs that was made of the Memory: it says in the log if that
// is not the newest, and keeps what is wrong with the newest for people.
func (f *Folder) Use(m *Memory) error {
	if m.instead == nil {
		return nil
	}
	if m.File == f.path(ringName) {
		return f.useBeginning(m)
	}
	if errors.Is(m.instead, fs.ErrNotExist) {
		f.log.Error("the ring file is missing: going on from the one before it, without the last changes", "file", f.RingFile(), "used", m.File)
		return nil
	}
	if err := f.rename(ringName, damagedName); err != nil {
		return fmt.Errorf("cannot move the damaged ring file aside: %w", err)
	}
	what := "the ring file is damaged"
	if errors.Is(m.instead, ErrRefused) {
		what = "the ring file cannot be used"
	}
	f.log.Error(what+": going on from the one before it, without the last changes", "file", f.RingFile(), "err", m.instead, "kept", f.path(damagedName), "used", m.File)
	return f.syncDir()
}

// useBeginning is Use for a ring file whose last changes cannot be read. It stays in its
// place until the next Write, also where there is no room for another name of it.
func (f *Folder) useBeginning(m *Memory) error {
	kept := ""
	if _, err := f.keep(damagedName); err == nil && f.syncDir() == nil {
		kept = f.path(damagedName)
	}
	if errors.Is(m.instead, ErrCut) {
		f.log.Warn("the last write of the ring file was cut off: going on from what is before it", "file", f.RingFile(), "err", m.instead, "kept", kept)
	} else {
		f.log.Error("the ring file is damaged: going on from its beginning, without the last changes", "file", f.RingFile(), "err", m.instead, "kept", kept)
	}
	return nil
}

// previous returns the Memory before the ring file, which cannot be used.
func (f *Folder) previous(err error) (*Memory, error) {
	ring, prev := f.path(ringName), f.path(prevName)
	snapshot, prevErr := f.read(prevName)
	if snapshot != nil && prevErr != nil { // its last changes cannot be read either
		err, prevErr = fmt.Errorf("%w; and of the one before it only the beginning can be read: %v", err, prevErr), nil
	}
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case errors.Is(err, ErrVersion):
		return nil, orAnother("the ring file %s is left as it is: %w", ring, err)
	case errors.Is(err, ErrForeign) && prevErr == nil:
		return nil, orAnother("the file %s is left as it is: %w: move it away to go on from the ring file before it, %s, which is whole", ring, err, prev)
	case errors.Is(err, ErrForeign):
		return nil, orAnother("the file %s is left as it is: %w: put a copy of the ring file in its place, delete it to start as a new ring of this node alone", ring, err)
	case !missing && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrRefused):
		return nil, orAnother("cannot read the ring file: %w: make it a file that this user may read", err)
	case missing && errors.Is(prevErr, fs.ErrNotExist):
		return new(Memory), nil
	case prevErr != nil:
		return nil, f.neither(err, prevErr)
	}
	return &Memory{snapshot, prev, err}, nil
}

// neither says that both generations cannot be used.
func (f *Folder) neither(err, prevErr error) error {
	return orAnother("cannot use the ring file %s (%w) nor the one before it, %s (%w): they are left as they are; put back a copy of either, remove both for a new ring of this node alone and add it again", f.path(ringName), err, f.path(prevName), prevErr)
}

func orAnother(format string, args ...any) error {
	return fmt.Errorf(format+", or choose another data folder (--data)", args...)
}

// read returns the snapshot in a ring file, however long: what was written has to be read.
func (f *Folder) read(name string) ([]byte, error) {
	b, err := os.ReadFile(f.path(name))
	if err != nil {
		return nil, err
	}
	return DecodeRingFile(b)
}
