package sim_test

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// What befalls a big ring, at a few nodes, and at thousands in make sim-long: nobody who lives is
// taken for dead, all is right in the end, and each change is shown by all within its bound.
func TestBigRing(t *testing.T) {
	t.Parallel()
	nodes, guests := 60, 12
	if *long {
		nodes, guests = 2000, 400
	}
	third := sim.Act{Kind: sim.Kill, At: 2 * core.Second, Nodes: nodes / 3}
	few := sim.Act{Kind: sim.PowerOff, At: 20 * core.Second, Nodes: 1 + nodes/100}
	for name, f := range map[string]struct {
		acts           []sim.Act
		guests, second int64                    // bytes a node sends in one at most; 0 if it is not asked
		within         map[sim.ChangeKind]int64 // until all show it
	}{
		"a third dies, half of them return": {
			acts:   []sim.Act{third, {Kind: sim.Return, At: 20 * core.Second, Nodes: nodes / 6}},
			within: map[sim.ChangeKind]int64{sim.ChangeKill: 15 * core.Second, sim.ChangeRestart: 2 * core.Second},
		},
		"all at other addresses": {
			acts:   []sim.Act{{Kind: sim.Readdress, At: 2 * core.Second, Nodes: nodes}, few},
			within: map[sim.ChangeKind]int64{sim.ChangeRestart: 10 * core.Second, sim.ChangePowerOff: 10 * core.Second},
		},
		"clocks of a rack 50 s ahead": {
			acts:   []sim.Act{{Kind: sim.Clock, At: 2 * core.Second, Nodes: max(4, nodes/50), For: 50 * core.Second}, few},
			within: map[sim.ChangeKind]int64{sim.ChangePowerOff: 10 * core.Second},
		},
		"clocks of a rack 50 s behind": {
			acts:   []sim.Act{{Kind: sim.Clock, At: 2 * core.Second, Nodes: max(4, nodes/50), For: -50 * core.Second}, few},
			within: map[sim.ChangeKind]int64{sim.ChangePowerOff: 10 * core.Second},
		},
		"a gateway with all the guests": {
			acts: []sim.Act{few}, guests: int64(guests), second: 120,
			within: map[sim.ChangeKind]int64{sim.ChangePowerOff: 10 * core.Second},
		},
		"one with a tenth of its time": {
			acts:   []sim.Act{{Kind: sim.Starve, At: 2 * core.Second, Nodes: 1}, few},
			within: map[sim.ChangeKind]int64{sim.ChangePowerOff: 10 * core.Second},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := sim.Plan{Nodes: nodes, Guests: int(f.guests), LatencyMin: core.Millisecond, LatencyMax: 40 * core.Millisecond, For: 40 * core.Second, Acts: f.acts}
			if f.guests > 0 {
				plan.Gateways = 1
			}
			livePlan(t, 1, plan, func(r *sim.Report) error {
				if err := noFalseDeath(r); err != nil {
					return err
				}
				for kind, d := range f.within {
					if err := shownWithin(r, kind, 1, d); err != nil {
						return err
					}
				}
				rate := int64(r.Traffic.Bytes) * core.Second / r.Traffic.NodeTime
				t.Logf("%+v; %d bytes a node and second, %d false suspicions", r.Changes, rate, r.FalseSuspicions)
				if f.second > 0 && rate > f.second {
					return fmt.Errorf("each node sends %d bytes a second, and should %d at most", rate, f.second)
				}
				return nil
			})
		})
	}
}
