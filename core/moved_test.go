package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestGuestMoved: a guest that is at another gateway, or another process of its name
// that is, is not accused by the one that it left; the old connection is closed.
func TestGuestMoved(t *testing.T) {
	for what, at := range map[string]func(g *rig) wire.Presence{
		"to another": func(g *rig) wire.Presence {
			return wire.Presence{Ephemeral: true, Via: "dev", Instance: g.guestHello("tab").Instance, Version: 1}
		},
		"and is another's process": func(g *rig) wire.Presence {
			return wire.Presence{Via: "dev", Instance: wire.Instance{Start: epoch}, Version: 1}
		},
	} {
		g := start(t, me())
		dev := g.peer("dev")
		id := g.guest("tab")
		g.tick(core.Second)
		g.receive(dev, rumor(g.presence("tab", at(g))))
		g.isUp("tab")
		for range 100 {
			for _, e := range events(g.tick(core.Second), core.EventNode) {
				if e.Node.Name == "tab" && e.Node.State != core.Alive {
					t.Fatalf("it has moved %s, and is %s", what, e.Node.State)
				}
			}
			g.receive(dev, &wire.Frame{Kind: wire.KindProbe, Seq: 1}) // dev lives
		}
		if g.conns[id] != over {
			t.Errorf("it has moved %s, and its old connection is open", what)
		}
	}
}
