package sim_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// fate is of two who talk ten times a second, b having dialled a, from something
// that happened on.
type fate struct {
	w    *sim.World
	all  map[string]*talker
	a, b *talker
	from int64
}

func begin(t *testing.T, what func(w *sim.World, a, b *sim.Machine)) *fate {
	t.Helper()
	w, all := crowd(t)
	what(w, w.Machine("a"), w.Machine("b"))
	return &fate{w, all, all["a"], all["b"], w.Now()}
}

// hears tells whether a talker heard something in the last second.
func (f *fate) hears(e *talker) bool { return since(e.heard, f.w.Now()-core.Second) >= 0 }

// A middlebox forgets a connection with a reset: who sends next is told at once,
// and the other one when it sends something itself; a new one is not disturbed.
func TestForgottenLoudly(t *testing.T) {
	t.Parallel()
	f := begin(t, func(w *sim.World, a, b *sim.Machine) { w.ForgetLoudly(a, b) })
	f.b.size = 0
	f.w.Run(10 * core.Second)
	if len(f.a.lost) != 1 || f.a.lost[0] > f.from+core.Second || len(f.b.lost) != 0 || len(f.a.conns) != 0 || len(f.b.conns) != 1 {
		t.Errorf("told %d and %d times, not once and never", len(f.a.lost), len(f.b.lost))
	}
	f.b.size = 10
	f.w.Run(10 * core.Second)
	if len(f.b.lost) != 1 || !f.hears(f.a) || !f.hears(f.b) {
		t.Errorf("b was told %d times, not once, and of a new connection: %v, %v", len(f.b.lost), f.hears(f.a), f.hears(f.b))
	}
}

// A path lets no large packet through: small frames pass, nothing does behind a
// large one, the other direction is not disturbed, and the connection is lost after
// TCP's patience. Then small frames pass on a new one.
func TestNarrowPath(t *testing.T) {
	t.Parallel()
	f := begin(t, func(w *sim.World, a, b *sim.Machine) { w.Narrow(a, b, 600) })
	f.w.Run(core.Minute)
	if !f.hears(f.a) || !f.hears(f.b) {
		t.Error("small frames do not pass")
	}
	f.a.size = 2000
	f.w.Run(core.Second)
	f.a.size = 10
	f.w.Run(15 * core.Minute)
	if f.hears(f.b) || !f.hears(f.a) || len(f.a.lost)+len(f.b.lost) != 0 {
		t.Errorf("behind a large frame: %v; the other way: %v", f.hears(f.b), f.hears(f.a))
	}
	f.w.Run(core.Minute)
	if len(f.a.lost) != 1 || !f.hears(f.b) || !f.hears(f.a) {
		t.Errorf("lost %d times, and then: %v, %v", len(f.a.lost), f.hears(f.b), f.hears(f.a))
	}
	f.a.size = 2000
	f.w.Run(10 * core.Second)
	healed := f.w.Now()
	f.w.Heal()
	f.w.Run(core.Minute)
	if late := since(f.b.heard, healed); late < core.Second || !f.hears(f.b) {
		t.Errorf("a large frame came %s after it could", duration(late))
	}
	f.w.Narrow(f.w.Machine("a"), f.w.Machine("b"), 1280)
	if f.w.Run(core.Minute); !f.hears(f.b) {
		t.Error("what fits into every tunnel does not fit")
	}
}

// A firewall lets the connections be that there are, and no new one through.
func TestNewOnesRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		do   func(w *sim.World, from, to *sim.Machine)
		dial int64 // a dial takes so long at least
		most int64 // and at most
	}{
		{"refused", (*sim.World).RefuseNew, 0, core.Second / 10},
		{"dropped", (*sim.World).DropNew, 2 * core.Second, 2 * core.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := begin(t, func(w *sim.World, a, b *sim.Machine) { test.do(w, b, a) })
			f.w.Run(core.Minute)
			if !f.hears(f.a) || !f.hears(f.b) || len(f.a.lost)+len(f.b.lost) != 0 {
				t.Fatal("the old connection is disturbed")
			}
			f.w.ResetAll(f.w.Machine("a"), f.w.Machine("b"))
			f.w.Run(core.Minute)
			if f.hears(f.a) || f.hears(f.b) || len(f.b.lost) < 10 {
				t.Fatal("there is a new one")
			}
			for i, at := range f.b.lost[2:] {
				if took := at - f.b.lost[i+1]; took < test.dial || took > test.most {
					t.Fatalf("a dial took %s", duration(took))
				}
			}
			f.w.Heal()
			f.w.Run(5 * core.Second)
			if !f.hears(f.a) || !f.hears(f.b) {
				t.Error("there is no new one after healing")
			}
		})
	}
	f := begin(t, func(w *sim.World, a, b *sim.Machine) { w.RefuseNew(a, b); w.ResetAll(a, b) })
	if f.w.Run(core.Second); !f.hears(f.a) {
		t.Error("dials of the other direction are refused, too")
	}
}

// One direction of a link dies: what comes the other way is not acknowledged, and
// soon nothing comes either; no dial succeeds, either way. What was sent is sent
// again, as after any cut.
func TestOneWayCut(t *testing.T) {
	t.Parallel()
	for _, back := range []bool{false, true} {
		f := begin(t, func(w *sim.World, a, b *sim.Machine) {
			if back {
				a, b = b, a
			}
			w.CutWay(a, b)
		})
		mute, other := f.a, f.b
		if back {
			mute, other = other, mute
		}
		f.w.Run(core.Second)
		if late := since(other.heard, f.from+core.Second/10); late >= 0 {
			t.Errorf("something came on the dead way after %s", duration(late))
		}
		if last := mute.heard[len(mute.heard)-1] - f.from; last < core.Second/10 || last > core.Second/2 {
			t.Errorf("the last came the other way after %s", duration(last))
		}
		f.w.Run(9 * core.Second)
		if len(f.a.lost)+len(f.b.lost) != 0 {
			t.Error("a connection was lost")
		}
		healed := f.w.Now()
		f.w.Heal()
		f.w.Run(20 * core.Second)
		for _, e := range []*talker{mute, other} {
			if late := since(e.heard, healed); late < core.Second || late > 10*core.Second {
				t.Errorf("after healing it came %s later", duration(late))
			}
		}

		f.w.ResetAll(f.w.Machine("a"), f.w.Machine("b"))
		f.w.CutWay(f.w.Machine("a"), f.w.Machine("b"))
		f.w.Run(10 * core.Second)
		if len(f.a.conns)+len(f.b.conns) > 0 {
			t.Error("a dial succeeds one way")
		}
		f.w.Heal()
		if f.w.Run(5 * core.Second); !f.hears(f.a) || !f.hears(f.b) {
			t.Error("and none does when it is whole")
		}
	}
}

// What has arrived without an acknowledgement holds up what is sent after it, until
// it was sent again; and the connection is lost after TCP's patience even if
// nothing more is sent.
func TestUnacknowledged(t *testing.T) {
	t.Parallel()
	f := begin(t, func(w *sim.World, a, b *sim.Machine) { w.CutWay(a, b) })
	f.a.size = 0
	f.w.Run(core.Second / 10)
	f.b.size = 0
	f.w.Run(10 * core.Second)
	healed := f.w.Now()
	f.w.Heal()
	f.b.size = 10
	f.w.Run(10 * core.Second)
	if late := since(f.a.heard, healed); late < core.Second || late > 8*core.Second {
		t.Errorf("it came %s after healing", duration(late))
	}
	f.b.size = 0
	f.w.CutWay(f.w.Machine("a"), f.w.Machine("b"))
	f.w.Run(16 * core.Minute)
	if len(f.b.lost) != 0 {
		t.Error("a connection with nothing under way is found dead")
	}
	f.b.size = 10
	f.w.Run(core.Second / 10)
	f.b.size = 0
	f.w.Run(15 * core.Minute)
	if len(f.b.lost) != 0 {
		t.Error("the connection was lost too early")
	}
	f.w.Run(core.Minute)
	if len(f.b.lost) == 0 {
		t.Error("the connection was not lost")
	}
}
