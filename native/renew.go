package native

import (
	"context"
	"time"

	"github.com/nanoring/nanoring/core"
)

// An engine is renewed that has more memory than leastGrown bytes and mostGrown times that
// of one that has just begun.
const (
	leastGrown = 8 << 20
	mostGrown  = 1.5
)

// mostTrial is how long an engine may take to be made beside the one that runs: on a machine that has no time
// now, the ring's traffic would wait for as long again.
var mostTrial = time.Second

// Renew has another instance of its module take over from the engine, as SwapModule does, if
// that gives back a third of the engine's memory: a module's memory grows and never shrinks. It
// returns how many bytes that were; 0 if it was not worth it, as of a native engine. Of either
// what the node keeps of what happened is moved together, so that the pages around it can be given back.
// It is for when there is little to do, since a ring's traffic waits for some milliseconds, and does nothing
// on a machine that has no time for it now.
// The error is a *SwapError, ErrStopped or the context's.
func (n *Node) Renew(ctx context.Context) (bytes int, err error) {
	n.board.compact()
	if !n.swaps.TryLock() {
		return 0, nil // that one gives it back
	}
	defer n.swaps.Unlock()
	var again maker
	if err := n.aside(ctx, func(l *loop) { again, bytes = l.make, memoryOf(l.engine) }); err != nil || bytes < leastGrown {
		return 0, err
	}
	began := time.Now()
	trial, err := n.tryOut(ctx, again)
	if err != nil {
		return 0, err
	}
	fresh := memoryOf(trial)
	trial.Close()
	if float64(bytes) < mostGrown*float64(fresh) || time.Since(began) > mostTrial {
		return 0, nil
	}
	if n.aside(ctx, func(l *loop) {
		if err = l.swap(again); err == nil {
			bytes -= memoryOf(l.engine)
		}
	}) != nil {
		return 0, ErrStopped
	}
	if err != nil {
		return 0, err
	}
	return max(bytes, 0), nil
}

// memoryOf returns how many bytes an engine's module has, 0 if it has none.
func memoryOf(e core.Engine) int {
	if box, ok := e.(sandboxed); ok {
		return box.MemorySize()
	}
	return 0
}
