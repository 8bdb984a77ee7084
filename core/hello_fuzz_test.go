package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// FuzzHello: whatever comes first on a connection, of a node, a guest or whoever was dialled, a
// Ring closes it with a word why or goes on, halts by no word of who proves nothing, and has
// itself as it was.
func FuzzHello(f *testing.F) {
	rig := start(f, me())
	for kind := range byte(4) {
		for _, change := range []func(*wire.Hello){
			func(*wire.Hello) {},
			func(h *wire.Hello) { h.Ring = "other" },
			func(h *wire.Hello) { h.Name = "me" },
			func(h *wire.Hello) { h.Name, h.Instance = "me", rig.cfg.Instance },
			func(h *wire.Hello) { h.Name, h.Instance.Start = "tab", 1 },
			func(h *wire.Hello) { h.Name, h.Address = "me", "me:7946" },
			func(h *wire.Hello) { h.Ephemeral, h.Address = !h.Ephemeral, "" },
			func(h *wire.Hello) { h.Min, h.Max = 2, 255 },
			func(h *wire.Hello) { h.Wall += 1 << 40 },
			func(h *wire.Hello) { h.Wall = 0 },
			func(h *wire.Hello) { h.Members, h.Fingerprint = 1<<64-1, 1<<64-1 },
			func(h *wire.Hello) { h.LastContact = h.Wall },
			func(h *wire.Hello) { h.IDs, h.Unite = []wire.RingID{{Start: 1, Nonce: 1}}, wire.UniteAdd },
		} {
			h := rig.hello("a")
			if kind%2 == 1 {
				h = rig.guestHello("a")
			}
			change(&h)
			f.Add((&wire.Frame{Kind: wire.KindHello, Hello: h}).Append(nil), kind)
		}
	}
	f.Add((&wire.Frame{Kind: wire.KindError, Code: wire.CodeNameTaken, Text: "me"}).Append(nil), byte(3))
	f.Add((&wire.Frame{Kind: wire.KindProbe, Seq: 1}).Append(nil), byte(1))
	f.Add([]byte{}, byte(0))
	f.Fuzz(func(t *testing.T, frame []byte, kind byte) {
		cfg := me()
		cfg.Join = []string{"z:7946"}
		g := start(t, cfg)
		g.peer("b")
		g.guest("tab")
		before := g.own()
		var id core.ConnID
		switch kind % 4 {
		case 0:
			id = g.accept(core.Peer)
		case 1:
			id = g.accept(core.Guest)
		case 2: // whose token, or certificate, names it
			id, g.next = g.next, g.next+2
			g.step(core.Input{Kind: core.Opened, Conn: id, Role: core.Role(kind / 4 % 2), Name: "a", Addr: "10.0.0.1:1"})
		default:
			dials := 0
			for id = 2; g.conns[id] != dialing; id += 2 {
				if dials++; dials > 100 {
					t.Fatal("it dials nobody")
				}
			}
			g.step(core.Input{Kind: core.Opened, Conn: id})
		}
		g.receiveBytes(id, frame)
		var hello wire.Frame
		known := hello.Decode(frame) == nil && hello.Kind == wire.KindHello
		switch {
		case !known && g.conns[id] == open:
			t.Fatalf("what is no hello is gone by: %x", frame)
		case known && g.roles[id] == core.Guest && g.conns[id] == open && !hello.Hello.Ephemeral:
			t.Fatalf("a guest comes as a durable node: %+v", hello.Hello)
		case known && kind%4 == 2 && g.conns[id] == open && hello.Hello.Name != "a":
			t.Fatalf("who is to be a is %q", hello.Hello.Name)
		case known && g.conns[id] == open && hello.Hello.Ring != cfg.Ring:
			t.Fatalf("it goes on with the ring %q", hello.Hello.Ring)
		}
		g.receiveBytes(id, frame) // once more: a hello comes first only
		if known && g.conns[id] == open {
			t.Fatalf("a second hello is gone by: %+v", hello.Hello)
		}
		g.tick(3 * core.Second)
		if g.halted != 0 {
			if known || g.conns[id] == 0 {
				t.Fatalf("it halts (%s) by a hello: %+v", g.halted, hello.Hello)
			}
			return
		}
		if after := g.own(); after.Name != before.Name || after.Value != before.Value {
			t.Fatalf("it is %+v, it was %+v", after, before)
		}
		p := &player{rig: g}
		p.restores()
	})
}
