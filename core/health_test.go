package core

import (
	"testing"

	"pgregory.net/rapid"
)

// TestRoundTripBounds: whatever was measured, the timeout stays within its
// bounds; answers that always take the same end up well within it.
func TestRoundTripBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var trip roundTrip
		for _, d := range rapid.SliceOf(rapid.Int64Range(0, Hour)).Draw(t, "trips") {
			trip.measured(d)
			if got := trip.timeout(Second / 2); got < Second/10 || got > 2*Second {
				t.Fatalf("%d µs after %+v", got, trip)
			}
		}
	})
	for _, d := range []int64{1, 50 * Millisecond, Second} {
		var trip roundTrip
		for range 100 {
			trip.measured(d)
		}
		if got := trip.timeout(Second / 2); got < d || got > max(2*d, Second/10) {
			t.Errorf("answers take %d µs: the timeout is %d µs", d, got)
		}
	}
}

// TestHealth: it stays within its bounds, and one answer in time makes good one fault.
func TestHealth(t *testing.T) {
	var h health
	h.better()
	if h.stretch(7) != 7 {
		t.Errorf("a healthy node waits %d times as long", h.stretch(7)/7)
	}
	for range 20 {
		h.worse()
	}
	if h.stretch(7) != 9*7 {
		t.Errorf("a sick node waits %d times as long", h.stretch(7)/7)
	}
	for range sickest {
		h.better()
	}
	if h != (health{}) {
		t.Errorf("health %v", h)
	}
}

// TestLateness: a node that is late with what was due waits as much longer at once, and not more
// each time; when all has been on time for as many rounds, it does no longer.
func TestLateness(t *testing.T) {
	for late, want := range map[int64]int64{Millisecond: 1, 50 * Millisecond: 1, 250 * Millisecond: 5, Second / 2: 9, Minute: 9} {
		var h health
		for range 3 {
			h.lateBy(late, Second/2)
		}
		if got := h.stretch(1); got != want {
			t.Errorf("late by %d µs it waits %d times as long, not %d", late, got, want)
		}
		r, err := New(Config{Ring: "ring", Name: "me", Address: "me:1"})
		if err != nil {
			t.Fatal(err)
		}
		r.Step(Input{Kind: Start, Mono: Second, Wall: Hour})
		r.Step(Input{Kind: Tick, Mono: r.wakeAt + late, Wall: Hour})
		if got := r.detector.health.stretch(1); got > 1 != (want > 1) {
			t.Errorf("late by %d µs a node waits %d times as long", late, got)
		}
		for until := r.mono + 10*Second; r.mono < until; {
			r.Step(Input{Kind: Tick, Mono: r.wakeAt, Wall: Hour})
		}
		if got := r.detector.health.stretch(1); got != 1 {
			t.Errorf("on time again it waits %d times as long", got)
		}
	}
}
