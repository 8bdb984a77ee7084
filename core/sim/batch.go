package sim

import (
	"runtime"
	"sync"

	"github.com/nanoring/nanoring/core"
)

// mostWorkers bounds the goroutines that step engines at once.
const mostWorkers = 8

// batch is the steps of different processes that are due so soon after one
// another that none can have to do with another's effects: no frame is that fast.
// (A conservative window: Chandy, Misra, CACM 24(4), 1981.) Their engines take
// them at once; then their effects are carried out in the order of time. What
// comes of it does not depend on how many workers there are.
type batch struct {
	steps   []pending
	workers int
	open    bool // steps are put off
}

// pending is a step that was put off.
type pending struct {
	p       *process
	in      core.Input
	at      int64
	effects []core.Effect
	err     error
}

// few steps are not worth a goroutine: mostly each takes some microseconds.
const few = 24

// advanceLean is advance for a world of thousands.
func (w *World) advanceLean(t int64) {
	b := &w.batch
	for len(w.heap) > 0 && w.heap[0].at <= t {
		end := min(t, w.heap[0].at+w.cfg.LatencyMin-1)
		b.open = true
		for len(w.heap) > 0 && w.heap[0].at <= end {
			if p := w.servedBy(&w.heap[0]); p != nil && p.due {
				break // what it does next depends on the step that it has before it
			}
			e := w.heap.pop()
			w.now = e.at
			w.serve(&e)
		}
		b.open = false
		b.run()
		for i := range b.steps {
			s := &b.steps[i]
			w.now, s.p.due = s.at, false
			s.p.carryOut(s.in, s.effects, s.err)
		}
		clear(b.steps)
		b.steps = b.steps[:0]
	}
	w.now = t
}

// run has the engines take their steps. Each worker has machines of its own,
// whose engines share records with one another: see Machine.start.
func (b *batch) run() {
	if len(b.steps) < few || b.workers == 1 {
		for i := range b.steps {
			b.steps[i].take()
		}
		return
	}
	var wg sync.WaitGroup
	for worker := range b.workers {
		wg.Go(func() {
			for i := range b.steps {
				if b.steps[i].p.m.index%b.workers == worker {
					b.steps[i].take()
				}
			}
		})
	}
	wg.Wait()
}

func (s *pending) take() { s.effects, s.err = s.p.eng.Step(s.in) }

// beLean makes a world one of thousands, with so many workers; 0 for as many as
// there are cores.
func (w *World) beLean(workers int) {
	w.lean = true
	if w.batch.workers = workers; workers == 0 {
		w.batch.workers = min(runtime.GOMAXPROCS(0), mostWorkers)
	}
	for range w.batch.workers {
		w.intern = append(w.intern, new(core.Interner))
	}
}
