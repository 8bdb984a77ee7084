package every

import (
	"bytes"
	"fmt"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// start starts a process from what is on the disk.
func (w *world) start(i int) {
	n := w.own(i)
	n.starts++
	n.off, n.halt, n.removed = false, 0, false
	n.instance = wire.Instance{Start: w.wall(n), Nonce: uint64(i)<<32 | uint64(n.starts)}
	cfg := w.config(n)
	cfg.Snapshot = n.disk
	e, err := w.scene.make(cfg)
	if err != nil {
		w.fail(n.name + " cannot start from its ring file: " + err.Error())
		return
	}
	if n.disk == nil && !n.guest {
		w.addOp(op{name: n.name, add: true, by: i, state: unsure})
	}
	n.engine, n.origin, n.wake, n.accepted = e, w.now-core.Second, 0, 1
	n.dirty, n.taken, n.onDisk, n.writing, n.shown, n.stale = 0, 0, 0, nil, nil, false
	w.step(i, core.Input{Kind: core.Start})
}

func (w *world) config(n *node) core.Config {
	return core.Config{
		Ring: "every", Name: n.name, Address: n.addr, Instance: n.instance, Seed: n.instance.Nonce,
		Ephemeral: n.guest, Join: n.join, Period: n.period,
	}
}

// step gives an engine an input and carries out its effects.
func (w *world) step(i int, in core.Input) {
	n := w.own(i)
	n.known = false
	in.Mono, in.Wall = w.now-n.origin, w.wall(n)
	effects, err := guarded(n.engine, in)
	if err != nil {
		w.fail(n.name + ": " + err.Error())
		return
	}
	for j := range effects {
		e := &effects[j]
		switch e.Kind {
		case core.Dial:
			w.dial(n, e.Conn, e.Addr)
		case core.Send:
			w.send(n, e.Conn, e.Frame)
		case core.Close:
			w.hangUp(n, e.Conn, e.Code)
		case core.Dirty:
			if e.Seq <= n.dirty {
				w.fail(n.name + " has a change that is no later than the one before")
			}
			n.dirty = e.Seq
		case core.Emit:
			w.emit(n, e.Event)
		case core.Wake:
			if n.wake = e.At + n.origin; n.wake <= w.now {
				w.fail(n.name + " is to be woken in the past")
			}
		case core.Halt:
			w.halt(n, e.Reason, e.Text)
			if j < len(effects)-1 {
				w.fail(n.name + " has more to say after it halted")
			}
			return
		}
	}
	w.write(n)
}

// guarded takes a panic for an error.
func guarded(e core.Engine, in core.Input) (effects []core.Effect, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return e.Step(in)
}

func (w *world) emit(n *node, e *core.Event) {
	if w.tell != nil {
		w.note(n.index, ": ", sim.EventWords(e))
	}
	switch e.Kind {
	case core.EventNode:
		n.show(e.Node)
		w.checkShown(n, &e.Node)
	case core.EventResult:
		w.answered(n, e)
	case core.EventStale, core.EventFresh:
		n.stale = e.Kind == core.EventStale
	}
}

// write begins to write the ring file, if there is something new in it.
func (w *world) write(n *node) {
	if n.writing != nil || n.dirty <= n.taken || n.guest {
		return
	}
	b, err := n.engine.Snapshot()
	if err != nil {
		w.fail(n.name + ": " + err.Error())
		return
	}
	n.taken, n.writing = n.dirty, b
	if !w.scene.Slow {
		w.written(n)
	}
}

// written ends the write: what the file says is what counts from now on.
func (w *world) written(n *node) {
	n.known = false
	w.checkFile(n, n.disk, n.writing)
	n.disk, n.writing, n.onDisk = n.writing, nil, n.taken
	w.acknowledge(n)
	w.write(n)
}

// halt ends a process at its own wish.
func (w *world) halt(n *node, reason core.Reason, text string) {
	n.halt = reason
	if w.tell != nil {
		w.note(n.index, " halts: ", reason.String(), " ", text)
	}
	w.checkHalt(n, reason)
	switch {
	case n.guest:
	case reason == core.HaltLeft, reason == core.HaltRemoved:
		n.disk, n.removed = nil, reason == core.HaltRemoved
		w.left(n)
	case n.dirty > n.onDisk:
		b, err := n.engine.Snapshot()
		if err != nil {
			w.fail(n.name + ": " + err.Error())
		}
		n.disk, n.onDisk = bytes.Clone(b), n.dirty
		w.acknowledge(n)
	}
	w.end(n, wire.CodeGoingAway, false)
}

// suspend stops a process, which goes on by itself after a while.
func (w *world) suspend(i int, d int64) {
	n := w.own(i)
	n.paused, n.until, n.known = true, w.now+d, false
}

// end takes the process away.
func (w *world) end(n *node, code wire.Code, silent bool) {
	w.part(n, code, silent)
	w.forgetAnswers(n)
	n.known = false
	n.engine, n.shown, n.writing, n.wake, n.off, n.paused, n.until = nil, nil, nil, 0, silent, false, 0
}
