package sim_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// A process is paused, or cut off, and the other one sends on: what the kernels
// and its runtime take bounds that. What the kernel of the paused one has, it reads
// when it goes on, and then it finds the connection lost; one that was cut off for
// a minute is told nothing.
func TestFullBuffers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		size        int   // of a frame; ten are sent a second
		lasts       int64 // so long,
		least, most int64 // until the connection is given up
	}{
		{"many small frames", 1000, core.Minute, 50 * core.Second, 54 * core.Second},
		{"many bytes", 8000, core.Minute, 15 * core.Second, 18 * core.Second},
		{"a few seconds", 32000, core.Second, 30 * core.Second, 32 * core.Second},
	} {
		for _, cut := range []bool{false, true} {
			name := "paused, " + test.name
			if cut {
				name = "cut, " + test.name
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f := begin(t, func(w *sim.World, a, b *sim.Machine) {
					if cut {
						w.CutLink(a, b)
					} else {
						a.Pause()
					}
				})
				f.a.size = 0
				f.b.size = test.size
				f.w.Run(test.lasts)
				f.b.size = 0
				f.w.Run(core.Minute - test.lasts)
				if len(f.b.lost) == 0 {
					t.Fatal("the connection stays")
				}
				if took := f.b.lost[0] - f.from; took < test.least || took > test.most {
					t.Errorf("it was given up after %s", duration(took))
				}
				heard := len(f.a.heard)
				f.w.Heal()
				f.w.Machine("a").Resume()
				f.w.Run(2 * core.Minute)
				got, told := (len(f.a.heard)-heard)*test.size, len(f.a.lost) > 0
				if cut && (got > 0 || told) || !cut && (got < 200_000 || got > 262_144 || !told) {
					t.Errorf("the other one reads %d bytes, and is told of the end: %v", got, told)
				}
			})
		}
	}
}

// Why a connection ends that a runtime gives up.
func TestGivenUpFor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		size  int
		lasts int64
		code  wire.Code
	}{
		{8000, 17 * core.Second, wire.CodeSlow},
		{32000, core.Second, wire.CodeLost},
	} {
		f := begin(t, func(_ *sim.World, a, _ *sim.Machine) { a.Pause() })
		f.b.size = test.size
		f.w.Run(test.lasts)
		f.b.size = 0
		f.w.RunUntil(core.Minute, func() bool { return len(f.b.lost) > 0 })
		if f.b.code != test.code {
			t.Errorf("%d bytes at once: %s", test.size, f.b.code)
		}
	}
}

// A short pause loses nothing.
func TestShortPause(t *testing.T) {
	t.Parallel()
	f := begin(t, func(_ *sim.World, a, _ *sim.Machine) { a.Pause() })
	heard := len(f.a.heard)
	f.w.Run(20 * core.Second)
	f.w.Machine("a").Resume()
	f.w.Run(core.Second)
	if got := len(f.a.heard) - heard; got < 200 || len(f.a.lost)+len(f.b.lost) != 0 {
		t.Errorf("%d frames came of 200", got)
	}
}

// Whoever dials a paused process gives up, and that one finds all of them when it
// goes on, each at its end.
func TestDialledWhilePaused(t *testing.T) {
	t.Parallel()
	f := begin(t, func(w *sim.World, a, b *sim.Machine) {
		a.Pause()
		w.ResetAll(a, b)
	})
	f.w.Run(19 * core.Second)
	tried := len(f.b.lost)
	f.w.Machine("a").Resume()
	f.w.Run(5 * core.Second)
	if lost := len(f.a.lost); tried < 5 || lost != tried || len(f.a.conns) != 1 || !f.hears(f.a) {
		t.Errorf("of %d that were lost it found %d, and has %d", tried, lost, len(f.a.conns))
	}
}

// That a connection was closed during a cut is sent again after 51 s for the last
// time: when the cut heals later, the other side is told nothing until it sends
// something itself.
func TestClosedDuringACut(t *testing.T) {
	t.Parallel()
	for _, lasts := range []int64{40 * core.Second, core.Minute, 3 * core.Minute} {
		f := begin(t, func(w *sim.World, a, b *sim.Machine) { w.CutLink(a, b) })
		f.a.size, f.b.size = 0, 0
		f.w.Machine("a").Crash()
		f.w.Run(lasts)
		f.w.Heal()
		f.w.Run(3 * core.Minute)
		if told := len(f.b.lost) > 0; told != (lasts < 51*core.Second) {
			t.Errorf("cut for %s: told: %v", duration(lasts), told)
		}
		f.b.size = 10
		if f.w.Run(core.Second); len(f.b.lost) == 0 {
			t.Errorf("cut for %s: it sends, and is not told", duration(lasts))
		}
	}
}
