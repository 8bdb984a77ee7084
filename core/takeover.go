package core

import (
	"strings"

	"github.com/nanoring/nanoring/core/wire"
)

// A Ring of a configuration with Takeover takes the place of another Engine of
// the same process, whose connections stay open. What is the case already it is
// told by inputs before Start: Opened, of each open connection, with its Role and
// Addr; then Received, with the peer's hello, if this node has said its own there;
// Closed, of the last id that was dialled, if that one is over. None has effects.

// inherit takes an input from before Start.
func (r *Ring) inherit(in Input) {
	if in.Conn%2 == 0 {
		r.nextConn = max(r.nextConn, in.Conn)
	}
	switch in.Kind {
	case Opened:
		r.opened(in)
	case Received:
		if c := r.conns[in.Conn]; c != nil && c.state == connOpen {
			r.inheritHello(c, in.Frame)
		}
	}
}

// inheritHello makes c the connection with the peer of a hello. One that cannot
// have been let in is left to time out.
func (r *Ring) inheritHello(c *conn, frame []byte) {
	var f wire.Frame
	if f.Decode(frame) != nil || f.Kind != wire.KindHello || f.Hello.Name == r.cfg.Name || r.byName[f.Hello.Name] != nil {
		return
	}
	h := f.Hello
	h.Name, h.Ring, h.Address = strings.Clone(h.Name), strings.Clone(h.Ring), strings.Clone(h.Address)
	c.timer.stop()
	c.hello, c.name, c.state = h, h.Name, connEstablished
	c.guest = h.Ephemeral
	c.peerStale = h.LastContact != 0
	r.byName[c.name] = c
	r.debts.admit(c)
	r.live = append(r.live, c)
	r.joined = true
}

// resume goes on where the other engine ended. Its clock and the times of what
// it did are not known, so all periods begin anew; what it owed to peers, their
// fingerprints tell within a round.
func (r *Ring) resume() {
	if !r.cfg.Takeover {
		return
	}
	for rec := range r.up.All() {
		if s := r.look(rec.Name); s.state == Suspect {
			r.timeSuspicion(rec, &s)
		}
	}
	for _, c := range r.live {
		c.heard, c.used = r.now, r.now
		c.authority = r.cfg.Ephemeral || r.stale && !c.peerStale && !c.guest && c.hello.Members > 1
	}
}

// stands says whether this process's presence is what it would say now. One that
// cannot be dialled stays with its gateway.
func (r *Ring) stands() bool {
	own := r.up.Get(r.cfg.Name)
	if !r.cfg.Takeover || own == nil || own.Rank != rankUp {
		return false
	}
	p := r.presence()
	if via := r.via(r.cfg.Name); r.byName[via] != nil || r.gateway() == nil {
		p.Via = via
	}
	return own.Value == p.Value()
}
