package sim_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// A member that comes back after 25 hours is not deleted by a node that does not
// know it yet, since it is just joining itself.
func TestStaleMeetsNewcomer(t *testing.T) {
	t.Parallel()
	schedules(t, 300, sim.Config{}, 4, func(r *ring) error {
		late, empty := r.all[2], r.all[1]
		late.Crash()
		empty.Crash()
		r.skip(25 * core.Hour)
		empty.LoseDisk()
		if err := empty.Start(r.all[0].Addr()); err != nil {
			return err
		}
		r.Run(80*core.Millisecond + r.Int64N(40*core.Millisecond))
		if err := late.Start(); err != nil {
			return err
		}
		r.RunUntil(30*core.Second, func() bool { return !late.Running() })
		if why, _ := late.Halted(); !late.Running() {
			return fmt.Errorf("n2 halted: %v", why)
		}
		return r.Settle(core.Minute)
	})
}

// A node that was away for 40 days, and reaches nobody, trusts its memory no more
// after a while than at first: what was removed meanwhile does not come back by it.
func TestStaleWithoutContact(t *testing.T) {
	t.Parallel()
	schedules(t, 2, sim.Config{}, 2, func(r *ring) error {
		r.skip(40 * core.Day)
		back := r.machine("back", sim.Options{})
		members := []string{"n0", "n1", "back", "gone"}
		absent, soon := 97, core.Minute
		if r.IntN(2) == 0 { // of so many two are not found soon by ten dials a period
			absent, soon = 1500, 10*core.Minute
		}
		for i := range absent {
			members = append(members, fmt.Sprintf("away%d", i))
		}
		back.Disk().Ring = ringFile(r.all[0], "back", back.Wall()-40*core.Day, members)
		fresh := false
		r.OnEvent(func(m *sim.Machine, e *core.Event) { fresh = fresh || m == back && e.Kind == core.EventFresh })
		r.Partition([]*sim.Machine{back})
		if err := back.Start(); err != nil {
			return err
		}
		r.Run(30 * core.Minute)
		if fresh {
			return errors.New("it was stale no more without having met anybody")
		}
		r.Heal()
		err := r.within(soon, "it is stale no more", func() bool { return fresh || !back.Running() })
		if s := shows(r.all[0], "gone"); s != core.Removed {
			err = fmt.Errorf("it brought back what was removed: n0 shows it %v", s)
		}
		return err
	})
}

// ringFile is the ring file of a node that was last in contact at a time, when all
// of some members were up. Its ring is that of a machine, or nobody's.
func ringFile(of *sim.Machine, name string, at int64, members []string) []byte {
	s := wire.Snapshot{Ring: "sim", Name: name, Wall: at, LastContact: at}
	if of != nil {
		var its wire.Snapshot
		if b, err := of.Snapshot(); err != nil || its.Decode(b) != nil {
			panic("it has no ring")
		}
		s.IDs = its.IDs
	}
	for i, m := range members {
		p := wire.Presence{Address: m + ":7946", Instance: wire.Instance{Start: at - core.Day, Nonce: uint64(i)}, Version: 1}
		s.Records = append(s.Records,
			wire.Record{Set: wire.Nodes, Name: m, Stamp: at - core.Day, Value: wire.Member{Address: p.Address}.Value()},
			wire.Record{Set: wire.Up, Name: m, Stamp: at - core.Day, Value: p.Value()})
	}
	return s.Append(nil)
}

// An operator who adds a node at one that is stale gets what he asked for, then
// and later, and the node is stale no more as soon as it has asked somebody.
func TestAddWhileStale(t *testing.T) {
	t.Parallel()
	schedules(t, 100, sim.Config{}, 3, func(r *ring) error {
		r.Run(core.StableFor) // so that the others know better
		stale := r.all[2]
		stale.Crash()
		r.skip(25 * core.Hour)
		if err := r.machine("new", sim.Options{}).Start(); err != nil {
			return err
		}
		for _, m := range r.all {
			r.Slow(m, r.Machine("new"), r.Int64N(30*core.Millisecond))
		}
		r.Run(core.Second)
		became, fresh := false, false
		r.OnEvent(func(m *sim.Machine, e *core.Event) {
			became, fresh = became || m == stale && e.Kind == core.EventStale, fresh || m == stale && e.Kind == core.EventFresh
		})
		if err := stale.Start(); err != nil {
			return err
		}
		r.Run(r.Int64N(118 * core.Millisecond))
		for _, name := range []string{[]string{"new", "n0", "n1"}[r.IntN(3)], "later"} {
			c, err := r.add(stale, name)
			if err == nil && c.Code == 0 {
				err = r.within(core.Minute, "all know "+name+", whose add was acknowledged", func() bool {
					return shows(r.all[0], name) != core.Removed && shows(r.all[1], name) != core.Removed
				})
			}
			if err != nil {
				return err
			}
		}
		r.Run(core.Minute)
		if became && !fresh {
			return errors.New("it is stale for ever")
		}
		return nil
	})
}

// A node that was away for 40 days, and another, or two that are new, meet each other
// first, and then some of them those who know better: what was removed meanwhile does
// not come back by the others.
func TestStaleTogether(t *testing.T) {
	t.Parallel()
	schedules(t, 2, sim.Config{}, 5, func(r *ring) error {
		late := r.all[2:4]
		for _, m := range late {
			m.Crash()
		}
		r.Run(10 * core.Second)
		if _, err := r.do(r.all[0], core.Command{Op: core.Del, Name: "n4"}); err != nil {
			return err
		}
		r.Run(25 * core.Hour)
		r.skip(41 * core.Day)
		r.Run(2 * core.Minute)
		var join []string
		if r.IntN(2) == 0 {
			late = append(late[:1:1], r.machine("x", sim.Options{}), r.machine("y", sim.Options{}))
			join = append(join, "n2:7946", "x:7946", "y:7946")
		}
		r.Partition(late)
		for _, m := range late {
			if err := m.Start(join...); err != nil {
				return err
			}
			r.Run(r.Int64N(core.Second))
		}
		r.Run(20*core.Second + r.Int64N(20*core.Second))
		back := ""
		r.OnEvent(func(m *sim.Machine, e *core.Event) {
			if e.Kind == core.EventNode && e.Node.Name == "n4" && e.Node.State != core.Removed && (m == r.all[0] || m == r.all[1]) {
				back = m.Name()
			}
		})
		r.Heal()
		if r.IntN(2) == 0 {
			for _, m := range late[1:] {
				r.CutLink(m, r.all[0])
				r.CutLink(m, r.all[1])
			}
		}
		r.Run(2 * core.Minute)
		r.Heal()
		r.Run(2 * core.Minute)
		if back != "" {
			return errors.New("what was removed is back")
		}
		for _, m := range append(r.all[:2:2], late...) {
			if s := shows(m, "n4"); s != core.Removed {
				return fmt.Errorf("%s shows n4 %v", m.Name(), s)
			}
		}
		return nil
	})
}

// A node sleeps for 40 days, with its connections open. What it finds there, unread,
// when it awakes does not mean that it was in contact.
func TestStaleAsleep(t *testing.T) {
	t.Parallel()
	schedules(t, 1, sim.Config{}, 5, func(r *ring) error {
		late := r.all[2]
		if r.IntN(2) == 0 {
			late.Sleep()
		} else {
			late.Pause()
		}
		r.Run(10 * core.Second)
		if _, err := r.do(r.all[0], core.Command{Op: core.Del, Name: "n4"}); err != nil {
			return err
		}
		r.Run(20 * core.Second)
		r.Run(25 * core.Hour)
		r.skip(41 * core.Day)
		r.Run(2 * core.Minute)
		back := ""
		r.OnEvent(func(m *sim.Machine, e *core.Event) {
			if e.Kind == core.EventNode && e.Node.Name == "n4" && e.Node.State != core.Removed && m != late {
				back = m.Name()
			}
		})
		late.Resume()
		r.Run(2 * core.Minute)
		if back != "" {
			return errors.New("what was removed is back")
		}
		return nil
	})
}

// A tab whose gateway is stale, since it was alone for long, shows all that it does.
func TestTabOfStaleGateway(t *testing.T) {
	t.Parallel()
	schedules(t, 3, sim.Config{}, 4, func(r *ring) error {
		for _, m := range r.all[1:] {
			m.Crash()
		}
		r.Run(10 * core.Second)
		if r.IntN(2) == 0 {
			r.all[0].Crash()
		}
		r.skip(25 * core.Hour)
		if !r.all[0].Running() {
			if err := r.all[0].Start(); err != nil {
				return err
			}
		}
		tab := r.machine("tab", sim.Options{Guest: true})
		if err := tab.Start(r.all[0].Addr()); err != nil {
			return err
		}
		if r.IntN(2) == 0 {
			if err := r.all[1].Start(); err != nil {
				return err
			}
		}
		return r.within(core.Minute, "the tab shows who its gateway does", func() bool {
			return tab.View().Len() == r.all[0].View().Len() && tab.View().Len() == 5
		})
	})
}

// A node is left of its ring for longer than a day, and then come machines in the
// place of the others, with empty disks, which may meet each other first, and be
// started again: they do not know better than it who belongs to the ring.
func TestStaleMeetsNewcomers(t *testing.T) {
	t.Parallel()
	schedules(t, 40, sim.Config{}, 3, func(r *ring) error {
		left := r.all[0]
		if _, err := r.add(left, "ghost"); err != nil {
			return err
		}
		r.Run(5 * core.Second)
		for _, m := range r.all[1:] {
			m.Crash()
		}
		r.Run(10 * core.Second)
		r.skip(25 * core.Hour)
		r.Slow(left, r.all[1], r.Int64N(40*core.Millisecond))
		r.Slow(left, r.all[2], r.Int64N(40*core.Millisecond))
		if r.IntN(2) == 0 {
			left.Pause()
		}
		for _, m := range r.all[1:] {
			m.LoseDisk()
			if err := m.Start("n0:7946", "n1:7946", "n2:7946"); err != nil {
				return err
			}
			r.Run(r.Int64N(20 * core.Millisecond))
		}
		if left.Paused() {
			r.Run(10 * core.Second)
			for _, m := range r.all[1:] {
				if r.IntN(2) == 0 { // what it is must outlive its process
					m.Crash()
					if err := m.Start("n0:7946", "n1:7946", "n2:7946"); err != nil {
						return err
					}
				}
			}
			r.Run(r.Int64N(10 * core.Second))
			left.Resume()
		}
		r.Run(core.Minute)
		if why, _ := left.Halted(); !left.Running() {
			return errors.New("the one that was left halted: " + why.String())
		}
		for _, m := range r.all {
			if shows(m, "ghost") == core.Removed {
				return errors.New("what was added is lost")
			}
		}
		return r.Settle(core.Minute)
	})
}
