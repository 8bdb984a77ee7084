package sim_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// Old ring files are put back: of most of a ring, and of the node that was removed since.
// They are memories like any: what was removed does not come back by them, whatever their
// age, and whoever meets whom first.
func TestBackupsResurrectNobody(t *testing.T) {
	t.Parallel()
	schedules(t, 8, sim.Config{}, 5, func(r *ring) error {
		r.Run(core.Minute)
		var backups [][]byte
		for _, m := range r.all {
			backups = append(backups, bytes.Clone(m.Disk().Ring))
		}
		gone, knows := r.all[4], r.all[0]
		if _, err := r.do(knows, core.Command{Op: core.Del, Name: "n4"}); err != nil {
			return err
		}
		if err := r.within(core.Minute, "it ends", func() bool { return !gone.Running() }); err != nil {
			return err
		}
		r.Run(core.StableFor)
		r.skip([]int64{core.Hour, 24*core.Hour - core.StableFor - 2*core.Minute + r.Int64N(4*core.Minute), 25 * core.Hour, 40 * core.Day}[r.IntN(4)])
		r.Run(core.StableFor + core.Minute)

		back := append([]*sim.Machine(nil), r.all[1:4]...) // most of those that are left
		if r.IntN(2) == 0 {
			back = append(back, gone)
		}
		for _, m := range back {
			if m != gone {
				m.Crash()
			}
		}
		r.Run(r.Int64N(20 * core.Second))
		if r.IntN(2) == 0 {
			r.Partition([]*sim.Machine{knows}) // they meet each other first
		}
		r.Shuffle(len(back), func(i, j int) { back[i], back[j] = back[j], back[i] })
		for _, m := range back {
			m.Disk().Removed = false // nanoring restore wants an empty folder
			for i, of := range r.all {
				if of == m {
					m.Disk().Ring, m.Disk().Prev = bytes.Clone(backups[i]), nil
				}
			}
			if err := m.Start(); err != nil {
				return err
			}
			r.Run(r.Int64N(2 * core.Second))
		}
		r.Run(r.Int64N(core.StableFor / 2))
		came := ""
		r.OnEvent(func(m *sim.Machine, e *core.Event) {
			if m == knows && e.Kind == core.EventNode && e.Node.Name == "n4" && e.Node.State != core.Removed {
				came = "n4 is back where it was removed"
			}
		})
		r.Heal()
		if err := r.within(10*core.Minute, "n4 is gone everywhere", func() bool {
			for _, m := range r.all[:4] {
				if shows(m, "n4") != core.Removed {
					return false
				}
			}
			return !gone.Running()
		}); err != nil {
			return err
		}
		r.Run(2 * core.Minute)
		if came != "" {
			return errors.New(came)
		}
		for _, m := range r.all[:4] {
			for _, of := range r.all[:4] {
				if s := shows(m, of.Name()); s != core.Alive {
					return fmt.Errorf("%s shows %s %v", m.Name(), of.Name(), s)
				}
			}
		}
		return nil
	})
}
