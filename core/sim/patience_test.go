package sim_test

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// When all paths get a thousand times as slow, nobody is shown down, and after a
// while nobody is suspected any more.
func TestPathsGetSlow(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3, 8} {
		schedules(t, 2, lan, n, func(r *ring) error {
			r.Run(10 * core.Second)
			for i, a := range r.all {
				for _, b := range r.all[:i] {
					r.Slow(a, b, r.between(150, 200)*core.Millisecond) // and up to a quarter more
				}
			}
			seen := r.alarms()
			r.Run(3 * core.Minute)
			if err := seen.of(core.Down, 0).err("shown down"); err != nil {
				return err
			}
			return seen.of(core.Unknown, r.Now()-2*core.Minute).err("suspected a minute later, and on")
		})
	}
}

func (r *ring) between(lo, hi int64) int64 { return lo + r.Int64N(hi-lo+1) }

// A node that is far away from all, who are near each other, is not suspected
// because one answer is late.
func TestFarNode(t *testing.T) {
	t.Parallel()
	schedules(t, 3, lan, 4, func(r *ring) error {
		far := r.all[3]
		away := func(extra int64) {
			for _, m := range r.all[:3] {
				r.Slow(m, far, 150*core.Millisecond+extra)
			}
		}
		away(0)
		r.Run(core.Minute)
		seen := r.alarms()
		for range 20 {
			r.Run(r.Int64N(2*core.Second) + 5*core.Second)
			away(250 * core.Millisecond)
			r.Run(100 * core.Millisecond)
			away(0)
		}
		return seen.of(core.Unknown, 0).err("suspected for one late answer")
	})
}

// In an idle ring a killed process is down at once for all, and never a suspect.
func TestKilledWhenIdle(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3, 5, 8} {
		t.Run(fmt.Sprintf("of %d", n), func(t *testing.T) {
			t.Parallel()
			schedules(t, 20, lan, n, func(r *ring) error {
				for range 5 {
					m := r.all[r.IntN(n)]
					r.Run(r.Int64N(6 * core.Second))
					if err := r.killed(m); err != nil {
						return err
					}
					r.Run(r.Int64N(2 * core.Second))
					if err := m.Start(); err != nil {
						return err
					}
					if err := r.Settle(20 * core.Second); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
}

// Nor is it when one of the others is just dialling it.
func TestKilledWhenDialled(t *testing.T) {
	t.Parallel()
	schedules(t, 150, sim.Config{LatencyMax: 30 * core.Millisecond}, 4, func(r *ring) error {
		r.Run(5 * core.Second)
		m, other := r.pair()
		r.ResetAll(m, other)
		r.Run(r.Int64N(100 * core.Millisecond))
		return r.killed(m)
	})
}

// killed kills a node's process, and expects that all see at once that it is down.
func (r *ring) killed(m *sim.Machine) error {
	suspected := ""
	r.OnEvent(func(by *sim.Machine, e *core.Event) {
		if e.Kind == core.EventNode && e.Node.Name == m.Node() && e.Node.State == core.Suspect && suspected == "" {
			suspected = "by " + by.Name() + " after a kill"
		}
	})
	m.Crash()
	at := r.Now()
	r.RunUntil(10*core.Second, func() bool {
		for _, o := range r.all {
			if o.Running() && shows(o, m.Node()) != core.Down {
				return false
			}
		}
		return true
	})
	switch {
	case suspected != "":
		return fmt.Errorf("suspected first\n%s of %s", suspected, m.Name())
	case r.Now()-at > core.Second/2:
		return fmt.Errorf("not down at once\n%s was shown down by all after %s", m.Name(), duration(r.Now()-at))
	}
	return nil
}

// A process was stopped, and went on. Another one of its name is as good as any: when
// it is killed, it is down at once.
func TestKilledAfterPause(t *testing.T) {
	t.Parallel()
	schedules(t, 3, lan, 5, func(r *ring) error {
		m := r.all[4]
		m.Pause()
		r.Run(10 * core.Second)
		m.Resume()
		for range 3 {
			r.Run(20 * core.Second)
			m.Stop()
			r.Run(core.Second)
			if err := m.Start(); err != nil {
				return err
			}
			r.Run(20 * core.Second)
			if err := r.killed(m); err != nil {
				return err
			}
			if err := m.Start(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Who is stopped for less than the patience is never down; who is stopped for half as long again,
// again and again, is down once.
func TestStopped(t *testing.T) {
	t.Parallel()
	const patience = 4 * core.Second // the default
	for _, test := range []struct {
		stopped int64 // of 20 s
		down    int   // how often it may be
	}{{patience / 2, 0}, {patience * 7 / 8, 0}, {patience * 3 / 2, 1}} {
		schedules(t, 5, sim.Config{LatencyMin: 50, LatencyMax: 20 * core.Millisecond}, 24, func(r *ring) error {
			victim := r.all[1+r.IntN(23)]
			r.Run(10 * core.Second) // until it is as connected as a node is
			times := 0
			for range 6 {
				victim.Pause()
				downs := r.countDowns(victim, test.stopped)
				victim.Resume()
				downs += r.countDowns(victim, 20*core.Second-test.stopped)
				if downs > 0 {
					times++
				}
			}
			if times > test.down {
				return fmt.Errorf("stopped six times for %s, it was down %d times", duration(test.stopped), times)
			}
			return nil
		})
	}
}

// countDowns lets time pass, and returns how many machines show one down meanwhile, each counted
// each time.
func (r *ring) countDowns(of *sim.Machine, d int64) (n int) {
	was := make(map[*sim.Machine]bool)
	r.RunUntil(d, func() bool {
		for _, m := range r.all {
			is := m != of && shows(m, of.Node()) == core.Down
			if is && !was[m] {
				n++
			}
			was[m] = is
		}
		return false
	})
	return n
}
