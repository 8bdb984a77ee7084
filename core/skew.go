package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/wire"
)

// setWall takes in the wall clock, and notes when it was set back.
func (r *Ring) setWall(wall int64) {
	wall = max(wall, 1)
	if wall < r.wall-Second {
		r.wentBack = true
	}
	r.wall = wall
}

// mintAnew puts right what was minted while this node's clock was ahead: all
// others refuse such stamps, so whatever has one was made here, or came from a
// node that was wrong as well. What lives says of itself again; that much is
// done at once. Operators' wishes are kept, with the stamp that they would have
// now, as soon as a peer's clock agrees: until then it may be the clock of now
// that is wrong.
func (r *Ring) mintAnew(agreed bool) {
	if !r.wentBack {
		return
	}
	r.wentBack = !agreed
	for _, rec := range slices.Collect(r.nodes.All()) {
		m := rec.Parsed.(*wire.Member)
		switch {
		case rec.Stamp <= r.wall+MaxSkew:
		case m.Ephemeral && rec.Name != r.cfg.Name:
			r.forget(wire.Nodes, rec.Name) // its presence too
		case m.Ephemeral || agreed:
			r.put(wire.Nodes, rec.Next(r.wall, rec.Rank))
		}
	}
	for _, rec := range slices.Collect(r.up.All()) {
		switch {
		case rec.Stamp <= r.wall+MaxSkew:
		case rec.Name == r.cfg.Name:
			r.mintPresence(0)
		case agreed || r.byName[rec.Name] != nil && r.byName[rec.Name].guest:
			r.forget(wire.Up, rec.Name)
		}
	}
}
