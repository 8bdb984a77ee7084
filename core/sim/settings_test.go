package sim_test

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// paced has a node's times follow from how long others may be silent to it.
func paced(patience int64) func(*core.Config) {
	return func(c *core.Config) {
		c.Period, c.AckTimeout, c.Patience = patience/4, patience/8, patience
	}
}

// Nodes with other times than each other's are one ring, and none is suspected for it: who gossips
// seldom is gossiped with by the others, and a guest that does is probed.
func TestMixedTimes(t *testing.T) {
	t.Parallel()
	schedules(t, 2, lan, 0, func(r *ring) error {
		for i, patience := range []int64{1500, 4000, 8000, 60_000, 400} {
			name := fmt.Sprint("n", i)
			m := r.machine(name, sim.Options{Tune: paced(patience * core.Millisecond)})
			if err := m.Start("n0:7946"); err != nil {
				return err
			}
		}
		for i, gateway := range []string{"n0", "n3", "n4"} {
			tab := r.Add(fmt.Sprint("tab", i), sim.Options{Guest: true, Tune: paced(int64(20*i+1) * core.Second)})
			if err := tab.Start(r.Machine(gateway).Addr()); err != nil {
				return err
			}
		}
		r.Run(core.Minute)
		seen := r.alarms()
		r.Run(5 * core.Minute)
		return seen.of(core.Unknown, 0).err("suspected though it lives")
	})
}

// Each node says for itself after how long down it is reaped, or never: all others keep to it,
// whatever they say of themselves, and were they restarted meanwhile.
func TestReapedAsItSays(t *testing.T) {
	t.Parallel()
	schedules(t, 1, lan, 0, func(r *ring) error {
		for _, o := range []struct {
			name  string
			after int64
		}{{"n0", 0}, {"n1", core.Minute}, {"soon", 2 * core.Minute}, {"never", 0}} {
			m := r.machine(o.name, sim.Options{Tune: func(c *core.Config) { c.ReapAfter = o.after }})
			if err := m.Start("n0:7946"); err != nil {
				return err
			}
		}
		r.Run(10 * core.Second)
		r.Machine("soon").Crash()
		r.Machine("never").Crash()
		r.Run(80 * core.Second)
		if is := shows(r.Machine("n1"), "soon"); is != core.Down {
			return fmt.Errorf("after 80 s it is %s", is)
		}
		r.Machine("n0").Crash()
		if err := r.Machine("n0").Start(); err != nil {
			return err
		}
		r.Run(core.Minute)
		for _, name := range []string{"n0", "n1"} {
			if soon, never := shows(r.Machine(name), "soon"), shows(r.Machine(name), "never"); soon != core.Removed || never != core.Down {
				return fmt.Errorf("to %s they are %s and %s", name, soon, never)
			}
		}
		if err := r.Machine("soon").Start(); err != nil { // only a deletion makes it leave
			return err
		}
		return r.within(10*core.Second, "it is back", func() bool { return shows(r.Machine("n0"), "soon") == core.Alive })
	})
}

// Who falls silent is held for down by all within a quarter of the patience after it is over, mostly,
// and not before; nobody else is.
func TestPatience(t *testing.T) {
	t.Parallel()
	for _, patience := range []int64{1500, 4000, 8000} {
		patience *= core.Millisecond
		var c core.Config
		paced(patience)(&c)
		r, err := (&sim.Plan{
			Seed: 1, Nodes: 20, LatencyMin: core.Millisecond, LatencyMax: 10 * core.Millisecond, For: 40 * core.Second,
			Period: c.Period, AckTimeout: c.AckTimeout, Patience: c.Patience,
			Acts: []sim.Act{{Kind: sim.PowerOff, At: 10 * core.Second, Nodes: 4}},
		}).Run()
		if err != nil {
			t.Fatal(err)
		}
		if shown := r.Changes[0].Shown; shown.Count != 4 || shown.P50 < patience || shown.P50 > patience*5/4 || r.FalseSuspicions+r.FalseDeaths > 0 {
			t.Errorf("with a patience of %d ms: %+v, %d false suspicions", patience/core.Millisecond, shown, r.FalseSuspicions)
		}
	}
}

// Of nodes that are stopped, or killed, and start again, again and again, none is suspected once it
// runs: not even by others that have just started, too, and do not know yet where it is.
func TestRestartsAreNotSuspected(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		r, err := (&sim.Plan{Seed: seed, Nodes: 60, LatencyMin: core.Millisecond, LatencyMax: 40 * core.Millisecond, For: 40 * core.Second, ChurnEvery: core.Second / 2}).Run()
		if err != nil {
			t.Fatal(err)
		}
		if r.FalseSuspicions+r.FalseDeaths > 0 {
			t.Errorf("seed %d: %d were suspected, %d held for down", seed, r.FalseSuspicions, r.FalseDeaths)
		}
	}
}
