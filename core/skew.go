package core

import (
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// skewed finds a clock that went wrong after hello. Only a clock ahead proves
// it: one behind may be a frame that was late, and that side finds this one ahead.
func (r *Ring) skewed(c *conn, f *wire.Frame) bool {
	ahead := f.Wall - r.wall
	if r.cfg.Ephemeral {
		r.chase(ahead)
		ahead = 0
	}
	if !c.guest && ahead <= MaxSkew && ahead >= -MaxSkew {
		r.mintAnew(true)
	}
	if ahead <= MaxSkew || c.guest {
		r.reconciler.heard(c, f.Wall)
		return false
	}
	name := c.name
	r.fail(c, wire.CodeSkew, skewText(name, ahead, r.cfg.Name))
	r.apart(name, c.addr, ahead)
	return true
}

// mintAnew puts right what was minted while this node's clock was ahead: all
// others refuse such stamps, so whatever has one was made here, or came from a
// node that was wrong as well. What lives says of itself again; that much is
// done at once. Operators' wishes are kept, with the stamp that they would have
// now, as soon as a peer's clock agrees: until then it may be the clock of now
// that is wrong. Without a peer it is done once, and again when a guest came.
func (r *Ring) mintAnew(agreed bool) {
	if !r.wentBack || r.minted && !agreed {
		return
	}
	r.wentBack, r.minted = !agreed, true
	for _, rec := range r.replica.nodes.Records(lww.Range{}) {
		m := rec.Parsed.(*wire.Member)
		switch {
		case rec.Stamp <= r.wall+MaxSkew:
		case m.Ephemeral && rec.Name != r.cfg.Name:
			r.replica.forget(wire.Nodes, rec.Name) // its presence too
		case m.Ephemeral || agreed:
			r.replica.put(wire.Nodes, rec.Next(r.wall, rec.Rank))
		}
	}
	for _, rec := range r.replica.up.Records(lww.Range{}) {
		switch {
		case rec.Stamp <= r.wall+MaxSkew:
		case rec.Name == r.cfg.Name:
			r.mintPresence(0)
		case agreed || r.overlay.peer(rec.Name) != nil && r.overlay.peer(rec.Name).guest:
			r.replica.forget(wire.Up, rec.Name)
		}
	}
}
