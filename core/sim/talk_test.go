package sim_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// TestTalk: in stories in which something is said all the time, everybody who was up and
// connected hears it, once and in order.
func TestTalk(t *testing.T) {
	all := t
	for seed := *first; seed < *first+40; seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			tale := sim.Tale{Seed: seed, Crowd: -1, Talk: true}
			w, err := tale.Live(sim.Config{})
			if err != nil {
				t.Errorf("%v\nreplay with a trace:\n\n    go test ./core/sim -run '^TestSeeds$' -v -sim.trace%s -sim.crowd=-1\n(not %s)", err, flags(sim.Tale{Seed: seed, Talk: true}), all.Name())
			}
			w.Close()
		})
	}
}

// TestTalkOfHeirs: nor does it matter that an engine takes the place of another.
func TestTalkOfHeirs(t *testing.T) {
	var count atomic.Int64
	t.Run("stories", func(t *testing.T) {
		for seed := *first; seed < *first+20; seed++ {
			t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
				t.Parallel()
				tale := sim.Tale{Seed: seed, Crowd: -1, Talk: true}
				w, err := tale.Live(sim.Config{New: newDynasty(t, &count, []int{20, 200, 2000}[seed%3]), Trace: traceOf()})
				if err != nil {
					t.Error(err)
				}
				w.Close()
			})
		}
	})
	if count.Load() < 300 {
		t.Errorf("only %d engines took over", count.Load())
	}
}

// TestSay: all is heard, and answered, in a ring to which nothing happens.
func TestSay(t *testing.T) {
	w := sim.New(sim.Config{Seed: 1, Trace: traceOf()})
	defer w.Close()
	w.Promise()
	w.Talk()
	first := w.Add("a", sim.Options{})
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		m := first
		if name != "a" {
			m = w.Add(name, sim.Options{})
		}
		if err := m.Start(first.Addr()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Add("t", sim.Options{Guest: true}).Start(first.Addr()); err != nil {
		t.Fatal(err)
	}
	w.Run(5 * core.Second)
	for range 200 {
		w.Say()
		w.Run(core.Second / 2)
	}
	w.Run(core.Minute)
	if w.Err() != nil {
		t.Fatal(w.Err())
	}
}
