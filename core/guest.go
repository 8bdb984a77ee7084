package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/wire"
)

// guestRate is how many records of a guest are taken each round.
const guestRate = 10

// gateway returns the connection by which a node that cannot be dialled is reached.
func (r *Ring) gateway() *conn {
	for _, c := range r.live {
		if c.dialed && !c.guest {
			return c
		}
	}
	return nil
}

// greetGateway is a guest's start at a gateway: it takes over its clock and
// its records, and asserts itself there.
func (r *Ring) greetGateway(c *conn) {
	r.followClock(c.hello.Wall - r.wall)
	r.mintAnew(true)
	c.authority = true
	own := r.nodes.Get(r.cfg.Name)
	if own == nil || own.Rank != rankAdd {
		r.addSelf()
	}
	r.mintPresence(0)
}

// leaveSilent has a guest go to another gateway when its own was silent for two
// periods: it is up no longer than GuestGrace without one.
func (r *Ring) leaveSilent(gateway string) {
	if c := r.byName[gateway]; c != nil && r.now-c.heard > 2*r.cfg.Period {
		r.close(c, wire.CodeTimeout, "no answer")
	}
}

// followClock keeps a guest's clock near its gateway's, which is ahead by so much.
func (r *Ring) followClock(ahead int64) {
	if ahead > Second || ahead < -Second {
		r.offset += ahead
		r.setWall(r.wall + ahead)
	}
}

// guestGone is called when a guest's connection is: an orderly close is a bye.
func (r *Ring) guestGone(c *conn, code wire.Code) {
	s := r.look(c.name)
	if !s.isUp() || s.via != r.cfg.Name {
		return
	}
	if code == wire.CodeBye || code == wire.CodeGoingAway {
		r.accuse(c.name, rankLeft)
	} else {
		r.accuse(c.name, rankSuspect)
	}
}

// checkGuests probes guests that are silent. Their timers may sleep in a
// hidden tab, but they still answer.
func (r *Ring) checkGuests() {
	for _, c := range slices.Clone(r.live) {
		c.asserted = 0
		silent := r.now - c.heard
		if !c.guest || silent < 2*r.cfg.Period {
			continue
		}
		if !c.probed {
			c.probed = true
			r.seq++
			r.send(c, &wire.Frame{Kind: wire.KindProbe, Seq: r.seq})
		} else if silent > 3*r.cfg.Period+2*r.cfg.AckTimeout {
			r.accuse(c.name, rankSuspect)
		}
	}
}
