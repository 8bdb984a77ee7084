package sim_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// A ring of four pairs is cut in two again and again, each time between other pairs, with
// moments between in which each half tells what it knows: the two of a pair, which nothing
// ever keeps from each other, never show each other down.
func TestPairsOfHalves(t *testing.T) {
	t.Parallel()
	for seed := *first; seed < *first+300; seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 0x68616c76))
			w := sim.New(sim.Config{Seed: seed, LatencyMin: 100, LatencyMax: [...]int64{core.Millisecond, 20 * core.Millisecond}[seed%2], Trace: traceOf()})
			other := make(map[string]string) // of a pair
			for i := range 8 {
				name := fmt.Sprintf("n%d", i)
				other[name] = fmt.Sprintf("n%d", i^1)
				if err := w.Add(name, sim.Options{}).Start("n0:7946"); err != nil {
					t.Fatal(err)
				}
				w.Run(100 * core.Millisecond)
			}
			if err := w.Settle(core.Minute); err != nil {
				t.Fatal(err)
			}
			w.OnEvent(func(m *sim.Machine, e *core.Event) {
				if e.Kind == core.EventNode && e.Node.State == core.Down && e.Node.Name == other[m.Name()] {
					t.Errorf("%s shows %s down, %s after the start", m.Name(), e.Node.Name, duration(w.Now()))
				}
			})
			for range 6 {
				var half [2][]*sim.Machine
				split := 1 + rng.IntN(7) // of the first three pairs those that are not with the fourth
				for i, m := range w.Machines() {
					half[split>>(i/2)&1] = append(half[split>>(i/2)&1], m)
				}
				w.Partition(half[0], half[1])
				w.Run(core.Second + rng.Int64N(8*core.Second))
				w.Heal()
				w.Run(rng.Int64N(100 * core.Millisecond))
			}
			if err := w.Settle(core.Minute); err != nil {
				t.Error(err)
			}
			if t.Failed() {
				t.Log(replay(t, fmt.Sprintf(" -sim.seed=%d", seed)))
			}
		})
	}
}
