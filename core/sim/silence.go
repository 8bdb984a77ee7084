package sim

import (
	"slices"

	"github.com/nanoring/nanoring/core/wire"
)

// heldQueue is a queue whose head waits for a cut to heal.
type heldQueue struct {
	conn *conn
	of   uint8
}

// Forget has a middlebox forget all connections that are open now between two
// machines: from now on nothing that is sent on them arrives, either way, and
// neither side is told. New ones are not disturbed.
func (w *World) Forget(a, b *Machine) {
	w.note(nil, "all connections between ", a.name, " and ", b.name, " are forgotten")
	w.lose(a, b, true)
	w.lose(b, a, true)
}

// ForgetAll is Forget between all machines.
func (w *World) ForgetAll() {
	w.note(nil, "all connections are forgotten")
	for _, m := range w.machines {
		w.lose(m, nil, false)
	}
}

// ForgetWay is Forget in one direction: what from sends does not arrive, its
// acknowledgements neither.
func (w *World) ForgetWay(from, to *Machine) {
	w.note(nil, "what ", from.name, " sends on its connections with ", to.name, " is lost")
	w.lose(from, to, true)
}

// lose loses all that a machine sends from now on to another one, or to any, on
// the connections that it has.
func (w *World) lose(from, to *Machine, one bool) {
	if from.proc == nil {
		return
	}
	for _, s := range from.proc.conns {
		if e := &s.end[s.of]; e.state == open && (!one || s.end[1-s.of].m == to) {
			e.lost = true
		}
	}
}

// severed tells whether what a side has sent cannot arrive now. Whoever hears no
// acknowledgement sends nothing new after the first retransmission.
func (w *World) severed(c *conn, of uint8) bool {
	src, dst := &c.end[of], &c.end[1-of]
	if src.lost || w.cut(src.m, dst.m) {
		return true
	}
	if dst.lost && src.deaf == 0 {
		src.deaf = max(w.now, 1)
	}
	return src.deaf != 0 && w.now > src.deaf+rtoMin
}

// hold keeps a queue until the cut heals, or for as long as TCP has patience.
func (w *World) hold(c *conn, of uint8) {
	e := &c.end[of]
	e.held = true
	w.held = append(w.held, heldQueue{c, of})
	if e.since == 0 {
		e.since = max(w.now, 1)
		w.schedule(e.since+patience, event{kind: evHeld, conn: c, side: of, arg: e.since})
	}
}

// release lets go of what no cut holds any more: it comes with the next
// retransmission, which is the later the longer it was held.
func (w *World) release() {
	w.held = slices.DeleteFunc(w.held, func(h heldQueue) bool {
		e := &h.conn.end[h.of]
		if w.severed(h.conn, h.of) {
			return false
		}
		e.held = false
		if !e.empty() {
			head := &e.queue[e.head]
			head.at = retransmission(e.since, w.now)
			for w.chance(w.cfg.Loss) {
				head.at = retransmission(e.since, head.at)
			}
			e.last = max(e.last, head.at)
		}
		w.arm(h.conn, h.of)
		return true
	})
}

// retransmission returns when what did not arrive at since is sent again for the
// first time after now.
func retransmission(since, now int64) int64 {
	at := since
	for rto := rtoMin; at <= now; rto = min(2*rto, rtoMax) {
		at += rto
	}
	return at
}

// heldTooLong breaks a connection at the side whose frames got no answer. The
// other side knows nothing of it until it sends something itself.
func (w *World) heldTooLong(c *conn, of uint8, since int64) {
	e := &c.end[of]
	if e.since != since {
		return
	}
	e.held, e.since = false, 0
	w.held = slices.DeleteFunc(w.held, func(h heldQueue) bool { return h.conn == c && h.of == of })
	w.breakEnd(c, of, wire.CodeLost, 0)
}

// reject answers what a side has sent by a reset, since the other has closed the
// connection, and what it said of that is held.
func (w *World) reject(c *conn, of uint8) {
	w.clear(&c.end[1-of])
	w.breakEnd(c, of, wire.CodeLost, w.latency(c.end[0].m, c.end[1].m))
}
