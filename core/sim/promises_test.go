package sim_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// faulty is an engine whose effects are spoilt, from a time on.
type faulty struct {
	core.Engine
	from  int64
	spoil func(f *faulty, effects []core.Effect) []core.Effect
	did   bool
}

func (f *faulty) Step(in core.Input) ([]core.Effect, error) {
	effects, err := f.Engine.Step(in)
	if in.Wall-sim.Epoch < f.from {
		return effects, err
	}
	return f.spoil(f, effects), err
}

// spoilt makes engines of which that of n1 is faulty from a time on.
func spoilt(from int64, spoil func(*faulty, []core.Effect) []core.Effect) func(core.Config) (core.Engine, error) {
	return func(cfg core.Config) (core.Engine, error) {
		r, err := core.New(cfg)
		if cfg.Name != "n1" || err != nil {
			return r, err
		}
		return &faulty{Engine: r, from: from, spoil: spoil}, nil
	}
}

// once appends an effect the first time.
func once(e core.Effect) func(*faulty, []core.Effect) []core.Effect {
	return func(f *faulty, effects []core.Effect) []core.Effect {
		if f.did {
			return effects
		}
		f.did = true
		return append(slices.Clone(effects), e)
	}
}

// frames appends so many frames of a size.
func frames(count, size int) func(*faulty, []core.Effect) []core.Effect {
	return func(_ *faulty, effects []core.Effect) []core.Effect {
		return append(slices.Clone(effects), slices.Repeat([]core.Effect{{Kind: core.Send, Conn: 1, Frame: make([]byte, size)}}, count)...)
	}
}

func shown(name string, state core.State) core.Effect {
	return core.Effect{Kind: core.Emit, Event: &core.Event{Kind: core.EventNode, Node: core.Node{Name: name, State: state}}}
}

// TestPromises: each promise that one node of a ring breaks is the one that is
// complained of, and of a good ring there is nothing to complain.
func TestPromises(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		what  string
		spoil func(*faulty, []core.Effect) []core.Effect
		want  string
	}{
		{"nothing", func(_ *faulty, e []core.Effect) []core.Effect { return e }, ""},
		{"a member halts", once(core.Effect{Kind: core.Halt, Reason: core.HaltRemoved}), "n1 halts, removed"},
		{"the dead stay up", func(_ *faulty, effects []core.Effect) []core.Effect {
			return slices.DeleteFunc(slices.Clone(effects), func(e core.Effect) bool {
				return e.Kind == core.Emit && e.Event.Kind == core.EventNode && (e.Event.Node.State == core.Suspect || e.Event.Node.State == core.Down)
			})
		}, "n1 shows n3 up, which is dead"},
		{"a guest is not shown", func(_ *faulty, effects []core.Effect) []core.Effect {
			return slices.DeleteFunc(slices.Clone(effects), func(e core.Effect) bool {
				return e.Kind == core.Emit && e.Event.Kind == core.EventNode && e.Event.Node.Ephemeral
			})
		}, "n1 does not show tab up"},
		{"the living are shown down", once(shown("n2", core.Down)), "n1 shows n2 down, which lives"},
		{"the removed come back", once(shown("gone", core.Alive)), "n1 shows gone again"},
		{"more is done than is to do", frames(300, 1), "things in one step"},
		{"more is sent than came", frames(20, 4096), "bytes in one step"},
	} {
		t.Run(test.what, func(t *testing.T) {
			w := sim.New(sim.Config{Seed: 1, Trace: traceOf(), New: spoilt(40*core.Second, test.spoil)})
			defer w.Close()
			w.Promise()
			for i, name := range []string{"n0", "n1", "n2", "n3"} {
				var join []string
				if i > 0 {
					join = append(join, "n0:7946")
				}
				if err := w.Add(name, sim.Options{}).Start(join...); err != nil {
					t.Fatal(err)
				}
			}
			w.Run(5 * core.Second)
			w.Machine("n0").Do(core.Command{Op: core.Add, Name: "gone", Addr: "gone:7946"})
			w.Run(5 * core.Second)
			w.Machine("n0").Do(core.Command{Op: core.Del, Name: "gone"})
			w.Run(20 * core.Second)
			if err := w.Check(); err != nil {
				t.Fatal(err)
			}
			w.Settled()
			w.Run(5 * core.Second)
			switch test.what {
			case "the dead stay up":
				w.Run(10 * core.Second)
				w.Machine("n3").PowerOff()
			case "a guest is not shown":
				w.Run(10 * core.Second)
				if err := w.Add("tab", sim.Options{Guest: true}).Start("n0:7946", "n1:7946"); err != nil {
					t.Fatal(err)
				}
			}
			w.Run(30 * core.Second)
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

// TestBothGone: of a process that is over, and another that replaced it, knows that,
// and halts for its sake all the same, it is complained; not of one that stays.
func TestBothGone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		spoil func(*faulty, []core.Effect) []core.Effect
		want  string
	}{
		{func(_ *faulty, e []core.Effect) []core.Effect { return e }, ""},
		{once(core.Effect{Kind: core.Halt, Reason: core.HaltNameTaken}), "both are gone"},
	} {
		w := sim.New(sim.Config{Seed: 1, Trace: traceOf(), New: spoilt(core.Minute, test.spoil)})
		w.Promise()
		for _, name := range []string{"n0", "n1", "n2"} {
			if err := w.Add(name, sim.Options{}).Start("n0:7946"); err != nil {
				t.Fatal(err)
			}
		}
		w.Run(5 * core.Second)
		w.Machine("n1").Pause()
		w.Machine("n0").Do(core.Command{Op: core.Del, Name: "n1"})
		w.Run(20 * core.Second)
		if err := w.Add("n1r", sim.Options{Node: "n1"}).Start("n0:7946"); err != nil {
			t.Fatal(err)
		}
		w.Run(40 * core.Second)
		w.Machine("n1").Resume()
		w.Run(10 * core.Second)
		if err := w.Err(); test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("it is complained of %v, and not that %q", err, test.want)
		}
		w.Close()
	}
}
