package sim_test

import (
	"reflect"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// eventful has everything in it that a plan can have.
var eventful = sim.Plan{
	Seed: 7, Nodes: 20, Guests: 3, LatencyMin: core.Millisecond, LatencyMax: 40 * core.Millisecond,
	Loss: 10_000, Skew: 2 * core.Second, ChurnEvery: 2 * core.Second, For: core.Minute,
	Acts: []sim.Act{
		{Kind: sim.Cut, At: 20 * core.Second, Nodes: 8, For: 15 * core.Second},
		{Kind: sim.Kill, At: 5 * core.Second, Nodes: 3},
		{Kind: sim.PowerOff, At: 6 * core.Second, Nodes: 1},
	},
}

// The same plan has the same report; another seed's differs.
func TestPlanIsDeterministic(t *testing.T) {
	t.Parallel()
	var reports []*sim.Report
	for _, seed := range []uint64{7, 7, 8} {
		p := eventful
		p.Seed = seed
		r, err := p.Run()
		if err != nil {
			t.Fatal(err)
		}
		reports = append(reports, r)
	}
	if !reflect.DeepEqual(reports[0], reports[1]) {
		t.Errorf("two runs of one plan differ:\n%+v\n%+v", reports[0], reports[1])
	}
	if reflect.DeepEqual(reports[0], reports[2]) {
		t.Error("two seeds have the same report")
	}
}

// What a report counts is what the plan has.
func TestPlanReport(t *testing.T) {
	t.Parallel()
	p := eventful
	p.ChurnEvery, p.Loss = 0, 0
	r, err := p.Run()
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[sim.ChangeKind]int)
	for _, c := range append(r.JoinChanges, r.Changes...) {
		counts[c.Kind] += c.Count
		if c.Shown.Count+c.Open+c.Overtaken != c.Count {
			t.Errorf("%v: %d of %d were shown, %d overtaken, %d are open", c.Kind, c.Shown.Count, c.Count, c.Overtaken, c.Open)
		}
	}
	all := 20 - 4 + 3 // a cut is a change of all who run
	want := map[sim.ChangeKind]int{sim.ChangeJoin: 20, sim.ChangeGuest: 3, sim.ChangeKill: 3, sim.ChangePowerOff: 1, sim.ChangeCut: all, sim.ChangeHeal: all}
	if !reflect.DeepEqual(counts, want) {
		t.Errorf("the changes are %v, not %v", counts, want)
	}
	if !r.Stood || r.Wrong != 0 || r.Pairs != 16*22 || r.Halted != 0 {
		t.Errorf("it stood: %v; %d of %d pairs are wrong at the end; %d halted", r.Stood, r.Wrong, r.Pairs, r.Halted)
	}
	least := 1.0
	for _, s := range r.Samples {
		least = min(least, s.Pairs)
	}
	if least > 0.8 {
		t.Errorf("with %d of 20 nodes cut off the ring agreed to %g at least", 8, least)
	}
}

// What cannot be lived is refused.
func TestPlanValidate(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*sim.Plan){
		"a node":              func(p *sim.Plan) { p.Nodes = 1 },
		"fewer than no guest": func(p *sim.Plan) { p.Guests = -1 },
		"latency":             func(p *sim.Plan) { p.LatencyMax = 0 },
		"loss":                func(p *sim.Plan) { p.Loss = 1_000_000 },
		"skew":                func(p *sim.Plan) { p.Skew = core.Minute },
		"period":              func(p *sim.Plan) { p.Period = -1 },
		"churn":               func(p *sim.Plan) { p.ChurnEvery = 1 },
		"no time":             func(p *sim.Plan) { p.For = 0 },
		"too late":            func(p *sim.Plan) { p.Acts[0].At = p.For },
		"no act":              func(p *sim.Plan) { p.Acts[0].Kind = 0 },
		"of nobody":           func(p *sim.Plan) { p.Acts[0].Nodes = 0 },
		"all die":             func(p *sim.Plan) { p.Acts[1].Nodes = 19 },
		"all are cut off":     func(p *sim.Plan) { p.Acts[0].Nodes = 20 },
		"no time to be cut":   func(p *sim.Plan) { p.Acts[0].For = 0 },
		"more return":         func(p *sim.Plan) { p.Acts = append(p.Acts, sim.Act{Kind: sim.Return, At: core.Second, Nodes: 1}) },
		"a clock of nobody's": func(p *sim.Plan) { p.Acts[2] = sim.Act{Kind: sim.Clock, Nodes: 1, For: -57 * core.Second} },
		"no such gateways":    func(p *sim.Plan) { p.Gateways = 21 },
		"two cuts at once":    func(p *sim.Plan) { p.Acts = append(p.Acts, p.Acts[0]) },
	} {
		p := eventful
		p.Acts = append([]sim.Act(nil), eventful.Acts...)
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
		if spoil(&p); p.Validate() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
