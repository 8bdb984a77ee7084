package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestRecall: a node that hears of a deletion which its add overruled says so, by
// an add that overrules no more than it did: a later deletion is one.
func TestRecall(t *testing.T) {
	g := start(t, me())
	a := g.peer("a")
	own := func() wire.Record {
		for _, w := range records(t, g.ring) {
			if w.Name == "me" && w.Set == wire.Nodes {
				return w
			}
		}
		return wire.Record{}
	}
	was := own()
	g.wall += core.Minute / 2
	del := was
	del.Rank, del.Stamp = 2, was.Stamp-core.Second
	g.receive(a, rumor(del))
	m, err := wire.ParseMember(own().Value)
	if err != nil || m.Deleted != del.Stamp || own().Stamp != was.Stamp+1 {
		t.Errorf("it says %+v of %+v, and said it at %d", m, own(), was.Stamp)
	}
	del.Stamp = was.Stamp + core.Second
	if g.receive(a, rumor(del)); len(events(g.effects, core.EventLeaving)) != 1 {
		t.Error("it does not take note of a later deletion")
	}
}
