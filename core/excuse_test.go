package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestClosedUnanswered: that a node did not answer says nothing once its connection was closed in order,
// whether it is asked after already or not; that the connection broke does not excuse it.
func TestClosedUnanswered(t *testing.T) {
	for code, want := range map[wire.Code]core.State{wire.CodeRotated: core.Alive, wire.CodeLost: core.Suspect} {
		for _, awaited := range []wire.Kind{wire.KindGossip, wire.KindRelay} {
			t.Run(code.String()+" after "+awaited.String(), func(t *testing.T) {
				g := start(t, me())
				a, prey := g.peer("a"), g.peer("prey")
				live := func() (asked, about bool) {
					effects := g.tick(core.Second / 20)
					for _, f := range sent(t, effects, a) {
						if about = about || f.Kind == wire.KindRelay; f.Kind == wire.KindRelay {
							continue // a does not reach it
						}
						if reply := g.answer("a", f); reply != nil {
							g.receive(a, reply)
						}
					}
					for _, f := range sent(t, effects, prey) {
						asked = asked || f.Kind == wire.KindGossip
					}
					return asked, about
				}
				for asked, about := false, false; awaited == wire.KindGossip && !asked || awaited == wire.KindRelay && !about; {
					asked, about = live()
				}
				g.is("prey", core.Alive)
				g.step(core.Input{Kind: core.Closed, Conn: prey, Code: code})
				for range 100 { // less than a dial may take
					if _, about := live(); about && want == core.Alive {
						t.Error("it is asked after")
					}
					if n, _ := g.view.Get("prey"); n.State == core.Suspect {
						break
					}
				}
				g.is("prey", want)
			})
		}
	}
}
