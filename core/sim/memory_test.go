package sim_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// A node freezes, is removed, and another machine takes its name. When the old
// process thaws it learns that it was removed, and the new one stays.
func TestRemovedWhileFrozen(t *testing.T) {
	t.Parallel()
	schedules(t, 10, sim.Config{}, 3, func(r *ring) error {
		old := r.all[2]
		replacement := r.Add("new", sim.Options{Node: "n2"})
		if r.IntN(2) == 0 {
			replacement.Move(old.Addr())
		}
		old.Pause()
		if err := r.within(10*core.Second, "n2 is down", func() bool { return shows(r.all[0], "n2") == core.Down }); err != nil {
			return err
		}
		if _, err := r.do(r.all[0], core.Command{Op: core.Del, Name: "n2"}); err != nil {
			return err
		}
		r.Run(r.Int64N(3 * core.Second))
		if err := replacement.Start(r.all[0].Addr()); err != nil {
			return err
		}
		r.Run(r.Int64N(10 * core.Second))
		old.Resume()
		r.RunUntil(30*core.Second, func() bool { return !old.Running() })
		r.Run(30 * core.Second)
		if why, text := replacement.Halted(); !replacement.Running() {
			return fmt.Errorf("the replacement is gone\n%v: %s", why, text)
		}
		if why, _ := old.Halted(); old.Running() || why != core.HaltRemoved {
			return fmt.Errorf("the old process did not learn that it was removed\nbut %v", why)
		}
		return r.Settle(30 * core.Second)
	})
}

// A frozen node that was removed and added again, as itself, stays.
func TestReprievedWhileFrozen(t *testing.T) {
	t.Parallel()
	schedules(t, 5, sim.Config{}, 3, func(r *ring) error {
		m := r.all[2]
		m.Pause()
		r.Run(10 * core.Second)
		if _, err := r.do(r.all[0], core.Command{Op: core.Del, Name: "n2"}); err != nil {
			return err
		}
		r.Run(r.Int64N(10 * core.Second))
		if _, err := r.add(r.all[1], "n2"); err != nil {
			return err
		}
		m.Resume()
		return r.Settle(30 * core.Second)
	})
}

// A node that sees itself removed, and has some seconds to go, acknowledges no change
// that nobody hears of.
func TestCommandsInGrace(t *testing.T) {
	t.Parallel()
	for _, op := range []core.Op{core.Add, core.Del} {
		schedules(t, 5, sim.Config{}, 3, func(r *ring) error {
			m := r.all[2]
			if _, err := r.add(r.all[0], "x"); err != nil {
				return err
			}
			r.Run(2 * core.Second)
			if _, err := r.do(r.all[0], core.Command{Op: core.Del, Name: "n2"}); err != nil {
				return err
			}
			r.Run(core.Second + r.Int64N(8*core.Second))
			name, want := "y", core.Unknown
			if op == core.Del {
				name, want = "x", core.Removed
			}
			c, err := r.do(m, core.Command{Op: op, Name: name, Addr: name + ":7946"})
			if err != nil || c.Code != 0 {
				return err
			}
			return r.within(core.Minute, "all know what was acknowledged", func() bool {
				return shows(r.all[0], name) == want && shows(r.all[1], name) == want
			})
		})
	}
}

// syncs counts the sync frames that are sent while some time passes.
func (r *ring) syncs(d int64) (n int) {
	r.OnTrace(func(line string) {
		f := strings.Fields(line) // time, who, →, to whom, connection, kind
		if len(f) > 5 && f[2] == "→" && f[5] == "sync" {
			n++
		}
	})
	r.Run(d)
	r.OnTrace(traceOf())
	return n
}

// slowly is for schedules of days, which have many seconds.
func slowly(c *core.Config) { c.Period, c.ReapAfter = 10*core.Second, core.Hour }

// What time removed, a guest or a node that was down for long, leaves all nodes'
// fingerprints at one time, whoever was restarted meanwhile.
func TestReapedAcrossRestart(t *testing.T) {
	t.Parallel()
	for _, guest := range []bool{true, false} {
		schedules(t, 1, sim.Config{}, 0, func(r *ring) error {
			for _, name := range []string{"n0", "n1", "gone"} {
				m := r.machine(name, sim.Options{Tune: slowly, Guest: guest && name == "gone"})
				if err := m.Start("n0:7946"); err != nil {
					return err
				}
				r.Run(2 * core.Second)
			}
			r.Run(20 * core.Second)
			r.Machine("gone").Crash()
			if err := r.within(2*core.Hour, "it is reaped", func() bool {
				return shows(r.Machine("n0"), "gone") == core.Removed && shows(r.Machine("n1"), "gone") == core.Removed
			}); err != nil {
				return err
			}
			age := core.TombstoneMinAge
			if guest {
				age = core.EphemeralMinAge
			}
			r.Run(age / 2)
			r.Machine("n1").Crash()
			if err := r.Machine("n1").Start(); err != nil {
				return err
			}
			r.Run(age/2 - 10*core.Minute)
			for range 6 {
				if n := r.syncs(10 * core.Minute); n > 4 {
					return fmt.Errorf("the two do not agree for long\n%d syncs in ten quiet minutes", n)
				}
			}
			return nil
		})
	}
}

// A tombstone whose node said bye is forgotten when it is old, and all were there
// for a while, whoever was restarted meanwhile.
func TestByeAcrossRestart(t *testing.T) {
	t.Parallel()
	schedules(t, 1, sim.Config{}, 0, func(r *ring) error {
		for _, name := range []string{"n0", "n1", "gone"} {
			if err := r.machine(name, sim.Options{Tune: slowly}).Start("n0:7946"); err != nil {
				return err
			}
			r.Run(2 * core.Second)
		}
		r.Run(20 * core.Second)
		if _, err := r.do(r.Machine("n0"), core.Command{Op: core.Del, Name: "gone"}); err != nil {
			return err
		}
		r.Run(core.TombstoneMinAge + 5*core.Minute)
		for _, name := range []string{"n0", "n1"} {
			m := r.Machine(name)
			m.Stop()
			r.Run(core.Second)
			if err := m.Start(); err != nil {
				return err
			}
			r.Run(core.Minute)
		}
		r.Run(core.Hour)
		for _, name := range []string{"n0", "n1"} {
			if held, err := holds(r.Machine(name), "gone"); err != nil || held {
				return errors.Join(err, fmt.Errorf("an hour later there is still a tombstone\nat %s", name))
			}
		}
		return nil
	})
}

// holds tells whether a machine's ring file would have a record of a name in nodes.
func holds(m *sim.Machine, name string) (bool, error) {
	b, err := m.Snapshot()
	var s wire.Snapshot
	if err == nil {
		err = s.Decode(b)
	}
	for _, w := range s.Records {
		if w.Set == wire.Nodes && w.Name == name {
			return true, err
		}
	}
	return false, err
}
