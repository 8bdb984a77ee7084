package core_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestRefusedHello: whoever may not come in is told why, once, and it leaves
// no trace but an event.
func TestRefusedHello(t *testing.T) {
	long := strings.Repeat("é", 127)
	tests := []struct {
		what   string
		role   core.Role
		change func(*wire.Hello)
		code   wire.Code
	}{
		{"a later version", core.Peer, func(h *wire.Hello) { h.Min, h.Max = 2, 3 }, wire.CodeVersion},
		{"another ring", core.Peer, func(h *wire.Hello) { h.Ring = "rong" }, wire.CodeRing},
		{"another ring, with names as long as can be", core.Peer, func(h *wire.Hello) { h.Ring, h.Name = "x"+long, long }, wire.CodeRing},
		{"itself", core.Peer, func(h *wire.Hello) { h.Name, h.Instance = "me", wire.Instance{Start: epoch, Nonce: 1} }, wire.CodeSelf},
		{"its name, a guest", core.Guest, func(h *wire.Hello) { h.Name, h.Ephemeral = "me", true }, wire.CodeNameTaken},
		{"its name, a guest who says it is none", core.Guest, func(h *wire.Hello) { h.Name = "me" }, wire.CodeNameTaken},
		{"its name, ephemeral", core.Peer, func(h *wire.Hello) { h.Name, h.Ephemeral = "me", true }, wire.CodeNameTaken},
		{"a clock ahead", core.Peer, func(h *wire.Hello) { h.Wall += core.MaxSkew + 1 }, wire.CodeSkew},
		{"a clock behind", core.Peer, func(h *wire.Hello) { h.Wall -= core.MaxSkew + 1 }, wire.CodeSkew},
		{"a clock at the end of time", core.Peer, func(h *wire.Hello) { h.Wall = 1<<63 - 1 }, wire.CodeSkew},
		{"a guest who says it is none", core.Guest, func(h *wire.Hello) {}, wire.CodeForbidden},
		{"a guest of a durable node's name", core.Guest, func(h *wire.Hello) { h.Name, h.Ephemeral = "dead", true }, wire.CodeForbidden},
		{"a guest of a deleted name", core.Guest, func(h *wire.Hello) { h.Name, h.Ephemeral = "gone", true }, wire.CodeRemoved},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			g := start(t, me())
			g.step(core.Input{Kind: core.Closed, Conn: g.peer("dead"), Code: wire.CodeBye})
			g.step(core.Input{Kind: core.Closed, Conn: g.peer("gone"), Code: wire.CodeBye})
			g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Del, Name: "gone"}})
			before := records(t, g.ring)

			id := g.accept(test.role)
			h := g.hello("dev")
			test.change(&h)
			refused := events(g.sayHello(id, h), core.EventRefused)
			g.refused(id, test.code)
			if len(refused) != 1 || refused[0].Name != h.Name || refused[0].Code != test.code || refused[0].Addr == "" || refused[0].Text == "" {
				t.Errorf("events %+v", refused)
			}
			if after := records(t, g.ring); len(after) != len(before) {
				t.Errorf("%d records, were %d", len(after), len(before))
			}

			id = g.accept(test.role) // again at once: no second event
			if again := events(g.sayHello(id, h), core.EventRefused); len(again) != 0 {
				t.Errorf("events again %+v", again[0])
			}
		})
	}
}

// TestHelloOfOlderSelf: of two processes of one name the later one halts. It tells
// the other why by its close, and by no error frame: who dialled would halt by that.
func TestHelloOfOlderSelf(t *testing.T) {
	g := start(t, me())
	id := g.accept(core.Peer)
	h := g.hello("me")
	h.Address = "elsewhere:1"
	halt := of(g.sayHello(id, h), core.Halt)
	if len(halt) != 1 || halt[0].Reason != core.HaltNameTaken || !strings.Contains(halt[0].Text, "elsewhere:1") {
		t.Errorf("%+v", g.effects)
	}
	if closes := of(g.effects, core.Close); len(closes) != 1 || closes[0].Conn != id || closes[0].Code != wire.CodeNameTaken || closes[0].Text == "" {
		t.Errorf("closes %+v", closes)
	}
	if frames := sent(t, g.effects, id); len(frames) != 0 {
		t.Errorf("sent %+v", frames[0])
	}
}

// TestHelloOfLaterSelf: a later process of this node's name is refused, and told who
// refuses: it may know that this one is over.
func TestHelloOfLaterSelf(t *testing.T) {
	g := start(t, me())
	id := g.accept(core.Peer)
	h := g.hello("me")
	h.Instance.Start = epoch + 1
	frames := sent(t, g.sayHello(id, h), id)
	if len(frames) != 2 || frames[0].Kind != wire.KindHello || frames[0].Hello.Name != "me" || frames[1].Kind != wire.KindError || frames[1].Code != wire.CodeNameTaken || frames[1].Text == "" {
		t.Errorf("sent %+v", frames)
	}
	if closes := of(g.effects, core.Close); len(closes) != 1 || closes[0].Code != wire.CodeNameTaken || g.halted != 0 {
		t.Errorf("closes %+v, halted %v", closes, g.halted)
	}
}

// TestClosedForOwnName: a close says nothing against the one that was there first.
func TestClosedForOwnName(t *testing.T) {
	cfg := me()
	cfg.Join = []string{"elsewhere:1"}
	g := start(t, cfg)
	id := of(g.effects, core.Dial)[0].Conn
	g.step(core.Input{Kind: core.Opened, Conn: id})
	g.step(core.Input{Kind: core.Closed, Conn: id, Code: wire.CodeNameTaken})
	if g.pass(2 * core.Second); g.halted != 0 {
		t.Errorf("it halts: %s", g.halted)
	}
}

// TestWrongNode: what answers where another was meant is let in if it is a
// member, and told that it is wrong if not.
func TestWrongNode(t *testing.T) {
	g := start(t, me())
	dials := of(g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Add, Name: "meant", Addr: "x:1"}}), core.Dial)
	id := dials[0].Conn
	if hello := sent(t, g.step(core.Input{Kind: core.Opened, Conn: id}), id); len(hello) != 1 || hello[0].Kind != wire.KindHello {
		t.Fatalf("the dialler says hello first: %+v", hello)
	}
	result := events(g.sayHello(id, g.hello("other")), core.EventResult)
	g.refused(id, wire.CodeWrongNode)
	if len(result) != 1 || result[0].Code != wire.CodeWrongNode {
		t.Errorf("result %+v", result)
	}
}

// TestSilentConnections: who does not say hello is closed in time, and however
// many they are they leave nothing behind.
func TestSilentConnections(t *testing.T) {
	g := start(t, me())
	sizes := g.ring.Sizes()
	ids := make(map[core.ConnID]bool)
	for range 10_000 {
		ids[g.accept(core.Guest)] = true
	}
	for _, e := range of(g.tick(4*core.Second), core.Close) {
		t.Fatalf("too early: %+v", e)
	}
	all := g.tick(2 * core.Second)
	for _, e := range of(all, core.Close) {
		if e.Code == wire.CodeTimeout && len(sent(t, all, e.Conn)) == 1 {
			delete(ids, e.Conn)
		}
	}
	if len(ids) != 0 {
		t.Errorf("%d connections of 10,000 were not closed", len(ids))
	}
	if now := g.ring.Sizes(); now.Conns != 0 || now.Timers > sizes.Timers+10 {
		t.Errorf("sizes were %+v, are %+v", sizes, now)
	}
}

// TestStrangers: who connects ten thousand times, by as many names, and joins
// nothing, is not kept; a member is heard all the while.
func TestStrangers(t *testing.T) {
	g := start(t, me())
	member := g.peer("dev")
	sizes := g.ring.Sizes()
	for i := range 10_000 {
		g.sayHello(g.accept(core.Peer), g.hello(fmt.Sprintf("stranger-%d", i)))
	}
	for range 40 {
		g.tick(core.Second)
		g.receive(member, &wire.Frame{Kind: wire.KindGossip, Seq: 1, Wall: g.wall})
	}
	if now := g.ring.Sizes(); now.Conns != 1 || now.Timers > sizes.Timers+100 || now.Owed > sizes.Owed {
		t.Errorf("sizes were %+v, are %+v", sizes, now)
	}
	g.is("dev", core.Alive)
}

// TestHelloIsNotKept: a hello may be long, by keys that nobody knows; what is
// kept of it is not.
func TestHelloIsNotKept(t *testing.T) {
	const conns = 100
	g := start(t, me())
	pad := strings.Repeat("x", wire.MaxFrame-1<<10)
	heap := heapOf(func() {
		for i := range conns {
			h := g.hello("dev" + string(rune('a'+i/26)) + string(rune('a'+i%26)))
			b := (&wire.Frame{Kind: wire.KindHello, Hello: h}).Append(nil)
			b[2]++ // one key more
			b = append(b, 0xa1, 'z', 0xdb, byte(len(pad)>>24), byte(len(pad)>>16), byte(len(pad)>>8), byte(len(pad)))
			b = append(b, pad...)
			id := g.accept(core.Peer)
			if f := sent(t, g.receiveBytes(id, b), id); len(f) == 0 || f[0].Kind != wire.KindHello {
				t.Fatalf("%+v", f)
			}
		}
	})
	if most := int64(conns * 8 << 10); heap > most {
		t.Errorf("%d connections keep %d bytes, want at most %d", conns, heap, most)
	}
	if g.ring.Sizes().Conns != conns {
		t.Error("connections were closed")
	}
}

// TestRefusedByPeer: an error frame ends a connection on this side too, even
// if its sender does not close.
func TestRefusedByPeer(t *testing.T) {
	g := start(t, me())
	id := g.peer("dev")
	g.receive(id, &wire.Frame{Kind: wire.KindError, Code: wire.CodeSkew, Text: "no"})
	if closes := of(g.effects, core.Close); len(closes) != 1 || closes[0].Conn != id {
		t.Errorf("it stays open: %+v", g.effects)
	}
	if refused := events(g.effects, core.EventRefused); len(refused) != 1 || refused[0].Name != "dev" {
		t.Errorf("events %+v", refused)
	}
}

// TestGuestsLeaveRoomToTell: guests who make up names use up half of what is told rarely, and what is wrong
// with nodes is told all the same.
func TestGuestsLeaveRoomToTell(t *testing.T) {
	g := start(t, me())
	told := func(role core.Role, name string) (n int) {
		for i := range 1000 {
			h := g.hello(fmt.Sprint(name, i))
			if h.Ring = "other"; role == core.Guest {
				h.Ephemeral, h.Address = true, ""
			}
			n += len(events(g.sayHello(g.accept(role), h), core.EventRefused))
		}
		return n
	}
	if guests, nodes := told(core.Guest, "tab"), told(core.Peer, "dev"); guests != 500 || nodes != 500 {
		t.Errorf("of guests %d are told, and then of nodes %d", guests, nodes)
	}
}
