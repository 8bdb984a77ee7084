package native

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	queueLines = 1024                   // that wait for what writes them
	maxValue   = 4 << 10                // bytes of a value: some are of strangers, in errors of libraries, too
	flushTime  = 500 * time.Millisecond // that the last lines of a node may take
)

// LogQueue is a slog.Handler that writes by another one, on a goroutine of its own: who logs
// never waits, whatever reads the lines. Those for which there is no room are lost, which the
// next one that is written says. A node's lines go through one.
type LogQueue struct {
	to slog.Handler
	*lines
}

// lines are those that wait, of all the handlers made of one.
type lines struct {
	mu      sync.Mutex
	waiting []line
	writing chan struct{} // closed when nothing waits; nil while nothing does
	unsaid  int           // lost since the last one that waits
	untold  int           // lost, and not written yet that they are: these, and those before what waits
	lost    uint64
	lostAt  time.Time // when the last was
	fails   bool      // the last one that was to be written was not
}

type line struct {
	to     slog.Handler
	record slog.Record
	before int // how many were lost before it
}

// NewLogQueue makes one that writes by a handler. One that is one already is taken as it is.
func NewLogQueue(to slog.Handler) *LogQueue {
	if q, ok := to.(*LogQueue); ok {
		return q
	}
	return &LogQueue{to, new(lines)}
}

// Enabled implements slog.Handler.
func (q *LogQueue) Enabled(ctx context.Context, level slog.Level) bool {
	return q.to.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (q *LogQueue) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &LogQueue{q.to.WithAttrs(attrs), q.lines}
}

// WithGroup implements slog.Handler.
func (q *LogQueue) WithGroup(name string) slog.Handler {
	return &LogQueue{q.to.WithGroup(name), q.lines}
}

// Handle implements slog.Handler. It never waits.
func (q *LogQueue) Handle(_ context.Context, r slog.Record) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= queueLines {
		q.lose()
		return nil
	}
	q.waiting = append(q.waiting, line{q.to, bounded(r), q.unsaid})
	q.unsaid = 0
	if q.writing == nil {
		q.writing = make(chan struct{})
		go q.write()
	}
	return nil
}

// bounded returns a record without what is too long of its values.
func bounded(r slog.Record) slog.Record {
	long := false
	r.Attrs(func(a slog.Attr) bool {
		long = len(textOf(a.Value)) > maxValue
		return !long
	})
	if !long {
		return r.Clone()
	}
	short := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if text := textOf(a.Value); len(text) > maxValue {
			a.Value = slog.StringValue(fmt.Sprintf("%s… (%d bytes)", truncate(text, maxValue), len(text)))
		}
		short.AddAttrs(a)
		return true
	})
	return short
}

// textOf is what a string or an error says.
func textOf(v slog.Value) string {
	if v.Kind() == slog.KindString {
		return v.String()
	}
	if err, ok := v.Any().(error); ok {
		return err.Error()
	}
	return ""
}

func (q *lines) lose() {
	q.unsaid++
	q.untold++
	q.lost++
	q.lostAt = time.Now()
}

// write is a goroutine, which is there while something waits.
func (q *lines) write() {
	for {
		q.mu.Lock()
		if len(q.waiting) == 0 {
			close(q.writing)
			q.waiting, q.writing = nil, nil
			q.mu.Unlock()
			return
		}
		l := q.waiting[0]
		q.waiting[0] = line{}
		q.waiting = q.waiting[1:]
		q.mu.Unlock()
		wrote := l.write()
		q.mu.Lock()
		if q.fails = !wrote; q.fails {
			q.unsaid += l.before
			q.lose()
		} else {
			q.untold -= l.before
		}
		q.mu.Unlock()
	}
}

// write says what was lost before the line, and the line.
func (l *line) write() bool {
	ctx := context.Background()
	if l.before > 0 {
		r := slog.NewRecord(l.record.Time, slog.LevelWarn, "lines of this log were lost: what reads it is too slow, or was away", 0)
		r.AddAttrs(slog.Int("lines", l.before))
		if l.to.Enabled(ctx, r.Level) {
			if err := l.to.Handle(ctx, r); err != nil {
				return false
			}
		}
	}
	return l.to.Handle(ctx, l.record) == nil
}

// Flush waits until all lines are written, but not longer than it may, and says whether
// they are.
func (q *LogQueue) Flush(most time.Duration) bool {
	q.mu.Lock()
	done := q.writing
	q.mu.Unlock()
	if done == nil {
		return true
	}
	late := time.NewTimer(most)
	defer late.Stop()
	select {
	case <-done:
		return true
	case <-late.C:
		return false
	}
}

// Lost returns how many lines were lost.
func (q *LogQueue) Lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lost
}

// losing returns when the last one was lost, and whether it is so still: those that wait, or come, do not get out.
func (q *LogQueue) losing() (last time.Time, still bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lostAt, q.untold > 0 && (q.writing != nil || q.fails)
}
