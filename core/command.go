package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// leaveTimeout is how long a leave waits for another node to hold its tombstone.
const leaveTimeout = 10 * Second

// adding is an Add whose node's hello is awaited.
type adding struct {
	id   uint64
	name string // "" until the hello tells
	addr string
}

// leave is a Leave that waits until another node holds its tombstone.
type leave struct {
	id    uint64 // 0 once it was answered
	after uint64 // an ack of a later round proves it: it was sent before
}

func (r *Ring) do(cmd Command) {
	if (r.leave != nil || r.halted) && cmd.Op != Stop {
		r.result(cmd.ID, cmd.Name, wire.CodeHalting, "this node is leaving")
		return
	}
	switch cmd.Op {
	case Add:
		r.add(cmd)
	case Del:
		r.del(cmd)
	case Leave:
		r.startLeave(cmd)
	case Stop:
		r.goodbye(HaltStopped)
	default:
		r.result(cmd.ID, cmd.Name, wire.CodeInvalid, "no such command")
	}
}

// Inlined at all its callers it would be a two-hundredth of the module.
//
//go:noinline
func (r *Ring) result(id uint64, name string, code wire.Code, text string) {
	r.results = append(r.results, Event{Kind: EventResult, ID: id, Seq: r.version, Name: name, Code: code, Text: text})
}

// add dials the address first: what answers there has to be the node that was
// meant. If nobody answers, a node that was named is added all the same.
func (r *Ring) add(cmd Command) {
	invalid := func(text string) { r.result(cmd.ID, cmd.Name, wire.CodeInvalid, text) }
	if cmd.Name != "" {
		if err := wire.ValidName(cmd.Name); err != nil {
			invalid(err.Error())
			return
		}
	}
	if err := wire.ValidAddress(cmd.Addr); err != nil {
		invalid(err.Error())
		return
	}
	if cmd.Name == r.cfg.Name || cmd.Addr == r.cfg.Address {
		invalid("that is this node itself")
		return
	}
	if r.cfg.Ephemeral {
		r.result(cmd.ID, cmd.Name, wire.CodeForbidden, "a guest adds nobody: ask its gateway's operator")
		return
	}
	c := r.dial(cmd.Addr, cmd.Name)
	c.add = &adding{id: cmd.ID, name: cmd.Name, addr: cmd.Addr}
}

// endAdd mints the membership of the node whose hello was awaited.
func (r *Ring) endAdd(c *conn) {
	if a := c.add; a != nil {
		c.add = nil
		r.stale = false // an operator who joins rings means what this one holds
		r.addNode(a.id, c.name, a.addr)
	}
}

func (r *Ring) addNode(id uint64, name, addr string) {
	r.put(wire.Nodes, newNode(name, r.mint(r.tombOrNode(name)), wire.Member{Address: addr}))
	r.result(id, name, 0, "")
}

// tombOrNode returns the latest record of name in nodes, expired ones included.
func (r *Ring) tombOrNode(name string) *lww.Record { return r.record(key{wire.Nodes, name}) }

// failAdd ends an Add whose node answered, but not as it should.
func (r *Ring) failAdd(c *conn, code wire.Code, text string) {
	if a := c.add; a != nil {
		c.add = nil
		r.result(a.id, a.name, code, text)
	}
}

// missAdd ends an Add to which nobody answered.
func (r *Ring) missAdd(c *conn, code wire.Code) {
	a := c.add
	switch {
	case a == nil:
	case code >= wire.CodeBye:
		r.failAdd(c, code, "the node at "+a.addr+" closed the connection")
	case code == wire.CodeUntrusted:
		r.failAdd(c, code, "the node at "+a.addr+" and this one do not believe each other to be of one ring: do they have the same secret? Their logs say more")
	case a.name == "":
		r.failAdd(c, code, "no node answers at "+a.addr+": to add one that does not run yet, say its name too")
	default:
		c.add = nil
		r.addNode(a.id, a.name, a.addr)
	}
}

func (r *Ring) del(cmd Command) {
	rec := r.nodes.Get(cmd.Name)
	if !r.member(cmd.Name) {
		r.result(cmd.ID, cmd.Name, wire.CodeUnknown, "no node of this ring is called "+cmd.Name)
		return
	}
	if r.cfg.Ephemeral {
		r.result(cmd.ID, cmd.Name, wire.CodeForbidden, "a guest deletes nobody: ask its gateway's operator")
		return
	}
	r.put(wire.Nodes, rec.Next(r.mint(rec), rankDel))
	if cmd.Name == r.cfg.Name {
		r.reviewOwnMembership()
	}
	r.result(cmd.ID, cmd.Name, 0, "")
}

// startLeave deletes this node, and waits for the ack of a node that has
// merged that: frames of a connection arrive in order.
func (r *Ring) startLeave(cmd Command) {
	if r.cfg.Ephemeral || r.alone() {
		r.result(cmd.ID, r.cfg.Name, 0, "")
		r.goodbye(HaltLeft)
		return
	}
	if r.peersUp < 2 {
		r.result(cmd.ID, r.cfg.Name, wire.CodeNobody, "no other node is up that could remember it: try again when one is, or delete this node from another")
		return
	}
	own := r.nodes.Get(r.cfg.Name)
	r.leave = &leave{id: cmd.ID, after: r.seq}
	r.put(wire.Nodes, own.Next(r.mint(own), rankDel))
	for _, c := range r.live {
		r.tellLeave(c)
	}
	r.after(leaveTimeout, func() {
		r.leave.answer(r, wire.CodeNobody, "no other node has confirmed it yet: this node leaves as soon as one does")
	})
}

// tellLeave sends this node's tombstone, and asks for the proof that it arrived.
func (r *Ring) tellLeave(c *conn) {
	if c.guest || c.authority {
		return
	}
	tombstone := frameRecord(wire.Nodes, r.nodes.Get(r.cfg.Name))
	r.send(c, &wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{tombstone}})
	r.gossipWith(c)
}

func (l *leave) answer(r *Ring, code wire.Code, text string) {
	if l.id != 0 {
		r.result(l.id, r.cfg.Name, code, text)
		l.id = 0
	}
}

func (r *Ring) leaveAcked(seq uint64) {
	if r.leave != nil && seq > r.leave.after {
		r.leave.answer(r, 0, "")
		r.goodbye(HaltLeft)
	}
}

// goodbye says that this node left, closes its connections, and halts.
func (r *Ring) goodbye(why Reason) {
	if own := r.up.Get(r.cfg.Name); own != nil {
		r.put(wire.Up, own.Next(own.Stamp, rankLeft))
		r.version++
	}
	for _, c := range r.live {
		r.sendRumor(c)
	}
	r.halt(why, "")
	for _, c := range slices.Clone(r.live) {
		r.close(c, wire.CodeBye, "")
	}
	for { // an Add may wait, or more: the first comes first
		var first *conn
		for _, c := range r.conns {
			if c.add != nil && (first == nil || c.id < first.id) {
				first = c
			}
		}
		if first == nil {
			return
		}
		r.failAdd(first, wire.CodeHalting, "this node is leaving")
	}
}
