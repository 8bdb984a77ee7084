package core_test

import (
	"slices"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestBreachIsLeftAlone: a peer with which each connection ends by a breach of the
// protocol, whoever finds it, is dialled more and more rarely.
func TestBreachIsLeftAlone(t *testing.T) {
	refuses := func(code wire.Code) func(*rig, core.ConnID) []core.Effect {
		return func(g *rig, id core.ConnID) []core.Effect {
			g.sayHello(id, g.hello("bad"))
			return g.receive(id, &wire.Frame{Kind: wire.KindError, Code: code, Text: "because"})
		}
	}
	for what, breach := range map[string]func(*rig, core.ConnID) []core.Effect{
		"garbage for a hello": func(g *rig, id core.ConnID) []core.Effect {
			return g.receiveBytes(id, []byte{0xc1})
		},
		"garbage after it": func(g *rig, id core.ConnID) []core.Effect {
			g.sayHello(id, g.hello("bad"))
			return g.receiveBytes(id, []byte{0xc1})
		},
		"two hellos": func(g *rig, id core.ConnID) []core.Effect {
			g.sayHello(id, g.hello("bad"))
			return g.sayHello(id, g.hello("bad"))
		},
		"it refuses a frame":   refuses(wire.CodeBadFrame),
		"it refuses its order": refuses(wire.CodeOrder),
		"it closes for it": func(g *rig, id core.ConnID) []core.Effect {
			g.sayHello(id, g.hello("bad"))
			return g.step(core.Input{Kind: core.Closed, Conn: id, Code: wire.CodeBadFrame})
		},
	} {
		g := start(t, me())
		g.peer("good")
		dials := 0
		var follow func(effects []core.Effect)
		follow = func(effects []core.Effect) {
			for _, e := range slices.Clone(effects) {
				if e.Kind == core.Dial && e.Addr == "bad:7946" {
					dials++
					g.step(core.Input{Kind: core.Opened, Conn: e.Conn})
					follow(breach(g, e.Conn))
				}
			}
		}
		follow(g.step(core.Input{Kind: core.Closed, Conn: g.peer("bad"), Code: wire.CodeLost}))
		for range 60 {
			follow(g.tick(core.Second))
		}
		if dials == 0 || dials > 6 {
			t.Errorf("%s: %d dials in a minute", what, dials)
		}
	}
}
