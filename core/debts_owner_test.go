package core

import (
	"slices"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

// TestDebts: what a connection is owed, and what settles it.
func TestDebts(t *testing.T) {
	for _, test := range []struct {
		what string
		do   func(ds *debts, a, b *conn)
		a, b []string // who is owed what of n0 to n3, at the end
	}{
		{"a change is owed to all", func(*debts, *conn, *conn) {}, []string{"n0", "n1"}, []string{"n0", "n1"}},
		{"what was sent is owed no more", func(ds *debts, a, _ *conn) { ds.take(a) }, nil, []string{"n0", "n1"}},
		{"what somebody showed to know", func(ds *debts, a, _ *conn) {
			ds.settle(a, ds.replica.nodes.Get("n0"))
		}, []string{"n1"}, []string{"n0", "n1"}},
		{"equal fingerprints", func(ds *debts, _, b *conn) { ds.settleAll(b) }, []string{"n0", "n1"}, nil},
		{"what is no more", func(ds *debts, _, _ *conn) { ds.drop(ds.replica.nodes.Get("n1")) }, []string{"n0"}, []string{"n0"}},
		{"what one lacks, twice", func(ds *debts, a, b *conn) {
			ds.settleAll(b)
			ds.oweTo(b, wire.Nodes, "n2")
			ds.oweTo(b, wire.Nodes, "n2")
			ds.oweTo(b, wire.Nodes, "nobody")
		}, []string{"n0", "n1"}, []string{"n2"}},
		{"an authority is told nothing", func(ds *debts, a, _ *conn) {
			ds.settleAll(a)
			a.authority = true
			ds.oweTo(a, wire.Nodes, "n2")
		}, nil, []string{"n0", "n1"}},
		{"a connection is over", func(ds *debts, a, b *conn) {
			ds.dismiss(a)
			c := &conn{id: 7, asserter: asserter{name: "c"}}
			ds.overlay.live = []*conn{b, c}
			ds.admit(c) // in a's slot: nothing of what a was owed is owed to it
			if len(ds.take(c)) > 0 {
				ds.take(b)
			}
		}, nil, []string{"n0", "n1"}},
	} {
		o := newTestOverlay(t, "n0", "n1", "n2", "n3")
		o.replica.changes = nil
		ds := newDebts(o.self, o.replica, o)
		a, b := &conn{id: 1, asserter: asserter{name: "a"}}, &conn{id: 3, asserter: asserter{name: "b"}}
		for _, c := range []*conn{a, b} {
			o.live = append(o.live, c)
			ds.admit(c)
		}
		for _, name := range []string{"n0", "n1"} {
			ds.changed(&change{set: wire.Nodes, name: name, record: o.replica.nodes.Get(name)})
		}
		test.do(&ds, a, b)
		for c, want := range map[*conn][]string{a: test.a, b: test.b} {
			owing := c.owing
			var got []string
			for _, w := range ds.take(c) {
				got = append(got, w.Name)
			}
			if !slices.Equal(got, want) || owing != len(want) || c.owing != 0 {
				t.Errorf("%s: %s is owed %v (%d), want %v", test.what, c.name, got, owing, want)
			}
		}
		if ds.cool(); len(ds.list) > 0 || len(ds.by) > 0 {
			t.Errorf("%s: %d debts are left", test.what, len(ds.list))
		}
	}
}

// TestDebtsAreBounded: who is owed too much is owed nothing any more.
func TestDebtsAreBounded(t *testing.T) {
	all := names("n", maxOwed+10)
	o := newTestOverlay(t, all...)
	ds := newDebts(o.self, o.replica, o)
	c := &conn{id: 1, asserter: asserter{name: "a"}}
	o.live = []*conn{c}
	ds.admit(c)
	for _, name := range all {
		ds.oweTo(c, wire.Nodes, name)
	}
	if c.owing != 10 {
		t.Errorf("%d are owed", c.owing)
	}
}
