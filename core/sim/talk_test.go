package sim_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// TestTalk: in a ring to which nothing happens all hear what is said.
func TestTalk(t *testing.T) {
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
	tab := w.Add("t", sim.Options{Guest: true})
	if err := tab.Start(first.Addr()); err != nil {
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
