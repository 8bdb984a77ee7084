package core

import "github.com/nanoring/nanoring/core/wire"

// leaveTimeout is how long a leave waits for another node to hold its tombstone.
const leaveTimeout = 10 * Second

// leave is a Leave that waits until another node holds its tombstone.
type leave struct {
	id    uint64 // 0 once it was answered
	after uint64 // an ack of a later round proves it: it was sent before

	latest int64 // the latest stamp that came in of who belongs to the ring
}

// startLeave deletes this node, and waits for the ack of a node that has
// merged that: frames of a connection arrive in order.
func (r *Ring) startLeave(cmd *Command) {
	if r.cfg.Ephemeral || r.replica.alone() {
		r.replica.result(cmd.ID, r.cfg.Name, 0, "")
		r.goodbye(HaltLeft)
		return
	}
	if r.replica.peersUp < 2 {
		r.replica.result(cmd.ID, r.cfg.Name, wire.CodeNobody, "no other node is up that could remember it: try again when one is, or delete this node from another")
		return
	}
	r.leave = &leave{id: cmd.ID, after: r.seq}
	r.replica.leave(r.replica.latest())
	r.settle()
	for _, c := range r.overlay.live {
		r.tellLeave(c)
	}
	r.after(leaveTimeout, leaveDue, "", 0)
}

// tellLeave sends this node's tombstone with all that is owed, and asks for the proof
// that it arrived.
func (r *Ring) tellLeave(c *conn) {
	if c.guest || c.authority {
		return
	}
	r.debts.oweTo(c, wire.Nodes, r.cfg.Name)
	for r.debts.owes(c) {
		r.debts.sendRumor(c, true)
	}
	r.gossipWith(c)
}

func (l *leave) answer(r *Ring, code wire.Code, text string) {
	if l.id != 0 {
		r.replica.result(l.id, r.cfg.Name, code, text)
		l.id = 0
	}
}

// leaveAcked takes an ack of a peer, which holds the tombstone now, and all that this
// node knows, if they have agreed before. One that leaves as well is soon gone with it:
// that counts only where no other member is left.
func (r *Ring) leaveAcked(c *conn, seq uint64) {
	if r.leave != nil && seq > r.leave.after && c.agreed && (!r.replica.isDeleted(c.name) || r.replica.durable == 0) {
		r.leave.answer(r, 0, "")
		r.goodbye(HaltLeft)
	}
}

// goodbye says that this node left, closes its connections, and halts.
func (r *Ring) goodbye(why Reason) {
	if own := r.replica.up.Get(r.cfg.Name); own != nil {
		r.replica.put(wire.Up, own.Next(own.Stamp, rankLeft))
		r.replica.version++
		r.settle()
	}
	for _, c := range r.overlay.live {
		r.debts.sendRumor(c, true)
	}
	r.halt(why, "")
	r.closeAll(wire.CodeBye)
	for { // an Add may wait, or more: the first comes first
		var first *conn
		for _, c := range r.overlay.conns {
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
