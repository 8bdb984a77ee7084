package sim_test

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// Some nodes are cut off, hold the others for dead, and come back: none of those, which could reach
// each other all the time, shows another one down by what they say, and soon all is right.
func TestOneComesBack(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		nodes, cut, seeds int
		length            int64
	}{
		{12, 1, 20, core.Minute}, {12, 1, 10, 8 * core.Second}, {12, 3, 10, core.Minute}, {12, 3, 10, 6 * core.Second}, {100, 1, 2, core.Minute},
	} {
		for i := range uint64(test.seeds) {
			seed := *first + i
			t.Run(fmt.Sprintf("%d of %d for %s, seed=%d", test.cut, test.nodes, duration(test.length), seed), func(t *testing.T) {
				t.Parallel()
				w := sim.New(sim.Config{Seed: seed, LatencyMin: 100, LatencyMax: [...]int64{core.Millisecond, 20 * core.Millisecond}[seed%2], Trace: traceOf()})
				w.Promise()
				cut := make(map[string]bool)
				for i := range test.nodes {
					name := fmt.Sprintf("n%d", i)
					cut[name] = i >= test.nodes-test.cut
					if err := w.Add(name, sim.Options{}).Start("n0:7946"); err != nil {
						t.Fatal(err)
					}
					w.Run(100 * core.Millisecond)
				}
				if err := w.Settle(core.Minute); err != nil {
					t.Fatal(err)
				}
				w.OnEvent(func(m *sim.Machine, e *core.Event) {
					if e.Kind == core.EventNode && e.Node.State == core.Down && !cut[m.Name()] && !cut[e.Node.Name] {
						t.Errorf("%s shows %s down, %s after the start", m.Name(), e.Node.Name, duration(w.Now()))
					}
				})
				w.Partition(w.Machines()[test.nodes-test.cut:])
				w.Run(test.length)
				w.Heal()
				if err := w.Settle(4 * core.Second); err != nil {
					t.Error(err)
				}
				if t.Failed() {
					t.Log(replay(t, fmt.Sprintf(" -sim.seed=%d", seed)))
				}
			})
		}
	}
}
