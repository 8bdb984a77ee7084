package core

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// digestRig is the debts and the lacks of a node that has connections and no other part: of
// peers that know digests, but for those whose names begin with "old", and of guests.
type digestRig struct {
	*debtRig
	lacks lacks
}

func newDigestRig(conns ...string) *digestRig {
	l := newDebtRig(conns...)
	for _, c := range l.o.live {
		l.o.conns[c.id] = c
		c.hello.Digests = !strings.HasPrefix(c.name, "old") // a guest may say so, too
	}
	l.begin()
	return &digestRig{l, lacks{self: l.self, overlay: l.o, debts: &l.debts}}
}

// says returns the frames of the step under way, and begins the next one.
func (l *digestRig) says(t *testing.T) (all []string) {
	t.Helper()
	for _, e := range l.effects {
		var f wire.Frame
		if err := f.Decode(e.Frame); err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprint(l.o.conns[e.Conn].name, " ", f.Kind)
		for _, w := range f.Records {
			what += " " + w.Name
		}
		for _, d := range f.Digests {
			what += fmt.Sprintf(" %x", d>>56)
		}
		all = append(all, what)
	}
	l.begin()
	slices.Sort(all)
	return all
}

// passes lets time pass, with the flushes and questions that are due.
func (l *digestRig) passes(d int64) {
	for end := l.now + d; ; {
		t := l.due(end)
		if t == nil {
			l.now = end
			return
		}
		switch l.now = max(l.now, t.at); t.kind {
		case flushDue:
			l.flush()
		case lackDue:
			l.lacks.ask()
		}
	}
}

func digestOf(l *digestRig, name string) uint64 {
	rec := l.rep.nodes.Get(name)
	return wire.Digest(rec.Hash(), rec.Sum())
}

func TestDigests(t *testing.T) {
	six := []string{"a", "b", "c", "d", "e", "f"}
	x := fmt.Sprintf("%x", lww.HashName("x")>>56)
	for what, test := range map[string]struct {
		conns []string
		do    func(l *digestRig)
		want  map[string]int // of such frames, without whom they went to
	}{
		"records go to three, digests to others": {six, func(l *digestRig) { l.add("x", ""); l.passes(Second) },
			map[string]int{"rumor x": 3, "known " + x: 3}},
		"but not before they had time":       {six, func(l *digestRig) { l.add("x", ""); l.passes(tellAfter - 1) }, map[string]int{"rumor x": 3}},
		"what it has of itself goes to all":  {six, func(l *digestRig) { l.add("me", ""); l.passes(0) }, map[string]int{"rumor me": 6}},
		"and what it has from whom it is of": {six, func(l *digestRig) { l.add("a", "a"); l.passes(0) }, map[string]int{"rumor a": 5}},
		"peers of before get records": {append([]string{"old1", "old2", "old3"}, six...), func(l *digestRig) { l.add("x", ""); l.passes(Second) },
			map[string]int{"rumor x": 6, "known " + x: 3}},
		"and so do guests": {append([]string{"tab1", "tab2"}, six...), func(l *digestRig) { l.add("x", ""); l.passes(Second) },
			map[string]int{"rumor x": 5, "known " + x: 3}},
		"who says that it knows is not told": {six, func(l *digestRig) {
			l.add("x", "")
			l.passes(0)
			for _, c := range l.o.live {
				l.lacks.known(c, []uint64{digestOf(l, "x")})
			}
			l.passes(Second)
		}, map[string]int{"rumor x": 3}},
		"who lacks is sent it at once": {[]string{"a"}, func(l *digestRig) {
			l.add("x", "a")
			l.give(l.o.byName["a"], []uint64{digestOf(l, "x"), 7})
		}, map[string]int{"rumor x": 1}},
		"all of it before a leave": {six, func(l *digestRig) {
			l.add("x", "")
			l.passes(0)
			for _, c := range l.o.live {
				l.sendRumor(c, true)
			}
		}, map[string]int{"rumor x": 6}},
	} {
		l := newDigestRig(test.conns...)
		test.do(l)
		got := make(map[string]int)
		for _, s := range l.says(t) {
			_, s, _ = strings.Cut(s, " ")
			got[s]++
		}
		if fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s: %v, not %v", what, got, test.want)
		}
	}
}

func TestLacks(t *testing.T) {
	l := newDigestRig("a", "b", "c")
	a, b, c := l.o.byName["a"], l.o.byName["b"], l.o.byName["c"]
	x := wire.Digest(lww.HashName("x"), 1)
	lack := fmt.Sprintf("lack %x", x>>56)
	expect := func(what string, want ...string) {
		t.Helper()
		if got := l.says(t); !slices.Equal(got, want) {
			t.Errorf("%s: %q, not %q", what, got, want)
		}
	}
	a.trip.mean, b.trip.mean, c.trip.mean = 300*Millisecond, 40*Millisecond, 40*Millisecond
	l.lacks.known(a, []uint64{x})
	expect("the first is asked", "a "+lack)
	l.lacks.known(b, []uint64{x})
	l.lacks.known(c, []uint64{x})
	expect("the others are not yet")
	l.passes(600*Millisecond - 1)
	expect("before its answers come, mostly")
	l.passes(1)
	expect("then the second", "b "+lack)
	l.o.drop(c)
	l.passes(Second)
	expect("nobody whose connection is over")
	if len(l.lacks.list)+len(l.lacks.by) > 0 {
		t.Errorf("%d are awaited when nobody is left", len(l.lacks.list))
	}

	l.lacks.known(a, []uint64{x})
	l.says(t)
	l.add("y", "")
	l.lacks.known(b, []uint64{digestOf(l, "y")})
	l.passes(Second)
	for _, s := range l.says(t) {
		if strings.Contains(s, "lack") {
			t.Errorf("what is known: %q", s)
		}
	}

}

// TestLacksOfOnePeer: one peer that says that it has what nobody has keeps no other's records from
// being asked for, and all of them together no memory.
func TestLacksOfOnePeer(t *testing.T) {
	conns := make([]string, 2*maxLacks/lacksOfPeer)
	for i := range conns {
		conns[i] = fmt.Sprint("p", i)
	}
	l := newDigestRig(conns...)
	made := uint64(0)
	floods := func(c *conn, n int) {
		for range n {
			made++
			l.lacks.known(c, []uint64{wire.Digest(made<<40, made)})
		}
	}
	asked := func() (n int) {
		for _, s := range l.says(t) {
			n += strings.Count(s, "lack")
		}
		return n
	}
	floods(l.o.live[0], 2*maxLacks)
	if n := asked(); n != lacksOfPeer {
		t.Errorf("of one peer %d are asked for, not %d", n, lacksOfPeer)
	}
	floods(l.o.live[1], 1)
	if n := asked(); n != 1 {
		t.Errorf("beside it of another %d are asked for, not 1", n)
	}
	for _, c := range l.o.live {
		floods(c, maxLacks)
	}
	if n := len(l.lacks.list); n != maxLacks || len(l.lacks.by) != n {
		t.Errorf("of all %d are awaited, and %d found, not %d", n, len(l.lacks.by), maxLacks)
	}
	l.says(t)
	l.o.drop(l.o.live[1])
	l.passes(Minute)
	if len(l.lacks.list)+len(l.lacks.by) > 0 {
		t.Errorf("%d are awaited for ever", len(l.lacks.list))
	}
	floods(l.o.live[0], maxLacks)
	if n := asked(); n != lacksOfPeer {
		t.Errorf("when they are given up %d are asked for, not %d", n, lacksOfPeer)
	}
}

// TestArrivedIsNotAskedFor: what came by another way meanwhile is not asked for again.
func TestArrivedIsNotAskedFor(t *testing.T) {
	l := newDigestRig("a", "b")
	l.add("x", "")
	x := digestOf(l, "x")
	l.rep.forget(wire.Nodes, "x")
	l.changed(&l.rep.changes[0])
	l.rep.changes = nil
	rec := lww.New("x", l.wall, rankAdd, "\x81\xa1a\xa3a:1")
	l.lacks.known(l.o.byName["a"], []uint64{x})
	l.lacks.known(l.o.byName["b"], []uint64{x})
	l.says(t)
	rec.Parsed = &wire.Member{Address: "a:1"}
	l.rep.put(wire.Nodes, rec)
	if digestOf(l, "x") != x {
		t.Fatal("it is another record")
	}
	l.passes(Second)
	if got := l.says(t); len(got) > 0 {
		t.Errorf("%q", got)
	}
}
