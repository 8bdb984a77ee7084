package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// only returns the one frame of its kind that is sent to a peer.
func only(t *testing.T, effects []core.Effect, id core.ConnID, kind wire.Kind) *wire.Frame {
	t.Helper()
	var found []*wire.Frame
	for _, f := range sent(t, effects, id) {
		if f.Kind == kind {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		t.Fatalf("there are %d frames of kind %d", len(found), kind)
	}
	return found[0]
}

// TestAckSaysTheSame: an ack says with 0 that the two have the fingerprint of the gossip.
func TestAckSaysTheSame(t *testing.T) {
	g := start(t, me())
	dev := g.peer("dev")
	mine := g.ring.Print()
	for theirs, want := range map[uint64]uint64{mine: 0, mine + 1: mine, 0: mine} {
		effects := g.receive(dev, &wire.Frame{Kind: wire.KindGossip, Seq: 9, Wall: g.wall, Fingerprint: theirs})
		if ack := only(t, effects, dev, wire.KindAck); ack.Fingerprint != want {
			t.Errorf("%x is answered with %x, and not with %x", theirs, ack.Fingerprint, want)
		}
	}
}

// TestSameAsOfTheGossip: what a node has learned since its gossip is owed to who says that it had the same.
func TestSameAsOfTheGossip(t *testing.T) {
	for _, learns := range []bool{false, true} {
		g := start(t, me())
		dev := g.peer("dev")
		g.confirm(dev)
		gossip := only(t, g.tick(core.Second*11/10), dev, wire.KindGossip)
		if learns {
			other := g.peer("other")
			g.receive(other, rumor(g.member("new", wire.Member{Address: "new:7946"})))
			g.step(core.Input{Kind: core.Closed, Conn: other})
		}
		g.receive(dev, &wire.Frame{Kind: wire.KindAck, Seq: gossip.Seq, Wall: g.wall})
		told := false
		for _, f := range sent(t, g.tick(core.Second/2), dev) {
			told = told || len(f.Records) > 0
		}
		if told != learns {
			t.Errorf("it learns: %v; it tells: %v", learns, told)
		}
	}
}
