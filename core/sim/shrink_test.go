package sim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// flawed is an engine with one fault more than it has.
type flawed struct {
	core.Engine
	cfg  core.Config
	flaw func(*flawed, core.Input, []core.Effect) []core.Effect
	seen int
	lose map[string]bool
}

func (f *flawed) Step(in core.Input) ([]core.Effect, error) {
	out, err := f.Engine.Step(in)
	return f.flaw(f, in, out), err
}

func (f *flawed) Snapshot() ([]byte, error) {
	b, err := f.Engine.Snapshot()
	var s wire.Snapshot
	if err != nil || len(f.lose) == 0 || s.Decode(b) != nil {
		return b, err
	}
	s.Records = slices.DeleteFunc(s.Records, func(r wire.Record) bool { return f.lose[r.Name] })
	return s.Append(nil), nil
}

// A fault of every engine shows in a storm, and is told by a short story that can be
// lived again.
func TestShrink(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		flaw func(*flawed, core.Input, []core.Effect) []core.Effect
		most int // acts that are left
	}{
		"dials three times": {most: 6, flaw: func(f *flawed, in core.Input, out []core.Effect) []core.Effect {
			return slices.DeleteFunc(out, func(e core.Effect) bool {
				if e.Kind == core.Dial {
					f.seen++
				}
				return e.Kind == core.Dial && f.seen > 3
			})
		}},
		"keeps no ghost on disk, and tells nobody": {most: 8, flaw: func(f *flawed, in core.Input, out []core.Effect) []core.Effect {
			if in.Kind == core.Do && strings.HasPrefix(in.Command.Name, "ghost") {
				f.lose = map[string]bool{in.Command.Name: true}
			}
			return slices.DeleteFunc(out, func(e core.Effect) bool {
				var frame wire.Frame
				return e.Kind == core.Send && len(f.lose) > 0 && frame.Decode(e.Frame) == nil && slices.ContainsFunc(frame.Records, func(r wire.Record) bool {
					return f.lose[r.Name]
				})
			})
		}},
		"panics at a command in its first second": {most: 6, flaw: func(f *flawed, in core.Input, out []core.Effect) []core.Effect {
			if in.Kind == core.Do && in.Wall < f.cfg.Instance.Start+core.Second {
				panic("not yet")
			}
			return out
		}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			cfg := sim.Config{New: func(cfg core.Config) (core.Engine, error) {
				r, err := core.New(cfg)
				return &flawed{Engine: r, cfg: cfg, flaw: test.flaw}, err
			}}
			for seed := uint64(1); ; seed++ {
				if seed > 100 {
					t.Fatal("no seed shows it")
				}
				tale := sim.Tale{Seed: seed}
				if _, err := tale.Live(cfg); err == nil {
					continue
				}
				short := sim.Shrink(tale, cfg, 150)
				t.Logf("seed %d, %d stories:\n%s\n%v\n%s", seed, short.Runs, strings.Join(short.Story, "\n"), short.Err, flags(short.Tale))
				if n := len(short.Acts); n > test.most {
					t.Errorf("%d acts are left", n)
				}
				acts, err := sim.ParseScenes(short.String())
				if err != nil {
					t.Fatal(err)
				}
				short.Acts = acts
				_, again := short.Live(cfg)
				if a, b := strings.Split(fmt.Sprint(again), "\n"), strings.Split(short.Err.Error(), "\n"); a[0] != b[0] {
					t.Errorf("lived again: %v", again)
				}
				return
			}
		})
	}
}
