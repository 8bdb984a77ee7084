package core

import "testing"

// TestOutputIsLetGo: what a step with much to say grew to is not held on to after steps
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
	o.begin()
	o.begin()
	if cap(o.effects)+cap(o.events)+cap(o.results) > 0 {
		t.Errorf("it holds on to %d effects, %d events and %d results", cap(o.effects), cap(o.events), cap(o.results))
	}
}
