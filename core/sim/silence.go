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
	forgotten(a, b, silently)
	forgotten(b, a, silently)
}

// ForgetAll is Forget between all machines.
func (w *World) ForgetAll() {
	w.note(nil, "all connections are forgotten")
	for _, m := range w.machines {
		forgotten(m, nil, silently)
	}
}

// ForgetLoudly is Forget by a middlebox that answers what it does not know by a
// reset: whoever sends next on such a connection learns that it is lost, and the
// other side only when it sends something itself.
func (w *World) ForgetLoudly(a, b *Machine) {
	w.note(nil, "all connections between ", a.name, " and ", b.name, " are forgotten, with a reset")
	forgotten(a, b, loudly)
	forgotten(b, a, loudly)
}

// ForgetAllLoudly is ForgetLoudly between all machines.
func (w *World) ForgetAllLoudly() {
	w.note(nil, "all connections are forgotten, with resets")
	for _, m := range w.machines {
		forgotten(m, nil, loudly)
	}
}

// ForgetWay is Forget in one direction: what from sends does not arrive, its
// acknowledgements neither.
func (w *World) ForgetWay(from, to *Machine) {
	w.note(nil, "what ", from.name, " sends on its connections with ", to.name, " is lost")
	forgotten(from, to, silently)
}

// silently and loudly are what becomes of what a side sends on a forgotten connection.
func silently(e *end) { e.lost = true }
func loudly(e *end)   { e.foreign = true }

// forgotten has what a machine sends from now on, to another one or to any, on
// the connections that it has, be of no known connection.
func forgotten(from, to *Machine, how func(*end)) {
	if from.proc == nil {
		return
	}
	for _, s := range from.proc.conns {
		if e := &s.end[s.of]; e.state == open && (to == nil || s.end[1-s.of].m == to) {
			how(e)
		}
	}
}

// severed tells whether what a side has sent cannot arrive now. Whoever hears no
// acknowledgement sends nothing new after the first retransmission.
func (w *World) severed(c *conn, of uint8) bool {
	src, dst := &c.end[of], &c.end[1-of]
	if src.lost || w.cut(src.m, dst.m) || w.tooLarge(src, dst) {
		return true
	}
	if src.foreign { // the reset may not come back
		return w.cut(dst.m, src.m)
	}
	if !w.unacknowledged(src, dst) {
		src.deaf = 0
	} else if src.deaf == 0 {
		src.deaf = max(w.now, 1)
		w.schedule(src.deaf+rtoMin, event{kind: evUnheard, conn: c, side: of})
	}
	return src.deaf != 0 && w.now > src.deaf+rtoMin
}

// unacknowledged tells whether what arrives from src is not acknowledged.
func (w *World) unacknowledged(src, dst *end) bool {
	return dst.lost || len(w.ways) > 0 && w.cut(dst.m, src.m)
}

// unheard keeps all that a side sends from now on, since what has arrived of it
// was not acknowledged until it had to be sent again.
func (w *World) unheard(c *conn, of uint8) {
	e := &c.end[of]
	switch {
	case e.deaf == 0 || e.held || e.broken:
	case w.unacknowledged(e, &c.end[1-of]):
		w.hold(c, of)
	default:
		e.deaf = 0
	}
}

// hold keeps a queue until the cut heals, or for as long as TCP has patience.
func (w *World) hold(c *conn, of uint8) {
	e := &c.end[of]
	e.held = true
	w.held = append(w.held, heldQueue{c, of})
	if e.since == 0 {
		e.since = max(w.now, 1)
		if e.deaf != 0 {
			e.since = e.deaf
		}
		wait := patience
		if e.state == closed {
			wait = orphaned
		}
		w.schedule(e.since+wait, event{kind: evHeld, conn: c, side: of, arg: e.since})
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
		at := retransmission(e.since, w.now)
		for w.chance(w.cfg.Loss) {
			at = retransmission(e.since, at)
		}
		e.last = max(e.last, at)
		if e.empty() { // what was not acknowledged will be then, and what is sent meanwhile has to wait
			e.since = 0
		} else {
			e.queue[e.head].at = at
		}
		w.arm(h.conn, h.of)
		return true
	})
}

// retransmission returns when what did not arrive at since is sent again for the
// first time after now. Before the waits double there is a probe (RFC 8985, section 7).
func retransmission(since, now int64) int64 {
	at := since + rtoMin
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
