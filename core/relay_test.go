package core_test

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

func relayOf(from, to string, hops uint8, inner *wire.Frame) *wire.Frame {
	return &wire.Frame{Kind: wire.KindRelay, From: from, To: to, Hops: hops, Inner: string(inner.Append(nil))}
}

// TestRelay: a frame for another goes on to it, a limited number of times,
// never back, and nowhere when there is no way.
func TestRelay(t *testing.T) {
	g := start(t, me())
	a, b := g.peer("a"), g.peer("b")
	tab := g.guest("tab")
	in := wire.Instance{Start: epoch, Nonce: 3}
	g.wall++
	g.receive(b, rumor(
		g.member("far", wire.Member{Ephemeral: true}),
		g.presence("far", wire.Presence{Via: "b", Instance: in, Version: 1}),
		g.member("lost", wire.Member{Ephemeral: true}),
		g.presence("lost", wire.Presence{Via: "nowhere", Instance: in, Version: 1}),
	))
	probe := &wire.Frame{Kind: wire.KindProbe, Seq: 5}
	tests := []struct {
		what string
		from core.ConnID
		f    *wire.Frame
		to   core.ConnID // 0: dropped
		hops uint8
	}{
		{"to who is connected", a, relayOf("a", "b", 0, probe), b, 1},
		{"to a guest", a, relayOf("x", "tab", 1, probe), tab, 2},
		{"to another's guest", a, relayOf("x", "far", 2, probe), b, 3},
		{"from a guest", tab, relayOf("tab", "a", 0, probe), a, 1},
		{"hops used up", a, relayOf("x", "b", 3, probe), 0, 0},
		{"back to where it came from", a, relayOf("x", "a", 0, probe), 0, 0},
		{"back by its gateway", b, relayOf("x", "far", 0, probe), 0, 0},
		{"to who is unknown", a, relayOf("x", "who", 0, probe), 0, 0},
		{"to one whose gateway is unknown", a, relayOf("x", "lost", 0, probe), 0, 0},
	}
	for _, test := range tests {
		effects := g.receive(test.from, test.f)
		if test.to == 0 {
			if len(effects) > 0 {
				t.Errorf("%s: %+v", test.what, effects)
			}
			continue
		}
		frames := sent(t, effects, test.to)
		if len(effects) != 1 || len(frames) != 1 {
			t.Fatalf("%s: %+v", test.what, effects)
		}
		want := *test.f
		want.Hops = test.hops
		if got := string(frames[0].Append(nil)); got != string(want.Append(nil)) {
			t.Errorf("%s: got %+v, want %+v", test.what, frames[0], want)
		}
	}
}

// TestRelayedProbe: a probe for this node is answered where it came from,
// whoever it says asked.
func TestRelayedProbe(t *testing.T) {
	g := start(t, me())
	a := g.peer("a")
	for _, from := range []string{"a", "stranger", "me"} {
		frames := sent(t, g.receive(a, relayOf(from, "me", 3, &wire.Frame{Kind: wire.KindProbe, Seq: 8})), a)
		want := relayOf("me", from, 0, &wire.Frame{Kind: wire.KindAlive, Seq: 8, Instance: g.cfg.Instance})
		if len(frames) != 1 || string(frames[0].Append(nil)) != string(want.Append(nil)) {
			t.Errorf("from %s: %+v", from, g.effects)
		}
	}
}

// TestRelayDials: relays to nodes that are not connected make it dial them, at
// most 32 a period, and wait, at most eight for each.
func TestRelayDials(t *testing.T) {
	g := start(t, me())
	a := g.peer("a")
	for i := range 100 {
		name := fmt.Sprintf("n%d", i)
		g.receive(a, rumor(g.member(name, wire.Member{Address: name + ":1"})))
	}
	dials := make(map[string]core.ConnID)
	for i := range 100 {
		for seq := range uint64(20) {
			f := relayOf("a", fmt.Sprintf("n%d", i), 0, &wire.Frame{Kind: wire.KindProbe, Seq: seq})
			for _, e := range of(g.receive(a, f), core.Dial) {
				dials[e.Addr] = e.Conn
			}
		}
	}
	if len(dials) > 32 {
		t.Errorf("%d dials", len(dials))
	}
	id, ok := dials["n0:1"]
	if !ok {
		t.Fatalf("n0 is not dialled: %v", dials)
	}
	g.step(core.Input{Kind: core.Opened, Conn: id})
	relayed := 0
	for _, f := range sent(t, g.sayHello(id, g.hello("n0")), id) {
		if f.Kind == wire.KindRelay {
			relayed++
		}
	}
	if relayed != 8 {
		t.Errorf("%d relays have waited, want 8", relayed)
	}
}

// TestStaysWithItsGateway: a node that cannot be dialled names another gateway when it has
// lost the one that it named, and not when another connection takes its turn.
func TestStaysWithItsGateway(t *testing.T) {
	cfg := me()
	cfg.Address = ""
	g := start(t, cfg)
	via := func() string {
		n, _ := g.view.Get("me")
		return n.Via
	}
	a := g.peer("a")
	g.peer("b")
	g.step(core.Input{Kind: core.Closed, Conn: a, Code: wire.CodeDuplicate}) // another one with it is about to be established
	g.peer("a")
	if via() != "a" {
		t.Fatalf("it names %s", via())
	}
	b := g.peer("b") // in the place of the first of its connections
	if via() != "a" {
		t.Errorf("another connection with b, and it names %s", via())
	}
	g.step(core.Input{Kind: core.Closed, Conn: b})
	if via() != "a" {
		t.Errorf("b is lost, and it names %s", via())
	}
}
