package native

import (
	"slices"

	"github.com/nanoring/nanoring/core"
)

// emitMessage takes an event of messages to who waits for it, and says whether it was one.
func (l *loop) emitMessage(e *core.Event) bool {
	l.meter.event(e.Kind)
	switch e.Kind {
	case core.EventHeard, core.EventGap:
		l.hearing.take(e, l.cfg.Clock())
		if e.Question == 0 {
			break
		}
		if code := l.give(e); code != 0 {
			l.pending = append(l.pending, core.Input{Kind: core.Do, Command: core.Command{Op: core.Answer, Question: e.Question, Code: code}})
		}
	case core.EventAnswer, core.EventDone:
		if a := l.hearing.question(e.ID); a != nil {
			a.take(e)
		}
	default:
		return false
	}
	l.told = true
	return true
}

// hearAgain tells the engine that was started again what it is to hear: it may know what
// was so a moment before. What the other one heard then may be lost.
func (l *loop) hearAgain() {
	l.hearing.mu.Lock()
	s := l.hearing.subscription()
	l.hearing.mu.Unlock()
	if len(s.Messages)+len(s.Questions) > 0 {
		l.pending = slices.Insert(l.pending, 0, core.Input{Kind: core.Do, Command: core.Command{Op: core.Hear, Hear: s}})
		l.hearing.take(&core.Event{Kind: core.EventGap}, l.cfg.Clock())
	}
}
