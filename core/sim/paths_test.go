package sim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// Paths of all kinds go wrong, none of which takes a node from the ring: nobody is
// shown down, what is added is known to all within seconds, nobody is accused
// for as long as it lasts, and when it is over all is well within 2 s.
func TestBadPaths(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		nodes int
		wrong func(r *ring)
		times int // that anybody is accused at most in the second minute
	}{
		{"all forgotten with a reset", 6, func(r *ring) { r.ForgetAllLoudly() }, 0},
		{"one link forgotten with a reset", 6, func(r *ring) { r.ForgetLoudly(r.pair()) }, 0},
		{"no new connections", 16, func(r *ring) { r.every((*sim.World).DropNew) }, 0},
		{"new connections refused", 16, func(r *ring) { r.every((*sim.World).RefuseNew) }, 0},
		{"one cannot be dialled", 16, func(r *ring) { r.toOne((*sim.World).DropNew) }, 0},
		{"one cannot dial", 16, func(r *ring) { r.fromOne((*sim.World).DropNew) }, 0},
		{"one's dials are refused", 16, func(r *ring) { r.fromOne((*sim.World).RefuseNew) }, 0},
		{"dials to one are refused", 16, func(r *ring) { r.toOne((*sim.World).RefuseNew) }, 0},
		{"one link cut one way", 6, func(r *ring) { r.CutWay(r.pair()) }, 2},
		{"one heard by one only", 6, func(r *ring) {
			for _, m := range r.all[2:] {
				r.CutWay(r.all[0], m)
			}
		}, 10},
		{"a narrow path", 6, func(r *ring) { a, b := r.pair(); r.Narrow(a, b, 300) }, 2},
		{"one behind narrow paths", 6, func(r *ring) {
			for _, m := range r.all[1:] {
				r.Narrow(r.all[0], m, 500)
			}
		}, 2},
		{"another address", 16, func(r *ring) { r.all[0].Renumber("elsewhere:7946") }, 0},
		{"addresses swapped", 16, func(r *ring) { r.SwapAddresses(r.pair()) }, 0},
		{"a name leads to another", 16, func(r *ring) { a, b := r.pair(); r.Resolve(a.Addr(), b); r.ResetAll(a, b) }, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			schedules(t, 2, lan, test.nodes, func(r *ring) error {
				seen := r.alarms()
				test.wrong(r)
				for i, m := range r.all {
					name := fmt.Sprint("x", i, strings.Repeat("-", 40))
					if _, err := r.add(m, name); err != nil {
						return err
					}
					err := r.within(5*core.Second, "all know what was added", func() bool {
						return !slices.ContainsFunc(r.all, func(m *sim.Machine) bool { return shows(m, name) == core.Removed })
					})
					if err != nil {
						return fmt.Errorf("%w\nby %s", err, m.Name())
					}
				}
				r.Run(2 * core.Minute)
				if err := seen.of(core.Down, 0).err("shown down"); err != nil {
					return err
				}
				if n := seen.of(core.Unknown, r.Now()-core.Minute).times(); n > test.times {
					return fmt.Errorf("accused for as long as it lasts\n%d times in the second minute", n)
				}
				r.Heal()
				return r.right()
			})
		})
	}
}

// every does something to each way between two nodes.
func (r *ring) every(do func(w *sim.World, from, to *sim.Machine)) {
	for _, a := range r.all {
		for _, b := range r.all {
			if a != b {
				do(r.World, a, b)
			}
		}
	}
}

func (r *ring) toOne(do func(w *sim.World, from, to *sim.Machine)) {
	for _, m := range r.all[1:] {
		do(r.World, m, r.all[0])
	}
}

func (r *ring) fromOne(do func(w *sim.World, from, to *sim.Machine)) {
	for _, m := range r.all[1:] {
		do(r.World, r.all[0], m)
	}
}

// A third of a larger ring cannot dial: hardly anybody is accused for that.
func TestManyCannotDial(t *testing.T) {
	t.Parallel()
	schedules(t, 1, lan, 40, func(r *ring) error {
		for _, from := range r.all[:13] {
			for _, to := range r.all {
				if from != to {
					r.DropNew(from, to)
				}
			}
		}
		seen := r.alarms()
		r.Run(3 * core.Minute)
		if err := seen.of(core.Down, 0).err("shown down"); err != nil {
			return err
		}
		// Which dials go wrong at once is chance, and any change draws other numbers: of 240 schedules 36 have more than 6,
		// and one 35, with a mean of 4.0, as it was before rings had ids (30, 45, 4.0). So this is a bound for the one
		// schedule that is always run; where each dial in vain makes helpers dial there are 30 to 79.
		if n := seen.times(); n > 15 {
			return fmt.Errorf("accused again and again\n%d times in three minutes", n)
		}
		return nil
	})
}

// TestLastConnectionBreaks: who cannot be dialled, and has learnt that it cannot reach
// one of two, loses the other when the way to the first is there again.
func TestLastConnectionBreaks(t *testing.T) {
	t.Parallel()
	schedules(t, 40, sim.Config{}, 2, func(r *ring) error {
		n0, n1 := r.all[0], r.all[1]
		n2 := r.machine("n2", sim.Options{DialOnly: true})
		r.CutWay(n0, n2)
		if err := n2.Start(n0.Addr(), n1.Addr()); err != nil {
			return err
		}
		r.Run(10*core.Second + r.Int64N(40*core.Second))
		n1.Crash()
		r.Heal()
		r.Run(6 * core.Second) // it would be down after 4
		if is := shows(n0, "n2"); is != core.Alive {
			return fmt.Errorf("n0 shows n2, which can reach it, %v", is)
		}
		return nil
	})
}
