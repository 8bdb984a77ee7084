package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// leaving has me, with the peers a and b, be told to leave; b is told by nobody else.
func leaving(t *testing.T, before ...core.Command) (g *rig, a, b core.ConnID, told []core.Effect) {
	g = start(t, me())
	a, b = g.peer("a"), g.peer("b")
	g.pass(core.Second)
	for _, c := range before {
		g.step(core.Input{Kind: core.Do, Command: c})
	}
	return g, a, b, g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 9, Op: core.Leave}})
}

// acks has a peer answer the last gossip that it got among effects.
func (g *rig) acks(id core.ConnID, told []core.Effect) []core.Effect {
	g.Helper()
	for _, f := range sent(g, told, id) {
		if f.Kind == wire.KindGossip {
			return g.receive(id, &wire.Frame{Kind: wire.KindAck, Seq: f.Seq, Wall: g.wall, Fingerprint: f.Fingerprint})
		}
	}
	g.Fatal("no gossip followed")
	return nil
}

// TestWhoLeavesConfirmsNothing: what a node holds that leaves itself is soon held by nobody.
func TestWhoLeavesConfirmsNothing(t *testing.T) {
	g, a, b, told := leaving(t)
	g.wall++
	g.receive(a, rumor(wire.Record{Set: wire.Nodes, Name: "a", Stamp: g.wall, Rank: 2, Value: wire.Member{Address: "a:7946"}.Value()}))
	g.acks(a, told)
	if g.halted != 0 {
		t.Fatalf("it halts (%s) by the word of a node that leaves as well", g.halted)
	}
	g.acks(b, told)
	if g.halted != core.HaltLeft {
		t.Errorf("it does not leave, although a member holds its tombstone: %s", g.halted)
	}
}

// TestLastTwoLeave: where all leave there is nobody left to remember it.
func TestLastTwoLeave(t *testing.T) {
	g := start(t, me())
	a := g.peer("a")
	told := g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 9, Op: core.Leave}})
	g.wall++
	g.receive(a, rumor(wire.Record{Set: wire.Nodes, Name: "a", Stamp: g.wall, Rank: 2, Value: wire.Member{Address: "a:7946"}.Value()}))
	g.acks(a, told)
	if g.halted != core.HaltLeft {
		t.Errorf("it does not leave, although there is no other member: %s", g.halted)
	}
}

// TestLeavesAfterWhatItOwes: once a node is known to be deleted nothing is taken from
// it, so what it did before has to arrive first.
func TestLeavesAfterWhatItOwes(t *testing.T) {
	_, a, b, told := leaving(t, core.Command{ID: 8, Op: core.Del, Name: "b"})
	for _, id := range []core.ConnID{a, b} {
		var names []string
		for _, f := range sent(t, told, id) {
			for _, r := range f.Records {
				if r.Set == wire.Nodes && r.Rank == 2 {
					names = append(names, r.Name)
				}
			}
		}
		if len(names) < 2 || names[0] != "b" {
			t.Errorf("a peer is told of the deletions of %q, want that of b before that of me", names)
		}
	}
}
