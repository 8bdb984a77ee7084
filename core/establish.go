package core

import "github.com/nanoring/nanoring/core/wire"

// establish makes c the connection with its peer. Of two whose dials crossed the
// one dialled by the lower name stays, else the newer one: who dials anew may
// have found the older one dead.
func (r *Ring) establish(c *conn) {
	if !c.dialed {
		r.sayHello(c)
	}
	c.establish(r.now)
	r.overlay.charge(c)
	r.ids.meet(c)
	r.cordon.seat(r, c)
	name := c.name
	r.overlay.welcome(c)
	if old := r.overlay.peer(name); old != nil {
		if c.crosses(old, r.now) && old.dialed == (r.cfg.Name < name) {
			r.keep(old, c)
			return
		}
		r.replace(old, c)
	} else {
		r.overlay.admit(c)
		r.debts.admit(c)
	}
	r.ids.tell(c)
	r.endAdd(c)
	r.detector.measure(c)
	if c.guest {
		r.minted = false
	} else {
		r.mintAnew(true)
	}
	if r.cfg.Ephemeral {
		r.greetGateway(c)
	}
	if !r.reconciler.meet(c) {
		r.close(c, wire.CodeRotated, "")
		return
	}
	r.detector.meet(c)
	r.messages.meet(c)
	if r.cfg.Address == "" && !r.cfg.Ephemeral {
		via := r.replica.via(r.cfg.Name)
		its := r.replica.look(via)
		if gw := r.overlay.peer(via); gw == nil || r.overlay.gateway() == c && (c.dialed && !gw.dialed || its.says.Cordoned) {
			r.mintPresence(0) // else it stays with the one that it has
		}
	}
	for _, frame := range c.queue {
		r.sendBytes(c, []byte(frame))
	}
	c.queue = nil
	r.confront(c)
	if r.leave != nil {
		r.tellLeave(c)
	}
	if c.hello.Fingerprint == r.replica.fingerprint() {
		r.reconciler.agreed(c)
		return
	}
	r.debts.oweTo(c, wire.Nodes, r.cfg.Name)
	r.debts.oweTo(c, wire.Up, r.cfg.Name)
	if c.dialed || c.authority || c.differs {
		r.reconciler.startSync(c)
	}
}

// believe takes the first frame of a peer that dialled for its word that it lets this
// node in, and says whether the two are of one ring still.
func (r *Ring) believe(c *conn) bool {
	c.unsure = false
	if !r.ids.lets(c.hello.IDs, c.hello.Unite, false, r.cfg.Ephemeral) {
		r.fail(c, wire.CodeRing, r.ids.why(&c.hello)) // this one was let in by another meanwhile
		return false
	}
	r.ids.take(c, c.hello.IDs)
	return true
}

// confront tells a peer at once what is believed of its name, if that is not
// what it is: gone, or another process. It refutes that, or halts.
func (r *Ring) confront(c *conn) {
	s := r.replica.look(c.name)
	if p := s.presence; p != nil && (p.Rank != rankUp || s.says.Instance != c.hello.Instance) {
		r.rumor(c, frameRecord(wire.Up, p))
	}
}

// keep stays with old and closes the newer c, once both sides see that they have two.
func (r *Ring) keep(old, c *conn) {
	r.endAdd(c)
	for _, frame := range c.queue {
		r.sendBytes(old, []byte(frame))
	}
	c.name = ""
	r.close(c, wire.CodeDuplicate, "")
}

// replace puts c in old's place.
func (r *Ring) replace(old, c *conn) {
	r.overlay.replace(old, c)
	c.differs = r.reconciler.abandon(old)
	c.place = old.place
	if old.guest && !c.guest {
		r.fail(old, wire.CodeNameTaken, ofDurable(c.name))
		return
	}
	r.close(old, wire.CodeDuplicate, "")
}
