package native

import (
	"fmt"
	"reflect"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

func (b *board) hear(name string, state core.State, tags ...wire.Tag) {
	b.apply(&core.Event{Kind: core.EventNode, Node: core.Node{Name: name, State: state, Tags: tags}}, time.UnixMicro(int64(b.seq+1)))
}

// told is what somebody hears first, a word for each.
func told(seen []Event) (words string) {
	for _, e := range seen {
		switch {
		case e.Gap:
			words += "gap "
		case e.Seq > 0:
			words += fmt.Sprint(e.Seq, ":", e.Node.Name, ":", e.What, " ")
		default:
			words += e.Node.Name + " "
		}
	}
	return words
}

// TestWatchSince: who comes back is told what happened meanwhile, or that this is not
// known any more, and then what there is.
func TestWatchSince(t *testing.T) {
	var b board
	for i := range 5 * maxHistory / 2 {
		b.hear(fmt.Sprint("n", i%2), core.Alive)
	}
	last := b.seq
	b.hear("n0", core.Down)
	b.hear("n1", core.Removed)
	for since, want := range map[uint64]string{
		b.seq:                  "",
		b.seq - 1:              fmt.Sprint(last+2, ":n1:removed "),
		last:                   fmt.Sprint(last+1, ":n0:down ", last+2, ":n1:removed "),
		b.seq + 1:              "gap n0 ",
		0:                      "gap n0 ",
		b.seq - maxHistory - 1: "gap n0 ",
	} {
		seen, w := b.watchSince(since, nil)
		if got := told(seen); got != want || w.from != b.seq {
			t.Errorf("since %d of %d: %q, not %q", since, b.seq, got, want)
		}
	}
	if seen, _ := b.watchSince(b.seq-maxHistory, nil); len(seen) != maxHistory {
		t.Errorf("of the last %d events %d are known", maxHistory, len(seen))
	}
}

// TestCompact: nobody sees that what happened was copied, and nothing is kept of what it was copied from.
func TestCompact(t *testing.T) {
	var b board
	var first weak.Pointer[core.Node]
	for i := range 3 * maxHistory / 2 {
		b.hear(fmt.Sprint("n", i%7), []core.State{core.Alive, core.Down, core.Removed}[i%3], wire.Tag{Key: "k", Value: fmt.Sprint(i)})
		if i == 0 {
			first = weak.Make(b.history[0].node)
		}
	}
	if runtime.GC(); first.Value() != nil {
		t.Error("a node is kept of an event that is known no more")
	}
	old := weak.Make(b.history[len(b.history)-2].before)
	before, _ := b.watchSince(b.seq-maxHistory, nil)
	b.compact()
	after, _ := b.watchSince(b.seq-maxHistory, nil)
	if len(after) != maxHistory || !reflect.DeepEqual(after, before) {
		t.Errorf("%d events are known, %d were", len(after), len(before))
	}
	runtime.GC()
	if old.Value() != nil {
		t.Error("a node is kept that was copied")
	}
	runtime.KeepAlive(&b)
}

// TestWatchFiltered: who watches some nodes hears of those that are picked, and of those
// that are so no more.
func TestWatchFiltered(t *testing.T) {
	busy, idle := wire.Tag{Key: "is", Value: "busy"}, wire.Tag{Key: "is", Value: "idle"}
	f, err := core.ParseFilter([]string{"is=busy"}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	var b board
	b.hear("a", core.Alive, busy)
	b.hear("b", core.Alive, idle)
	seen, w := b.watch([]core.Filter{f})
	if got := told(seen); got != "a " {
		t.Errorf("there is %q", got)
	}
	b.hear("b", core.Down, idle)
	b.hear("a", core.Alive, idle)
	b.hear("a", core.Down, idle)
	b.hear("b", core.Alive, busy)
	b.apply(&core.Event{Kind: core.EventRefused, Name: "c"}, time.UnixMicro(1))
	b.hear("b", core.Removed)
	b.unwatch(w)
	var all []Event
	for e := range w.events {
		all = append(all, e.event(e.seq))
	}
	want := "4:a:updated 6:b:up 8:b:removed "
	if got := told(all); got != want {
		t.Errorf("it hears %q, not %q", got, want)
	}
	again, _ := b.watchSince(3, []core.Filter{f})
	if got := told(again); got != want {
		t.Errorf("later it hears %q, not %q", got, want)
	}
}

// TestUps: how many are up, and how many others are or were, is known without a list of them.
func TestUps(t *testing.T) {
	var b board
	states := []core.State{core.Unknown, core.Alive, core.Suspect, core.Down, core.Left, core.Removed}
	for _, from := range states {
		for _, to := range states {
			b.hear("other", core.Suspect)
			b.hear("n", from)
			b.hear("n", to)
			if b.up != nil || b.ups != len(b.upNodes()) {
				t.Fatalf("%d are up of %v when one is %v after %v", b.ups, b.nodes(), to, from)
			}
			for _, own := range []string{"n", "nobody"} {
				others := 0
				for _, n := range b.nodes() {
					if n.Name != own && (isUp(n.State) || n.State == core.Down) {
						others++
					}
				}
				if got := b.others(own); got != others {
					t.Fatalf("%d others than %s are up or down of %v", got, own, b.nodes())
				}
			}
		}
	}
}
