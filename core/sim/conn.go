package sim

import (
	"slices"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// conn is a connection between two machines, or the attempt at one. Side 0 dialled.
type conn struct {
	addr     string // that was dialled
	answered int64  // when the dialler hears of the kernel that took it; 0 if none did
	begun    int64
	end      [2]end
}

// side is one process's end of a connection.
type side struct {
	*conn
	of uint8
}

// end is one side's view of a connection: the two may differ for a while, as
// they do on a network that is cut.
type end struct {
	m       *Machine
	proc    *process // nil once the process is gone, or has been told of the end
	id      core.ConnID
	state   connState
	queue   []item // what this side has sent and the other has not received yet
	head    int    // of queue
	bytes   int    // of frames in it
	last    int64  // when the newest of them arrives, were nothing in the way
	armed   bool   // its arrival is on the heap
	held    bool   // its head waits for a cut to heal
	stuck   int64  // since when its runtime cannot write; 0 if it can
	since   int64  // when its head did not arrive for the first time; 0 if it did not have to wait
	lost    bool   // nothing that it sends arrives any more: see Forget
	foreign bool   // what it sends is answered by a reset: see ForgetLoudly
	deaf    int64  // when something arrived whose acknowledgement was lost; 0 if none was
	broken  bool   // nothing that it sends arrives any more, and it will hear of it
	greeted bool   // it has said hello
}

type connState uint8

const (
	dialling connState = iota
	open
	closed
)

// item is one thing on its way.
type item struct {
	at    int64
	kind  itemKind
	code  wire.Code
	frame []byte
}

type itemKind uint8

const (
	aFrame  itemKind = iota
	opening          // the acceptor's answer: the connection is open
	ending           // a close frame with a code, or the connection's end without one
)

func (e *end) empty() bool { return e.head == len(e.queue) }

func (e *end) pop() item {
	it := e.queue[e.head]
	e.queue[e.head] = item{}
	if e.head++; e.head == len(e.queue) {
		e.queue, e.head = e.queue[:0], 0
	}
	e.bytes -= len(it.frame)
	return it
}

// clear forgets what this side has sent.
func (w *World) clear(e *end) {
	for !e.empty() {
		w.recycle(e.pop().frame)
	}
}

// enqueue sends an item, which arrives after all that was sent before.
func (w *World) enqueue(c *conn, of uint8, it item) {
	e := &c.end[of]
	at := w.now + w.latency(e.m, c.end[1-of].m)
	if w.chance(w.cfg.Stalls) {
		at += w.between(rtoMin, stallMax)
	}
	at += w.resent(rtoMin)
	e.last = max(at, e.last)
	it.at = e.last
	e.queue = append(e.queue, it)
	e.bytes += len(it.frame)
	w.arm(c, of)
}

// arm schedules the arrival of the head of the queue.
func (w *World) arm(c *conn, of uint8) {
	e := &c.end[of]
	if e.armed || e.held || e.empty() {
		return
	}
	e.armed = true
	w.schedule(e.queue[e.head].at, event{kind: evArrive, conn: c, side: of})
}

// arrive brings the head of the queue to the other side.
func (w *World) arrive(c *conn, of uint8) {
	src, dst := &c.end[of], &c.end[1-of]
	src.armed = false
	if dst.proc != nil && dst.proc.dead {
		dst.proc = nil
	}
	if src.empty() {
		return
	}
	if src.queue[src.head].at > w.now { // the queue was cleared and filled again
		w.arm(c, of)
		return
	}
	switch {
	case src.held:
		return
	case w.severed(c, of):
		w.hold(c, of)
		return
	case src.foreign:
		w.clear(src)
		w.breakEnd(c, of, wire.CodeLost, w.latency(src.m, dst.m))
		return
	}
	src.since = 0
	it := src.pop()
	if src.stuck != 0 {
		src.moved(w.now)
	}
	w.arm(c, of)
	switch {
	case dst.state == closed && dst.since != 0 && !w.unacknowledged(src, dst) && it.kind != ending:
		w.reject(c, of)
	case dst.proc == nil:
		if it.kind != ending && src.proc != nil { // a reset is the answer
			w.end(c, 1-of, wire.CodeLost)
		}
	case it.kind == aFrame:
		// A runtime may hand over a frame that came just before the engine's Close.
		if dst.state == open || w.chance(100_000) {
			dst.proc.step(core.Input{Kind: core.Received, Conn: dst.id, Frame: it.frame})
			return
		}
	case it.kind == opening && dst.state == dialling:
		dst.state = open
		dst.proc.step(core.Input{Kind: core.Opened, Conn: dst.id})
	case it.kind == ending:
		w.lost(c, 1-of, int64(it.code))
	}
	w.recycle(it.frame)
}

// lost tells a side that its connection ended, if it does not know.
func (w *World) lost(c *conn, of uint8, code int64) {
	e := &c.end[of]
	p, told := e.proc, e.state == closed
	w.clear(e)
	e.state, e.proc = closed, nil
	if p == nil {
		return
	}
	delete(p.conns, e.id)
	if !told {
		p.step(core.Input{Kind: core.Closed, Conn: e.id, Code: wire.Code(code)})
	}
}

// echo tells a side that the connection it closed is closed: a runtime may.
func (w *World) echo(c *conn, of uint8, code int64) {
	if p := c.end[of].proc; p != nil && !p.dead {
		c.end[of].proc = nil
		p.step(core.Input{Kind: core.Closed, Conn: c.end[of].id, Code: wire.Code(code)})
	}
}

// end sends the connection's end from a side to the other, behind what was sent.
func (w *World) end(c *conn, of uint8, code wire.Code) {
	w.enqueue(c, of, item{kind: ending, code: code})
	if since := c.end[of].since; since != 0 {
		w.schedule(since+orphaned, event{kind: evHeld, conn: c, side: of, arg: since})
	}
}

// dial starts a connection.
func (w *World) dial(p *process, id core.ConnID, addr string) {
	c := &conn{addr: addr, begun: w.now}
	c.end[0] = end{m: p.m, proc: p, id: id}
	p.conns[id] = side{c, 0}
	w.schedule(w.now+w.cfg.ConnectWithin, event{kind: evGiveUp, conn: c})
	if m := w.byAddr[addr]; m != nil {
		c.end[1].m = m
		c.end[1].state = closed
		w.schedule(w.now+w.latency(p.m, m)+w.resent(rtoSyn), event{kind: evSyn, conn: c, arg: rtoSyn})
	}
}

// syn is the dial at the machine: its kernel answers for a process that listens.
// What does not get through, or its answer, is sent again after rto.
func (w *World) syn(c *conn, rto int64) {
	from, to := c.end[0].m, c.end[1].m
	w.rest.awake(to)
	switch {
	case c.end[0].state != dialling:
	case w.rest.expects(to):
		w.schedule(w.now+startsWithin/64, event{kind: evSyn, conn: c, arg: rto})
	case w.cut(from, to) || w.cut(to, from) || w.dropped[way(from, to)] || w.byAddr[c.addr] != to:
		w.schedule(w.now+rto, event{kind: evSyn, conn: c, arg: 2 * rto})
	case to.proc == nil || to.addr != c.addr && !w.names[c.addr] || to.deaf || w.refused[way(from, to)]:
		w.schedule(w.now+w.latency(to, from), event{kind: evRefuse, conn: c})
	default:
		c.answered = w.now + w.latency(to, from)
		at := c.answered + w.latency(from, to)
		w.schedule(at, event{kind: evAccept, conn: c, arg: at})
	}
}

// accept is the request at the process. One that was paused when it was due finds
// those too whose diallers have given up since, as its kernel kept them.
func (w *World) accept(c *conn, due int64) {
	d, a := &c.end[0], &c.end[1]
	p, late := a.m.proc, d.state != dialling
	switch {
	case late && (p == nil || w.now == due):
		return
	case !late && w.cut(d.m, a.m):
		return
	case p == nil:
		w.end(c, 1, wire.CodeUnreachable)
		return
	}
	p.accepted += 2
	a.proc, a.id, a.state = p, p.accepted, open
	p.conns[a.id] = side{c, 1}
	w.enqueue(c, 1, item{kind: opening})
	if late {
		w.end(c, 0, wire.CodeLost)
	}
	role := core.Peer
	if d.m.opt.Guest {
		role = core.Guest
	}
	p.step(core.Input{Kind: core.Opened, Conn: a.id, Role: role, Addr: d.m.name})
}

// tire ends a dial whose time is over. One that a kernel has answered has more of it.
func (w *World) tire(c *conn) {
	due := c.begun + w.cfg.DialWithin
	if w.now < due && c.answered != 0 && c.answered <= w.now {
		w.schedule(due, event{kind: evGiveUp, conn: c})
		return
	}
	w.failDial(c, false)
}

// failDial ends a dial that came to nothing.
func (w *World) failDial(c *conn, refused bool) {
	if c.end[0].state != dialling {
		return
	}
	code := wire.CodeUnreachable
	if refused {
		code = wire.CodeRefused
	}
	if c.end[1].proc != nil { // it had accepted too late
		w.end(c, 0, wire.CodeLost)
	}
	w.tell(c, 0, code)
}

// tell ends a side at once and keeps what it has sent on its way.
func (w *World) tell(c *conn, of uint8, code wire.Code) {
	e := &c.end[of]
	p := e.proc
	e.state, e.proc = closed, nil
	delete(p.conns, e.id)
	p.step(core.Input{Kind: core.Closed, Conn: e.id, Code: code})
}

// send sends an engine's frame; a connection that it knows to be closed drops it.
func (w *World) send(p *process, id core.ConnID, frame []byte) {
	s, ok := p.conns[id]
	if !ok || s.end[s.of].state != open || s.end[s.of].broken {
		return
	}
	if w.chance(w.cfg.Resets) {
		w.reset(s.conn, s.of, wire.CodeLost)
		return
	}
	if s.end[s.of].full(frame) {
		w.giveUp(s.conn, s.of, wire.CodeSlow)
		return
	}
	if len(frame) > 1 && frame[1] == byte(wire.KindHello) {
		s.end[s.of].greeted = true
	}
	if !p.standsIn() {
		w.frames++
		w.bytes += uint64(len(frame))
	}
	if to := s.end[1-s.of].proc; w.copies != nil && (to == nil || !to.standsIn()) {
		w.copies.sent(p, to, frame)
	}
	w.enqueue(s.conn, s.of, item{kind: aFrame, frame: w.copied(frame)})
	w.stick(s.conn, s.of)
}

// reset breaks a connection: frames in flight are lost, and both sides hear of
// it, the given one with code.
func (w *World) reset(c *conn, of uint8, code wire.Code) {
	w.breakEnd(c, of, code, w.latency(c.end[0].m, c.end[1].m))
	w.breakEnd(c, 1-of, wire.CodeLost, w.latency(c.end[0].m, c.end[1].m))
}

// breakEnd loses what a side has sent and tells it after a while.
func (w *World) breakEnd(c *conn, of uint8, code wire.Code, after int64) {
	w.clear(&c.end[of])
	c.end[of].broken = true
	w.schedule(w.now+after, event{kind: evLost, conn: c, side: of, arg: int64(code)})
}

// closeConn is an engine's Close: orderly, after what was sent.
func (w *World) closeConn(p *process, id core.ConnID, code wire.Code, _ string) {
	s, ok := p.conns[id]
	if !ok {
		return
	}
	e := &s.end[s.of]
	if e.state == closed {
		return
	}
	if s.end[1-s.of].m != nil {
		w.end(s.conn, s.of, code)
	}
	e.state = closed
	delete(p.conns, id)
	if w.chance(250_000) {
		w.schedule(w.now+w.latency(e.m, e.m), event{kind: evEcho, conn: s.conn, side: s.of, arg: int64(code)})
	}
}

// dropAll ends all connections of a process that ends: see Machine.end.
func (w *World) dropAll(p *process, code wire.Code, silent bool) {
	ids := make([]core.ConnID, 0, len(p.conns))
	for id := range p.conns {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		s := p.conns[id]
		e := &s.end[s.of]
		e.proc, e.state = nil, closed
		if silent {
			w.clear(e)
			continue
		}
		w.trim(e)
		switch {
		case s.end[1-s.of].m == nil:
		case code != 0:
			w.end(s.conn, s.of, code)
		default:
			if w.chance(500_000) { // a kernel that has unread data resets at once
				w.clear(e)
			}
			w.end(s.conn, s.of, wire.CodeLost)
		}
	}
	clear(p.conns)
}

// latency is a frame's time between two machines: that of their path, with jitter.
func (w *World) latency(a, b *Machine) int64 {
	base := w.path(a, b)
	return base + w.rng.Int64N(base/4+1)
}

// path is the least time between two machines: each pair has its own.
func (w *World) path(a, b *Machine) int64 {
	base, ok := int64(0), false
	if len(w.paths) > 0 {
		base, ok = w.paths[link(a, b)]
	}
	if !ok {
		lo, hi := min(a.index, b.index), max(a.index, b.index)
		h := (w.cfg.Seed ^ uint64(lo)<<32 ^ uint64(hi)) * 0x9e3779b97f4a7c15
		h = (h ^ h>>29) * 0xbf58476d1ce4e5b9
		base = w.cfg.LatencyMin + int64(h>>1)%(w.cfg.LatencyMax-w.cfg.LatencyMin+1)
	}
	return base
}
