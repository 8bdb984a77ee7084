package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestDigestsOfGuests: a guest sends no digests, whatever its hello says, and is sent none.
func TestDigestsOfGuests(t *testing.T) {
	for _, kind := range []wire.Kind{wire.KindKnown, wire.KindLack} {
		g := start(t, me())
		g.peer("dev")
		tab := g.accept(core.Guest)
		h := g.guestHello("tab")
		h.Digests = true
		g.sayHello(tab, h)
		g.receive(tab, &wire.Frame{Kind: kind, Digests: []uint64{1}})
		if c := of(g.effects, core.Close); len(c) != 1 || c[0].Conn != tab || c[0].Code != wire.CodeForbidden {
			t.Errorf("%s: %+v", kind, c)
		}
	}
}
