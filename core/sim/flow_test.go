package sim_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// flow is a ring in which all send in turn, a message of 300 bytes each 2 ms, or none.
type flow struct {
	*sim.World
	all    []*sim.Machine
	silent bool
	said   int

	frames, copies, heard int // sent; messages in them; and what came of them
}

// spied counts what an engine sends.
type spied struct {
	core.Engine
	f *flow
}

func (e spied) Step(in core.Input) ([]core.Effect, error) {
	effects, err := e.Engine.Step(in)
	for i := range effects {
		if effects[i].Kind != core.Send {
			continue
		}
		e.f.frames++
		var f wire.Frame
		if f.Decode(effects[i].Frame) == nil {
			e.f.copies += len(f.Messages)
		}
	}
	return effects, err
}

func newFlow(t *testing.T, seed uint64, n int, silent bool) *flow {
	f := &flow{silent: silent}
	f.World = sim.New(sim.Config{Seed: seed, LatencyMax: 2 * core.Millisecond, New: func(cfg core.Config) (core.Engine, error) {
		r, err := core.New(cfg)
		return spied{r, f}, err
	}})
	t.Cleanup(f.Close)
	for i := range n {
		m := f.Add(fmt.Sprint("n", i), sim.Options{})
		f.all = append(f.all, m)
		if err := m.Start(f.all[0].Addr()); err != nil {
			t.Fatal(err)
		}
		m.Do(core.Command{Op: core.Hear, Hear: core.Subscription{Messages: []string{"*"}}})
	}
	f.Run(20 * core.Second)
	return f
}

// flows lets time pass, in which all but the last send.
func (f *flow) flows(d int64) {
	for end := f.Now() + d; f.Now() < end; f.Run(2 * core.Millisecond) {
		if !f.silent {
			f.all[f.said%(len(f.all)-1)].Do(core.Command{Op: core.SendMessage, Topic: "t", Payload: strings.Repeat("x", 299)})
			f.said++
		}
	}
}

// TestFlow: while many send at once, what a node sends for a message is little: one
// copy, which it shares a frame with others, and its id. So it is after a connection of
// the tree has ended, too.
func TestFlow(t *testing.T) {
	f := newFlow(t, 1, 24, false)
	f.OnEvent(func(_ *sim.Machine, e *core.Event) {
		if e.Kind == core.EventHeard {
			f.heard++
		}
	})
	for _, what := range []string{"at first", "when some have restarted"} {
		f.flows(4 * core.Second)
		f.frames, f.copies, f.heard = 0, 0, 0
		f.flows(3 * core.Second)
		t.Logf("%s: %d frames and %d copies for %d heard", what, f.frames, f.copies, f.heard)
		if f.copies > f.heard*11/10 || f.frames > f.heard*9/10 {
			t.Errorf("%s: %d frames and %d copies of messages for %d that are heard", what, f.frames, f.copies, f.heard)
		}
		for _, m := range f.all[1:4] {
			m.Crash()
			f.flows(100 * core.Millisecond)
			if err := m.Start(f.all[0].Addr()); err != nil {
				t.Fatal(err)
			}
			m.Do(core.Command{Op: core.Hear, Hear: core.Subscription{Messages: []string{"*"}}})
		}
	}
}

// TestCrashInFlow: who crashes while messages flow is down to all as soon as without.
func TestCrashInFlow(t *testing.T) {
	var took [2]int64
	for seed := range uint64(10) {
		for i, silent := range []bool{true, false} {
			f := newFlow(t, seed, 16, silent)
			f.flows(2 * core.Second)
			prey, begin, knows := f.all[len(f.all)-1], f.Now(), 0
			f.OnEvent(func(_ *sim.Machine, e *core.Event) {
				if e.Kind == core.EventNode && e.Node.Name == prey.Name() && e.Node.State == core.Down {
					if knows++; knows == len(f.all)-1 {
						took[i] += f.Now() - begin
					}
				}
			})
			prey.Crash()
			if f.flows(2 * core.Second); knows != len(f.all)-1 {
				t.Fatalf("seed %d: %d know after 2 s", seed, knows)
			}
		}
	}
	t.Logf("%d ms in silence, %d ms in flow", took[0]/10_000, took[1]/10_000)
	if took[1] > took[0]*6/5 {
		t.Errorf("%d ms in all in silence, and %d ms while messages flow", took[0]/1000, took[1]/1000)
	}
}
