package native

import (
	"time"

	"github.com/nanoring/nanoring/core"
)

// What to start again from is taken after a step that changed what the
// node shows, but with rests between two that are holdRest long, and holdShare
// times as long as the last one took: less than a hundredth of the time.
const (
	holdRest  = 100 * time.Millisecond
	holdShare = 100
)

// maker makes an engine.
type maker func(core.Config) (core.Engine, error)

// running is the engine that runs, and what is known of it.
type running struct {
	engine core.Engine
	make   maker       // that made it
	config core.Config // that it was made of, without the snapshot
	sound  bool        // it never breaks: a *core.Ring
	since  time.Time
	base   uint64 // what its numbers of changes are counted from: the last of the engine before
	steps  latencies
	broken breaks

	held     []byte    // a Handover, to start again from
	heldUpTo uint64    // the newest change in it
	heldFrom uint64    // the number of the first command that it has nothing of
	holdFrom time.Time // the next is not taken before
	told     bool      // there were events since
}

func newRunning(engine core.Engine, make maker, config core.Config) running {
	r := running{make: make, config: config}
	r.put(engine)
	return r
}

// put puts an engine in the place of the one before.
func (r *running) put(engine core.Engine) {
	r.engine, r.since, r.steps = engine, time.Now(), latencies{}
	r.held, r.heldUpTo, r.told = nil, 0, true
	_, r.sound = engine.(*core.Ring)
}

// took takes note of how long a step took.
func (l *loop) took(in core.Input) {
	took := time.Since(l.epoch) - time.Duration(in.Mono)*time.Microsecond
	l.steps.add(took)
	l.meter.steps.Update(took.Seconds())
}

// hold keeps what the engine can be started again from. One with what somebody
// is to be told is done is taken at once.
func (l *loop) hold() {
	if l.sound || !l.told && l.heldUpTo == l.store.dirty {
		return
	}
	if promised := len(l.store.waiting) > 0 && l.heldUpTo < l.store.dirty; promised || !time.Now().Before(l.holdFrom) {
		l.handover()
	}
}

// snapshot takes what is for the ring file. It is nil if the engine broke of it.
func (l *loop) snapshot() []byte {
	b, err := l.engine.Snapshot()
	if err != nil {
		l.broke(core.Input{}, err)
		return nil
	}
	return b
}

// unsaved takes what is to be written: what has changed, where that can follow on what was
// written before. It is nil if the engine broke of it.
func (l *loop) unsaved() (b []byte, change bool) {
	if !l.store.follows {
		return l.snapshot(), false
	}
	b, err := l.engine.Changes(l.store.written - l.base)
	if err != nil {
		l.broke(core.Input{}, err)
		return nil, false
	}
	if b == nil {
		return l.snapshot(), false
	}
	return b, true
}

// handover takes what another engine needs to take over. It is nil if the engine
// broke of it.
func (l *loop) handover() []byte {
	if !l.sound && !l.told && l.heldUpTo == l.store.dirty && l.held != nil {
		return l.held
	}
	began := time.Now()
	b, err := l.engine.Handover()
	if err != nil {
		l.broke(core.Input{}, err)
		return nil
	}
	l.heldFrom = l.commands
	if !l.sound {
		now := time.Now()
		l.held, l.heldUpTo, l.told = b, l.store.dirty, false
		l.holdFrom = now.Add(max(holdRest, holdShare*now.Sub(began)))
	}
	return b
}
