package sim_test

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// A host that is dialled gets another address while it runs: its connections are
// silent for as long as TCP has patience, and nobody is where it was, until another
// one is there.
func TestAddressChanges(t *testing.T) {
	t.Parallel()
	f := begin(t, func(_ *sim.World, a, _ *sim.Machine) { a.Renumber("a2:7946") })
	f.w.Run(15 * core.Minute)
	if f.hears(f.a) || f.hears(f.b) || len(f.a.lost)+len(f.b.lost) != 0 {
		t.Error("the connection is not silent")
	}
	f.w.Run(5 * core.Minute)
	if len(f.a.lost) != 1 || len(f.b.lost) < 50 || f.hears(f.b) {
		t.Errorf("lost %d and %d times", len(f.a.lost), len(f.b.lost))
	}
	if first := f.b.lost[1] - f.b.lost[0]; first != 2*core.Second {
		t.Errorf("a dial of the old address failed after %s", duration(first))
	}
	f.w.Machine("a").Renumber("a:7946")
	if f.w.Run(5 * core.Second); !f.hears(f.a) || !f.hears(f.b) {
		t.Error("it is not found at its own address")
	}
}

// The one that dials gets another address: it can dial from there.
func TestDiallersAddressChanges(t *testing.T) {
	t.Parallel()
	f := begin(t, func(_ *sim.World, _, b *sim.Machine) { b.Renumber("b2:7946") })
	f.w.Run(16 * core.Minute)
	if len(f.a.lost) != 1 || len(f.b.lost) != 1 || !f.hears(f.a) || !f.hears(f.b) {
		t.Errorf("lost %d and %d times, and then: %v, %v", len(f.a.lost), len(f.b.lost), f.hears(f.a), f.hears(f.b))
	}
}

// A host's address goes to another one, and the other way round: who sends on an
// old connection is told at once, and its dial finds the other one.
func TestAddressesSwapped(t *testing.T) {
	t.Parallel()
	f := begin(t, func(w *sim.World, a, b *sim.Machine) {
		m := w.Add("c", sim.Options{})
		if err := m.Start("a:7946"); err != nil {
			t.Fatal(err)
		}
		w.Run(core.Second)
		w.SwapAddresses(a, m)
	})
	c := f.all["c"]
	f.w.Run(10 * core.Second)
	if len(f.b.lost) != 1 || f.b.lost[0] > f.from+core.Second || !f.hears(f.b) || !f.hears(c) || f.hears(f.a) {
		t.Errorf("b was told %d times; heard: %v, %v, %v", len(f.b.lost), f.hears(f.a), f.hears(f.b), f.hears(c))
	}
	if len(f.a.lost) != 0 || len(c.lost) != 0 {
		t.Error("those were told whose sockets have the old address")
	}
}

// A name leads to another host: connections stay, and dials go there.
func TestNameChanges(t *testing.T) {
	t.Parallel()
	f := begin(t, func(w *sim.World, a, b *sim.Machine) {
		if err := w.Add("c", sim.Options{}).Start(); err != nil {
			t.Fatal(err)
		}
		w.Resolve("a:7946", w.Machine("c"))
	})
	f.w.Run(10 * core.Second)
	if !f.hears(f.a) || !f.hears(f.b) || len(f.b.lost) != 0 {
		t.Error("the connection is disturbed")
	}
	a, b := f.w.Machine("a"), f.w.Machine("b")
	reset := func(to *sim.Machine) error {
		f.w.ResetAll(b, to)
		f.w.Run(5 * core.Second)
		if f.hears(f.a) != (to != a) || !f.hears(f.b) {
			return fmt.Errorf("after a reset: %v, %v", f.hears(f.a), f.hears(f.b))
		}
		return nil
	}
	if err := reset(a); err != nil {
		t.Error(err)
	}
	f.w.Resolve("a:7946", a)
	if err := reset(f.w.Machine("c")); err != nil {
		t.Error(err)
	}
	f.w.Resolve("a:7946", nil)
	f.w.ResetAll(a, b)
	if f.w.Run(5 * core.Second); f.hears(f.a) || f.hears(f.b) {
		t.Error("nobody is found")
	}
}
