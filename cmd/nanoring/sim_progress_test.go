package main

import (
	"reflect"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// TestSimProgress: what is left is guessed by the work that is done, anew in each phase and each life.
func TestSimProgress(t *testing.T) {
	t.Parallel()
	var now time.Time
	var lines []string
	p := &simProgress{nodes: 1000, every: 10 * time.Second, show: func(s string) { lines = append(lines, s) }, now: func() time.Time { return now }}
	for _, s := range []struct {
		at   time.Duration
		told sim.Progress
	}{
		{0, sim.Progress{Started: 2, Right: 1}},
		{9 * time.Second, sim.Progress{Started: 300, Right: 1}}, // too soon
		{10 * time.Second, sim.Progress{Started: 500, Right: 0.5}},
		{40 * time.Second, sim.Progress{Started: 1000, Right: 0.75}},
		{60 * time.Second, sim.Progress{Started: 1000, Right: 1, For: core.Minute}},
		{70 * time.Second, sim.Progress{Started: 1000, Right: 1, At: 15 * core.Second, For: core.Minute}},
		{98 * time.Second, sim.Progress{Started: 1000, Right: 1, At: 55 * core.Second, For: core.Minute}},
		{100 * time.Second, sim.Progress{Started: 2, Right: 1}},
		{120 * time.Second, sim.Progress{Started: 50, Right: 1}},
	} {
		now = time.Unix(1e9, 0).Add(s.at)
		p.told(s.told)
	}
	want := []string{
		"500 of 1000 nodes have joined, 10s; about 1m10s until the ring stands",
		"1000 of 1000 nodes have joined, 40s; about 10s until the ring stands",
		"0s of 1m0s, 100.00 % agree, 1m0s; not known yet how long left",
		"15s of 1m0s, 100.00 % agree, 1m10s; about 30s left",
		"55s of 1m0s, 100.00 % agree, 1m38s; some seconds left",
		"50 of 1000 nodes have joined, 20s; not known yet how long until the ring stands",
	}
	if !reflect.DeepEqual(lines, want) {
		t.Errorf("it shows\n%q, not\n%q", lines, want)
	}
}

// TestSimProgressOfSample: who comes to a ring that is there takes as long as who came before.
func TestSimProgressOfSample(t *testing.T) {
	t.Parallel()
	now, line := time.Unix(1e9, 0), ""
	p := &simProgress{nodes: 50, each: true, show: func(s string) { line = s }, now: func() time.Time { return now }}
	p.told(sim.Progress{Started: 1, Right: 1})
	now = now.Add(20 * time.Second)
	p.told(sim.Progress{Started: 10, Right: 0.9})
	if want := "10 of 50 nodes have joined, 20s; about 1m20s until the ring stands"; line != want {
		t.Errorf("it shows %q, not %q", line, want)
	}
}
