package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// A gateway with many guests drains: each of them goes to another gateway, nobody
// suspects one, and it stops when none is left.
func TestDrain(t *testing.T) {
	t.Parallel()
	for _, guests := range []int{1, 5, 100} {
		schedules(t, 3, lan, 3, func(r *ring) error {
			for i := range guests {
				tab := r.Add(fmt.Sprint("tab", i), sim.Options{Guest: true})
				if err := tab.Start(r.all[0].Addr(), r.all[1+i%2].Addr()); err != nil {
					return err
				}
				r.Run(r.Int64N(100 * core.Millisecond)) // each step has few to tell of
			}
			if err := r.Settle(core.Minute); err != nil {
				return err
			}
			r.Run(r.Int64N(3 * core.Second))
			var wrong []string
			r.OnEvent(func(m *sim.Machine, e *core.Event) {
				if n := e.Node; e.Kind == core.EventNode && (n.State == core.Suspect || n.State == core.Down || n.Ephemeral && n.State != core.Alive) {
					wrong = append(wrong, fmt.Sprintf("%s shows %s %s", m.Name(), n.Name, n.State))
				}
			})
			begun := r.Now()
			if !r.all[0].Drain(core.Minute) {
				return fmt.Errorf("guests are left after a minute\n")
			}
			if took := r.Now() - begun; guests == 1 && took > 3*core.Second {
				return fmt.Errorf("one guest took %d ms\n", took/core.Millisecond)
			}
			r.Run(10 * core.Second)
			if len(wrong) > 0 {
				return fmt.Errorf("%s\n", wrong[0])
			}
			for i := range guests {
				n, _ := r.all[2].View().Get(fmt.Sprint("tab", i))
				if n.State != core.Alive || n.Via == r.all[0].Name() {
					return fmt.Errorf("%s is %s via %s\n", n.Name, n.State, n.Via)
				}
			}
			return r.Settle(core.Minute)
		})
	}
}

// Who is told to cordon another node, over a network that loses and breaks, is told
// when it is so; and so is everybody else.
func TestCordonAnother(t *testing.T) {
	t.Parallel()
	cfg := lan
	cfg.Loss, cfg.Resets = 50_000, 20_000
	schedules(t, 5, cfg, 5, func(r *ring) error {
		for i := range 6 {
			op := []core.Op{core.Cordon, core.Uncordon}[i%2]
			c, err := r.do(r.all[i%5], core.Command{Op: op, Name: r.all[(i+2)/2%5].Name()})
			if err != nil || c.Code != 0 {
				return fmt.Errorf("%v: %s\n", err, c.Text)
			}
		}
		return r.within(5*core.Second, "nobody is cordoned any more", func() bool {
			return !slices.ContainsFunc(r.all, func(m *sim.Machine) bool {
				return slices.ContainsFunc(m.View().All(), func(n core.Node) bool { return n.Cordoned })
			})
		})
	})
}
