package sim_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// A hostile guest can make itself a member, and break its own connection. The
// durable nodes, and the honest guest of the same gateway, are not disturbed.
func TestHostileGuest(t *testing.T) {
	t.Parallel()
	s := storyIn(t, sim.New(sim.Config{Seed: 1, Trace: traceOf()}), "a", "b", "c")
	s.Add("tab", sim.Options{Guest: true})
	s.start("tab", "a", "b")
	s.settle(core.Minute)
	s.OnEvent(func(m *sim.Machine, e *core.Event) {
		if n := &e.Node; e.Kind == core.EventNode && n.Name != "evil" && (n.State != core.Alive || n.Cordoned || n.Address == "evil:7946") {
			t.Errorf("%s shows %s %v at %s", m.Name(), n.Name, n.State, n.Address)
		}
	})
	said := 0
	s.Add("evil", sim.Options{Guest: true, Rogue: sim.Hostile(
		func() []string { return []string{"a", "b", "c", "tab", "evil", "new"} },
		func() []string { return []string{"a", "b", "c"} }, &said)})
	s.start("evil", "a", "b")
	s.Run(10 * core.Minute)
	if said < 1000 {
		t.Errorf("the hostile guest sent %d frames only", said)
	}
	s.Machine("evil").Crash()
	s.settle(5 * core.Minute)
}
