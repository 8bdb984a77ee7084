package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestRecall: a node that hears of a deletion which its add overruled says so, by
// an add that overrules no more than it did: a later deletion is one.
func TestRecall(t *testing.T) {
	g := start(t, me())
	a := g.peer("a")
	was := g.own()
	g.wall += core.Minute / 2
	del := was
	del.Rank, del.Stamp = 2, was.Stamp-core.Second
	g.receive(a, rumor(del))
	m, err := wire.ParseMember(g.own().Value)
	if err != nil || m.Deleted != del.Stamp || g.own().Stamp != was.Stamp+1 {
		t.Errorf("it says %+v of %+v, and said it at %d", m, g.own(), was.Stamp)
	}
	del.Stamp = was.Stamp + core.Second
	if g.receive(a, rumor(del)); len(events(g.effects, core.EventLeaving)) != 1 {
		t.Error("it does not take note of a later deletion")
	}
}

// refuse has this node dial one that says that its name is taken.
func (g *rig) refuse(by, certificate string) {
	g.Helper()
	dials := of(g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Add, Name: by, Addr: by + ":1"}}), core.Dial)
	id := dials[len(dials)-1].Conn
	g.step(core.Input{Kind: core.Opened, Conn: id, Name: certificate})
	g.receive(id, &wire.Frame{Kind: wire.KindError, Code: wire.CodeNameTaken, Text: "taken"})
}

// TestInsists: a node that is refused for its name halts, but for a while if it knows
// that its name was deleted before: who refuses it may not know that yet.
func TestInsists(t *testing.T) {
	refuse := func(g *rig) core.Reason {
		g.refuse("b", "")
		if g.halted == 0 {
			g.refuse("c", "")
		}
		return g.halted
	}
	if refuse(start(t, me())) != core.HaltNameTaken {
		t.Error("who knows of no deletion does not halt")
	}
	for i := range 2 {
		g := start(t, me())
		a := g.peer("a")
		del := g.member("me", wire.Member{})
		del.Rank, del.Stamp = 2, del.Stamp-core.Second
		g.receive(a, rumor(del))
		g.pass(2 * core.Minute)
		if refuse(g) != 0 {
			t.Error("who knows of a deletion halts at once")
		}
		if i == 0 {
			g.pass(11 * core.Second)
			if refuse(g) != core.HaltNameTaken {
				t.Error("it insists for ever")
			}
			continue
		}
		g.pass(2 * core.Minute)
		if refuse(g) != 0 {
			t.Error("it insists once, and not the next time")
		}
	}
}
