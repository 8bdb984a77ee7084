package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestChangesCostWhatTheyAre: what a change costs to be written follows from what has changed, and
// not from how many members there are.
func TestChangesCostWhatTheyAre(t *testing.T) {
	for _, n := range []int{100, 1_000, 10_000} {
		p := newBenchPeer(t, n)
		if b, err := p.ring.Changes(0); b != nil || err != nil {
			t.Errorf("before a snapshot it says %x, %v", b, err)
		}
		whole, err := p.ring.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		written := uint64(0)
		most := 0
		for i := range 5 {
			p.receive(news(i, 1, i))
			var dirty []core.Effect
			for range 70 { // until presences are written
				p.now += core.Second
				p.step(core.Input{Kind: core.Tick})
				dirty = append(dirty, of(p.sent, core.Dirty)...)
				p.receive((&wire.Frame{Kind: wire.KindAlive}).Append(nil))
				dirty = append(dirty, of(p.sent, core.Dirty)...)
			}
			if len(dirty) == 0 {
				continue
			}
			before := p.ring.Looks()
			b, err := p.ring.Changes(written)
			looks := p.ring.Looks() - before
			var c wire.Change
			if err != nil || c.Decode(b) != nil {
				t.Fatalf("%v, %x", err, b)
			}
			// Others become suspect meanwhile, some in each round.
			records := len(c.Records) + len(c.Gone)
			if records == 0 || records > 100 || len(b) > 40+100*records || looks > uint64(4*records) {
				t.Errorf("of %d members %d records take %d bytes and %d looks", n, records, len(b), looks)
			}
			most, written = max(most, records), dirty[len(dirty)-1].Seq
		}
		t.Logf("%d members: a snapshot has %d bytes, and a change %d records at most", n, len(whole), most)
		if written == 0 {
			t.Errorf("of %d members none changes", n)
		}
	}
}

// TestChangesAreAskedForAgain: what could not be written is said again, with what came since; what
// was written is not.
func TestChangesAreAskedForAgain(t *testing.T) {
	g := start(t, me())
	dev := g.peer("dev")
	b, _ := g.ring.Snapshot()
	since := g.dirty
	names := func(since uint64) (all []string) {
		b, _ := g.ring.Changes(since)
		var c wire.Change
		if err := c.Decode(b); err != nil {
			t.Fatal(err)
		}
		for _, r := range c.Records {
			if r.Set == wire.Nodes {
				all = append(all, r.Name)
			}
		}
		return all
	}
	var s wire.Snapshot
	if err := s.Decode(b); err != nil {
		t.Fatal(err)
	}
	if got := names(since); len(got) != 0 {
		t.Errorf("nothing has changed, and it says %q", got)
	}
	g.wall++
	g.receive(dev, rumor(g.member("a", wire.Member{Address: "a:1"})))
	first := g.dirty
	if got := names(since); len(got) != 1 || got[0] != "a" {
		t.Errorf("it says %q", got)
	}
	g.receive(dev, rumor(g.member("b", wire.Member{Address: "b:1"})))
	if got := names(since); len(got) != 2 {
		t.Errorf("again it says %q", got)
	}
	if got := names(first); len(got) != 1 || got[0] != "b" {
		t.Errorf("after the first was written it says %q", got)
	}
	if got := names(g.dirty); len(got) != 0 {
		t.Errorf("after all was written it says %q", got)
	}
}
