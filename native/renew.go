package native

import (
	"context"

	"github.com/nanoring/nanoring/core"
)

// An engine is renewed that has more memory than leastGrown bytes and mostGrown times that
// of one that has just begun.
const (
	leastGrown = 12 << 20
	mostGrown  = 1.5
)

// Renew has another instance of its module take over from the engine, as SwapModule does, if
// that gives back a third of the engine's memory: a module's memory grows and never shrinks. It
// returns how many bytes that were; 0 if it was not worth it, as of a native engine.
// It is for when there is little to do, since a ring's traffic waits for some milliseconds.
// The error is a *SwapError, ErrStopped or the context's.
func (n *Node) Renew(ctx context.Context) (bytes int, err error) {
	if !n.swaps.TryLock() {
		return 0, nil // that one gives it back
	}
	defer n.swaps.Unlock()
	var again maker
	if err := n.aside(ctx, func(l *loop) { again, bytes = l.make, memoryOf(l.engine) }); err != nil || bytes < leastGrown {
		return 0, err
	}
	trial, err := n.tryOut(ctx, again)
	if err != nil {
		return 0, err
	}
	fresh := memoryOf(trial)
	trial.Close()
	if float64(bytes) < mostGrown*float64(fresh) {
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
