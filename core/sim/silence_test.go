package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// right expects that all is well within 2 s, and that nobody accuses a node from
// then on for as long as TCP may take to send again.
func (r *ring) right() error {
	from := r.Now()
	seen := r.alarms()
	r.RunUntil(2*core.Minute+10*core.Second, func() bool { return r.Check() == nil })
	took := r.Now() - from
	r.Run(2*core.Minute + 10*core.Second)
	late := seen.of(core.Unknown, from+2*core.Second)
	if took > 2*core.Second {
		return fmt.Errorf("right too late\nafter %s, with %d accusations of healthy nodes later than 2 s", duration(took), len(late))
	}
	if err := late.err("accused after all was right again"); err != nil {
		return err
	}
	return r.Check()
}

// A middlebox forgets all connections of a ring, and tells nobody: all is well
// soon, and no node is shown down.
func TestAllForgotten(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3, 12} {
		schedules(t, 3, lan, n, func(r *ring) error {
			seen := r.alarms()
			r.ForgetAll()
			r.Run(10 * core.Second)
			if err := seen.of(core.Down, 0).err("shown down"); err != nil {
				return err
			}
			return r.right()
		})
	}
}

// Connections of single pairs are forgotten, or one direction of them, again and
// again: nobody is shown down, and nobody is accused for long.
func TestSomeForgotten(t *testing.T) {
	t.Parallel()
	schedules(t, 3, lan, 6, func(r *ring) error {
		seen := r.alarms()
		for range 20 {
			a, b := r.pair()
			if r.IntN(2) == 0 {
				r.Forget(a, b)
			} else {
				r.ForgetWay(a, b)
			}
			r.Run(r.Int64N(5 * core.Second))
		}
		if err := seen.of(core.Down, 0).err("shown down"); err != nil {
			return err
		}
		r.Run(2 * core.Second)
		return r.right()
	})
}

// pair draws two nodes.
func (r *ring) pair() (a, b *sim.Machine) {
	i := r.IntN(len(r.all))
	return r.all[i], r.all[(i+1+r.IntN(len(r.all)-1))%len(r.all)]
}

// When a partition heals, all is right within 2 s, however long it lasted, and
// nobody accuses a healthy node later on.
func TestRightAfterHealing(t *testing.T) {
	t.Parallel()
	for _, lasts := range []int64{20 * core.Second, core.Minute, 5 * core.Minute} {
		for _, part := range []int{1, 4} {
			t.Run(fmt.Sprintf("%d of 8 for %s", part, duration(lasts)), func(t *testing.T) {
				t.Parallel()
				schedules(t, 3, lan, 8, func(r *ring) error {
					r.Partition(r.all[8-part:])
					r.Run(lasts)
					r.Heal()
					return r.right()
				})
			})
		}
	}
}

// What was added on either side of a partition is known to all within 2 s of
// its healing.
func TestAddsInAPartition(t *testing.T) {
	t.Parallel()
	schedules(t, 3, lan, 6, func(r *ring) error {
		r.Partition(r.all[3:])
		r.Run(core.Minute)
		for i, name := range []string{"x", "y"} {
			if _, err := r.add(r.all[i*3], name); err != nil {
				return err
			}
		}
		r.Run(r.Int64N(10 * core.Second))
		r.Heal()
		return r.within(2*core.Second, "all know what was added", func() bool {
			return !slices.ContainsFunc(r.all, func(m *sim.Machine) bool {
				return shows(m, "x") == core.Removed || shows(m, "y") == core.Removed
			})
		})
	})
}

// A node that reaches but one other, which reaches all, is held for up by all,
// and holds all for up.
func TestReachesOneOnly(t *testing.T) {
	t.Parallel()
	schedules(t, 3, lan, 8, func(r *ring) error {
		seen := r.alarms()
		for _, m := range r.all[2:] {
			r.CutLink(r.all[0], m)
		}
		r.Run(2 * core.Minute)
		if err := seen.of(core.Down, 0).err("shown down"); err != nil {
			return err
		}
		if n := seen.of(core.Unknown, r.Now()-core.Minute).times(); n > 10 {
			return fmt.Errorf("suspected for as long as it lasts\n%d times in the second minute", n)
		}
		r.Heal()
		return r.right()
	})
}

// On healing, no node of one side shows another of the same side otherwise than
// up, though the other side's verdict on it comes first.
func TestNeighboursWhileHealing(t *testing.T) {
	t.Parallel()
	schedules(t, 5, lan, 8, func(r *ring) error {
		r.Partition(r.all[4:])
		for _, a := range r.all[:4] { // no silence is left of it
			for _, b := range r.all[4:] {
				r.ResetAll(a, b)
			}
		}
		r.Run(30 * core.Second)
		all := r.alarms()
		r.Heal()
		r.Run(10 * core.Second)
		wrong := slices.DeleteFunc(*all, func(a alarm) bool { return (a.by < "n4") != (a.of < "n4") })
		return wrong.err("shown wrong by a neighbour")
	})
}
