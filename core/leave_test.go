package core_test

import (
	"slices"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// leaving has me, with the peers a and b, which know the same, be told to leave.
func leaving(t *testing.T) (g *rig, a, b core.ConnID, told []core.Effect) {
	g = start(t, me())
	a, b = g.peer("a"), g.peer("b")
	g.agree(a)
	g.agree(b)
	return g, a, b, slices.Clone(g.leave())
}

func (g *rig) leave() []core.Effect {
	g.Helper()
	return g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 9, Op: core.Leave}})
}

// agree has a peer answer the next gossip that it gets by the same fingerprint.
func (g *rig) agree(id core.ConnID) {
	g.Helper()
	for range 100 {
		for _, f := range sent(g, g.tick(core.Second/10), id) {
			if f.Kind == wire.KindGossip {
				g.receive(id, &wire.Frame{Kind: wire.KindAck, Seq: f.Seq, Wall: g.wall, Fingerprint: f.Fingerprint})
				return
			}
		}
	}
	g.Fatal("no gossip in 10 s")
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
	g.agree(a)
	told := g.leave()
	g.wall++
	g.receive(a, rumor(wire.Record{Set: wire.Nodes, Name: "a", Stamp: g.wall, Rank: 2, Value: wire.Member{Address: "a:7946"}.Value()}))
	g.acks(a, told)
	if g.halted != core.HaltLeft {
		t.Errorf("it does not leave, although there is no other member: %s", g.halted)
	}
}

// TestWhoKnowsLessConfirmsNothing: a peer that holds the tombstone, but not all else that
// the node knows, would leave with it what only they know.
func TestWhoKnowsLessConfirmsNothing(t *testing.T) {
	g := start(t, me())
	a := g.peer("a")
	for _, f := range sent(t, g.leave(), a) {
		if f.Kind == wire.KindGossip {
			g.receive(a, &wire.Frame{Kind: wire.KindAck, Seq: f.Seq, Wall: g.wall, Fingerprint: f.Fingerprint + 1})
		}
	}
	if g.halted != 0 {
		t.Fatalf("it halts (%s) by the word of who knows something else", g.halted)
	}
	g.agree(a)
	if g.halted != core.HaltLeft {
		t.Errorf("it does not leave, although a knows the same: %s", g.halted)
	}
}

// TestLeavesWithWhatItOwes: an ack proves that all arrived that was sent before.
func TestLeavesWithWhatItOwes(t *testing.T) {
	g := start(t, me())
	a, b := g.peer("a"), g.peer("b")
	g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 8, Op: core.Del, Name: "b"}})
	told := g.leave()
	for _, id := range []core.ConnID{a, b} {
		var names []string
		for _, f := range sent(t, told, id) {
			for _, r := range f.Records {
				if r.Set == wire.Nodes && r.Rank == 2 {
					names = append(names, r.Name)
				}
			}
			if f.Kind == wire.KindGossip {
				break
			}
		}
		if slices.Sort(names); !slices.Equal(names, []string{"b", "me"}) {
			t.Errorf("before it is asked a peer is told of the deletions of %q", names)
		}
	}
}

// TestLeavesLast: a node's own deletion is not earlier than anything that it knows of who
// belongs to the ring, for else that would not be taken from it.
func TestLeavesLast(t *testing.T) {
	g := start(t, me())
	a := g.peer("a")
	ahead := g.member("b", wire.Member{Address: "b:7946"})
	ahead.Stamp += core.Second
	g.receive(a, rumor(ahead))
	if g.leave(); g.own().Rank != 2 || g.own().Stamp != ahead.Stamp {
		t.Errorf("it left at %d, and knows what is of %d", g.own().Stamp, ahead.Stamp)
	}
	ahead.Rank, ahead.Stamp = 2, ahead.Stamp+3*core.Second
	g.receive(a, rumor(ahead))
	if g.tick(2 * core.Second); g.own().Rank != 2 || g.own().Stamp != ahead.Stamp {
		t.Errorf("it left at %d, and heard then what is of %d", g.own().Stamp, ahead.Stamp)
	}
}
