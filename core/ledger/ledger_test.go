package ledger_test

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core/ledger"
	"pgregory.net/rapid"
)

const second = 1_000_000

// What is held, and what comes back.
const (
	held ledger.Kind = iota
	flow
)

var table = ledger.Table{
	held: {One: ledger.Limit{Burst: 2}, Party: ledger.Limit{Burst: 3}, All: ledger.Limit{Burst: 5}},
	flow: {One: ledger.Limit{Burst: 10, Rate: 2}, Party: ledger.Limit{Burst: 15, Rate: 3}},
}

func Example() {
	l := ledger.New(ledger.Table{
		{What: "questions", Party: ledger.Limit{Burst: 2, Rate: 1}},
	})
	for i := range 2 {
		a := l.Open(0, "alice")
		fmt.Println(a.Take(0, 0, 1) == ledger.Enough, a.Take(0, 0, 1) == ledger.Enough)
		a.Close()
		fmt.Println("again:", i)
	}
	fmt.Println(l.Open(second, "alice").Take(second, 0, 1) == ledger.Enough)
	// Output:
	// true true
	// again: 0
	// false false
	// again: 1
	// true
}

// TestScopes: of whom there is not enough.
func TestScopes(t *testing.T) {
	l := ledger.New(table)
	a, b, c, alone := l.Open(0, "p"), l.Open(0, "p"), l.Open(0, "q"), l.Open(0, "")
	for i, test := range []struct {
		who  *ledger.Account
		want ledger.Scope
	}{
		{a, ledger.Enough}, {a, ledger.Enough}, {a, ledger.One},
		{b, ledger.Enough}, {b, ledger.Party},
		{c, ledger.Enough}, {alone, ledger.Enough}, {alone, ledger.All}, {c, ledger.All},
	} {
		if got := test.who.Take(0, held, 1); got != test.want {
			t.Errorf("%d: %v, want %v", i, got, test.want)
		}
	}
	a.Give(held, 1)
	if got := b.Take(second, held, 1); got != ledger.Enough {
		t.Errorf("of what was given back: %v", got)
	}
}

// TestOutlives: what a party has used outlives its accounts, and no longer than it counts.
func TestOutlives(t *testing.T) {
	l := ledger.New(table)
	for _, want := range []ledger.Scope{ledger.Enough, ledger.Party} {
		a := l.Open(0, "p")
		if got := a.Take(0, flow, 10); got != want {
			t.Errorf("%v, want %v", got, want)
		}
		a.Close()
	}
	for i := range 1000 { // others come and go
		l.Open(second, fmt.Sprint(i)).Close()
	}
	if got := l.Open(second, "p").Take(second, flow, 10); got != ledger.Party {
		t.Errorf("after a second: %v", got)
	}
	if n := ledger.Parties(l); n > 200 {
		t.Errorf("%d parties are kept", n)
	}
	if got := l.Open(10*second, "p").Take(10*second, flow, 10); got != ledger.Enough {
		t.Errorf("after ten: %v", got)
	}
}

// TestBounds: whatever is asked for, in whatever order, nobody gets more than its burst and
// what came back meanwhile, and what is refused takes nothing of anybody.
func TestBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := ledger.New(table)
		got := make(map[string]int64)
		now := int64(0)
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			now += rapid.Int64Range(0, 2*second).Draw(t, "passes")
			name := rapid.SampledFrom([]string{"p", "q"}).Draw(t, "party")
			amount := rapid.Int64Range(1, 11).Draw(t, "amount")
			a := l.Open(now, name)
			if a.Take(now, flow, amount) == ledger.Enough {
				got[name] += amount
			}
			a.Close()
			if most := table[flow].Party.Burst + now*table[flow].Party.Rate/second; got[name] > most {
				t.Fatalf("%s has had %d, of %d", name, got[name], most)
			}
		}
		a := l.Open(now+20*second, "p")
		if a.Take(now+20*second, flow, table[flow].One.Burst) != ledger.Enough {
			t.Fatal("it does not come back")
		}
	})
}
