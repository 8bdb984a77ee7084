package core

import "testing"

// TestOutputIsLetGo: what a step with much to say grew to is not held on to after a round of steps
// that say little.
func TestOutputIsLetGo(t *testing.T) {
	o := newSelf(Config{}).output
	for i := range 2 * maxKept {
		o.results = append(o.results, Event{ID: uint64(i)})
	}
	o.end(0)
	if len(o.effects) != 2*maxKept {
		t.Fatalf("%d results are %d effects", 2*maxKept, len(o.effects))
	}
	for range 2 {
		o.begin()
		o.roundOver = true
	}
	o.begin()
	if cap(o.effects)+cap(o.events)+cap(o.results) > 0 {
		t.Errorf("it holds on to %d effects, %d events and %d results", cap(o.effects), cap(o.events), cap(o.results))
	}
}

// TestIdleRoundsKeepNothing: what steps grew to is let go of when a round is over in which
// none had much to say, also what one step alone may keep; and kept while there is use for it.
func TestIdleRoundsKeepNothing(t *testing.T) {
	const perEffect = 512
	o := newSelf(Config{}).output
	say := func(effects int) {
		o.begin()
		for range effects {
			o.event(EventNode)
			o.buf = append(o.buf, make([]byte, perEffect)...)
		}
	}
	for _, round := range []struct {
		effects int
		keeps   bool
	}{{maxKept / 2, true}, {maxKept / 2, true}, {1, false}, {1, false}} {
		say(round.effects)
		o.roundOver = true
		say(1)
		if has := cap(o.buf) > perEffect*maxKept/4 && cap(o.events) > maxKept/4; has != round.keeps {
			t.Errorf("after a round of %d effects it holds on to %d bytes, %d effects and %d events", round.effects, cap(o.buf), cap(o.effects), cap(o.events))
		}
	}
}
