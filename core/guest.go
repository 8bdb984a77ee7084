package core

import (
	"github.com/nanoring/nanoring/core/ledger"
	"github.com/nanoring/nanoring/core/wire"
)

// noRoom says why one more guest may not come in, if so: of connections there are
// MaxGuests, and of names that are new no more than are forgotten meanwhile.
func (o *overlay) noRoom(c *conn, name string) string {
	switch old := o.peer(name); {
	case o.guests >= o.cfg.MaxGuests && (old == nil || old.role != Guest): // else it takes the place of one
		return o.cfg.Name + " has no room for more guests"
	case o.replica.isMember(name):
		return ""
	case o.replica.guests >= maxRingGuests:
		return "the ring has no room for more guests"
	}
	switch c.cost.Take(o.now, costNames, 1) {
	case ledger.Party:
		return "too many names of guests that come by the same token are new to " + o.cfg.Name
	case ledger.All:
		return "too many names of guests are new to " + o.cfg.Name
	}
	return ""
}

// greetGateway is a guest's start at a gateway: it takes over its clock and
// its records, and asserts itself there.
func (r *Ring) greetGateway(c *conn) {
	r.chase(c.hello.Wall - r.wall)
	r.mintAnew(true)
	own := r.replica.nodes.Get(r.cfg.Name)
	if own == nil || own.Rank == rankReap {
		r.addSelf()
	}
	r.mintPresence(0)
}

// leaveSilent has a guest go to another gateway when its own was silent for two
// periods: it is up no longer than GuestGrace without one.
func (r *Ring) leaveSilent(gateway string) {
	if c := r.overlay.peer(gateway); c != nil && r.now-c.heard > 2*r.cfg.Period {
		r.close(c, wire.CodeTimeout, "no answer")
	}
}

// checkGuests probes guests that are silent. Their timers may sleep in a
// hidden tab, but they still answer. One that is elsewhere by now is let go.
func (r *Ring) checkGuests() {
	for _, c := range r.overlay.all() {
		silent := r.now - c.heard
		if !c.guest || silent < 2*r.cfg.Period {
			continue
		}
		switch s := r.replica.look(c.name); {
		case silent > EphemeralTTL: // it is forgotten
			r.close(c, wire.CodeTimeout, "silent for too long")
		case s.presence != nil && !c.speaksIn(&s, r.cfg.Name):
			r.close(c, wire.CodeRotated, "it is at another gateway")
		case !c.probed:
			c.probed = true
			r.probe(c, r.nextSeq())
		case silent > 3*r.cfg.Period+2*r.cfg.AckTimeout:
			r.replica.accuse(c.name, rankSuspect)
		}
	}
}
