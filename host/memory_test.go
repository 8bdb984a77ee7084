package host_test

import (
	"flag"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

var long = flag.Bool("host.long", false, "merge 10,000 large frames, not 300, to see that memory stays flat")

// TestMemoryIsFlat: the module collects its own garbage. Its memory grows in the
// beginning, and then no more, whatever it is sent.
func TestMemoryIsFlat(t *testing.T) {
	t.Run("a million small frames", func(t *testing.T) {
		t.Parallel()
		e := sandboxed(t, config("me"))
		p := newPeer(t, e, 5)
		f := wire.Frame{Kind: wire.KindGossip, Seq: 1, Wall: epoch + p.now, Fingerprint: 1 << 63}
		frame := f.Append(nil)
		flat(t, e.MemorySize, 20, func() {
			for range 50_000 {
				p.receive(frame)
			}
		})
	})
	t.Run("large merges", func(t *testing.T) {
		t.Parallel()
		e := sandboxed(t, config("me"))
		p := newPeer(t, e, 2000)
		i, times := 1, 15
		if *long {
			times = 500
		}
		flat(t, e.MemorySize, times, func() {
			for range 20 {
				i++
				p.receive(presences(1, 1000, i))
			}
		})
	})
}

// TestMemoryOfARingOf1000 holds an engine of such a ring to 12 MiB, when all has
// been said.
func TestMemoryOfARingOf1000(t *testing.T) {
	e := sandboxed(t, config("me"))
	p := newPeer(t, e, 999)
	gossip := wire.Frame{Kind: wire.KindGossip, Seq: 1, Wall: epoch + p.now, Fingerprint: 1 << 63}
	for range 10_000 {
		p.receive(gossip.Append(nil))
	}
	if size := e.MemorySize(); size > 12<<20 {
		t.Errorf("%d KiB", size>>10)
	} else {
		t.Logf("%d KiB", size>>10)
	}
}

// TestStepsWithoutGarbage: what nodes do all the time leaves nothing behind at
// the host: a round, and a tick.
func TestStepsWithoutGarbage(t *testing.T) {
	p, silent := newPeer(t, sandboxed(t, config("me")), 5), newPeer(t, sandboxed(t, config("me")), 5)
	gossip := wire.Frame{Kind: wire.KindGossip, Seq: 1, Wall: epoch + p.now, Fingerprint: 1 << 63}
	frame := gossip.Append(nil)
	var acks, wakes int
	count := func(effects []core.Effect) {
		for i := range effects {
			switch effects[i].Kind {
			case core.Send:
				acks++
			case core.Wake:
				wakes++
			}
		}
	}
	for what, step := range map[string]func(){
		"round": func() { count(p.receive(frame)) },
		"tick":  func() { silent.now += 100 * core.Millisecond; count(silent.step(core.Input{Kind: core.Tick})) },
	} {
		if n := testing.AllocsPerRun(1000, step); n > 0 {
			t.Errorf("a %s allocates %v times", what, n)
		}
	}
	if acks < 1000 || wakes < 100 {
		t.Errorf("%d acks and %d wakes: that was nothing", acks, wakes)
	}
}

// flat does something so often, and expects that it takes no more memory after
// it has done so twice.
func flat(t *testing.T, size func() int, times int, do func()) {
	t.Helper()
	do()
	do()
	before := size()
	for range times - 2 {
		do()
	}
	if after := size(); after > before+before/16 {
		t.Errorf("the module's memory has grown from %d to %d KiB", before>>10, after>>10)
	}
	t.Logf("%d KiB", size()>>10)
}
