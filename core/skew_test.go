package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestRefutesAfterClockWentBack: a clock goes from almost a minute ahead to behind.
// What was minted before is too far ahead now for any other record, but not for
// this node's own presence: it refutes what is said of it.
func TestRefutesAfterClockWentBack(t *testing.T) {
	for _, back := range []int64{core.Second, 85 * core.Second, 119 * core.Second} {
		g := start(t, me())
		a := g.peer("a")
		g.tick(core.Second)
		was, _ := g.view.Get("me")
		g.wall -= back
		accused := wire.Record{Set: wire.Up, Name: "me", Stamp: was.Incarnation, Rank: 1,
			Value: (&wire.Presence{Address: "me:7946", Instance: g.cfg.Instance, Version: 1}).Value()}
		g.receive(a, rumor(accused))
		is, _ := g.view.Get("me")
		if is.Incarnation <= was.Incarnation {
			t.Errorf("%d s back: accused at %d, the incarnation is %d", back/core.Second, was.Incarnation, is.Incarnation)
		}
		for range 3 { // and it does not begin anew whenever it is asked
			g.tick(core.Second)
			g.receive(a, &wire.Frame{Kind: wire.KindGossip, Seq: 1, Wall: g.wall, Fingerprint: 1})
		}
		g.receive(a, rumor(accused))
		if now, _ := g.view.Get("me"); now.Incarnation <= was.Incarnation {
			t.Errorf("%d s back: accused again at %d, the incarnation is %d", back/core.Second, was.Incarnation, now.Incarnation)
		}
	}
}

// TestOwnPresenceOfTheFuture: of its own presence a node answers what somebody with a
// clock that is allowed may have accepted, and nothing from farther ahead.
func TestOwnPresenceOfTheFuture(t *testing.T) {
	for ahead, answers := range map[int64]bool{core.MaxSkew: true, 2 * core.MaxSkew: true, 2*core.MaxSkew + core.Second: false} {
		g := start(t, me())
		a := g.peer("a")
		of := g.wall + ahead
		p := wire.Presence{Address: "me:7946", Instance: g.cfg.Instance, Version: 1}
		g.receive(a, rumor(wire.Record{Set: wire.Up, Name: "me", Stamp: of, Rank: 1, Value: p.Value()}))
		if is, _ := g.view.Get("me"); is.Incarnation > of != answers {
			t.Errorf("%d s ahead: the incarnation is %d later", ahead/core.Second, is.Incarnation-of)
		}
	}
}

// TestTakesPresenceOfWhoseClockWentBack: who holds a presence takes the one that
// refutes it, though by now its own clock says that it is too far ahead.
func TestTakesPresenceOfWhoseClockWentBack(t *testing.T) {
	for later, takes := range map[int64]bool{1: true, core.Millisecond: true, core.Millisecond + 1: false} {
		g := start(t, me())
		a := g.peer("a")
		p := wire.Presence{Address: "b:7946", Version: 1}
		record := func(stamp int64) wire.Record {
			return wire.Record{Set: wire.Up, Name: "b", Stamp: stamp, Value: p.Value()}
		}
		held := g.wall + 55*core.Second
		g.receive(a, rumor(g.member("b", wire.Member{Address: "b:7946"}), record(held)))
		g.wall -= core.Minute
		g.receive(a, rumor(record(held+later)))
		if b, _ := g.view.Get("b"); b.Incarnation == held+later != takes {
			t.Errorf("%d µs later: the incarnation is %d later than the one that is held", later, b.Incarnation-held)
		}
	}
}

// TestStampsOutrunNoClock: a guest gets no farther ahead than anybody's clock may be, however often it
// says something new of itself.
func TestStampsOutrunNoClock(t *testing.T) {
	g := start(t, me())
	tab := g.guest("tab")
	p := wire.Presence{Ephemeral: true, Via: "me", Instance: instanceOf("tab"), Version: 1}
	stamp, began := g.wall+core.MaxSkew, g.wall
	for range 300 {
		g.receive(tab, rumor(wire.Record{Set: wire.Up, Name: "tab", Stamp: stamp, Value: p.Value()}))
		for step := core.Second; ; step /= 2 { // as far as it gets
			g.receive(tab, rumor(wire.Record{Set: wire.Up, Name: "tab", Stamp: stamp + step, Value: p.Value()}))
			if is, _ := g.view.Get("tab"); is.Incarnation == stamp+step {
				stamp += step
				break
			}
			if step == 1 {
				break
			}
		}
		g.tick(core.Second / 4)
	}
	is, _ := g.view.Get("tab")
	if ahead := is.Incarnation - g.wall; is.Incarnation <= began+core.MaxSkew || ahead > core.MaxSkew+core.Second {
		t.Errorf("after %d s it is %d s ahead", (g.wall-began)/core.Second, ahead/core.Second)
	}
}
