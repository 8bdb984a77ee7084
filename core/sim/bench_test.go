package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// timed is an engine that notes how long its longest step takes.
type timed struct {
	core.Engine
	longest *time.Duration
}

func (e timed) Step(in core.Input) ([]core.Effect, error) {
	start := time.Now()
	effects, err := e.Engine.Step(in)
	*e.longest = max(*e.longest, time.Since(start))
	return effects, err
}

// BenchmarkBigDifferences is two rings of 5,000 that meet, and a fresh node that
// joins 10,000: how long a node's loop stands still at most, and how many bytes
// are sent for each member that somebody learns of.
func BenchmarkBigDifferences(b *testing.B) {
	for b.Loop() {
		var longest time.Duration
		w := sim.New(sim.Config{Seed: 1, LatencyMax: 2 * core.Millisecond, New: func(cfg core.Config) (core.Engine, error) {
			r, err := core.New(cfg)
			return timed{r, &longest}, err
		}})
		big := func(name string) *sim.Machine {
			m := w.Add(name, sim.Options{})
			if err := m.Start(); err != nil {
				b.Fatal(err)
			}
			for i := range 5000 {
				other := fmt.Sprintf("%s-%04d", name, i)
				m.Do(core.Command{Op: core.Add, Name: other, Addr: other + ":7946"})
			}
			w.Run(core.Minute)
			return m
		}
		knows := func(n int, ms ...*sim.Machine) {
			if !w.RunUntil(core.Minute, func() bool {
				for _, m := range ms {
					if m.View().Len() != n {
						return false
					}
				}
				return true
			}) {
				b.Fatalf("not all know %d members", n)
			}
		}
		x, y := big("x"), big("y")
		measure := func(of string, learnt int, what func()) {
			_, before := w.Sent()
			longest = 0
			what()
			_, after := w.Sent()
			b.ReportMetric(float64(longest.Microseconds())/1000, of+"-longest-step-ms")
			b.ReportMetric(float64(after-before)/float64(learnt), of+"-bytes/member")
		}
		measure("meet", 10_002, func() {
			x.Do(core.Command{Op: core.Add, Name: "y", Addr: y.Addr()})
			knows(10_002, x, y)
		})
		fresh := w.Add("fresh", sim.Options{})
		measure("fresh", 10_003, func() {
			if err := fresh.Start(x.Addr()); err != nil {
				b.Fatal(err)
			}
			knows(10_003, x, y, fresh)
		})
	}
}
