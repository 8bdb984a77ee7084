package core

import (
	"github.com/nanoring/nanoring/core/wire"
)

// What a gateway bears of a guest. An honest one stays far below: it sends some
// four frames a second, and when it joins as many as its sync of the ring takes.
const (
	guestBurst = 512 // frames and KiB that it may send at once,
	frameRate  = 64  // and a second
)

// bearable says whether a connection may send a frame of so many bytes now; too
// long is too long, by however much.
func (c *conn) bearable(size int, now int64) bool {
	return c.role != Guest && !c.guest || c.spent.take(now, 1+int64(min(size, wire.MaxFrame)>>10), guestBurst, frameRate)
}

// hasRoom says whether one more guest may come in: of connections there are
// MaxGuests, and of names that are new no more than are forgotten meanwhile.
func (r *Ring) hasRoom(name string) bool {
	if c := r.overlay.peer(name); r.overlay.guests >= r.cfg.MaxGuests && (c == nil || c.role != Guest) {
		return false // else it takes the place of one
	}
	room := int64(r.cfg.MaxGuests)
	return r.replica.isMember(name) || r.newcomer.take(r.now, 1, room, max(room*Second/EphemeralTTL, 1))
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
		c.asserted = 0
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
