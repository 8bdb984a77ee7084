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
	if h != 0 {
		t.Errorf("health %d", h)
	}
}

// TestLateness: a node that is late with what was due finds itself at fault at once, as much as
// it is late, and not more each time.
func TestLateness(t *testing.T) {
	for late, want := range map[int64]health{Millisecond: 0, 50 * Millisecond: 0, 250 * Millisecond: 4, Second / 2: 8, Minute: 8} {
		r, err := New(Config{Ring: "ring", Name: "me", Address: "me:1"})
		if err != nil {
			t.Fatal(err)
		}
		r.Step(Input{Kind: Start, Mono: Second, Wall: Hour})
		for range 3 {
			r.Step(Input{Kind: Tick, Mono: r.wakeAt + late, Wall: Hour})
		}
		if r.detector.health != want {
			t.Errorf("late by %d µs: %d, not %d", late, r.detector.health, want)
		}
	}
}
