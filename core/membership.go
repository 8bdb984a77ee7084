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
		if r.yields() {
			return
		}
		if r.removal != nil {
			r.removal.stop()
			r.removal = nil
			r.event(EventStays).Name = r.cfg.Name
		}
	case r.leave != nil:
	case own.Rank == rankReap, r.cfg.Rejoin && own.Stamp < r.born:
		r.addSelf()
	case r.removal == nil:
		r.event(EventLeaving).Name = r.cfg.Name
		r.removal = r.after(r.cfg.RemovalGrace, removalDue, r.cfg.Name, 0)
	}
}

// addSelf mints this node's own membership.
func (r *Ring) addSelf() {
	r.replica.add(r.cfg.Name, wire.Member{Address: r.cfg.Address, Ephemeral: r.cfg.Ephemeral}, 0)
}

// yields says whether this process is over, and ends it if so: its name was deleted
// since it started, and is that of another process now, which started later. That
// one's add is no reprieve for this one.
func (r *Ring) yields() bool {
	if !r.halted && older(r.cfg.Instance, r.successor) && r.replica.isOutlived(r.cfg.Name, r.cfg.Instance) {
		r.haltFor(HaltRemoved, "another process has the name "+r.cfg.Name+", which was deleted after this one started")
	}
	return r.halted
}

// meets takes note of a process of this node's name, and says whether this one is over.
func (r *Ring) meets(i wire.Instance) bool {
	if older(r.successor, i) {
		r.successor = i
	}
	return r.yields()
}

// recall learns from an older record of this node's name that another process has it,
// or that it was deleted. Of that, which it did not know, the own add says that it
// overruled it: so everybody can tell this process from one that was deleted.
func (r *Ring) recall(w *wire.Record) {
	own := r.replica.look(r.cfg.Name)
	switch {
	case r.cfg.Ephemeral:
	case w.Set == wire.Up:
		if p, err := wire.ParsePresence(w.Value); err == nil && !p.Ephemeral {
			r.meets(p.Instance)
		}
	case isGuests(w): // who had the name is not this node
	case w.Rank == rankDel && own.node.Rank == rankAdd && w.Stamp > own.member.Deleted:
		r.replica.add(r.cfg.Name, *own.member, w.Stamp)
	}
}

// unable says why this node cannot keep what an operator wishes, if so: nobody would
// take it from it.
func (r *Ring) unable() (wire.Code, string) {
	switch {
	case r.leave != nil || r.halted:
		return wire.CodeHalting, "this node is leaving"
	case r.removal != nil:
		return wire.CodeHalting, "this node was removed from the ring: ask another"
	case r.overlay.isApart():
		return wire.CodeSkew, "the clock of this node is not that of the others, who do not let it in: set it right, or ask another"
	}
	return 0, ""
}
