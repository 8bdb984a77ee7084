package native

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nanoring/nanoring/core"
)

// An engine that breaks, as a sandboxed one may, is started again from the last
// snapshot that was held; one that breaks maxBreaks times in breakTime is not.
const (
	maxBreaks = 5
	breakTime = time.Minute
)

// breaks is how often the node's engines broke.
type breaks struct {
	total int
	late  []time.Time // of the last breakTime
	last  error
}

// add counts a break, and returns how many there were of late.
func (b *breaks) add(now time.Time, err error) int {
	b.total++
	b.last = err
	b.late = append(slices.DeleteFunc(b.late, func(at time.Time) bool { return now.Sub(at) > breakTime }), now)
	return len(b.late)
}

// broke is called when the engine broke of an input, or of being asked for a
// snapshot. The node goes on with a new one, without the connection that the
// input came from.
func (l *loop) broke(in core.Input, err error) {
	now := time.Now()
	times := l.broken.add(now, err)
	l.keepTrap(in, err)
	stopping := in.Kind == core.Do && in.Command.Op == core.Stop
	switch {
	case stopping:
		l.halt = core.HaltStopped
	case l.held == nil:
		l.failure = err
	case times >= maxBreaks:
		l.failure = fmt.Errorf("the engine broke %d times within a minute, the last time so: %w: what broke it is in %s; start the node with another engine (--engine)",
			times, err, l.folder.path(trapsName))
	}
	if !l.goesOn() {
		return
	}
	var blamed core.ConnID
	switch in.Kind {
	case core.Opened, core.Received:
		blamed = in.Conn
	case core.Do:
		if cmd, ok := l.answers[in.Command.ID]; ok {
			delete(l.answers, in.Command.ID)
			cmd.answer <- result{err: fmt.Errorf("%w: %w", ErrBroke, err)}
		}
	}
	h, err := l.heir(l.make, l.held, blamed)
	if err != nil {
		l.failure = fmt.Errorf("the engine broke, and cannot be started again: %w", errors.Join(l.broken.last, err))
		return
	}
	l.succeed(h)
	l.log.Warn("the engine was started again", "times", l.broken.total, "took", time.Since(now).Round(time.Millisecond))
}
