package sim_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// A clock goes from almost a minute ahead to behind, both of which are allowed: its
// node, when it is accused, is up again as soon as any other would be.
func TestClockStepsBack(t *testing.T) {
	t.Parallel()
	schedules(t, 5, sim.Config{}, 3, func(r *ring) error {
		m := r.all[2]
		m.Stop()
		m.StepClock(55 * core.Second)
		if err := m.Start(); err != nil {
			return err
		}
		if err := r.Settle(core.Minute); err != nil {
			return err
		}
		m.StepClock(-85 * core.Second)
		r.Run(r.Int64N(3 * core.Second))
		m.Pause()
		err := r.within(10*core.Second, "n2, which is stopped, is down", func() bool { return shows(r.all[0], "n2") == core.Down })
		m.Resume()
		if err != nil {
			return err
		}
		return r.within(4*core.Second, "n2, which goes on, is up", func() bool {
			return shows(r.all[0], "n2") == core.Alive && shows(r.all[1], "n2") == core.Alive
		})
	})
}

// A node whose clock is an hour off, which nobody lets in, acknowledges no change
// that nobody then hears of.
func TestAddAtWrongClock(t *testing.T) {
	t.Parallel()
	for _, off := range []int64{core.Hour, -core.Hour} {
		schedules(t, 2, sim.Config{}, 3, func(r *ring) error {
			m := r.all[2]
			m.StepClock(off)
			r.Run(core.Minute)
			c, err := r.add(m, "x")
			if err != nil || c.Code != 0 {
				return err
			}
			return r.within(5*core.Minute, "all know what was acknowledged", func() bool {
				return shows(r.all[0], "x") != core.Removed && shows(r.all[1], "x") != core.Removed
			})
		})
	}
}

// Nobody shows a node as simply up whose clock is an hour off, and which therefore
// has no connection with anybody; and all are told why.
func TestWrongClockIsShown(t *testing.T) {
	t.Parallel()
	for _, off := range []int64{core.Hour, -core.Hour} {
		schedules(t, 2, sim.Config{}, 3, func(r *ring) error {
			m := r.all[2]
			told := make(map[string]bool)
			r.OnEvent(func(by *sim.Machine, e *core.Event) {
				told[by.Name()] = told[by.Name()] || e.Kind == core.EventSkew && (e.Name == "n2" || by == m)
			})
			m.StepClock(off)
			r.Run(5 * core.Minute)
			if len(told) < 3 || !told["n0"] || !told["n1"] || !told["n2"] {
				return fmt.Errorf("not all were told\nonly %v", told)
			}
			if shows(r.all[0], "n2") == core.Alive || shows(r.all[1], "n2") == core.Alive {
				return errors.New("it is shown as up")
			}
			if shows(r.all[0], "n1") != core.Alive || shows(r.all[1], "n0") != core.Alive {
				return errors.New("the others suffer from it")
			}
			m.StepClock(-off)
			return r.Settle(30 * core.Second)
		})
	}
}
