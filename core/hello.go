package core

import (
	"slices"
	"strconv"
	"strings"

	"github.com/nanoring/nanoring/core/wire"
)

func (r *Ring) sayHello(c *conn) {
	r.checkStale()
	h := wire.Hello{
		Address: r.cfg.Address, Ephemeral: r.cfg.Ephemeral, Instance: r.cfg.Instance,
		Members: uint64(r.durable), Name: r.cfg.Name, Ring: r.cfg.Ring, Min: wire.Version, Max: wire.Version,
		Print: r.print(), Wall: r.wall,
	}
	if r.stale {
		h.LastContact = r.lastContact
	}
	r.send(c, &wire.Frame{Kind: wire.KindHello, Hello: h})
}

// greet judges a hello. What cannot be let in is told why.
func (r *Ring) greet(c *conn, h wire.Hello) {
	h.Name, h.Ring, h.Address = strings.Clone(h.Name), strings.Clone(h.Ring), strings.Clone(h.Address) // of a frame that may be long
	c.hello = h
	name := h.Name
	refuse := func(code wire.Code, text string) {
		r.emitRarely(Event{Kind: EventRefused, Name: name, Addr: c.addr, Code: code, Text: text})
		if c.dialed && c.want == name {
			r.shun(name) // who dials in may be anybody
		}
		r.failAdd(c, code, text)
		r.fail(c, code, text)
		if c.want != name || code == wire.CodeRing {
			r.gone(c.want)
		}
	}
	ahead := h.Wall - r.wall
	switch {
	case h.Min > wire.Version || h.Max < wire.Version:
		refuse(wire.CodeVersion, "no common protocol version: "+r.cfg.Name+" speaks 1")
	case h.Ring != r.cfg.Ring:
		refuse(wire.CodeRing, name+" belongs to the ring "+h.Ring+", "+r.cfg.Name+" to "+r.cfg.Ring)
	case !c.admits(name):
		refuse(wire.CodeForbidden, "it may not go by the name "+name)
	case name == r.cfg.Name && h.Instance == r.cfg.Instance:
		refuse(wire.CodeSelf, c.addr+" is the address of this node itself")
	case name == r.cfg.Name && older(h.Instance, r.cfg.Instance) && c.role == Peer && !h.Ephemeral:
		r.haltNameTaken(r.taken(name, h.Address))
	case name == r.cfg.Name:
		refuse(wire.CodeNameTaken, r.taken(name, r.cfg.Address))
	case !h.Ephemeral && !r.cfg.Ephemeral && (ahead > MaxSkew || ahead < -MaxSkew):
		r.emitRarely(Event{Kind: EventSkew, Name: name, Addr: c.addr, Skew: ahead})
		refuse(wire.CodeSkew, "the clock of "+name+" is "+seconds(ahead)+" the one of "+r.cfg.Name)
	case c.want != "" && c.want != name && r.member(name):
		r.failAdd(c, wire.CodeWrongNode, wrongNode(c, name))
		r.gone(c.want)
		r.holdOrEstablish(c) // a member all the same
	case c.want != "" && c.want != name:
		refuse(wire.CodeWrongNode, wrongNode(c, name))
	case c.role == Guest && !h.Ephemeral:
		refuse(wire.CodeForbidden, "a guest is ephemeral")
	case h.Ephemeral && r.cfg.Ephemeral:
		refuse(wire.CodeForbidden, "guests are no gateways")
	case h.Ephemeral && r.deleted(name):
		refuse(wire.CodeRemoved, "the node "+name+" was deleted by an operator")
	case h.Ephemeral && r.durableName(name):
		refuse(wire.CodeForbidden, "the name "+name+" is a durable node's")
	case c.role == Guest && !r.hasRoom(name):
		refuse(wire.CodeBusy, r.cfg.Name+" has no room for more guests")
	default:
		r.holdOrEstablish(c)
	}
}

func wrongNode(c *conn, name string) string {
	return "the node at " + c.addr + " is " + name + ", not " + c.want
}

func (r *Ring) taken(name, addr string) string {
	text := "the name " + name + " is taken by a node that is up"
	if addr != "" {
		text += ", at " + addr
	}
	return text
}

func (r *Ring) durableName(name string) bool {
	s := r.look(name)
	return s.node != nil && !s.member.Ephemeral
}

// holdOrEstablish lets a peer in, unless its name's older instance may be up
// elsewhere: then that one is asked, and if it answers, the new one is refused.
// An older instance that comes back is let in: the later one will hear of it.
func (r *Ring) holdOrEstablish(c *conn) {
	name := c.hello.Name
	s := r.look(name)
	if c.dialed && c.add == nil || s.presence == nil || s.presence.Rank >= rankDown {
		r.establish(c)
		return
	}
	p := s.says
	if p.Instance == c.hello.Instance || older(c.hello.Instance, p.Instance) && !c.hello.Ephemeral || p.Address != "" && p.Address == c.hello.Address {
		r.establish(c)
		return
	}
	c.state = connHeld
	c.timer.stop()
	r.ask(name, 4*r.cfg.AckTimeout, func(alive bool, who wire.Instance) {
		if r.conns[c.id] != c {
			return
		}
		if alive && who == p.Instance {
			text := r.taken(name, p.Address)
			r.emitRarely(Event{Kind: EventRefused, Name: name, Addr: c.addr, Code: wire.CodeNameTaken, Text: text})
			r.failAdd(c, wire.CodeNameTaken, text)
			r.fail(c, wire.CodeNameTaken, text)
			return
		}
		r.establish(c)
	})
}

// establish makes c the connection with its peer. Of two between the same
// processes the one dialled by the lower name stays.
func (r *Ring) establish(c *conn) {
	name := c.hello.Name
	if !c.dialed {
		r.sayHello(c)
	}
	c.timer.stop()
	r.undial(c)
	c.state, c.name = connEstablished, name
	c.heard, c.used = r.now, r.now
	c.guest = c.hello.Ephemeral
	c.peerStale = c.hello.LastContact != 0
	r.joined = true
	delete(r.shunned, name)
	if old := r.byName[name]; old != nil {
		if old.hello.Instance == c.hello.Instance && old.dialed != c.dialed && old.dialed == (r.cfg.Name < name) {
			r.keep(old, c)
			return
		}
		r.replace(old, c)
	} else {
		r.live = append(r.live, c)
		r.debts.admit(c)
	}
	r.byName[name] = c
	r.endAdd(c)
	r.measure(c)
	if !c.guest {
		r.mintAnew(true)
	}
	switch {
	case r.cfg.Ephemeral:
		r.greetGateway(c)
	case r.alone() && c.peerStale && !c.guest:
		r.becomeStale(c.hello.LastContact) // what it has, it has from a stale node
	case r.stale && !c.peerStale && !c.guest && c.hello.Members > 1:
		c.authority = true
	}
	if r.cfg.Address == "" && !r.cfg.Ephemeral && r.gateway() == c {
		r.mintPresence(0)
	}
	for _, frame := range c.queue {
		r.sendBytes(c, []byte(frame))
	}
	c.queue = nil
	r.confront(c)
	if r.leave != nil {
		r.tellLeave(c)
	}
	if c.hello.Print == r.print() {
		return
	}
	r.oweTo(c, wire.Nodes, r.cfg.Name)
	r.oweTo(c, wire.Up, r.cfg.Name)
	if c.dialed || c.authority {
		r.startSync(c)
	}
}

// measure learns how long a new peer's answers take, before the first one is
// missed: of who dialled by the hello, of who was dialled by a probe.
func (r *Ring) measure(c *conn) {
	sent := r.now
	switch {
	case c.dialed:
		c.trip.measured(r.now - c.opened)
	case !c.guest:
		seq := r.newAsk(c.name, r.cfg.AckTimeout, func(alive bool, _ wire.Instance) {
			if alive {
				c.trip.measured(r.now - sent)
			}
		})
		r.send(c, &wire.Frame{Kind: wire.KindProbe, Seq: seq})
	}
}

// confront tells a peer at once what is believed of its name, if that is not
// what it is: gone, or another process. It refutes that, or halts.
func (r *Ring) confront(c *conn) {
	s := r.look(c.name)
	if p := s.presence; p != nil && (p.Rank != rankUp || s.says.Instance != c.hello.Instance) {
		r.send(c, &wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{frameRecord(wire.Up, p)}})
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
	r.live[slices.Index(r.live, old)] = c
	delete(r.byName, old.name)
	if r.sync != nil && r.sync.conn == old {
		r.sync = nil
	}
	c.slot, c.owing = old.slot, old.owing
	old.name = ""
	r.close(old, wire.CodeDuplicate, "")
}

// refusedBy takes an error frame: the peer refuses, and closes.
func (r *Ring) refusedBy(c *conn, code wire.Code, text string) {
	name := c.name
	if name == "" {
		name = c.want
	}
	r.emitRarely(Event{Kind: EventRefused, Name: name, Addr: c.addr, Code: code, Text: text})
	if name != "" {
		r.shun(name)
	}
	if code == wire.CodeNameTaken && c.dialed { // the one that started earlier was asked, and lives
		r.haltNameTaken(text)
		return
	}
	if code == wire.CodeRemoved && r.cfg.Ephemeral {
		r.halt(HaltRemoved, text)
		return
	}
	r.failAdd(c, code, text)
	r.close(c, code, "")
	if code == wire.CodeRing {
		r.gone(c.want)
	}
}

// gone draws the conclusion from finding another node at the address of name.
func (r *Ring) gone(name string) {
	if name != "" && !r.halted {
		delete(r.shunned, name)
		r.unreachable(name, false)
	}
}

func (r *Ring) haltNameTaken(text string) {
	for _, c := range slices.Clone(r.live) {
		r.close(c, wire.CodeNameTaken, "")
	}
	r.halt(HaltNameTaken, text)
}

// shun leaves a node alone for a while that refused, or was refused: it
// answered, so it lives, and would be refused again.
func (r *Ring) shun(name string) { r.shunned[name] = r.now + 3*r.cfg.Period }

func (r *Ring) shunning(name string) bool { return r.shunned[name] > r.now }

// seconds says how far a clock is off, for people.
func seconds(ahead int64) string {
	if ahead < 0 {
		return strconv.FormatInt(-ahead/Second, 10) + " s behind"
	}
	return strconv.FormatInt(ahead/Second, 10) + " s ahead of"
}
