package sim_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// TestSlowLines: with a patience to which the lines are not too slow, the ring stands: no bound of a
// dial or a hello is shorter than what the patience allows. Lines that need an eighth of it one way are that slow.
func TestSlowLines(t *testing.T) {
	t.Parallel()
	for _, patience := range []int64{4, 8, 16, 32} {
		for seed := range uint64(5) {
			most := patience * core.Second / 8
			p := sim.Plan{
				Seed: seed + 1, Nodes: 4, LatencyMin: most / 3, LatencyMax: most, For: core.Second,
				Period: patience * core.Second / 4, AckTimeout: patience * core.Second / 8, Patience: patience * core.Second,
			}
			r, err := p.Run()
			if err != nil {
				t.Fatal(err)
			}
			if !r.Stood {
				t.Errorf("a ring with a patience of %d s, and lines of %d ms at most, does not stand: seed %d", patience, most/core.Millisecond, p.Seed)
			}
		}
	}
}
