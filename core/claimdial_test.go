package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestGuestOfDistantGatewayIsAsked: a guest whose gateway this node has no connection with is asked as
// any other, by a dial, before another is let in by its name.
func TestGuestOfDistantGatewayIsAsked(t *testing.T) {
	for _, test := range []struct {
		what string
		then func(g *rig, dial core.ConnID)
		in   bool
	}{
		{"the gateway refuses", func(g *rig, dial core.ConnID) {
			g.refuseDials(g.step(core.Input{Kind: core.Closed, Conn: dial, Code: wire.CodeRefused}))
		}, true},
		{"nothing comes", func(g *rig, dial core.ConnID) { g.tick(3 * core.Second) }, true},
		{"yet", func(g *rig, dial core.ConnID) { g.tick(core.Second / 2) }, false},
	} {
		g := start(t, me())
		g.peer("dev")
		dev := core.ConnID(0)
		for id, state := range g.conns {
			if state == open {
				dev = id
			}
		}
		theirs := g.guestHello("tab").Instance
		g.receive(dev, rumor(
			g.member("far", wire.Member{Address: "far:1"}), g.presence("far", wire.Presence{Address: "far:1", Instance: instanceOf("far"), Version: 1}),
			g.member("tab", wire.Member{Ephemeral: true}), g.presence("tab", wire.Presence{Ephemeral: true, Via: "far", Instance: theirs, Version: 1}),
		))
		g.next += 2
		id := g.next - 2
		g.step(core.Input{Kind: core.Opened, Conn: id, Role: core.Guest, Addr: "10.0.0.1:1", Name: "t*"})
		g.sayHello(id, g.guestHello("tab"))
		dial := core.ConnID(0)
		for c, state := range g.conns {
			if state == dialing {
				dial = c
			}
		}
		if dial == 0 || g.said[id] {
			t.Errorf("%s: its gateway is dialled: %d, the other is let in: %t", test.what, dial, g.said[id])
			continue
		}
		test.then(g, dial)
		if g.said[id] != test.in {
			t.Errorf("%s: it is let in: %t", test.what, g.said[id])
		}
	}
}
