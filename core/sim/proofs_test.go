package sim_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

var long = flag.Bool("sim.long", false, "live the long plans, too: make sim-long does")

// livePlan lives a plan for each of some seeds, and says of one that check
// complains about how to see it again.
func livePlan(t *testing.T, seeds int, plan sim.Plan, check func(*sim.Report) error) {
	for seed := *first; seed < *first+uint64(seeds); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			p := plan
			p.Seed = seed
			r, err := p.Run()
			if err == nil && !r.Stood {
				err = fmt.Errorf("the ring did not stand after %s", duration(r.StoodIn))
			}
			if err == nil {
				err = check(r)
			}
			if err != nil {
				t.Errorf("%v\nplay it again: go test ./core/sim -run '^%s$' -sim.seed=%d -sim.long=%v", err, t.Name(), seed, *long)
			}
		})
	}
}

// shownWithin expects that all changes of a kind were shown by all within d.
func shownWithin(r *sim.Report, kind sim.ChangeKind, count int, d int64) error {
	for _, c := range r.Changes {
		switch {
		case c.Kind != kind:
		case c.Count < count || c.Open > 0 || c.Overtaken > 0:
			return fmt.Errorf("%v: of %d changes, %d expected, %d are not shown by all, and %d were overtaken", kind, c.Count, count, c.Open, c.Overtaken)
		case c.Shown.Max > d:
			return fmt.Errorf("%v: the last showed it after %s, and should have within %s", kind, duration(c.Shown.Max), duration(d))
		default:
			return nil
		}
	}
	return fmt.Errorf("there was no %v", kind)
}

func noFalseDeath(r *sim.Report) error {
	if r.FalseDeaths > 0 || r.Wrong > 0 {
		return fmt.Errorf("%d false deaths, %d false suspicions, %d views are wrong at the end", r.FalseDeaths, r.FalseSuspicions, r.Wrong)
	}
	return nil
}

// A hundred nodes, 50 ms from each other, lose every tenth segment, and nobody
// is taken for dead: for five minutes, and in make sim-long for an hour.
func TestNoFalseDeath(t *testing.T) {
	t.Parallel()
	plan := sim.Plan{Nodes: 100, LatencyMin: 50 * core.Millisecond, LatencyMax: 50 * core.Millisecond, Loss: 100_000, For: 5 * core.Minute}
	seeds := 1
	if *long {
		plan.For, seeds = core.Hour, 5
	}
	livePlan(t, seeds, plan, noFalseDeath)
}

// Whatever the partition, short or longer than any timeout, it heals within 10 s.
func TestPartitionsHeal(t *testing.T) {
	t.Parallel()
	seeds, most := 1, core.Minute
	if *long {
		seeds, most = 20, core.Hour
	}
	for _, nodes := range []int{3, 10, 100} {
		for _, lasts := range []int64{core.Second, 10 * core.Second, most} {
			for _, part := range []int{1, nodes / 3, nodes / 2} {
				t.Run(fmt.Sprintf("%d of %d for %s", part, nodes, duration(lasts)), func(t *testing.T) {
					t.Parallel()
					plan := sim.Plan{Nodes: nodes, LatencyMin: core.Millisecond, LatencyMax: 80 * core.Millisecond, For: lasts + core.Minute,
						Acts: []sim.Act{{Kind: sim.Cut, At: core.Second, Nodes: part, For: lasts}}}
					livePlan(t, seeds, plan, func(r *sim.Report) error {
						if r.Wrong > 0 {
							return fmt.Errorf("%d views are wrong at the end", r.Wrong)
						}
						return shownWithin(r, sim.ChangeHeal, nodes, 10*core.Second)
					})
				})
			}
		}
	}
}

// A third of a ring dies at once, or nearly: all others agree on that within
// 20 s, and none of them is taken for dead.
func TestMassDeath(t *testing.T) {
	t.Parallel()
	seeds, sizes := 1, []int{10, 100}
	if *long {
		seeds, sizes = 20, []int{10, 100, 1000}
	}
	for _, nodes := range sizes {
		for name, act := range map[string]sim.Act{"killed": {Kind: sim.Kill}, "without power": {Kind: sim.PowerOff}} {
			kind := map[sim.ActKind]sim.ChangeKind{sim.Kill: sim.ChangeKill, sim.PowerOff: sim.ChangePowerOff}[act.Kind]
			t.Run(fmt.Sprintf("%d %s", nodes, name), func(t *testing.T) {
				t.Parallel()
				act.At, act.Nodes = 5*core.Second, nodes*3/10
				plan := sim.Plan{Nodes: nodes, LatencyMin: core.Millisecond, LatencyMax: 80 * core.Millisecond, For: core.Minute, Acts: []sim.Act{act}}
				livePlan(t, seeds, plan, func(r *sim.Report) error {
					if err := shownWithin(r, kind, act.Nodes, 20*core.Second); err != nil {
						return err
					}
					return noFalseDeath(r)
				})
			})
		}
	}
}

// Nodes crash, lose power and start again in any order, also while they write
// their ring file, which is lost then: every member whose add was acknowledged
// is known to all in the end.
func TestNoMemberIsLost(t *testing.T) {
	t.Parallel()
	seeds := 40
	if *long {
		seeds = 2000
	}
	for seed := *first; seed < *first+uint64(seeds); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			if err := crashes(seed); err != nil {
				t.Errorf("%v\n%s", err, replay(t, fmt.Sprintf(" -sim.seed=%d -sim.long=%v", seed, *long)))
			}
		})
	}
}

// crashes lives one schedule of crashes.
func crashes(seed uint64) error {
	rng := rand.New(rand.NewPCG(seed, 0x63726173))
	w := sim.New(sim.Config{Seed: seed, WriteMax: 200 * core.Millisecond, Trace: traceOf()})
	nodes := 2 + rng.IntN(7)
	for i := range nodes {
		w.Add(fmt.Sprintf("n%d", i), sim.Options{})
		var join []string
		if i > 0 {
			join = append(join, w.Machine("n0").Addr())
		}
		if err := w.Machines()[i].Start(join...); err != nil {
			return err
		}
		w.Run(core.Second)
	}
	if err := w.Settle(core.Minute); err != nil {
		return fmt.Errorf("before the first crash: %w", err)
	}
	draw := func() *sim.Machine { return w.Machines()[rng.IntN(nodes)] }
	var adds []uint64
	for range 40 {
		switch m := draw(); {
		case !m.Running():
			if err := m.Start(); err != nil {
				return err
			}
		case rng.IntN(3) == 0:
			name := fmt.Sprintf("late%d", len(adds))
			adds = append(adds, m.Do(core.Command{Op: core.Add, Name: name, Addr: name + ":7946"}))
		case rng.IntN(8) == 0:
			for _, m := range w.Machines() {
				m.Crash()
			}
		case rng.IntN(2) == 0:
			m.PowerOff()
		default:
			m.Crash()
		}
		w.Run(rng.Int64N([...]int64{10 * core.Millisecond, 300 * core.Millisecond, 10 * core.Second}[rng.IntN(3)]))
	}
	for _, m := range w.Machines() {
		if !m.Running() {
			if err := m.Start(); err != nil {
				return err
			}
		}
	}
	if err := w.Settle(5 * core.Minute); err != nil {
		return err
	}
	for _, m := range w.Machines() {
		for _, o := range w.Machines() {
			if _, member := m.View().Get(o.Node()); !member {
				return fmt.Errorf("%s has lost %s", m.Name(), o.Node())
			}
		}
		for _, id := range adds {
			c := w.Command(id)
			if _, member := m.View().Get(c.Name); c.Acked && !member {
				return fmt.Errorf("%s has lost %s, whose add was acknowledged", m.Name(), c.Name)
			}
		}
	}
	return nil
}
