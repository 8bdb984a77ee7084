package core

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// debtRig is the debts of a node that has connections and no other part.
type debtRig struct {
	debts
	rep *replica
	o   *overlay
}

func newDebtRig(conns ...string) *debtRig {
	s := newSelf(Config{Name: "me", Period: Second})
	s.now, s.wall = Second, Hour
	l := &debtRig{rep: new(replica), o: new(overlay)}
	*l.rep = newReplica(&s)
	*l.o = newOverlay(&s, l.rep)
	l.debts = newDebts(&s, l.rep, l.o)
	for i, name := range conns {
		c := &conn{id: ConnID(i + 1), state: connEstablished, asserter: asserter{name: name, guest: strings.HasPrefix(name, "tab")}}
		l.o.admit(c)
		l.admit(c)
	}
	return l
}

// add writes a record of a name as a peer brings it, "" for this node itself.
func (l *debtRig) add(name, from string) {
	l.wall++
	m := wire.Member{Address: "a:1"}
	rec := lww.New(name, l.wall, rankAdd, m.Value())
	rec.Parsed = &m
	l.rep.put(wire.Nodes, rec)
	for _, ch := range l.rep.changes {
		if c := l.o.byName[from]; c != nil {
			ch.from = &c.asserter
		}
		l.changed(&ch)
	}
	l.rep.changes = nil
}

// takes is what a connection is sent next.
func (l *debtRig) takes(name string) (names []string) {
	for _, w := range l.take(l.o.byName[name], false) {
		names = append(names, w.Name)
	}
	return names
}

func TestDebts(t *testing.T) {
	for what, test := range map[string]struct {
		do   func(l *debtRig)
		want map[string]string // what each is sent
	}{
		"all but who brought it": {func(l *debtRig) { l.add("x", "a"); l.add("y", "") }, map[string]string{"a": "y", "b": "x y", "c": "x y"}},
		"the latest alone":       {func(l *debtRig) { l.add("x", ""); l.add("y", ""); l.add("x", "a") }, map[string]string{"a": "y", "b": "y x"}},
		"not what it knows": {func(l *debtRig) {
			l.add("x", "")
			l.add("y", "")
			l.settle(l.o.byName["a"], l.rep.nodes.Get("x"))
			l.settle(l.o.byName["b"], l.rep.nodes.Get("y"))
		}, map[string]string{"a": "y", "b": "x", "c": "x y"}},
		"nothing of before it came": {func(l *debtRig) {
			l.add("x", "")
			l.dismiss(l.o.byName["a"])
			l.admit(l.o.byName["a"])
			l.add("y", "")
		}, map[string]string{"a": "y", "b": "x y"}},
		"nothing of what is gone": {func(l *debtRig) {
			l.add("x", "")
			l.add("y", "")
			l.rep.forget(wire.Nodes, "x")
			l.changed(&l.rep.changes[0])
		}, map[string]string{"a": "y"}},
		"what it alone is owed": {func(l *debtRig) {
			l.add("x", "")
			l.flush()
			l.add("y", "")
			l.oweTo(l.o.byName["a"], wire.Nodes, "x")
			l.oweTo(l.o.byName["a"], wire.Nodes, "y")
			l.oweTo(l.o.byName["a"], wire.Nodes, "nobody")
		}, map[string]string{"a": "x y", "b": "y"}},
		"nothing after agreement": {func(l *debtRig) { l.add("x", ""); l.settleAll(l.o.byName["a"]) }, map[string]string{"a": "", "b": "x"}},
	} {
		l := newDebtRig("a", "b", "c")
		test.do(l)
		for name, want := range test.want {
			if got := strings.Join(l.takes(name), " "); got != want || l.owes(l.o.byName[name]) {
				t.Errorf("%s: %s is sent %q, not %q", what, name, got, want)
			}
		}
	}
}

// TestDebtsAreBounded: whoever is far behind is owed nothing, and the others all.
func TestDebtsAreBounded(t *testing.T) {
	l := newDebtRig("slow", "swift")
	got := 0
	for i := range 10 * maxOwed {
		l.add(fmt.Sprint("n", i), "")
		for l.owes(l.o.byName["swift"]) {
			got += len(l.takes("swift"))
		}
		if len(l.list) > maxOwed || l.by.len > maxOwed {
			t.Fatalf("%d debts are kept", len(l.list))
		}
	}
	for range 2 * maxOwed {
		l.oweTo(l.o.byName["slow"], wire.Nodes, "n1")
	}
	if n := len(l.o.byName["slow"].place.own); got != 10*maxOwed || n > maxOwed {
		t.Errorf("the swift one is sent %d, the slow one alone is owed %d", got, n)
	}
}

// TestFlushIsBounded: a flush sends to many guests as much as one step may take,
// and in the end each has all.
func TestFlushIsBounded(t *testing.T) {
	var tabs []string
	for i := range 300 {
		tabs = append(tabs, fmt.Sprint("tab", i))
	}
	l := newDebtRig(append(tabs, "dev")...)
	for i := range 500 {
		l.add(fmt.Sprintf("node-with-a-long-name-%d", i), "dev")
	}
	got := make(map[ConnID]int)
	flushes := 0
	for ; l.flushing || flushes == 0; flushes++ {
		l.begin()
		l.flush()
		size := 0
		for _, e := range l.effects {
			var f wire.Frame
			if err := f.Decode(e.Frame); err != nil {
				t.Fatal(err)
			}
			size += len(e.Frame)
			got[e.Conn] += len(f.Records)
		}
		if size > flushBytes+2*rumorBytes {
			t.Fatalf("a flush sends %d KiB", size>>10)
		}
	}
	for _, c := range l.o.live {
		if want := 500; c.guest && got[c.id] != want {
			t.Errorf("%s is sent %d of %d in %d flushes", c.name, got[c.id], want, flushes)
		}
	}
	if len(l.list) > 0 {
		t.Errorf("%d debts are left", len(l.list))
	}
}

// TestChangeCostsTheSame: a change is as much work however many it is owed to.
func TestChangeCostsTheSame(t *testing.T) {
	least := func(conns int) time.Duration {
		var names []string
		for i := range conns {
			names = append(names, fmt.Sprint("tab", i))
		}
		best := time.Hour
		for range 5 {
			l := newDebtRig(names...)
			start := time.Now()
			for i := range 700 {
				l.add(fmt.Sprint("n", i), "")
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	if few, many := least(2), least(2000); many > 10*few {
		t.Errorf("700 changes take %v with 2 connections, and %v with 2000", few, many)
	}
}
