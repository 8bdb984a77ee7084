package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestCounts: each count moves with what it counts, and with that alone.
func TestCounts(t *testing.T) {
	g, id, _ := syncing(t, 100)
	before := g.counts()
	expect := func(what string, which int) {
		t.Helper()
		after := g.counts()
		for i := range after {
			if (after[i] > before[i]) != (i == which) {
				t.Errorf("%s: of %v it became %v", what, before, after)
			}
		}
		before = after
	}
	if before[core.CountSyncs] != 1 || before[core.CountLostSyncs] != 0 {
		t.Errorf("with a sync under way: %v", before)
	}
	for _, rec := range records(t, g.ring) {
		if rec.Set == wire.Up && rec.Name == "me" {
			rec.Rank = 1 // suspect
			g.receive(id, rumor(rec))
		}
	}
	if after := g.counts(); after[core.CountRefuted] != 1 || after[core.CountDebts] == 0 {
		t.Errorf("suspected: %v", after)
	}
	g.tick(core.Second / 10) // what is owed is sent
	if before = g.counts(); before[core.CountDebts] != 0 {
		t.Errorf("all was told: %v", before)
	}
	g.pass(1500 * core.Millisecond)
	expect("a period", core.CountRounds)
}

// TestLostSyncIsCounted: a sync whose answer does not come is lost.
func TestLostSyncIsCounted(t *testing.T) {
	g, _, f := syncing(t, 100)
	g.pass(20 * core.Second)
	if c := g.counts(); c[core.CountLostSyncs] == 0 {
		t.Errorf("after sync %d had no answer: %v", f.Seq, c)
	}
}

func (g *rig) counts() core.Counts {
	c, _ := g.ring.Counts()
	return c
}
