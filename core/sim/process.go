package sim

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// process drives one engine, as every runtime does: it opens connections, moves
// frames, keeps a file, and wakes the engine when asked.
type process struct {
	m        *Machine
	eng      core.Engine
	instance wire.Instance
	addr     string // that it tells
	view     core.View
	origin   int64 // virtual time at which the monotonic clock was 0
	dead     bool
	due      bool // a step of its is in the batch

	conns    map[core.ConnID]side
	accepted core.ConnID // newest id given
	wakeAt   int64       // virtual time of the Wake; 0 without one
	timerAt  int64       // and of its event on the heap; 0 without one
	deferred []event     // put off while paused

	dirty    uint64 // newest change that the engine has reported
	writing  bool
	hung     bool  // the write does not come back
	backoff  int64 // after a write that failed
	retryAt  int64
	snapshot []byte // that is being written, with the changes up to taken
	taken    uint64
	onDisk   uint64
	changed  uint64  // the number of the step in which the newest change came
	follows  bool    // what is taken next is a change of what is on the disk
	late     bool    // the snapshot was taken later, and may have more than that
	spare    bool    // so had the one before: the next may have nothing new
	idle     int64   // when no record in what was written was another than on the disk, or it started
	pending  []int   // commands whose change is not on the disk yet
	has      numbers // records that it was sent, or sent: see copier
}

func newProcess(m *Machine, eng core.Engine, instance wire.Instance) *process {
	return &process{
		m: m, eng: eng, instance: instance, addr: m.addr,
		origin:   m.w.now - m.w.between(core.Second, core.Hour),
		conns:    make(map[core.ConnID]side),
		accepted: 1, idle: m.w.now,
	}
}

// step gives the engine one input and carries out what it answers.
func (p *process) step(in core.Input) {
	w := p.m.w
	in.Mono = w.now - p.origin
	in.Wall = p.m.Wall()
	w.steps++
	if !w.lean {
		w.digestInput(p, &in)
	}
	w.traceInput(p, &in)
	if p.standsIn() {
		effects, err := p.eng.Step(in)
		p.carryOut(in, effects, err)
		return
	}
	w.lived++
	if w.batch.open {
		p.due = true
		w.batch.steps = append(w.batch.steps, pending{p: p, in: in, at: w.now})
		return
	}
	before := p.looks()
	effects, err := p.eng.Step(in)
	w.promises.worked(p, &in, effects, p.looks()-before)
	p.carryOut(in, effects, err)
}

// standsIn tells whether it stands in for a node that is not lived. All of those know the
// same rest of the ring, so they take their steps at once, one after the other.
func (p *process) standsIn() bool {
	_, is := p.m.w.rest.at(p.m)
	return is
}

// carryOut carries out what the engine answered to in, whose frame is done with.
func (p *process) carryOut(in core.Input, effects []core.Effect, err error) {
	w := p.m.w
	defer w.recycle(in.Frame)
	w.promises.stepped(p, &in, effects)
	w.quiet.stepped(p, &in, effects)
	if err != nil {
		w.fail(p.m, err)
		p.m.Crash()
		return
	}
	for i := range effects {
		e := &effects[i]
		if !w.lean {
			w.digestEffect(p, e)
		}
		w.traceEffect(p, e)
		switch e.Kind {
		case core.Dial:
			w.dial(p, e.Conn, e.Addr)
		case core.Send:
			if w.onSend != nil {
				w.onSend(e.Frame)
			}
			w.send(p, e.Conn, e.Frame)
		case core.Close:
			w.closeConn(p, e.Conn, e.Code, e.Text)
		case core.Dirty:
			p.dirty, p.changed = max(p.dirty, e.Seq), w.steps
		case core.Emit:
			p.emit(e.Event)
		case core.Wake:
			p.wake(e.At + p.origin)
		case core.Halt:
			p.halt(e.Reason, e.Text)
			return
		}
	}
	p.write(false)
}

// wake arms the one timer. Its event stays on the heap when the time is put
// off, and is scheduled anew when it comes too early.
func (p *process) wake(at int64) {
	w := p.m.w
	p.wakeAt = max(at, w.now)
	if p.timerAt == 0 || p.wakeAt < p.timerAt {
		p.timer()
	}
}

func (p *process) timer() {
	w := p.m.w
	p.timerAt = p.wakeAt + w.between(1, core.Millisecond) // no timer is punctual
	w.schedule(p.timerAt, event{kind: evTick, proc: p, arg: p.timerAt})
}

func (p *process) tick(which int64) {
	if p.dead || which != p.timerAt {
		return
	}
	p.timerAt = 0
	if p.wakeAt > p.m.w.now {
		p.timer()
		return
	}
	p.wakeAt = 0
	p.step(core.Input{Kind: core.Tick})
}

func (p *process) emit(e *core.Event) {
	if !p.m.w.lean {
		p.view.Apply(e, p.m.Wall())
	}
	if e.Kind == core.EventResult && e.ID > 0 && e.ID <= uint64(len(p.m.w.commands)) {
		c := &p.m.w.commands[e.ID-1]
		c.Done, c.Code, c.Text, c.seq = true, e.Code, e.Text, e.Seq
		if e.Name != "" {
			c.Name = e.Name
		}
		if e.Code == 0 {
			p.m.w.done(int(e.ID), e.Name)
			p.pending = append(p.pending, int(e.ID-1))
		}
		p.acknowledge()
	}
	p.m.w.promises.shown(p, e)
	p.m.w.talk.event(p, e)
	if p.m.w.onEvent != nil {
		p.m.w.onEvent(p.m, e)
	}
}

// acknowledge answers the commands whose changes are on the disk.
func (p *process) acknowledge() {
	w := p.m.w
	p.pending = slices.DeleteFunc(p.pending, func(i int) bool {
		c := &w.commands[i]
		if c.seq > p.onDisk && !p.m.opt.Guest {
			return false
		}
		if c.Acked = true; c.Op >= core.SendMessage {
			return true
		}
		w.follow(p.m, "acknowledges: ", commandWords(c.Command))
		return true
	})
}

// fail answers the commands whose changes, up to a number, cannot be written.
func (p *process) fail(upTo uint64) {
	w := p.m.w
	p.pending = slices.DeleteFunc(p.pending, func(i int) bool {
		c := &w.commands[i]
		if c.seq > upTo {
			return false
		}
		c.Failed = true
		w.note(p.m, "cannot write: ", commandWords(c.Command))
		return true
	})
}

// halt ends the process at its own wish, with its file handled as native does.
func (p *process) halt(reason core.Reason, text string) {
	m := p.m
	m.halt, m.text = reason, text
	m.w.promises.halted(m, reason, text)
	ends := reason == core.HaltLeft || reason == core.HaltRemoved
	switch {
	case m.disk.Fault == Hanging, m.disk.Fault == ReadOnly, m.disk.Fault == Full && !ends:
		p.fail(math.MaxUint64)
		if ends {
			m.w.disowned(m)
		}
	case ends:
		m.disk = Disk{Removed: !m.opt.Guest, Fault: m.disk.Fault}
		for _, i := range p.pending {
			if c := &m.w.commands[i]; c.Op == core.Leave {
				c.Acked = true
			}
		}
		m.w.disowned(m)
	default:
		p.follows = false // a write may be under way
		if p.dirty > p.onDisk && !m.opt.Guest && p.take() {
			p.toDisk()
		}
	}
	m.w.note(m, "halts: ", reason.String(), " ", text)
	m.end(wire.CodeGoingAway, false)
	if m.w.onHalt != nil {
		m.w.onHalt(m, reason, text)
	}
}

// digestInput and digestEffect add to the sum of the run.
func (w *World) digestInput(p *process, in *core.Input) {
	w.digestOf(p, uint8(in.Kind), in.Conn, uint64(in.Code), in.Mono, in.Frame, in.Addr)
}

func (w *World) digestEffect(p *process, e *core.Effect) {
	b := w.digestOf(p, uint8(e.Kind)|0x80, e.Conn, e.Seq<<16|uint64(e.Code), e.At, e.Frame, e.Addr)
	b = append(append(b[:0], uint8(e.Reason)), e.Text...)
	if ev := e.Event; ev != nil {
		b = append(b, uint8(ev.Kind), uint8(ev.Node.State))
		b = append(append(append(b, ev.Node.Name...), ev.Name...), ev.Text...)
		b = binary.LittleEndian.AppendUint64(b, uint64(ev.Node.Incarnation))
		b = binary.LittleEndian.AppendUint64(b, uint64(ev.Skew))
	}
	w.digest.Write(b)
	w.scratch = b
}

func (w *World) digestOf(p *process, kind uint8, id core.ConnID, n uint64, t int64, frame []byte, addr string) []byte {
	b := append(w.scratch[:0], kind)
	b = binary.LittleEndian.AppendUint64(b, uint64(w.now))
	b = binary.LittleEndian.AppendUint64(b, uint64(p.m.index))
	b = binary.LittleEndian.AppendUint64(b, uint64(id))
	b = binary.LittleEndian.AppendUint64(b, n)
	b = binary.LittleEndian.AppendUint64(b, uint64(t))
	b = append(b, addr...)
	w.digest.Write(b)
	w.digest.Write(frame)
	w.scratch = b
	return b
}
