package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestImpostorsKeepNobodyAlive: somebody who knocks again and again under a
// member's name, and is refused each time, is no sign of life of that member.
func TestImpostorsKeepNobodyAlive(t *testing.T) {
	p := &benchPeer{ring: bigRing(t, "me", 1)}
	var view core.View
	var dials []core.ConnID // nobody listens: they are refused after the next knock
	step := func(in core.Input) {
		p.step(in)
		for _, e := range p.sent {
			switch e.Kind {
			case core.Emit:
				view.Apply(e.Event, 0)
			case core.Dial:
				dials = append(dials, e.Conn)
			}
		}
	}
	step(core.Input{Kind: core.Start})
	hello := (&wire.Frame{Kind: wire.KindHello, Hello: wire.Hello{Name: "node-00000", Ring: "another", Members: 1,
		Min: 1, Max: 1, Wall: benchWall, Instance: wire.Instance{Start: benchWall, Nonce: 9}}}).Append(nil)
	for conn := core.ConnID(1); ; conn += 2 {
		if n, _ := view.Get("node-00000"); n.State == core.Down {
			return
		}
		if conn > 200 {
			n, _ := view.Get("node-00000")
			t.Fatalf("a dead node is %v after 50 s of knocking under its name", n.State)
		}
		step(core.Input{Kind: core.Opened, Conn: conn})
		step(core.Input{Kind: core.Received, Conn: conn, Frame: hello})
		for ; len(dials) > 0; dials = dials[1:] {
			step(core.Input{Kind: core.Closed, Conn: dials[0], Code: wire.CodeRefused})
		}
		p.now += core.Second / 2
		step(core.Input{Kind: core.Tick})
	}
}

// TestLaterOfTwoHalts: another, older process of this node's name lives if it goes on
// saying what is later than each answer: with the fourth time this one halts.
func TestLaterOfTwoHalts(t *testing.T) {
	g := start(t, me())
	id := g.peer("dev")
	for n := 1; n <= 4; n++ {
		g.tick(core.Second)
		g.receive(id, rumor(g.presence("me", wire.Presence{Address: "elsewhere:1", Instance: wire.Instance{Start: epoch - core.Hour}, Version: 1})))
		if halts := g.halted == core.HaltNameTaken; halts != (n == 4) {
			t.Fatalf("after %d times: %s", n, g.halted)
		}
	}
}
