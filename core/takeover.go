package core

import (
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// A Ring of a configuration with Takeover takes the place of another Engine of
// the same process, whose connections stay open. What is the case already it is
// told by inputs before Start: Opened, of each open connection, with its Role and
// Addr; then Received, with the peer's hello, if this node has said its own there;
// Closed, of the last id that was dialled, if that one is over. None has effects.

// inherit takes an input from before Start.
func (r *Ring) inherit(in *Input) {
	if in.Conn%2 == 0 {
		r.overlay.nextConn = max(r.overlay.nextConn, in.Conn)
	}
	switch in.Kind {
	case Opened:
		r.opened(in)
	case Received:
		if c := r.overlay.conns[in.Conn]; c != nil && c.state == connOpen {
			r.inheritHello(c, in.Frame)
		}
	}
}

// inheritHello makes c the connection with the peer of a hello. One that cannot
// have been let in is left to time out.
func (r *Ring) inheritHello(c *conn, frame []byte) {
	var f wire.Frame
	if f.Decode(frame) != nil || f.Kind != wire.KindHello || f.Hello.Name == r.cfg.Name || r.overlay.peer(f.Hello.Name) != nil {
		return
	}
	c.greeted(&f.Hello)
	c.establish(r.now)
	r.overlay.charge(c)
	c.knows = r.ids.set // the other engine has told it
	r.overlay.welcome(c)
	r.overlay.admit(c)
	r.debts.admit(c)
}

// had is what this process says of itself already, or nil.
func (r *Ring) had() *wire.Presence {
	if own := r.replica.up.Get(r.cfg.Name); r.cfg.Takeover && own != nil {
		if p := own.Parsed.(*wire.Presence); p.Instance == r.cfg.Instance {
			return p
		}
	}
	return nil
}

// handTimers returns what is due, each as what it makes of a name, with the time
// for a stamp: both engines are of one process, and have one clock.
func (r *Ring) handTimers() (all []wire.Record) {
	for _, t := range r.heap {
		w := wire.Record{Set: wire.Up, Name: t.name, Stamp: t.at + r.slept, Rank: uint8(t.kind), Value: "\x80"}
		switch s := r.replica.look(t.name); t.kind {
		case gatewayDue, suspicionDue:
			if s.presence == nil || s.presence.Stamp != int64(t.id) {
				continue
			}
		case removalDue:
		case deadlineDue:
			if w.Set, w.Rank = wire.Nodes, rankReap; s.state == Removed {
				continue
			}
		default:
			continue
		}
		all = append(all, w)
	}
	return all
}

// resume goes on where the other engine ended. Periods begin anew, and so do the
// times that were not handed over; what it owed to peers, their fingerprints tell
// within a round.
func (r *Ring) resume() {
	carried := r.carried
	r.carried = nil
	if !r.cfg.Takeover {
		return
	}
	for _, rec := range r.replica.up.Records(lww.Range{}) {
		if s := r.replica.look(rec.Name); s.state == Suspect {
			r.detector.timeSuspicion(rec.Name, &s)
		}
	}
	for i := range carried {
		w := &carried[i]
		at := max(w.Stamp, r.now+1) // this node is shown as it was first
		switch p, kind := r.replica.up.Get(w.Name), timerKind(w.Rank); {
		case w.Set == wire.Nodes:
			if t := r.replica.deadlines[w.Name]; t != nil {
				r.replica.deadlines[t.name] = r.hasten(t, at)
			}
		case kind == removalDue:
			r.removal = r.hasten(r.removal, at)
		case kind != stopped && p != nil:
			r.arm(at, kind, p.Name, uint64(p.Stamp)) // before the one that begins anew
		}
	}
	for _, c := range r.overlay.live {
		c.heard, c.used, c.needed = r.now, r.now, r.now
		c.authority = r.cfg.Ephemeral || r.reconciler.isAuthority(c)
	}
	r.messages.resume(&r.messages.carried)
	r.messages.carried = wire.News{}
}
