package native

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// An engine that breaks, as a sandboxed one may, is started again from the last
// snapshot that was held; one that breaks maxBreaks times in breakTime is not.
const (
	maxBreaks = 5
	breakTime = time.Minute
	barTime   = 10 * time.Minute // without guests from where one broke it
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
	l.meter.traps.Inc()
	l.status.Lock()
	l.status.trapped = now
	l.status.Unlock()
	stopping := in.Kind == core.Do && in.Command.Op == core.Stop
	switch {
	case stopping:
		l.halt = core.HaltStopped
	case l.held == nil:
		l.failure = err
	case times >= maxBreaks:
		l.failure = fmt.Errorf("the engine broke %d times within a minute, the last time so: %w: what broke it is in %s; start the node with another engine (--engine)",
			times, err, l.folder.Traps())
	}
	if !l.goesOn() {
		return
	}
	var blamed core.ConnID
	switch in.Kind {
	case core.Opened, core.Received:
		blamed = in.Conn
		l.barGuest(blamed)
	case core.Do:
		if cmd, ok := l.answers[in.Command.ID]; ok {
			delete(l.answers, in.Command.ID)
			cmd.answer <- result{err: fmt.Errorf("%w: %w", ErrBroke, err)}
		}
	}
	h, err := l.heir(l.make, l.held, blamed)
	if err != nil {
		l.log.Warn("the engine cannot be started again with the messages of before, and is without them", "why", err)
		h, err = l.heir(l.make, withoutNews(l.held), blamed)
	}
	if err != nil {
		l.failure = fmt.Errorf("the engine broke, and cannot be started again: %w", errors.Join(l.broken.last, err))
		return
	}
	l.succeed(h)
	l.hearAgain()
	l.log.Warn("the engine was started again", "times", l.broken.total, "took", time.Since(now).Round(time.Millisecond))
}

// withoutNews returns a handover without what is neither of nodes nor of the node itself: it
// may be that which breaks an engine.
func withoutNews(handover []byte) []byte {
	var s wire.Snapshot
	if s.Decode(handover) != nil {
		return handover
	}
	s.News = wire.News{}
	return s.Append(nil)
}

// barGuest closes all connections of guests from where the guest comes that broke
// the engine, and has none taken from there: it could break it again and again.
func (l *loop) barGuest(id core.ConnID) {
	c := l.conns[id]
	if c == nil || c.story.open.role != core.Guest {
		return
	}
	from := whence(c.story.open.addr)
	l.inbound.bar(c.story.open.addr, time.Now().Add(barTime))
	for other, o := range l.conns {
		if other != id && o.story.open.role == core.Guest && whence(o.story.open.addr) == from {
			o.close(wire.CodeBadFrame, "a guest from there broke this node's engine")
			l.drop(other)
			l.pending = append(l.pending, core.Input{Kind: core.Closed, Conn: other, Code: wire.CodeBadFrame})
		}
	}
}

func (i *inbound) bar(addr string, until time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.barred == nil || len(i.barred) >= 1000 {
		i.barred = make(map[string]time.Time)
	}
	i.barred[whence(addr)] = until
}

func (i *inbound) isBarred(addr string) bool {
	from := whence(addr)
	i.mu.Lock()
	defer i.mu.Unlock()
	until, ok := i.barred[from]
	if ok && time.Now().After(until) {
		delete(i.barred, from)
		ok = false
	}
	return ok
}
