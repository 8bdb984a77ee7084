package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestWhat: a view says what became of a node, and since when it is what it is.
func TestWhat(t *testing.T) {
	var v core.View
	first, next := wire.Instance{Start: 1}, wire.Instance{Start: 2}
	for i, test := range []struct {
		node  core.Node
		what  core.What
		since int64
	}{
		{core.Node{Name: "a", State: core.Unknown}, core.Joined, 0},
		{core.Node{Name: "a", State: core.Alive, Instance: first}, core.CameUp, 101},
		{core.Node{Name: "a", State: core.Alive, Instance: first, Incarnation: 7}, core.Updated, 101},
		{core.Node{Name: "a", State: core.Suspect, Instance: first}, core.Suspected, 103},
		{core.Node{Name: "a", State: core.Alive, Instance: first}, core.CameUp, 104},
		{core.Node{Name: "a", State: core.Alive, Instance: next}, core.Restarted, 105},
		{core.Node{Name: "a", State: core.Down, Instance: next}, core.WentDown, 106},
		{core.Node{Name: "a", State: core.Down, Instance: next, Address: "a:2"}, core.Updated, 106},
		{core.Node{Name: "a", State: core.Alive, Instance: first}, core.Restarted, 108},
		{core.Node{Name: "a", State: core.Left, Instance: first}, core.SaidBye, 109},
		{core.Node{Name: "a", State: core.Removed}, core.Removal, 110},
		{core.Node{Name: "b", State: core.Alive, Incarnation: 50}, core.Joined, 50},
		{core.Node{Name: "c", State: core.Alive, Incarnation: 500}, core.Joined, 112},
		{core.Node{Name: "d", State: core.Down, Incarnation: 50}, core.Joined, 0},
	} {
		e := core.Event{Kind: core.EventNode, Node: test.node}
		if what := v.Apply(&e, int64(100+i)); what != test.what || e.Node.Since != test.since {
			t.Errorf("%d: %s since %d, not %s since %d", i, what, e.Node.Since, test.what, test.since)
		}
	}
	if what := v.Apply(&core.Event{Kind: core.EventStale}, 1); what != "" || v.Len() != 3 {
		t.Errorf("%q, and there are %d", what, v.Len())
	}
}

// TestShared: what is shared of a member stays as it is.
func TestShared(t *testing.T) {
	var v core.View
	apply := func(state core.State) *core.Node {
		v.Apply(&core.Event{Kind: core.EventNode, Node: core.Node{Name: "a", State: state}}, 1)
		return v.Shared("a")
	}
	up, down := apply(core.Alive), apply(core.Down)
	if is, _ := v.Get("a"); up.State != core.Alive || down.State != core.Down || is.State != core.Down {
		t.Errorf("%s, then %s, which is %s", up.State, down.State, is.State)
	}
	if gone := apply(core.Removed); gone != nil || down.State != core.Down {
		t.Errorf("%v", gone)
	}
}
