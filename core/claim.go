package core

import "github.com/nanoring/nanoring/core/wire"

// taken says who has a name.
//
//go:noinline
func taken(name, addr string) string {
	text := "the name " + name + " is taken by a node that is up"
	if addr != "" {
		text += ", at " + addr
	}
	return text
}

// hold lets a peer in, unless its name's older instance may be up elsewhere: then
// that one is asked, and if it answers, the new one is refused. An older instance
// that comes back is let in: the later one will hear of it.
func (r *Ring) hold(c *conn) {
	name := c.hello.Name
	s := r.replica.look(name)
	if c.dialed && c.add == nil || s.presence == nil || s.presence.Rank >= rankDown {
		r.establish(c)
		return
	}
	p := s.says
	if p.Ephemeral && !c.hello.Ephemeral { // a guest that has the name of a node gives way
		r.establish(c)
		return
	}
	if p.Instance == c.hello.Instance && !(c.borrows() && r.replica.holds(&s)) || older(c.hello.Instance, p.Instance) && !c.hello.Ephemeral || p.Address != "" && p.Address == c.hello.Address {
		r.establish(c)
		return
	}
	if r.replica.isOutlived(name, p.Instance) {
		r.establish(c)
		return
	}
	c.state = connHeld
	c.timer.stop()
	r.detector.claim(c, p)
}

// borrows says whether the other end may have its instance of another: that of a guest is in its
// presence, for all to read. A token for that very name is its own.
func (c *conn) borrows() bool { return c.hello.Ephemeral && c.authenticated != c.hello.Name }

// holds says whether a guest is up at a gateway that keeps it, as far as is known.
func (r *replica) holds(s *standing) bool {
	at := r.look(s.gateway())
	return s.state == Alive && (s.gateway() == r.cfg.Name || at.isGateway())
}

// settleClaims decides about the peers that wait for what older instances of
// their names have to say.
func (r *Ring) settleClaims() {
	for len(r.detector.claims) > 0 {
		a := r.detector.claims[0]
		r.detector.claims = r.detector.claims[1:]
		c := r.overlay.conns[a.conn]
		if c == nil {
			continue
		}
		name := c.hello.Name
		if a.lives {
			text := taken(name, a.addr)
			r.emitRefused(c, name, wire.CodeNameTaken, text)
			r.failAdd(c, wire.CodeNameTaken, text)
			r.fail(c, wire.CodeNameTaken, text)
			continue
		}
		if c.hello.Ephemeral && r.replica.isDurable(name) {
			r.fail(c, wire.CodeForbidden, ofDurable(name)) // by now
			continue
		}
		r.establish(c)
	}
}

// haltFor ends this process in favour of another of its name, of which it says no
// bye: the name is not its own.
func (r *Ring) haltFor(why Reason, text string) {
	r.closeAll(wire.CodeNameTaken)
	r.halt(why, text)
}
