package sim_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// TestDeathsGoAhead: of nodes that are killed, one after the other, the middle one is known to be
// down to all 64 that stay after 57 to 60 ms, by four seeds. It was 65 to 71 where a death went to as
// few by itself as any other change.
func TestDeathsGoAhead(t *testing.T) {
	t.Parallel()
	var sum int64
	for seed := range uint64(4) {
		p := sim.Plan{Seed: seed, Nodes: 84, LatencyMin: core.Millisecond, LatencyMax: 10 * core.Millisecond, For: 60 * core.Second}
		for i := range int64(20) {
			p.Acts = append(p.Acts, sim.Act{Kind: sim.Kill, At: (10 + 2*i) * core.Second, Nodes: 1})
		}
		r, err := p.Run()
		if err != nil {
			t.Fatal(err)
		}
		shown := r.Changes[0].Shown
		t.Logf("%+v", shown)
		if shown.Count != 20 {
			t.Errorf("seed %d: %d kills were known to all", seed, shown.Count)
		}
		sum += shown.P50
	}
	if sum > 4*64*core.Millisecond {
		t.Errorf("they are known to all after %d ms", sum/4/core.Millisecond)
	}
}
