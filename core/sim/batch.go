package sim

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/lww"
)

// mostWorkers bounds the goroutines that step engines at once.
const mostWorkers = 32

// batch is the steps of different processes that are due so soon after one
// another that none can have to do with another's effects: no frame is that fast.
// (A conservative window: Chandy, Misra, CACM 24(4), 1981.) Their engines take
// them at once; then their effects are carried out in the order of time. What
// comes of it does not depend on how many workers there are.
type batch struct {
	steps   []pending
	later   []event // of processes that have a step in the batch
	order   []int32 // in which the steps are taken: those first that may take long
	workers int
	taken   func(steps int) // if not nil, hears of each batch
	open    bool            // steps are put off
}

// pending is a step that was put off.
type pending struct {
	p       *process
	in      core.Input
	at      int64
	effects []core.Effect
	err     error
}

// So few steps are not worth a goroutine, unless they have so many bytes to go
// through: mostly each takes some microseconds.
const (
	few   = 12
	small = 16 << 10
)

// advanceLean is advance for a world of thousands.
func (w *World) advanceLean(t int64) {
	b := &w.batch
	for len(w.heap) > 0 && w.heap[0].at <= t {
		end := min(t, w.heap[0].at+w.cfg.LatencyMin-1)
		b.open = true
		for len(w.heap) > 0 && w.heap[0].at <= end {
			e := w.heap.pop()
			if p := w.servedBy(&e); p != nil && p.due { // what it does next depends on the step that it has before it
				b.later = append(b.later, e)
				continue
			}
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
		for _, e := range b.later {
			w.heap.push(e)
		}
		clear(b.later)
		b.later = b.later[:0]
	}
	w.now = t
}

// run has the engines take their steps, as many at once as there are workers.
func (b *batch) run() {
	if b.taken != nil {
		b.taken(len(b.steps))
	}
	bytes := 0
	for i := range b.steps {
		bytes += len(b.steps[i].in.Frame)
	}
	if b.workers == 1 || len(b.steps) < 2 || len(b.steps) < few && bytes < small {
		for i := range b.steps {
			b.steps[i].take()
		}
		return
	}
	b.order = b.order[:0]
	for i := range b.steps {
		b.order = append(b.order, int32(i))
	}
	slices.SortStableFunc(b.order, func(i, j int32) int {
		return cmp.Compare(len(b.steps[j].in.Frame), len(b.steps[i].in.Frame))
	})
	var taken atomic.Int32
	work := func() {
		for i := taken.Add(1); int(i) <= len(b.order); i = taken.Add(1) {
			b.steps[b.order[i-1]].take()
		}
	}
	var wg sync.WaitGroup
	for range min(b.workers, len(b.steps)) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

func (s *pending) take() { s.effects, s.err = s.p.eng.Step(s.in) }

// beLean makes a world one of thousands, with so many workers; 0 for as many as
// there are cores.
func (w *World) beLean(workers int) {
	w.lean, w.intern = true, new(core.Interner)
	w.intern.Share(func() lww.Locker { return new(sync.Mutex) })
	if w.batch.workers = workers; workers == 0 {
		w.batch.workers = min(runtime.GOMAXPROCS(0), mostWorkers)
	}
}
