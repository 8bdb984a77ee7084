package sim_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// TestRingsBecomeOne: operators make one of several rings of one name, all at once, while
// nodes join, crash and come back. Nobody is refused for its ring, those neither who were
// away, and in the end all have an id in common.
func TestRingsBecomeOne(t *testing.T) {
	t.Parallel()
	schedules(t, 40, sim.Config{}, 2, func(r *ring) error {
		rings := [][]*sim.Machine{r.all}
		for i := range 1 + r.IntN(3) {
			var of []*sim.Machine
			for k := range 2 + r.IntN(3) {
				m := r.machine(fmt.Sprintf("%c%d", 'a'+i, k), sim.Options{})
				of = append(of, m)
				var join []string
				if k > 0 {
					join = append(join, of[0].Addr())
				}
				if err := m.Start(join...); err != nil {
					return err
				}
			}
			rings = append(rings, of)
		}
		r.Run(10 * core.Second)
		r.skip(2 * core.Hour)
		var refused error
		r.OnEvent(func(m *sim.Machine, e *core.Event) {
			if e.Kind == core.EventRefused && e.Code == wire.CodeRing {
				refused = fmt.Errorf("one is refused for its ring\n%s, by %s or the other way: %s", e.Name, m.Name(), e.Text)
			}
		})
		var away []*sim.Machine
		for i, of := range rings {
			r.Run(r.Int64N(20 * core.Millisecond))
			switch m := of[r.IntN(len(of))]; r.IntN(3) { // before the others are added, or meanwhile
			case 0:
				m.Crash()
				away = append(away, m)
			case 1:
				if err := r.machine(fmt.Sprint("new", i), sim.Options{}).Start(m.Addr()); err != nil {
					return err
				}
			}
		}
		for i := 1; i < len(rings); i++ {
			before := rings[r.IntN(i)]
			if by, to := running(before), running(rings[i]); by != nil && to != nil {
				by.Do(core.Command{Op: core.Add, Addr: to.Addr()})
			}
			r.Run(r.Int64N(5 * core.Millisecond))
		}
		r.Run(r.Int64N(3 * core.Second))
		for _, m := range away {
			if err := m.Start(); err != nil {
				return err
			}
			r.Run(r.Int64N(core.Second))
		}
		if err := r.Settle(core.Minute); err != nil {
			return errors.Join(err, refused)
		}
		return refused
	})
}

// running returns one of some machines that runs.
func running(all []*sim.Machine) *sim.Machine {
	for _, m := range all {
		if m.Running() {
			return m
		}
	}
	return nil
}
