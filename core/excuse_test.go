package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestSlowDial: whom a node dialled for too long it does not ask after while it is late with what was due
// itself; whose address refuses it does, and others when it is on time.
func TestSlowDial(t *testing.T) {
	for _, c := range []struct {
		late int64
		code wire.Code
		asks bool
	}{
		{0, wire.CodeUnreachable, true},
		{core.Second / 4, wire.CodeUnreachable, false},
		{core.Second, wire.CodeUnreachable, false},
		{core.Second / 4, wire.CodeRefused, true},
	} {
		g := start(t, me())
		helper := g.peer("a")
		effects := append(g.receive(helper, rumor(g.member("prey", wire.Member{Address: "prey:7946"}),
			g.presence("prey", wire.Presence{Address: "prey:7946", Version: 1}))), g.tick(core.Second)...)
		var dial core.ConnID
		for _, e := range of(effects, core.Dial) {
			if e.Addr == "prey:7946" {
				dial = e.Conn
			}
		}
		if c.late > 0 {
			g.wall += g.wake + c.late - g.mono
			g.mono = g.wake + c.late
			g.step(core.Input{Kind: core.Tick})
		}
		asks := false
		for _, f := range sent(t, g.step(core.Input{Kind: core.Closed, Conn: dial, Code: c.code}), helper) {
			asks = asks || f.Kind == wire.KindRelay && f.To == "prey"
		}
		if asks != c.asks {
			t.Errorf("late by %d µs, after %s: asks %v", c.late, c.code, asks)
		}
	}
}

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
