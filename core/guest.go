package core

import (
	"slices"
	"strings"

	"github.com/nanoring/nanoring/core/wire"
)

// What a gateway bears. An honest guest stays far below: it sends some four
// frames a second, and when it joins as many as its sync of the ring takes.
const (
	guestRate    = 10      // records of a guest that are taken each round
	guestBurst   = 512     // frames and KiB that a guest may send at once,
	frameRate    = 64      // and a second
	guestAnswers = 4 << 10 // KiB of records that its syncs are answered with at once,
	answerRate   = 64      // and a second
	gatewayBurst = 4096    // records of all guests of a gateway that are taken at once,
	gatewayRate  = 512     // and a second
)

// bearable says whether a connection may send a frame of so many bytes now; too
// long is too long, by however much.
func (r *Ring) bearable(c *conn, size int) bool {
	return c.role != Guest && !c.guest || c.heaped.take(r.now, 1+int64(min(size, wire.MaxFrame)>>10), guestBurst, frameRate)
}

// admits says whether authentication lets the other end have a name.
func (c *conn) admits(name string) bool {
	begin, some := strings.CutSuffix(c.is, "*")
	return c.is == "" || name == c.is || some && c.role == Guest && strings.HasPrefix(name, begin)
}

// hasRoom says whether one more guest may come in: of connections there are
// MaxGuests, and of names that are new no more than are forgotten meanwhile.
func (r *Ring) hasRoom(name string) bool {
	guests := 0
	for _, c := range r.live {
		if c.role == Guest && c.name != name {
			guests++
		}
	}
	room := int64(r.cfg.MaxGuests)
	return guests < r.cfg.MaxGuests && (r.member(name) || r.newcomer.take(r.now, 1, room, max(room*Second/EphemeralTTL, 1)))
}

// forged punishes a guest that has something newer to say of another, which
// nobody told it. What this node has as new, or newer, it may hold in good faith,
// and what it was told of its gateway by the one before.
func (r *Ring) forged(c *conn, w *wire.Record) {
	if w.Set != wire.Up || w.Name != r.cfg.Name {
		r.fail(c, wire.CodeForbidden, "a guest speaks for itself alone")
	}
}

// refusedAll says whether nothing more is taken of the frame under way: this node
// halted by it, or a guest was refused for it.
func (r *Ring) refusedAll(c *conn) bool { return r.halted || c.guest && r.conns[c.id] != c }

// labels says whether a guest has the labels that it has to have.
func (c *conn) labels(tags []wire.Tag) bool { return c.tags == nil || slices.Equal(tags, c.tags) }

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
		if silent > EphemeralTTL { // it is forgotten
			r.close(c, wire.CodeTimeout, "silent for too long")
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
