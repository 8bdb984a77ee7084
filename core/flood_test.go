package core_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestStrayPresences: presences of names that are not in nodes are not taken,
// however many come.
func TestStrayPresences(t *testing.T) {
	g := start(t, me())
	id := g.peer("dev")
	before := len(records(t, g.ring))
	heap := heapOf(func() {
		for i := range 100 {
			var flood []wire.Record
			for k := range 1000 {
				name := fmt.Sprintf("stray-%d-%d", i, k)
				flood = append(flood, g.presence(name, wire.Presence{Address: "x:1", Version: 1}))
			}
			if emitted := of(g.receive(id, rumor(flood...)), core.Emit); len(emitted) > 0 {
				t.Fatalf("%+v", emitted[0])
			}
		}
	})
	if heap > 1<<20 || len(records(t, g.ring)) != before {
		t.Errorf("100,000 stray presences keep %d bytes and %d records", heap, len(records(t, g.ring))-before)
	}
}

// TestFutureStamps: records of the future are not taken; each name is reported
// once a minute, a thousand of them at most.
func TestFutureStamps(t *testing.T) {
	g := start(t, me())
	id := g.peer("dev")
	before := len(records(t, g.ring))
	flood := func(names int) (skews int) {
		var flood []wire.Record
		for k := range names {
			rec := g.member(fmt.Sprintf("future-%d", k), wire.Member{})
			rec.Stamp += core.MaxSkew + 1 + int64(k)
			flood = append(flood, rec)
		}
		events := events(g.receive(id, rumor(flood...)), core.EventSkew)
		for _, e := range events {
			if e.Skew <= core.MaxSkew || e.Name == "" {
				t.Fatalf("%+v", e)
			}
		}
		return len(events)
	}
	if n := flood(1); n != 1 {
		t.Errorf("%d events", n)
	}
	g.pass(core.Minute / 2)
	if n := flood(1); n != 0 {
		t.Errorf("%d events half a minute later", n)
	}
	g.pass(3 * core.Minute)
	if n := flood(1); n != 1 {
		t.Errorf("%d events minutes later", n)
	}
	for range 10 {
		flood(5000)
	}
	if n := g.ring.Sizes().Told; n > 1000 {
		t.Errorf("%d names are remembered", n)
	}
	g.tick(3 * core.Minute)
	if n := g.ring.Sizes().Told; n != 0 {
		t.Errorf("%d names are still remembered minutes later", n)
	}
	if len(records(t, g.ring)) != before {
		t.Error("some went in")
	}
}

// TestOwedIsBounded: news beyond a thousand records are left to the fingerprints.
func TestOwedIsBounded(t *testing.T) {
	g := start(t, me())
	id := g.peer("dev")
	g.peer("other")
	heap := heapOf(func() {
		for i := range 10 {
			var flood, old []wire.Record
			for k := range 1000 {
				rec := g.member(fmt.Sprintf("new-%d-%d", i, k), wire.Member{})
				flood = append(flood, rec)
				rec.Stamp--
				old = append(old, rec)
			}
			g.receive(id, rumor(flood...))
			g.receive(id, rumor(old...)) // owed back to who is behind
			if n := g.ring.Sizes().Owed; n > 1000 {
				t.Fatalf("%d records are owed to one", n)
			}
		}
	})
	if heap > 10<<20 {
		t.Errorf("10,000 members take %d bytes", heap)
	}
	g.tick(10 * core.Second)
	if s := g.ring.Sizes(); s.Owed != 0 {
		t.Errorf("%+v", s)
	}
}

// TestOperationsLeaveNothing: what was done a thousand times costs what it
// costs once.
func TestOperationsLeaveNothing(t *testing.T) {
	const times = 2000
	tests := map[string]func(g *rig, peer core.ConnID, i int){
		"refused hellos": func(g *rig, _ core.ConnID, i int) {
			h := g.hello(fmt.Sprintf("stranger-%d", i))
			h.Ring = "another"
			g.sayHello(g.accept(core.Peer), h)
		},
		"connections": func(g *rig, _ core.ConnID, i int) {
			g.step(core.Input{Kind: core.Closed, Conn: g.accept(core.Guest), Code: wire.CodeLost})
		},
		"claims of a name": func(g *rig, _ core.ConnID, i int) {
			h := g.hello("dev")
			h.Instance.Start, h.Address = epoch+int64(i), "elsewhere:1"
			id := g.accept(core.Peer)
			g.sayHello(id, h)
			g.step(core.Input{Kind: core.Closed, Conn: id, Code: wire.CodeLost})
		},
		"rounds with a mute peer": func(g *rig, peer core.ConnID, i int) {
			g.tick(core.Second / 10)
		},
		"relays": func(g *rig, peer core.ConnID, i int) {
			probe := string((&wire.Frame{Kind: wire.KindProbe, Seq: 1}).Append(nil))
			g.receive(peer, &wire.Frame{Kind: wire.KindRelay, From: "dev", To: "away", Inner: probe})
			g.receive(peer, &wire.Frame{Kind: wire.KindRelay, From: "dev", To: fmt.Sprintf("nobody-%d", i), Inner: probe})
		},
		"answers that nobody asked for": func(g *rig, peer core.ConnID, i int) {
			g.receive(peer, &wire.Frame{Kind: wire.KindAlive, Seq: uint64(i)})
			g.receive(peer, &wire.Frame{Kind: wire.KindSynced, Seq: uint64(i), Handled: 1})
			g.receive(peer, &wire.Frame{Kind: wire.KindAck, Seq: uint64(i), Wall: g.wall})
		},
		"restarts of a node": func(g *rig, peer core.ConnID, i int) {
			g.wall++
			rec := g.presence("other", wire.Presence{Address: "other:7946", Version: 1, ReapAfter: 3600, Instance: wire.Instance{Start: epoch + int64(i)}})
			g.receive(peer, rumor(rec))
			rec.Rank = 3
			g.receive(peer, rumor(rec))
		},
		"suspicions": func(g *rig, peer core.ConnID, i int) {
			g.wall++
			rec := g.presence("other", wire.Presence{Address: "other:7946", Version: 1, ReapAfter: 3600})
			g.receive(peer, rumor(rec))
			rec.Rank = 1
			g.receive(peer, rumor(rec))
		},
		"deaths that are refuted": func(g *rig, peer core.ConnID, i int) {
			g.wall++
			rec := g.presence("other", wire.Presence{Address: "other:7946", Version: 1, ReapAfter: 3600, Instance: wire.Instance{Start: epoch + int64(i%2)}})
			g.receive(peer, rumor(rec))
			rec.Rank = 2
			g.receive(peer, rumor(rec))
		},
		"accusations of this node, and of its peer": func(g *rig, peer core.ConnID, i int) {
			for _, name := range []string{"me", "dev", "other"} {
				rec := g.presence(name, wire.Presence{Address: name + ":7946", Version: 1, ReapAfter: 3600})
				rec.Rank = uint8(1 + i%2)
				g.receive(peer, rumor(rec))
			}
		},
		"connections that break, or are refused": func(g *rig, _ core.ConnID, i int) {
			code := []wire.Code{wire.CodeLost, wire.CodeRefused, wire.CodeBadFrame, wire.CodeDuplicate}[i%4]
			for _, id := range slices.Sorted(maps.Keys(g.conns)) {
				if g.conns[id] == dialing {
					g.step(core.Input{Kind: core.Closed, Conn: id, Code: wire.CodeRefused})
				}
			}
			id := g.accept(core.Peer)
			g.sayHello(id, g.hello("other"))
			g.step(core.Input{Kind: core.Closed, Conn: id, Code: code})
			if i%100 == 0 {
				g.tick(core.Second)
			}
			clear(g.first)
			maps.DeleteFunc(g.conns, func(_ core.ConnID, is connState) bool { return is == over })
			clear(g.said)
			clear(g.roles)
		},
		"add and del of a name": func(g *rig, peer core.ConnID, i int) {
			g.wall++
			rec := g.member("thrown-away", wire.Member{Address: "x:1"})
			g.receive(peer, rumor(rec))
			rec.Rank = 2
			g.receive(peer, rumor(rec))
		},
		"add and reap of a guest": func(g *rig, peer core.ConnID, i int) {
			g.wall += 2
			rec := g.member("thrown-away", wire.Member{Ephemeral: true})
			g.receive(peer, rumor(rec))
			rec.Rank, rec.Stamp = 1, rec.Stamp+1
			g.receive(peer, rumor(rec))
		},
	}
	for what, do := range tests {
		t.Run(what, func(t *testing.T) {
			g := start(t, me())
			peer := g.peer("dev")
			g.receive(peer, rumor(g.member("other", wire.Member{Address: "other:7946"}), g.member("away", wire.Member{Address: "away:7946"})))
			do(g, peer, 0)
			before := len(records(t, g.ring))
			heap := heapOf(func() {
				for i := range times {
					do(g, peer, i+1)
				}
				g.tick(6 * core.Second) // hellos, probes and suspicions are waited for
			})
			if n := len(records(t, g.ring)); n != before {
				t.Errorf("%d records, were %d", n, before)
			}
			if s := g.ring.Sizes(); heap > times*100 || s.Timers > times/4 || s.Queued > 8 {
				t.Errorf("%d times leave %d bytes: %+v", times, heap, s)
			}
			g.step(core.Input{Kind: core.Closed, Conn: peer, Code: wire.CodeBye})
			g.tick(12 * core.Minute)
			s := g.ring.Sizes()
			s.Timers, s.Buffers = 0, 0
			s.Disputed = max(s.Disputed-1, 0)                       // for up to a day
			s.Conns, s.Dials = max(s.Conns-3, 0), max(s.Dials-3, 0) // the three that are away are dialled
			if s != (core.Sizes{}) {
				t.Errorf("minutes later it still holds %+v", s)
			}
		})
	}
}
