package sim_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// TestWaste: who writes its ring file for nothing, or for a guest, is complained of; of a
// good node, around which members and guests come and go, there is nothing to complain.
func TestWaste(t *testing.T) {
	t.Parallel()
	written := core.Effect{Kind: core.Dirty, Seq: 1 << 40}
	guest := func(e core.Effect) bool {
		return e.Kind == core.Emit && e.Event.Kind == core.EventNode && e.Event.Node.Ephemeral
	}
	for _, test := range []struct {
		what  string
		spoil func(*faulty, []core.Effect) []core.Effect
		want  string
	}{
		{"nothing", func(_ *faulty, e []core.Effect) []core.Effect { return e }, ""},
		{"now and then", once(written), "n1 writes its ring file, and no record in it is another"},
		{"all the time", each(written), "n1 writes its ring file, and no record in it is another"},
		{"for guests", func(_ *faulty, effects []core.Effect) []core.Effect {
			if !slices.ContainsFunc(effects, guest) {
				return effects
			}
			written.Seq++
			return append(slices.Clone(effects), written)
		}, "n1 writes its ring file, and no record in it is another"},
	} {
		t.Run(test.what, func(t *testing.T) {
			w := sim.New(sim.Config{Seed: 1, Trace: traceOf(), New: spoilt(2*core.Minute, test.spoil)})
			defer w.Close()
			w.Promise()
			start := func(name string, o sim.Options) *sim.Machine {
				m := w.Add(name, o)
				if err := m.Start("n0:7946"); err != nil {
					t.Fatal(err)
				}
				w.Run(core.Second)
				return m
			}
			for _, name := range []string{"n0", "n1", "n2"} {
				start(name, sim.Options{})
			}
			w.Run(3 * core.Minute)
			tab := start("tab", sim.Options{Guest: true})
			w.Run(core.Minute)
			tab.GoAway()
			w.Run(3 * core.Minute) // it is reaped
			start("n3", sim.Options{})
			w.Machine("n2").Crash()
			w.Run(core.Minute)
			w.Machine("n0").Do(core.Command{Op: core.Del, Name: "n3"})
			w.Run(3 * core.Hour)
			err := w.Err()
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("it is complained of %v, and not that %q", err, test.want)
			}
		})
	}
}
