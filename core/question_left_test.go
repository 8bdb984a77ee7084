package core_test

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestAskerThatLeft: nothing is kept of the questions of a guest that is gone, however long they
// were to be open: others of its party may ask.
func TestAskerThatLeft(t *testing.T) {
	for how, code := range map[string]wire.Code{"it says bye": wire.CodeBye, "its connection is lost": wire.CodeLost} {
		g := start(t, me())
		g.party = "many"
		seq := uint64(0)
		asks := func(name string, times int) (last wire.Code) {
			id := g.guest(name)
			for range times {
				seq++
				ask := wire.Message{Name: name, Instance: g.guestHello(name).Instance, Seq: seq, Step: 1, Since: wire.Window, Verb: wire.VerbAsk, Topic: "t", Wait: wire.MaxWait}
				for _, f := range sent(t, g.receive(id, &wire.Frame{Kind: wire.KindMessage, Messages: []wire.Message{ask}}), id) {
					if f.Kind == wire.KindSaid {
						last = f.Code
					}
				}
				g.pass(core.Second / 10)
			}
			return last
		}
		for i := range 2 {
			if said := asks(fmt.Sprint("tab", i), 64); said != 0 {
				t.Fatalf("%s: it may not ask: %d", how, said)
			}
		}
		if said := asks("too-many", 1); said != wire.CodeBusy {
			t.Fatalf("%s: one too many gets %d: the test does nothing", how, said)
		}
		for id, state := range g.conns {
			if state == open {
				g.step(core.Input{Kind: core.Closed, Conn: id, Code: code})
			}
		}
		g.pass(30 * core.Second)
		if said := asks("late", 1); said != 0 {
			t.Errorf("%s: another is refused: %d", how, said)
		}
	}
}
