package core

import (
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// unsaved owns what has changed of what Snapshot returns, by the number of the change
// that it belongs to. It begins with the first Snapshot: who keeps none costs nothing.
type unsaved struct {
	begun bool
	names [2]lww.Set // by the set of the record; the stamp of a name is the number
	rest  uint64     // the same of what is no record
}

// note takes note that a record on disk is another from the change on that follows version.
//
//go:noinline
func (u *unsaved) note(id wire.SetID, name string, version uint64) {
	if u.begun {
		u.names[id].Put(lww.New(name, int64(version+1), 0, ""))
	}
}

// noteGone is note for all that is on disk of a name.
//
//go:noinline
func (u *unsaved) noteGone(name string, version uint64) {
	u.note(wire.Nodes, name, version)
	u.note(wire.Up, name, version)
}
