package sim

import (
	"reflect"
	"testing"

	"github.com/nanoring/nanoring/core"
)

// What comes of a plan does not depend on how many workers step its engines.
func TestWorkers(t *testing.T) {
	t.Parallel()
	kill := []Act{{Kind: Kill, At: 5 * core.Second, Nodes: 10}}
	sameOf(t, Plan{Seed: 11, Nodes: 60, Guests: 3, Loss: 10_000, ChurnEvery: core.Second, For: 20 * core.Second, Acts: kill})
	sameOf(t, Plan{Seed: 11, Nodes: 100, Sample: 30, For: 10 * core.Second, Acts: kill})
}

func sameOf(t *testing.T, p Plan) {
	var first *Report
	p.LatencyMin, p.LatencyMax = core.Millisecond, 40*core.Millisecond
	for _, workers := range []int{1, 2, 5} {
		p.workers = workers
		r, err := p.Run()
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = r
		}
		if !reflect.DeepEqual(r, first) {
			t.Errorf("%d workers: %+v, one: %+v", workers, r, first)
		}
	}
}

// Most of a joining ring's steps are taken beside many others: a node that has much to do
// does not keep those of the others waiting.
func TestBatches(t *testing.T) {
	t.Parallel()
	all, crowded := 0, 0
	p := Plan{Seed: 3, Nodes: 150, LatencyMin: core.Millisecond, LatencyMax: 40 * core.Millisecond, For: core.Second, taken: func(steps int) {
		if all += steps; steps >= few {
			crowded += steps
		}
	}}
	if _, err := p.Run(); err != nil {
		t.Fatal(err)
	}
	if 3*crowded < 2*all {
		t.Errorf("%d of %d steps were taken beside %d others or more", crowded, all, few-1)
	}
}

// TestFramesAreLetGo: after a storm the network keeps no more buffers than the calm has a
// use for.
func TestFramesAreLetGo(t *testing.T) {
	w := New(Config{})
	var storm [][]byte
	for range 1000 {
		storm = append(storm, w.copied(make([]byte, 1000)))
	}
	for i, frame := range storm {
		w.recycle(frame)
		if used := len(storm) - i - 1; len(w.free[10]) > used+spareFrames {
			t.Fatalf("%d buffers are kept, and %d used", len(w.free[10]), used)
		}
	}
	if b := w.copied(make([]byte, 600)); len(w.free[10]) != spareFrames-1 || len(b) != 600 {
		t.Errorf("%d buffers are left of %d", len(w.free[10]), spareFrames)
	}
}
