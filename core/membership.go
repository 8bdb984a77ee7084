package core

import (
	"github.com/nanoring/nanoring/core/wire"
)

// reviewMembership acts on this node's own record in nodes.
func (r *Ring) reviewMembership() {
	own := r.replica.nodes.Get(r.cfg.Name)
	switch {
	case own == nil:
	case own.Rank == rankAdd:
		if r.removal != nil {
			r.removal.stop()
			r.removal = nil
			r.emit(Event{Kind: EventStays, Name: r.cfg.Name})
		}
	case r.leave != nil:
	case own.Rank == rankReap, r.cfg.Rejoin && own.Stamp < r.born:
		r.addSelf()
	case r.removal == nil:
		r.emit(Event{Kind: EventLeaving, Name: r.cfg.Name})
		r.removal = r.after(r.cfg.RemovalGrace, removalDue, "", 0)
	}
}

// addSelf mints this node's own membership.
func (r *Ring) addSelf() {
	m := wire.Member{Address: r.cfg.Address, Ephemeral: r.cfg.Ephemeral}
	r.replica.put(wire.Nodes, newNode(r.cfg.Name, r.replica.mint(r.replica.nodes.Get(r.cfg.Name)), m))
}
