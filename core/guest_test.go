package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestGuestAsserts: a guest may assert its own records, as they are, and nothing
// else. What it may not is ignored, where it may hold it in good faith: as new as
// the gateway has it, or older, or told by the gateway before this one.
func TestGuestAsserts(t *testing.T) {
	g := start(t, me())
	g.peer("dev")
	g.guest("other")
	id := g.guest("tab")
	own := g.guestHello("tab").Instance
	member := func(name string, stamp int64, rank uint8, m wire.Member) wire.Record {
		return wire.Record{Set: wire.Nodes, Name: name, Stamp: g.wall + stamp, Rank: rank, Value: m.Value()}
	}
	presence := func(name string, rank uint8, p wire.Presence) wire.Record {
		p.Version = 1
		return wire.Record{Set: wire.Up, Name: name, Stamp: g.wall + 1, Rank: rank, Value: p.Value()}
	}
	all := records(t, g.ring)
	dev := all[slices.IndexFunc(all, func(w wire.Record) bool { return w.Name == "dev" })]
	older := dev
	older.Stamp -= core.Second
	ignored := map[string]wire.Record{
		"what is known of another":     dev,
		"what was said of it before":   older,
		"to reap itself":               member("tab", 1, 1, wire.Member{Ephemeral: true}),
		"to delete itself":             member("tab", 1, 2, wire.Member{Ephemeral: true}),
		"to be durable":                member("tab", 1, 0, wire.Member{}),
		"to be dialled, as a member":   member("tab", 1, 0, wire.Member{Address: "victim:80", Ephemeral: true}),
		"a stamp of the future":        member("tab", core.MaxSkew+1, 0, wire.Member{Ephemeral: true}),
		"to say that its gateway left": presence("me", 3, wire.Presence{Address: "me:7946", Instance: g.cfg.Instance}),
		"to be suspect":                presence("tab", 1, wire.Presence{Ephemeral: true, Via: "me", Instance: own}),
		"to be down":                   presence("tab", 2, wire.Presence{Ephemeral: true, Via: "me", Instance: own}),
		"another gateway":              presence("tab", 0, wire.Presence{Ephemeral: true, Via: "dev", Instance: own}),
		"no gateway":                   presence("tab", 0, wire.Presence{Ephemeral: true, Instance: own}),
		"to be dialled":                presence("tab", 0, wire.Presence{Ephemeral: true, Address: "victim:80", Instance: own}),
		"another instance":             presence("tab", 0, wire.Presence{Ephemeral: true, Via: "me", Instance: wire.Instance{Start: 1, Nonce: 2}}),
	}
	before := fmt.Sprint(records(t, g.ring))
	for what, rec := range ignored {
		item := wire.Item{Kind: wire.ItemSome, Range: wire.Range{Set: rec.Set}, Records: []wire.Record{rec}}
		for _, f := range []*wire.Frame{
			rumor(rec),
			{Kind: wire.KindGossip, Seq: 1, Wall: g.wall, Records: []wire.Record{rec}},
			{Kind: wire.KindAck, Seq: 1, Wall: g.wall, Records: []wire.Record{rec}},
			{Kind: wire.KindSync, Seq: 1, Items: []wire.Item{item}},
			{Kind: wire.KindSynced, Seq: 1, Items: []wire.Item{item}},
		} {
			g.receive(id, f)
			if nodes := events(g.effects, core.EventNode); len(nodes) > 0 {
				t.Errorf("%s, in a frame of kind %d: %+v", what, f.Kind, nodes[0].Node)
			}
			if len(of(g.effects, core.Close)) > 0 || g.halted != 0 {
				t.Fatalf("%s, in a frame of kind %d: %+v", what, f.Kind, g.effects)
			}
		}
		if after := fmt.Sprint(records(t, g.ring)); after != before {
			t.Fatalf("%s: it holds\n%s\nwas\n%s", what, after, before)
		}
	}

	g.receive(id, rumor(presence("tab", 0, wire.Presence{Ephemeral: true, Via: "me", Instance: own, Tags: []wire.Tag{{Key: "a", Value: "b"}}})))
	if n, _ := g.view.Get("tab"); len(n.Tags) != 1 {
		t.Errorf("its own presence is not taken: %+v", n)
	}
	g.receive(id, rumor(presence("tab", 3, wire.Presence{Ephemeral: true, Via: "me", Instance: own, Tags: []wire.Tag{{Key: "a", Value: "b"}}})))
	if n, _ := g.view.Get("tab"); n.State != core.Left {
		t.Errorf("its bye is not taken: %+v", n)
	}
}

// TestGuestIsPunished: who says what nobody can have told it is told that this is
// forbidden, once, and is gone.
func TestGuestIsPunished(t *testing.T) {
	member := func(name string, rank uint8, m wire.Member) wire.Record {
		return wire.Record{Set: wire.Nodes, Name: name, Stamp: epoch + core.Second, Rank: rank, Value: m.Value()}
	}
	presence := func(name string, rank uint8, p wire.Presence) wire.Record {
		p.Version = 1
		return wire.Record{Set: wire.Up, Name: name, Stamp: epoch + core.Second, Rank: rank, Value: p.Value()}
	}
	in := start(t, me()).hello("dev").Instance
	for what, rec := range map[string]wire.Record{
		"to add a durable node":        member("new", 0, wire.Member{Address: "new:1"}),
		"to add another guest":         member("new", 0, wire.Member{Ephemeral: true}),
		"to add again who is a member": member("dev", 0, wire.Member{Address: "evil:1"}),
		"to delete a durable node":     member("dev", 2, wire.Member{}),
		"to delete its gateway":        member("me", 2, wire.Member{}),
		"to reap another guest":        member("other", 1, wire.Member{Ephemeral: true}),
		"to suspect a node":            presence("dev", 1, wire.Presence{Address: "dev:7946", Instance: in}),
		"to say that a node left":      presence("dev", 3, wire.Presence{Address: "dev:7946", Instance: in}),
		"to say that a guest left":     presence("other", 3, wire.Presence{Ephemeral: true, Via: "me", Instance: in}),
		"to speak for another guest":   presence("other", 0, wire.Presence{Ephemeral: true, Via: "me", Instance: in}),
		"to be up as a durable node":   presence("tab", 0, wire.Presence{Via: "me", Instance: instanceOf("tab")}),
		"to be up at an address":       presence("tab", 0, wire.Presence{Ephemeral: true, Address: "tab:1", Via: "me", Instance: instanceOf("tab")}),
		"a stamp of the year 2100":     {Set: wire.Up, Name: "dev", Stamp: 4102444800 * core.Second, Value: wire.Presence{Address: "evil:1", Instance: in, Version: 1}.Value()},
	} {
		some := wire.Item{Kind: wire.ItemSome, Range: wire.Range{Set: rec.Set}, Records: []wire.Record{rec, rec}}
		all := some
		all.Kind = wire.ItemAll
		for _, f := range []*wire.Frame{
			rumor(rec, rec),
			{Kind: wire.KindGossip, Seq: 1, Wall: epoch, Records: []wire.Record{rec, rec}},
			{Kind: wire.KindAck, Seq: 1, Wall: epoch, Records: []wire.Record{rec, rec}},
			{Kind: wire.KindSync, Seq: 1, Items: []wire.Item{some, some}},
			{Kind: wire.KindSync, Seq: 1, Items: []wire.Item{all, some}},
		} {
			g := start(t, me())
			g.peer("dev")
			g.guest("other")
			id := g.guest("tab")
			g.tick(core.Second / 10)
			g.receive(id, f)
			if g.refused(id, wire.CodeForbidden); t.Failed() {
				t.Fatalf("%s, in a frame of kind %d", what, f.Kind)
			}
			for _, name := range []string{"me", "dev", "other"} {
				g.isUp(name)
			}
			if _, there := g.view.Get("new"); there {
				t.Errorf("%s: new is there", what)
			}
		}
	}
}

// TestNameIsAuthenticated: whoever connects has the name that authentication says.
func TestNameIsAuthenticated(t *testing.T) {
	for _, test := range []struct {
		is, name string
		role     core.Role
		ok       bool
	}{
		{"dev", "dev", core.Peer, true},
		{"dev", "dev2", core.Peer, false},
		{"dev", "me", core.Peer, false}, // it would make this node halt
		{"d*", "dev", core.Peer, false},
		{"tab", "tab", core.Guest, true},
		{"tab", "tab2", core.Guest, false},
		{"tab-*", "tab-1", core.Guest, true},
		{"tab-*", "tab", core.Guest, false},
		{"tab-*", "tab-*", core.Guest, true},
		{"*", "anything", core.Guest, true},
		{"", "anything", core.Guest, true},
	} {
		g := start(t, me())
		g.next += 2
		id := g.next - 2
		g.step(core.Input{Kind: core.Opened, Conn: id, Role: test.role, Addr: "10.0.0.1:1", Name: test.is})
		h := g.hello(test.name)
		if test.role == core.Guest {
			h = g.guestHello(test.name)
		}
		g.sayHello(id, h)
		if !test.ok {
			g.refused(id, wire.CodeForbidden)
		} else if closes := of(g.effects, core.Close); len(closes) > 0 {
			t.Errorf("%s as %s: %+v", test.is, test.name, closes)
		}
	}

	g := start(t, me()) // and who is dialled likewise
	g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Add, Addr: "dev:7946"}})
	id := of(g.effects, core.Dial)[0].Conn
	g.step(core.Input{Kind: core.Opened, Conn: id, Name: "dev2"})
	g.sayHello(id, g.hello("dev"))
	if r := events(g.effects, core.EventResult); len(r) != 1 || r[0].Code != wire.CodeForbidden {
		t.Errorf("%+v", g.effects)
	}
}

// TestUntrusted: a node that comes back without the ring's secret accuses nobody, or
// it would have all of them refute when it has it. One that was in the ring does.
func TestUntrusted(t *testing.T) {
	g := start(t, me())
	g.peer("dev")
	cfg := g.cfg
	cfg.Snapshot, _ = g.ring.Snapshot()
	cfg.Instance.Start++
	g = start(t, cfg)
	states := func(d int64) (states []core.State, dials int) {
		for range d / core.Second {
			effects := g.tick(core.Second)
			for len(effects) > 0 {
				for _, e := range events(effects, core.EventNode) {
					states = append(states, e.Node.State)
				}
				next := of(effects, core.Dial)
				effects = nil
				for _, e := range next {
					dials++
					effects = append(effects, g.step(core.Input{Kind: core.Closed, Conn: e.Conn, Code: wire.CodeUntrusted})...)
				}
			}
		}
		return states, dials
	}
	for _, e := range of(g.effects, core.Dial) {
		g.step(core.Input{Kind: core.Closed, Conn: e.Conn, Code: wire.CodeUntrusted})
	}
	if s, dials := states(core.Minute); len(s) > 0 || dials < 10 || dials > 60 {
		t.Errorf("it says %v, and dials %d times a minute", s, dials)
	}
	g.step(core.Input{Kind: core.Closed, Conn: g.peer("dev"), Code: wire.CodeLost})
	for _, e := range of(g.effects, core.Dial) {
		g.step(core.Input{Kind: core.Closed, Conn: e.Conn, Code: wire.CodeUntrusted})
	}
	if s, _ := states(core.Minute); !slices.Contains(s, core.Down) {
		t.Errorf("a node that does not trust this one any more is %v", s)
	}
}

// TestTagsAreAuthenticated: a guest has the labels of its token, and no others but
// those that it may have.
func TestTagsAreAuthenticated(t *testing.T) {
	alice := []wire.Tag{{Key: "user", Value: "alice"}}
	ui := []wire.Tag{{Key: "ui.at", Value: "3,4"}, {Key: "user", Value: "alice"}}
	for _, test := range []struct {
		must, has []wire.Tag
		own       []string
		ok        bool
	}{
		{nil, alice, nil, true},
		{alice, alice, nil, true},
		{alice, nil, nil, false},
		{alice, []wire.Tag{{Key: "user", Value: "bob"}}, nil, false},
		{alice, []wire.Tag{{Key: "admin", Value: "yes"}, alice[0]}, nil, false},
		{[]wire.Tag{}, nil, nil, true},
		{[]wire.Tag{}, alice, nil, false},
		{alice, ui, nil, false},
		{alice, ui, []string{"ui.*"}, true},
		{alice, ui, []string{"x", "ui.at"}, true},
		{alice, ui[:1], []string{"ui.at"}, false},
		{alice, ui, []string{"ui.a"}, false},
		{alice, []wire.Tag{ui[0], {Key: "user", Value: "bob"}}, []string{"*"}, false},
		{nil, ui, []string{"*"}, true},
		{nil, ui, []string{"ui.*"}, false},
		{nil, alice, []string{}, false},
		{nil, nil, []string{}, true},
	} {
		g := start(t, me())
		g.step(core.Input{Kind: core.Opened, Conn: 1, Role: core.Guest, Tags: test.must, Own: test.own})
		h := g.guestHello("tab")
		g.sayHello(1, h)
		g.receive(1, rumor(g.member("tab", wire.Member{Ephemeral: true})))
		g.receive(1, rumor(g.presence("tab", wire.Presence{Ephemeral: true, Via: "me", Instance: h.Instance, Version: 1, Tags: test.has})))
		if !test.ok {
			g.refused(1, wire.CodeForbidden)
		} else {
			g.isUp("tab")
		}
	}
}

// TestGuestFloods: a guest that sends more than a guest may is gone, and how much
// its syncs are answered with is bounded.
func TestGuestFloods(t *testing.T) {
	t.Run("frames", func(t *testing.T) {
		g := start(t, me())
		id := g.guest("tab")
		n := 0
		for ; g.conns[id] == open; n++ {
			g.receive(id, &wire.Frame{Kind: wire.KindProbe, Seq: uint64(n)})
		}
		if n < 400 || n > 520 {
			t.Errorf("%d frames at once", n)
		}
		g.refused(id, wire.CodeForbidden)
	})
	t.Run("bytes", func(t *testing.T) {
		g := start(t, me())
		id := g.guest("tab")
		junk := make([]wire.Record, 50)
		for i := range junk {
			junk[i] = g.presence("tab", wire.Presence{Ephemeral: true, Via: "me", Version: 1, Tags: []wire.Tag{{Key: "k", Value: strings.Repeat("x", 4000)}}})
		}
		n := 0
		for ; g.conns[id] == open; n++ {
			g.receive(id, rumor(junk...))
		}
		if n > 4 {
			t.Errorf("%d frames of 200 KB at once", n)
		}
		g.refused(id, wire.CodeForbidden)
	})
	t.Run("answers", func(t *testing.T) {
		g := start(t, me())
		dev := g.peer("dev")
		for i := range 1000 {
			g.receive(dev, rumor(g.member(fmt.Sprint("node", i), wire.Member{Address: "a:1"})))
		}
		id := g.guest("tab")
		answered := 0
		for range 300 { // in five seconds
			for depth := range uint8(2) {
				f := &wire.Frame{Kind: wire.KindSync, Seq: 1}
				for i := range uint64(64) {
					f.Items = append(f.Items, wire.Item{Kind: wire.ItemFingerprint, Range: wire.Range{Set: wire.Nodes, Depth: 1 + depth, Prefix: i % 16 << 60}})
				}
				g.receive(id, f)
				for _, e := range of(g.effects, core.Send) {
					answered += len(e.Frame)
				}
			}
			g.tick(core.Second / 16)
		}
		if g.conns[id] == open && answered > 8<<20 {
			t.Errorf("answered with %d bytes", answered)
		}
	})
}

// TestMaxGuests: a gateway takes so many guests, and no more names than it forgets.
func TestMaxGuests(t *testing.T) {
	cfg := me()
	cfg.MaxGuests = 3
	g := start(t, cfg)
	ids := []core.ConnID{g.guest("a"), g.guest("b"), g.guest("c")}
	id := g.accept(core.Guest)
	g.sayHello(id, g.guestHello("d"))
	g.refused(id, wire.CodeBusy)
	g.guest("a") // again: it is the same
	g.step(core.Input{Kind: core.Closed, Conn: ids[1], Code: wire.CodeBye})
	id = g.accept(core.Guest)
	g.sayHello(id, g.guestHello("d")) // there is room, but too many are new
	g.refused(id, wire.CodeBusy)
	g.guest("b")
	g.peer("dev") // nodes are no guests
	g.tick(core.Minute)
	g.step(core.Input{Kind: core.Closed, Conn: g.next - 4, Code: wire.CodeBye})
	g.guest("d")
}

// TestGuestForges: what a guest does beside asserting, it does for itself alone.
func TestGuestForges(t *testing.T) {
	alive := func(seq uint64, in wire.Instance) *wire.Frame {
		return &wire.Frame{Kind: wire.KindAlive, Seq: seq, Instance: in}
	}
	probe := string((&wire.Frame{Kind: wire.KindProbe, Seq: 1}).Append(nil))

	t.Run("a relay from another", func(t *testing.T) {
		g := start(t, me())
		g.peer("dev")
		id := g.guest("tab")
		for _, to := range []string{"dev", "me", "nobody", "tab"} {
			g.receive(id, &wire.Frame{Kind: wire.KindRelay, From: "dev", To: to, Inner: probe})
			g.refused(id, wire.CodeForbidden)
			g.step(core.Input{Kind: core.Closed, Conn: id, Code: wire.CodeLost})
			id = g.guest("tab")
		}
	})
	t.Run("an alive of another", func(t *testing.T) {
		g := start(t, me())
		id, dev := g.guest("tab"), g.peer("dev")
		in := g.hello("dev").Instance
		g.refuseDials(g.step(core.Input{Kind: core.Closed, Conn: dev, Code: wire.CodeLost}))
		for range 200 { // a guest sees sequence numbers in its probes
			for seq := range uint64(100) {
				g.receive(id, alive(seq, in))
				g.receive(id, &wire.Frame{Kind: wire.KindRelay, From: "tab", To: "me", Inner: string(alive(seq, in).Append(nil))})
			}
			g.refuseDials(g.tick(50 * core.Millisecond))
		}
		if n, _ := g.view.Get("dev"); n.State != core.Down {
			t.Errorf("a guest keeps dev %s", n.State)
		}
	})
	t.Run("an ack to a leave", func(t *testing.T) {
		g := start(t, me())
		id := g.guest("tab")
		g.peer("dev")
		g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Leave}})
		g.receive(id, &wire.Frame{Kind: wire.KindAck, Seq: 1 << 60, Wall: g.wall})
		if g.halted != 0 {
			t.Error("a guest's ack ends a leave, although it holds nothing")
		}
	})
	t.Run("staleness", func(t *testing.T) {
		g := start(t, me())
		h := g.guestHello("tab")
		h.LastContact = 1
		g.sayHello(g.accept(core.Guest), h)
		if stale := events(g.effects, core.EventStale); len(stale) > 0 {
			t.Error("a stale guest makes its gateway stale")
		}
	})
	t.Run("a name to be left alone", func(t *testing.T) {
		g := start(t, me())
		g.refuseDials(g.step(core.Input{Kind: core.Closed, Conn: g.peer("dev"), Code: wire.CodeBye}))
		for dialed := false; !dialed; {
			h := g.guestHello("dev") // refused: it is durable
			g.sayHello(g.accept(core.Guest), h)
			dials := of(g.tick(core.Second), core.Dial)
			dialed = len(dials) > 0
			if g.mono > 30*core.Second {
				t.Fatal("a guest that claims its name keeps dev from being dialled")
			}
		}
	})
	t.Run("dials", func(t *testing.T) {
		g := start(t, me())
		id := g.guest("tab")
		for i := range 40 {
			name := fmt.Sprintf("away%d", i)
			g.receive(g.peer("dev"), rumor(g.member(name, wire.Member{Address: name + ":1"})))
			g.receive(id, &wire.Frame{Kind: wire.KindRelay, From: "tab", To: name, Inner: probe})
			if dials := of(g.effects, core.Dial); len(dials) > 0 {
				t.Fatalf("a guest makes its gateway dial %s", dials[0].Addr)
			}
		}
	})
	t.Run("the name of another guest", func(t *testing.T) {
		g := start(t, me())
		old := g.guest("tab")
		for _, in := range []wire.Instance{{Start: 1, Nonce: 1}, {Start: epoch + 1, Nonce: 1}} {
			h := g.guestHello("tab")
			h.Instance = in
			id := g.accept(core.Guest)
			probes := sent(t, g.sayHello(id, h), old)
			if len(probes) != 1 || probes[0].Kind != wire.KindProbe {
				t.Fatalf("the old one is not asked: %+v", g.effects)
			}
			g.receive(old, alive(probes[0].Seq, g.guestHello("tab").Instance))
			g.refused(id, wire.CodeNameTaken)
		}
	})
}

// TestGuestBorrowsInstance: the instance of a guest is for all to read. Who says it is let in in
// its place if that does not answer, or is gone; at once, if its token is for that name alone.
func TestGuestBorrowsInstance(t *testing.T) {
	for _, test := range []struct {
		what, token string
		old         func(g *rig, old core.ConnID, seq uint64)
		in          bool
	}{
		{"the old one answers", "t*", func(g *rig, old core.ConnID, seq uint64) {
			g.receive(old, &wire.Frame{Kind: wire.KindAlive, Seq: seq, Instance: g.guestHello("tab").Instance})
		}, false},
		{"the old one answers, without a token", "", func(g *rig, old core.ConnID, seq uint64) {
			g.receive(old, &wire.Frame{Kind: wire.KindAlive, Seq: seq, Instance: g.guestHello("tab").Instance})
		}, false},
		{"the old one is half open", "t*", func(g *rig, old core.ConnID, seq uint64) { g.tick(3 * core.Second) }, true},
		{"the old one breaks", "t*", func(g *rig, old core.ConnID, seq uint64) {
			g.step(core.Input{Kind: core.Closed, Conn: old, Code: wire.CodeLost})
		}, true},
		{"the old one said bye", "t*", func(g *rig, old core.ConnID, seq uint64) {
			g.step(core.Input{Kind: core.Closed, Conn: old, Code: wire.CodeGoingAway})
		}, true},
		{"it is its own token", "tab", nil, true},
	} {
		g := start(t, me())
		old := g.guest("tab")
		g.next += 2
		id := g.next - 2
		g.step(core.Input{Kind: core.Opened, Conn: id, Role: core.Guest, Addr: "10.0.0.1:1", Name: test.token})
		effects := g.sayHello(id, g.guestHello("tab"))
		probes := sent(t, effects, old)
		if test.old != nil {
			if len(probes) != 1 || probes[0].Kind != wire.KindProbe || g.conns[old] != open {
				t.Errorf("%s: the old one is not asked: %+v", test.what, effects)
				continue
			}
			test.old(g, old, probes[0].Seq)
		}
		if (g.conns[id] == open) != test.in || !test.in && g.conns[old] != open || test.in && g.conns[old] == open {
			t.Errorf("%s: the new one is open: %t, the old one: %t", test.what, g.conns[id] == open, g.conns[old] == open)
		}
		if test.in && !g.said[id] {
			t.Errorf("%s: it is not let in", test.what)
		}
	}
}

// refuseDials answers each dial that nobody listens there.
func (g *rig) refuseDials(effects []core.Effect) {
	g.Helper()
	for _, e := range of(effects, core.Dial) {
		if g.conns[e.Conn] == dialing {
			g.refuseDials(g.step(core.Input{Kind: core.Closed, Conn: e.Conn, Code: wire.CodeRefused}))
		}
	}
}

// TestGuestRate: however often a guest changes, each second's worth of it is
// bounded: in events, and in what is sent to others.
func TestGuestRate(t *testing.T) {
	g := start(t, me())
	peer := g.peer("dev")
	id := g.guest("tab")
	in := g.guestHello("tab").Instance
	g.tick(3 * core.Second)
	said, frames := 0, 0
	for range 400 { // in less than a second, and no flood
		g.wall++
		rec := g.presence("tab", wire.Presence{Ephemeral: true, Via: "me", Instance: in, Version: 1})
		effects := g.receive(id, rumor(rec))
		said += len(events(effects, core.EventNode))
		effects = g.tick(core.Millisecond)
		frames += len(sent(t, effects, peer))
	}
	if said > 50 || frames > 60 {
		t.Errorf("in a second: %d events, %d frames to a peer", said, frames)
	}
	g.tick(2 * core.Second)
	g.wall++
	g.receive(id, rumor(g.presence("tab", wire.Presence{Ephemeral: true, Via: "me", Instance: in, Version: 1})))
	if len(events(g.effects, core.EventNode)) != 1 {
		t.Error("it is not heard any more")
	}
}

// TestDeadGuest: a guest that says nothing and does not answer is suspected,
// down, and reaped; one that answers its probes stays.
func TestDeadGuest(t *testing.T) {
	g := start(t, me())
	g.guest("dead")
	quiet := g.guest("quiet")
	in := g.guestHello("quiet").Instance
	var states []core.State
	for range 120 {
		effects := g.tick(core.Second)
		for _, f := range sent(t, effects, quiet) {
			if f.Kind == wire.KindProbe {
				g.receive(quiet, &wire.Frame{Kind: wire.KindAlive, Seq: f.Seq, Instance: in})
			}
		}
		for _, e := range events(effects, core.EventNode) {
			if e.Node.Name == "dead" {
				states = append(states, e.Node.State)
			}
		}
	}
	if want := []core.State{core.Suspect, core.Down, core.Removed}; fmt.Sprint(states) != fmt.Sprint(want) {
		t.Errorf("dead was %v, want %v", states, want)
	}
	g.isUp("quiet")
}

// TestGuestGoesAtOnce: a guest that leaves before anybody was told of it is told
// of as one that was there: of nobody, that it left would be no news.
func TestGuestGoesAtOnce(t *testing.T) {
	g := start(t, me())
	dev := g.peer("dev")
	tab := g.accept(core.Guest)
	h := g.guestHello("tab")
	g.sayHello(tab, h)
	g.tick(core.Second)                                                                                                         // its hello is no news of its own
	g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.SetTags, Tags: []wire.Tag{{Key: "k", Value: "v"}}}}) // what changes now waits for the next flush
	g.receive(tab, rumor(g.member("tab", wire.Member{Ephemeral: true}),
		g.presence("tab", wire.Presence{Ephemeral: true, Via: "me", Instance: h.Instance, Version: 1})))
	g.step(core.Input{Kind: core.Closed, Conn: tab, Code: wire.CodeGoingAway})
	g.is("tab", core.Left)
	var told []string
	for _, f := range sent(t, g.tick(100*core.Millisecond), dev) {
		for _, w := range f.Records {
			if w.Name == "tab" {
				told = append(told, fmt.Sprint(w.Set, w.Rank))
			}
		}
	}
	if want := []string{"0 0", "1 3"}; !slices.Equal(told, want) {
		t.Errorf("told %q, not %q: its add, and that it left", told, want)
	}
}
