package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestJoinerIsToldOnce: a name whose two records come together is told of as it
// is, not first as unknown, or as what it was when it was removed.
func TestJoinerIsToldOnce(t *testing.T) {
	g := start(t, me())
	peer := g.peer("dev")
	told := func(records ...wire.Record) (states []core.State) {
		g.wall++
		for _, e := range events(g.receive(peer, rumor(records...)), core.EventNode) {
			if e.Node.Name == "new" {
				states = append(states, e.Node.State)
			}
		}
		return states
	}
	expect := func(what string, got []core.State, want ...core.State) {
		t.Helper()
		if len(got) != len(want) || len(got) > 0 && got[0] != want[0] {
			t.Errorf("%s: told that it is %v, want %v", what, got, want)
		}
	}
	add := func(rank uint8) wire.Record {
		r := g.member("new", wire.Member{Address: "new:7946"})
		r.Rank = rank
		return r
	}
	presence := func(rank uint8) wire.Record {
		r := g.presence("new", wire.Presence{Address: "new:7946", Instance: wire.Instance{Start: 1}, Version: 1})
		r.Rank = rank
		return r
	}
	const up, left, del = 0, 3, 2

	expect("added, not yet up", told(add(up)), core.Unknown)
	expect("up", told(presence(up)), core.Alive)
	expect("left", told(presence(left)), core.Left)
	expect("removed", told(add(del)), core.Removed)
	expect("back, both records at once", told(add(up), presence(up)), core.Alive)
	expect("removed again", told(add(del)), core.Removed)
	expect("up before it is a member", told(presence(up)))
	expect("a member that is up", told(add(up)), core.Alive)
}
