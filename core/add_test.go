package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestAddOfPeer: an add of a node that this one is connected with is a new record,
// and its connection takes the place of the old one.
func TestAddOfPeer(t *testing.T) {
	g := start(t, me())
	old := g.peer("dev")
	g.pass(3 * core.Second)
	dials := of(g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 7, Op: core.Add, Name: "dev", Addr: "dev:7946"}}), core.Dial)
	if len(dials) != 1 {
		t.Fatalf("%d dials", len(dials))
	}
	g.step(core.Input{Kind: core.Opened, Conn: dials[0].Conn})
	g.sayHello(dials[0].Conn, g.hello("dev"))
	if result := events(g.effects, core.EventResult); len(result) != 1 || result[0].Code != 0 {
		t.Errorf("results %+v", result)
	}
	if closes := of(g.effects, core.Close); len(closes) != 1 || closes[0].Conn != old || closes[0].Code != wire.CodeDuplicate {
		t.Errorf("closes %+v", closes)
	}
	for _, w := range records(t, g.ring) {
		if w.Set == wire.Nodes && w.Name == "dev" && w.Stamp != g.wall {
			t.Errorf("the add is of %d s ago", (g.wall-w.Stamp)/core.Second)
		}
	}
}
