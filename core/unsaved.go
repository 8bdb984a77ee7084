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
func (u *unsaved) note(id wire.SetID, name string, version uint64) {
	if u.begun {
		u.names[id].Put(lww.New(name, int64(version+1), 0, ""))
	}
}

// since returns the names of a set that are of later changes, and forgets the others.
func (u *unsaved) since(id wire.SetID, version uint64) (names []string) {
	for _, n := range u.names[id].Records(lww.Range{}) {
		if n.Stamp > int64(version) {
			names = append(names, n.Name)
		} else {
			u.names[id].Remove(n.Name)
		}
	}
	return names
}
