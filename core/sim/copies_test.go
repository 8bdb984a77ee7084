package sim_test

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// TestRecordCopies: each node is sent the two records of each other node, twice as many at
// most that were later, and of each no more than 3.5 copies while all join.
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
	if least := uint64(2 * n * (n - 1)); c.First < least || c.First > 2*least || c.Each() > 3.5 {
		t.Errorf("%d records were new to those to whom they went, of %d, in %.2f copies", c.First, least, c.Each())
	}
}

// TestCopiesOfAChange: of one change in a ring that stands a node gets no more than 4.5 copies.
func TestCopiesOfAChange(t *testing.T) {
	t.Parallel()
	const n, changes = 60, 20
	w := sim.New(sim.Config{Seed: 1})
	defer w.Close()
	for i := range n {
		if err := w.Add(fmt.Sprint("n", i), sim.Options{}).Start("n0:7946"); err != nil {
			t.Fatal(err)
		}
		w.Run(100 * core.Millisecond)
	}
	w.Run(core.Minute)
	w.CountCopies()
	for i := range changes {
		w.Machines()[i*7%n].Do(core.Command{Op: core.SetTags, Tags: []wire.Tag{{Key: "k", Value: fmt.Sprint(i)}}})
		w.Run(2 * core.Second)
	}
	c := w.Copies()
	t.Logf("%.2f copies: %+v", c.Each(), c)
	if want := uint64(changes * (n - 1)); c.First < want || c.First > want*11/10 || c.Each() > 4.5 {
		t.Errorf("%d records were new to those to whom they went, not %d, in %.2f copies", c.First, want, c.Each())
	}
}
