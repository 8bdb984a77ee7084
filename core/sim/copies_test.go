package sim_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// TestRecordCopies: each node is sent the two records of each other node for the first time
// once, and no more often than twice for each time that a record became another.
func TestRecordCopies(t *testing.T) {
	t.Parallel()
	const n = 30
	p := sim.Plan{Seed: 1, Nodes: n, For: core.Second}
	r, err := p.Run()
	if err != nil {
		t.Fatal(err)
	}
	c := r.JoinTraffic.Copies
	t.Logf("%.2f copies: %+v", c.Each(), c)
	if least := uint64(2 * n * (n - 1)); c.First < least || c.First > 2*least || c.Each() < 1 {
		t.Errorf("%d records were new to those to whom they went, of %d", c.First, least)
	}
}
