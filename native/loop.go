package native

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// byeTime is how long the engine may take to stop.
const byeTime = 500 * time.Millisecond

// result ends a command.
type result struct {
	name string
	but  string // what is to be said of it all the same
	err  error
}

// asked is a command that the engine has not answered.
type asked struct {
	core.Command
	answer chan<- result
	number uint64 // how many were before it
}

// loop is what belongs to the goroutine that owns the engine.
type loop struct {
	*Node
	running
	conns    map[core.ConnID]*conn
	dials    map[core.ConnID]context.CancelFunc
	lastDial core.ConnID
	answers  map[uint64]asked
	commands uint64       // how many there were
	pending  []core.Input // to be taken next
	wake     *time.Timer
	store    store
	starting bool
	failed   wire.Code // of the connection that the step under way is about, if it is over
	ofGuest  bool      // the step under way is about a connection of a guest
	removed  time.Time // when it learnt that it was
	halt     core.Reason
	text     string
	failure  error // the engine's; it is unusable then
}

// begin starts the engine: when it returns, the node shows what its ring file has.
func (n *Node) begin(engine core.Engine, config core.Config) *loop {
	l := &loop{
		Node:    n,
		running: newRunning(engine, n.cfg.Engine, config),
		conns:   make(map[core.ConnID]*conn),
		dials:   make(map[core.ConnID]context.CancelFunc),
		answers: make(map[uint64]asked),
		wake:    time.NewTimer(time.Hour),
		store:   newStore(func(b []byte, change bool) error { return n.cfg.writeRing(n.folder, b, change) }),
	}
	l.wake.Stop()
	l.starting = true
	l.step(core.Input{Kind: core.Start})
	l.starting = false
	l.hearFirst()
	if l.halt == 0 && l.failure == nil {
		n.log.Info("node started", "ring", n.cfg.Ring, "address", n.addr, "data", n.folder.Dir(), "members", n.board.len(), "engine", l.engineStatus().Engine)
	}
	return l
}

// run owns the engine from now on, to its end.
func (l *loop) run() {
	defer l.wake.Stop()
	l.loop()
	l.end()
}

func (l *loop) loop() {
	stop, late := l.Node.stop, (<-chan time.Time)(nil)
	for l.goesOn() {
		select {
		case in := <-l.inputs:
			l.take(in)
		case <-l.wake.C:
			l.tick()
		case do := <-l.asides:
			do(l)
		case <-l.joins.again:
			l.giveAddresses()
		case err := <-l.store.done:
			l.wrote(err)
		case <-l.store.retry.C:
			l.rested()
		case <-stop:
			stop, late = nil, time.After(byeTime)
			l.bye()
		case <-late:
			l.halt = core.HaltStopped
		}
		if len(l.pending) > 0 {
			l.drain()
		}
	}
}

// take gives the engine an input from outside, unless it is of a connection
// that is over.
func (l *loop) take(from input) {
	in, c := from.whole(), from.conn
	switch in.Kind {
	case core.Opened:
		if cancel, dialed := l.dials[in.Conn]; dialed {
			cancel()
			delete(l.dials, in.Conn)
			l.meter.dialed(0)
		} else if in.Conn%2 == 0 {
			c.close(wire.CodeRotated, "") // the engine wants it no more
			return
		} else if in.Role == core.Guest && l.inbound.isBarred(hostname(in.Addr)) {
			c.close(wire.CodeBadFrame, "a guest from there broke this node's engine")
			return
		}
		l.conns[in.Conn] = c
		l.countConns(c, 1)
	case core.Received:
		defer func() { c.taken <- struct{}{} }()
		if l.conns[in.Conn] == nil {
			return
		}
		c.story.heard(in.Frame)
		l.meter.heard(c, in.Frame, l.cfg.Clock())
	case core.Closed:
		if cancel, dialed := l.dials[in.Conn]; dialed {
			cancel()
			delete(l.dials, in.Conn)
			l.meter.dialed(in.Code)
		} else if l.conns[in.Conn] == nil {
			return
		} else {
			l.meter.closed(in.Code, "other")
			l.parted(c, in.Code)
		}
		l.drop(in.Conn)
	case core.Do:
		l.answers[in.Command.ID] = asked{in.Command, from.answer, l.commands}
		l.commands++
	}
	l.step(in)
}

func (l *loop) drop(id core.ConnID) {
	c := l.conns[id]
	if c == nil {
		return
	}
	delete(l.conns, id)
	l.countConns(c, -1)
	l.abandoned(c)
}

// step gives the engine an input and carries out what comes of it.
func (l *loop) step(in core.Input) {
	l.pending = append(l.pending, in)
	l.drain()
}

// drain gives the engine what is pending, and sees to what has to be kept.
func (l *loop) drain() {
	for l.goesOn() {
		if len(l.pending) == 0 {
			l.hold()
			l.save(false)
			if len(l.pending) == 0 {
				return
			}
			continue // the engine broke of it, and begins again
		}
		in := l.pending[0]
		l.pending = slices.Delete(l.pending, 0, 1)
		l.now(&in)
		l.failed, l.ofGuest = in.Code, l.isGuest(in.Conn)
		effects, err := l.engine.Step(in)
		l.took(in)
		if err != nil {
			l.broke(in, err)
			continue
		}
		for i := range effects {
			l.carryOut(&effects[i])
		}
	}
}

func (l *loop) isGuest(id core.ConnID) bool {
	c := l.conns[id]
	return c != nil && c.story.open.role == core.Guest
}

func (l *loop) goesOn() bool { return l.halt == 0 && l.failure == nil }

// now gives an input its times.
func (l *loop) now(in *core.Input) {
	in.Mono, in.Wall = time.Since(l.epoch).Microseconds(), l.cfg.Clock().UnixMicro()
}

func (l *loop) carryOut(e *core.Effect) {
	switch e.Kind {
	case core.Dial:
		ctx, cancel := context.WithTimeout(context.Background(), l.cfg.Times.dialWithin())
		l.dials[e.Conn], l.lastDial = cancel, e.Conn
		id, addr := e.Conn, e.Addr // e is the engine's again soon
		l.spawn(func() { l.dial(ctx, id, addr) })
	case core.Send:
		c := l.conns[e.Conn]
		if c == nil {
			break
		}
		c.story.said = true
		l.meter.said(c, e.Frame)
		if !c.send(e.Frame) {
			c.abort(wire.CodeSlow)
			l.meter.closed(wire.CodeSlow, "this")
			l.drop(e.Conn)
			l.pending = append(l.pending, core.Input{Kind: core.Closed, Conn: e.Conn, Code: wire.CodeSlow})
		}
	case core.Close:
		if c := l.conns[e.Conn]; c != nil {
			c.close(e.Code, e.Text)
			l.meter.closed(e.Code, "this")
			l.drop(e.Conn)
		} else if cancel := l.dials[e.Conn]; cancel != nil {
			cancel()
			delete(l.dials, e.Conn)
		}
	case core.Dirty:
		l.store.dirty = l.base + e.Seq
	case core.Emit:
		l.emit(e.Event)
	case core.Wake:
		l.wake.Reset(time.Duration(e.At)*time.Microsecond - time.Since(l.epoch))
	case core.Halt:
		l.halt, l.text = e.Reason, e.Text
	}
}

func (l *loop) emit(e *core.Event) {
	if l.emitMessage(e) || e.Kind == core.EventEvidence && l.witness(e, core.Node{}, false) {
		return
	}
	before, known := l.board.apply(e, l.cfg.Clock())
	l.witness(e, before, known)
	l.meter.node(l.cfg.Name, before, e)
	l.told = true
	if e.Kind != core.EventRefused || !l.ofGuest { // a guest may say anything of clocks and rings
		l.watchClocks(e, before, known)
		l.noteJoin(e)
		l.rings.take(e, before, known, l.cfg.Clock())
	}
	switch e.Kind {
	case core.EventResult:
		l.answer(e)
		return
	case core.EventLeaving, core.EventStays:
		l.status.Lock()
		l.status.leaving = e.Kind == core.EventLeaving
		l.status.Unlock()
		l.removed = l.cfg.Clock() // unless it stays
	case core.EventStale, core.EventFresh:
		l.status.Lock()
		l.status.stale = e.Kind == core.EventStale
		l.status.Unlock()
	}
	if !l.starting || e.Kind != core.EventNode {
		l.logEvent(e, before, known)
	}
}

// answer ends a command, if it failed or its change is on disk; else that waits
// for the disk.
func (l *loop) answer(e *core.Event) {
	to, seq := l.answers[e.ID].answer, l.base+e.Seq
	delete(l.answers, e.ID)
	switch {
	case to == nil:
	case e.Code != 0:
		to <- result{err: &CommandError{Code: e.Code, Text: e.Text}}
	case seq <= l.store.written:
		to <- result{name: e.Name, but: e.Text}
	default:
		l.store.waiting = append(l.store.waiting, waiting{seq: seq, result: result{name: e.Name, but: e.Text}, to: to})
	}
}

// end ends everything, in an order that loses nothing: the last frames and
// closes go out, the ring file gets its last state, who waits is answered.
func (l *loop) end() {
	close(l.halted)
	l.unhook()
	l.mu.Lock()
	l.ended = true
	conns := slices.Collect(maps.Keys(l.Node.conns))
	l.mu.Unlock()
	l.joins.stop() // now that none is asked that was not before
	for _, cancel := range l.dials {
		cancel()
	}
	code := wire.CodeBye
	switch {
	case l.failure != nil:
		code = wire.CodeLost // without a close frame: the others shall see that it broke
	case l.halt == core.HaltNameTaken:
		code = wire.CodeRotated // no bye: the name lives elsewhere
	}
	for _, c := range conns {
		c.close(code, "")
	}

	l.err = l.failure
	if l.err == nil {
		l.err = errHalted(l.halt, l.cfg.Name, l.text)
	}
	written := l.settle()
	l.engine.Close()
	for _, cmd := range l.answers {
		cmd.answer <- result{err: ErrStopped}
	}
	l.board.end()
	l.hearing.end()
	close(l.settled)

	shutdown(l.server)
	l.wg.Wait()
	l.waiter.close()
	l.client.CloseIdleConnections()
	select {
	case <-written:
		l.folder.Close()
	default: // the disk hangs: nobody else may have the folder before it is done
		go func() { <-written; l.folder.Close() }()
	}
	l.logEnd()
	close(l.done)
}

// spawn starts a goroutine that end waits for, unless the node has ended.
func (n *Node) spawn(f func()) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended {
		return false
	}
	n.wg.Go(f)
	return true
}

// post hands the engine an input. It says false if the engine takes no more.
func (n *Node) post(in input) bool {
	select {
	case n.inputs <- in:
		return true
	case <-n.halted:
		return false
	}
}

// adopt has a connection's readers, who tell the engine of it.
func (n *Node) adopt(c *conn, over func()) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended || !n.keeper.Now().Believes(c.key) {
		return false
	}
	n.conns[c] = struct{}{}
	n.wg.Add(1)
	c.reader = func() {
		if !n.serve(c) {
			return // another goes on
		}
		n.mu.Lock()
		delete(n.conns, c)
		n.mu.Unlock()
		c.settle()
		over()
		n.wg.Done()
	}
	go func() {
		n.postOf(c, core.Opened, nil, 0)
		c.reader()
	}()
	return true
}

// serve is the reader goroutine of a connection, of which there is one at a time: its frames, as
// long as some come, and its end, which it tells of.
// It has one frame under way at a time, so a flood waits in the sender's TCP.
// When the engine is done it goes on reading, for the close handshake.
func (n *Node) serve(c *conn) (over bool) {
	for {
		frame, code, parked := c.read()
		if parked {
			return false
		}
		if code != 0 {
			n.postOf(c, core.Closed, nil, code)
			c.sink()
			return true
		}
		n.inbound.spoke(c)
		if c.turn != nil && !c.turn.take(n.halted) {
			continue
		}
		if n.postOf(c, core.Received, frame, 0) {
			select {
			case <-c.taken:
				c.release()
			case <-n.halted:
			}
		}
		if c.turn != nil {
			c.turn.give()
		}
	}
}
