package core_test

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// bigRig is a node that knows n others, all up, and is connected with two of them, with
// which it agrees, and with a guest.
func bigRig(t *testing.T, n int) (g *rig, dev, other, tab core.ConnID) {
	t.Helper()
	cfg := me()
	s := wire.Snapshot{Ring: "ring", Name: "me", Wall: epoch, LastContact: epoch}
	keep := func(name string) {
		addr := name + ":7946"
		s.Records = append(s.Records,
			wire.Record{Set: wire.Nodes, Name: name, Stamp: epoch - core.Hour, Value: wire.Member{Address: addr}.Value()},
			wire.Record{Set: wire.Up, Name: name, Stamp: epoch - core.Hour, Value: wire.Presence{Address: addr, Instance: instanceOf(name), Version: 1}.Value()})
	}
	keep("me")
	for i := range n {
		keep(fmt.Sprint("n", i))
	}
	cfg.Snapshot = s.Append(nil)
	g = start(t, cfg)
	dev, other, tab = g.peer("dev"), g.peer("other"), g.guest("tab")
	g.confirm(dev)
	g.confirm(other)
	return g, dev, other, tab
}

// confirm has a peer say that it knows the same.
func (g *rig) confirm(id core.ConnID) {
	g.Helper()
	g.receive(id, &wire.Frame{Kind: wire.KindGossip, Seq: 1, Wall: g.wall, Fingerprint: g.ring.Print()})
}

// What a step may look at, and allocate, more in a ring that is ten times as large: the tree is
// a level deeper, and that is all.
const (
	looksMore = 64
	bytesMore = 4 << 10
)

// TestWorkDoesNotGrow: no frame, no timer and no change makes a node go through all that
// it knows: what is looked at, and what is allocated, is as much in a ring of 10,000 as in
// one of 1,000. (What an operator asks for may: to leave, to write the ring file.)
func TestWorkDoesNotGrow(t *testing.T) {
	whole := func(f *wire.Frame) func(*rig, core.ConnID, core.ConnID, core.ConnID) {
		return func(g *rig, dev, _, _ core.ConnID) { g.receive(dev, f) }
	}
	minted := func(of func(*rig) []wire.Record) func(*rig, core.ConnID, core.ConnID, core.ConnID) {
		return func(g *rig, dev, _, _ core.ConnID) { g.receive(dev, rumor(of(g)...)); g.tick(core.Second / 5) }
	}
	of7 := func(rank uint8) func(*rig) []wire.Record {
		return func(g *rig) []wire.Record {
			p := wire.Presence{Address: "n7:7946", Instance: instanceOf("n7"), Version: 1}
			return []wire.Record{{Set: wire.Up, Name: "n7", Stamp: epoch - core.Hour, Rank: rank, Value: p.Value()}}
		}
	}
	command := func(c core.Command) func(*rig, core.ConnID, core.ConnID, core.ConnID) {
		return func(g *rig, _, _, _ core.ConnID) {
			g.step(core.Input{Kind: core.Do, Command: c})
			g.tick(core.Second / 5)
		}
	}
	sync := func(items ...wire.Item) func(*rig, core.ConnID, core.ConnID, core.ConnID) {
		return whole(&wire.Frame{Kind: wire.KindSync, Seq: 3, Items: items})
	}
	stream := wire.Stream{Name: "n7", Instance: instanceOf("n7"), Seqs: []uint64{1}}
	const whoLeaves = "rounds of who leaves"
	causes := []struct {
		what string
		do   func(g *rig, dev, other, tab core.ConnID)
	}{
		{"a gossip that agrees", func(g *rig, dev, _, _ core.ConnID) { g.confirm(dev) }},
		{"a gossip that differs", func(g *rig, dev, _, _ core.ConnID) {
			g.receive(dev, &wire.Frame{Kind: wire.KindGossip, Seq: 1, Wall: g.wall})
		}},
		{"an ack that differs", func(g *rig, dev, _, _ core.ConnID) {
			g.receive(dev, &wire.Frame{Kind: wire.KindAck, Seq: 1, Wall: g.wall})
		}},
		{"what is known", minted(of7(0))},
		{"a suspicion", minted(of7(1))},
		{"a death", minted(of7(2))},
		{"a leave", minted(of7(3))},
		{"a newcomer", minted(func(g *rig) []wire.Record {
			return []wire.Record{g.member("new", wire.Member{Address: "new:1"}), g.presence("new", wire.Presence{Address: "new:1", Instance: instanceOf("new"), Version: 1})}
		})},
		{"a deletion", minted(func(g *rig) []wire.Record {
			w := g.member("n8", wire.Member{Address: "n8:7946"})
			w.Rank = 2
			return []wire.Record{w}
		})},
		{"an accusation of itself", minted(func(g *rig) []wire.Record {
			w := g.presence("me", wire.Presence{Address: "me:7946", Instance: g.cfg.Instance, Version: 1})
			w.Rank = 1
			return []wire.Record{w}
		})},
		{"a probe", whole(&wire.Frame{Kind: wire.KindProbe, Seq: 4})},
		{"a relay for somebody", whole(&wire.Frame{Kind: wire.KindRelay, From: "n1", To: "n2", Inner: string((&wire.Frame{Kind: wire.KindProbe, Seq: 5}).Append(nil))})},
		{"a sync of what differs", sync(wire.Item{Kind: wire.ItemFingerprint})},
		{"a sync of a part", sync(wire.Item{Kind: wire.ItemFingerprint, Range: wire.Range{Depth: 3, Prefix: 7 << 52}})},
		{"records of a sync", sync(wire.Item{Kind: wire.ItemSome})},
		{"a message", whole(&wire.Frame{Kind: wire.KindMessage, Messages: []wire.Message{{Name: "n7", Instance: instanceOf("n7"), Seq: 1, Step: 1, Verb: wire.VerbSend, Topic: "t", Payload: "p"}}})},
		{"what is seen of messages", whole(&wire.Frame{Kind: wire.KindSeen, Window: 1000, Streams: []wire.Stream{stream}})},
		{"ids of messages", whole(&wire.Frame{Kind: wire.KindHave, Streams: []wire.Stream{stream}})},
		{"what a guest says", func(g *rig, _, _, tab core.ConnID) {
			g.receive(tab, &wire.Frame{Kind: wire.KindSync, Seq: 1, Items: []wire.Item{{Kind: wire.ItemFingerprint}}})
		}},
		{"a peer that comes", func(g *rig, _, _, _ core.ConnID) { g.sayHello(g.accept(core.Peer), g.hello("n3")) }},
		{"an add", command(core.Command{ID: 1, Op: core.Add, Addr: "x:1"})},
		{"a del", command(core.Command{ID: 1, Op: core.Del, Name: "n9"})},
		{"tags", command(core.Command{ID: 1, Op: core.SetTags, Tags: []wire.Tag{{Key: "k", Value: "v"}}})},
		{"a cordon", command(core.Command{ID: 1, Op: core.Cordon, Name: "n5"})},
		{"a send", command(core.Command{ID: 1, Op: core.SendMessage, Topic: "t", Payload: "p"})},
		{"a tell", command(core.Command{ID: 1, Op: core.Tell, Name: "n5", Topic: "t", Payload: "p"})},
		{"a peer that is lost", func(g *rig, dev, _, _ core.ConnID) {
			g.step(core.Input{Kind: core.Closed, Conn: dev, Code: wire.CodeLost})
		}},
		{"a guest that is lost", func(g *rig, _, _, tab core.ConnID) {
			g.step(core.Input{Kind: core.Closed, Conn: tab, Code: wire.CodeLost})
			g.tick(10 * core.Second)
		}},
		{"rounds and a minute", func(g *rig, _, _, _ core.ConnID) { g.pass(70 * core.Second) }},
		{whoLeaves, func(g *rig, _, _, _ core.ConnID) { g.pass(5 * core.Second) }},
	}
	type work struct{ looks, bytes uint64 }
	of := func(n int) (all []work) {
		g, dev, other, tab := bigRig(t, n)
		for _, cause := range causes {
			if cause.what == whoLeaves {
				g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 2, Op: core.Leave}})
			}
			before := g.ring.Looks()
			bytes := allocated(func() { cause.do(g, dev, other, tab) })
			all = append(all, work{g.ring.Looks() - before, bytes})
			if cause.what == "a tell" && (g.conns[dev] != open || g.conns[tab] != open) {
				t.Fatal("what went before this was of nobody")
			}
		}
		return all
	}
	small, large := of(1_000), of(10_000)
	for i, cause := range causes {
		few, many := small[i], large[i]
		t.Logf("%s: %d and %d looks, %d and %d bytes", cause.what, few.looks, many.looks, few.bytes, many.bytes)
		if many.looks > few.looks+few.looks/2+looksMore {
			t.Errorf("%s: it looks at %d records in a ring of 10,000, at %d in one of 1,000", cause.what, many.looks, few.looks)
		}
		if many.bytes > 2*few.bytes+bytesMore {
			t.Errorf("%s: it allocates %d bytes in a ring of 10,000, %d in one of 1,000", cause.what, many.bytes, few.bytes)
		}
	}
}
