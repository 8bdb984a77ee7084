package core

import (
	"strconv"

	"github.com/nanoring/nanoring/core/wire"
)

// opened takes in that a connection is open.
func (r *Ring) opened(in *Input) {
	if c := r.overlay.opened(in, r.started); c != nil && c.dialed && r.started { // else it was said: see inherit
		r.sayHello(c)
	}
}

func (r *Ring) sayHello(c *conn) {
	r.reconciler.checkStale()
	h := wire.Hello{
		Address: r.cfg.Address, Ephemeral: r.cfg.Ephemeral, Instance: r.cfg.Instance,
		Members: r.reconciler.knows(), Name: r.cfg.Name, Ring: r.cfg.Ring, Min: wire.Version, Max: wire.Version,
		Fingerprint: r.replica.fingerprint(), Wall: r.wall, IDs: r.ids.say(c), Unite: c.unites(), Digests: !r.cfg.Ephemeral,
	}
	if r.reconciler.stale {
		h.LastContact = r.reconciler.lastContact
	}
	r.send(c, &wire.Frame{Kind: wire.KindHello, Hello: h})
}

// greet judges a hello. What cannot be let in is told why.
func (r *Ring) greet(c *conn, h *wire.Hello) {
	c.greeted(h)
	code, text := r.judge(c, &c.hello)
	if code == 0 {
		return
	}
	name := c.hello.Name
	r.emitRefused(c, name, code, text)
	if c.dialed && c.want == name {
		r.overlay.shun(name, refusals) // who dials in may be anybody
	}
	r.failAdd(c, code, text)
	r.fail(c, code, text)
	if c.want != name || code == wire.CodeRing {
		r.gone(c.want)
	}
	if code == wire.CodeSkew {
		r.apart(name, c.addr, c.hello.Wall-r.wall)
	}
}

// judge lets the peer of a hello in, or does what else there is to do, or says why not.
func (r *Ring) judge(c *conn, h *wire.Hello) (wire.Code, string) {
	name, ahead := h.Name, h.Wall-r.wall
	mine, another, unite := name == r.cfg.Name, c.want != "" && c.want != name, h.Unite
	if c.dialed {
		if unite = c.unites(); another {
			unite = wire.UniteNever // it was another that was meant
		}
	}
	switch {
	case h.Min > wire.Version || h.Max < wire.Version:
		return wire.CodeVersion, "no common protocol version: " + r.cfg.Name + speaks
	case h.Ring != r.cfg.Ring:
		return wire.CodeRing, name + " belongs to the ring " + h.Ring + ", " + r.cfg.Name + " to " + r.cfg.Ring
	case !c.admits(name):
		return wire.CodeForbidden, "it may not go by the name " + name
	case mine && h.Instance == r.cfg.Instance:
		return wire.CodeSelf, c.addr + " is the address of this node itself"
	case !r.ids.lets(h.IDs, unite, c.dialed, h.Ephemeral || r.cfg.Ephemeral):
		return wire.CodeRing, r.ids.why(h)
	case !h.Ephemeral && !r.cfg.Ephemeral && r.replica.isOver(name, h.Instance): // a guest cannot prove it
		r.sendAway(c)
	case mine && older(h.Instance, r.cfg.Instance) && c.role == Peer && !h.Ephemeral:
		r.close(c, wire.CodeNameTaken, taken(name, r.cfg.Address)) // without an error frame, by which that one would halt, too
		if !r.conflict.believes(c, &r.replica) {
			r.emitRefused(c, name, wire.CodeNameTaken, taken(name, h.Address))
			return 0, ""
		}
		r.haltFor(HaltNameTaken, taken(name, h.Address))
	case mine:
		if !c.dialed && !h.Ephemeral && c.role == Peer { // so that it knows who this is: it may know that this one is over, see sendAway
			r.sayHello(c)
		}
		return wire.CodeNameTaken, taken(name, r.cfg.Address)
	case !h.Ephemeral && !r.cfg.Ephemeral && (ahead > MaxSkew || ahead < -MaxSkew):
		return wire.CodeSkew, skewText(name, ahead, r.cfg.Name)
	case another && r.replica.isMember(name):
		r.failAdd(c, wire.CodeWrongNode, wrongNode(c, name))
		r.gone(c.want)
		r.overlay.matter(c.want).instead = name
		r.hold(c) // a member all the same
	case another:
		return wire.CodeWrongNode, wrongNode(c, name)
	case c.role == Guest && !h.Ephemeral:
		return wire.CodeForbidden, "a guest is ephemeral"
	case h.Ephemeral && r.cfg.Ephemeral:
		return wire.CodeForbidden, "guests are no gateways"
	case h.Ephemeral && r.replica.isDeleted(name):
		return wire.CodeRemoved, deleted(name)
	case h.Ephemeral && r.replica.isDurable(name):
		return wire.CodeForbidden, ofDurable(name)
	case c.role == Guest:
		if no := r.overlay.noRoom(c, name); no != "" {
			return wire.CodeBusy, no
		}
		r.hold(c)
	default:
		r.hold(c)
	}
	return 0, ""
}

//go:noinline
func deleted(name string) string {
	return "the node " + name + " was deleted by an operator"
}

//go:noinline
func wrongNode(c *conn, name string) string {
	return "the node at " + c.addr + " is " + name + ", not " + c.want
}

// sendAway shows a process that it is over, and closes.
func (r *Ring) sendAway(c *conn) {
	name := c.hello.Name
	if !c.dialed {
		r.sayHello(c)
	}
	s := r.replica.look(name)
	r.rumor(c, frameRecord(wire.Nodes, s.node), frameRecord(wire.Up, s.presence))
	r.failAdd(c, wire.CodeRemoved, "the process at "+c.addr+" was deleted")
	r.fail(c, wire.CodeRemoved, "the node "+name+" was deleted after this process of it started, and another has its name")
}

// refusedBy takes an error frame: the peer refuses, and closes.
func (r *Ring) refusedBy(c *conn, code wire.Code, text string) {
	name := c.name
	if name == "" {
		name = c.want
	}
	r.emitRefused(c, name, code, text)
	if name != "" && (c.dialed || code != wire.CodeWrongNode) { // else it looked for another, and may be dialled
		r.overlay.shun(name, refusals)
		if code == wire.CodeSelf {
			r.overlay.matter(name).instead = r.cfg.Name
		}
	}
	if code == wire.CodeNameTaken && c.dialed && !r.conflict.insists(r.now, r.replica.deletedAt(r.cfg.Name), r.cfg.RemovalGrace) && r.conflict.believes(c, &r.replica) { // the one that started earlier was asked, and lives
		r.haltFor(HaltNameTaken, text)
		return
	}
	if code == wire.CodeRemoved && r.cfg.Ephemeral {
		r.halt(HaltRemoved, text)
		return
	}
	r.failAdd(c, code, text)
	r.close(c, code, "")
	if code == wire.CodeRing || code == wire.CodeSelf { // it has this node's own address
		r.gone(c.want)
	}
	if code == wire.CodeSkew && name != "" {
		r.apart(name, c.addr, 0)
	}
}

// apart draws the conclusions from a refusal for a clock: it is told, and who cannot
// be reached is none that is up.
func (r *Ring) apart(name, addr string, ahead int64) {
	if ahead != 0 { // else the refusal has told of it
		r.emitRarely(&Event{Kind: EventSkew, Name: name, Addr: addr, Code: wire.CodeSkew, Skew: ahead}, nil)
	}
	if r.replica.isMember(name) && !r.halted {
		r.overlay.skew(name)
		r.detector.doubt(name, false)
	}
}

// gone draws the conclusion from finding another node at the address of name.
func (r *Ring) gone(name string) {
	if name != "" && !r.halted {
		r.overlay.unshun(name)
		r.unreachable(name, false)
	}
}

// skewText says how far the clock of a node is off from that of another, for people.
func skewText(name string, ahead int64, other string) string {
	off := " s ahead of"
	if ahead < 0 {
		ahead, off = -ahead, " s behind"
	}
	return "the clock of " + name + " is " + strconv.FormatInt(ahead/Second, 10) + off + " the one of " + other
}

// speaks is a constant: the version has one digit.
const speaks = " speaks " + string(rune('0'+wire.Version))
