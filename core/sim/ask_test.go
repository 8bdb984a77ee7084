package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// newcomer is the engine of a process that takes down how many frames came.
type newcomer struct {
	core.Engine
	frames int
}

func (n *newcomer) Step(in core.Input) ([]core.Effect, error) {
	if in.Kind == core.Received {
		n.frames++
	}
	return n.Engine.Step(in)
}

// TestAskAfterJoin: who asks as soon as it is let in, by the first frame or one soon after,
// has an answer of each node that was there, though it does not know them yet.
func TestAskAfterJoin(t *testing.T) {
	t.Parallel()
	const nodes = 10
	for _, guest := range []bool{false, true} {
		for _, slowest := range []int64{core.Millisecond, 100 * core.Millisecond} {
			t.Run(fmt.Sprintf("guest=%v,latency=%dms", guest, slowest/core.Millisecond), func(t *testing.T) {
				t.Parallel()
				asker := &newcomer{}
				cfg := sim.Config{LatencyMin: 50, LatencyMax: slowest, New: func(cfg core.Config) (core.Engine, error) {
					ring, err := core.New(cfg)
					if err != nil || cfg.Name != "late" {
						return ring, err
					}
					*asker = newcomer{Engine: ring}
					return asker, nil
				}}
				schedules(t, 15, cfg, nodes, func(r *ring) error {
					for _, m := range r.all {
						m.Do(core.Command{Op: core.Hear, Hear: core.Subscription{Questions: []string{"q"}}})
					}
					var answers, silent []string
					done := false
					r.OnEvent(func(m *sim.Machine, e *core.Event) {
						switch {
						case e.Kind == core.EventHeard && e.Question != 0:
							m.DoSoon(core.Command{Op: core.Answer, Question: e.Question, Payload: m.Name()})
						case e.Kind == core.EventAnswer:
							answers = append(answers, e.Name)
						case e.Kind == core.EventDone:
							silent, done = e.Names, true
						}
					})
					late := r.Add("late", sim.Options{Guest: guest})
					if err := late.Start(r.all[r.IntN(nodes)].Addr()); err != nil {
						return err
					}
					first := 1 + r.IntN(4)
					if err := r.within(core.Minute, "it is let in", func() bool { return asker.frames >= first }); err != nil {
						return err
					}
					var to core.Filter
					if r.IntN(2) == 0 {
						to, _ = core.ParseFilter(nil, "", "!late")
					}
					began := r.Now()
					late.Do(core.Command{Op: core.Ask, Topic: "q", Filter: to, Timeout: 20 * core.Second})
					if err := r.within(core.Minute, "the question is over", func() bool { return done }); err != nil {
						return err
					}
					slices.Sort(answers)
					if len(answers) != nodes || len(silent) > 0 {
						return fmt.Errorf("not all answered\nasked at the frame %d, %d answered, %v, and not %v", first, len(answers), answers, silent)
					}
					if took := r.Now() - began; took > 5*core.Second {
						return fmt.Errorf("it took too long\n%s", duration(took))
					}
					return nil
				})
			})
		}
	}
}
