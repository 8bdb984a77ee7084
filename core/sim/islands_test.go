package sim_test

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// TestIslandsAtStart: the addresses to join lead to nobody, or their network is cut, when a ring
// is formed: so it is several. When they can be reached, the source that names them makes one
// ring of them if one is young: after as long again as they were apart, and a minute. If all are
// old they stay what they are, and each is told of the other.
func TestIslandsAtStart(t *testing.T) {
	t.Parallel()
	schedules(t, 40, sim.Config{}, 0, func(r *ring) error {
		const source = "all:7946"
		cut, old := r.IntN(2) == 0, r.IntN(3) == 0
		islands := make([][]*sim.Machine, 2+r.IntN(2))
		of := make(map[*sim.Machine]int)
		for i := range islands {
			for k := range 2 + r.IntN(3) {
				m := r.machine(fmt.Sprintf("%c%d", 'a'+i, k), sim.Options{})
				islands[i] = append(islands[i], m)
				of[m] = i
			}
		}
		meets := islands[r.IntN(len(islands))] // where the source leads
		if cut {
			r.Partition(islands...)
			r.Resolve(source, meets[0])
		} else {
			r.Resolve(source, nil)
		}
		for _, island := range islands {
			for k, m := range island {
				join := []string{source}
				if k > 0 || r.IntN(2) == 0 {
					join = append(join, island[(k+1)%len(island)].Addr())
				}
				if k == 1 { // who has nobody to join but the source is joined
					join = append(join, island[0].Addr())
				}
				if err := m.Start(join...); err != nil {
					return err
				}
			}
		}
		began := r.Now()
		r.Run(15*core.Second + r.Int64N(2*core.Minute))
		if r.IntN(3) == 0 { // one was away, and begins anew to look for others
			m := islands[0][1]
			m.Crash()
			r.Run(r.Int64N(10 * core.Second))
			if err := m.Start(source); err != nil {
				return err
			}
		}
		if old {
			r.skip(365 * core.Day)
		}
		told := make(map[int]bool) // islands that were told of another
		r.OnEvent(func(m *sim.Machine, e *core.Event) {
			if e.Kind == core.EventRefused && e.Code == wire.CodeRing {
				told[of[m]] = true
			}
		})
		apart := r.Now() - began
		r.Heal()
		if !cut {
			r.Resolve(source, meets[r.IntN(len(meets))])
		}
		within := apart*11/10 + core.Minute // a period is up to a tenth longer
		if !old {
			if err := r.Settle(within); err != nil {
				return fmt.Errorf("islands of a young ring do not become one\n%w", err)
			}
			if len(told) > 0 {
				return fmt.Errorf("islands of a young ring refuse each other\n%v", told)
			}
			return nil
		}
		r.Run(within)
		if len(told) != len(islands) {
			return fmt.Errorf("an island of old is not told of another\n%d of %d are", len(told), len(islands))
		}
		for _, m := range r.Machines() {
			i := of[m]
			for _, n := range m.View().All() {
				if of[r.Machine(n.Name)] != i {
					return fmt.Errorf("islands of old become one\n%s shows %s", m.Name(), n.Name)
				}
				if n.State != core.Alive {
					return fmt.Errorf("an island of old is not whole\n%s shows %s %v", m.Name(), n.Name, n.State)
				}
			}
		}
		return nil
	})
}
