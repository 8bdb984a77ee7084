package sim_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// A sample of a ring does as the whole ring does: what its nodes send, hear, and work, and when
// they know of deaths. make sim-long has 1,000 nodes.
func TestSampleIsLikeTheWhole(t *testing.T) {
	t.Parallel()
	p := sim.Plan{
		Seed: 1, Nodes: 100, LatencyMin: core.Millisecond, LatencyMax: 40 * core.Millisecond, For: 30 * core.Second,
		Acts: []sim.Act{{Kind: sim.Kill, At: 2 * core.Second, Nodes: 6}},
	}
	sample := 40
	if *long {
		p.Nodes, sample, p.Acts[0].Nodes = 1000, 200, 10
	}
	live := func(sample int) *sim.Report {
		p.Sample = sample
		r, err := p.Run()
		if err != nil {
			t.Fatal(err)
		}
		if !r.Stood || r.Wrong > 0 || r.FalseDeaths > 0 || r.FalseSuspicions > 0 || r.Halted > 0 {
			t.Errorf("sample %d: stood %v, %d views wrong, %d and %d falsely accused, %d halted", sample, r.Stood, r.Wrong, r.FalseSuspicions, r.FalseDeaths, r.Halted)
		}
		return r
	}
	whole, some := live(0), live(sample)
	rate := func(n uint64, r *sim.Report) float64 {
		return float64(n) * float64(core.Second) / float64(r.Traffic.NodeTime)
	}
	kill, of := whole.Changes[0], some.Changes[0]
	if of.Shown.Count != p.Acts[0].Nodes {
		t.Fatalf("%d of %d deaths were shown by all of the sample", of.Shown.Count, p.Acts[0].Nodes)
	}
	for _, c := range []struct {
		what        string
		whole, some float64
		within      float64
	}{
		{"bytes a node and second", rate(whole.Traffic.Bytes, whole), rate(some.Traffic.Bytes, some), 1.3},
		{"frames a node and second", rate(whole.Traffic.Frames, whole), rate(some.Traffic.Frames, some), 1.3},
		{"copies of a record", whole.Traffic.Copies.Each(), some.Traffic.Copies.Each(), 1.3},
		{"steps a node and second", whole.Steps, some.Steps, 1.3},
		{"bytes of a ring file", float64(whole.RingFile), float64(some.RingFile), 1.05},
		{"found, half", float64(kill.Found.P50), float64(of.Found.P50), 1.5},
		{"shown, half", float64(kill.Shown.P50), float64(of.Shown.P50), 1.5},
		{"shown, the last", float64(kill.Shown.Max), float64(of.Shown.Max), 1.5},
	} {
		t.Logf("%-26s %10.1f in the whole, %10.1f in the sample: %.2f", c.what, c.whole, c.some, c.some/c.whole)
		if ratio := c.some / c.whole; !(ratio < c.within && ratio > 1/c.within) {
			t.Errorf("%s: %.1f in the whole ring, %.1f in the sample: more than a factor of %.2f", c.what, c.whole, c.some, c.within)
		}
	}
}
