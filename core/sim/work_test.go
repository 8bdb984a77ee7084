package sim_test

import (
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// toiling is a good engine that looks at more than it has to.
type toiling struct {
	*core.Ring
	more  func(core.Input) uint64
	vain  uint64
	began int64
}

func (e *toiling) Looks() uint64 { return e.Ring.Looks() + e.vain }

func (e *toiling) Step(in core.Input) ([]core.Effect, error) {
	if e.began == 0 {
		e.began = in.Mono
	}
	if in.Mono > e.began+20*core.Second {
		e.vain += e.more(in)
	}
	return e.Ring.Step(in)
}

// TestWorkIsBounded: a node that looks at more than came in is complained of, of a good
// one there is nothing to complain, whatever its clock does, and neither of one that goes
// through all once that its clock was set back.
func TestWorkIsBounded(t *testing.T) {
	t.Parallel()
	done := false
	for what, test := range map[string]struct {
		more func(core.Input) uint64
		want string
	}{
		"nothing": {func(core.Input) uint64 { return 0 }, ""},
		"its clock is set back": {func(core.Input) uint64 {
			if done {
				return 0
			}
			done = true
			return 1200
		}, ""},
		"at each tick": {func(in core.Input) uint64 {
			if in.Kind == core.Tick {
				return 1200
			}
			return 0
		}, "again, and for no reason"},
		"at each frame":      {func(in core.Input) uint64 { return 1200 * uint64(min(len(in.Frame), 1)) }, "again, and for no reason"},
		"once, at very much": {func(core.Input) uint64 { return 10_000 }, "more than 10 times"},
	} {
		t.Run(what, func(t *testing.T) {
			w := sim.New(sim.Config{Seed: 1, Trace: traceOf(), New: func(cfg core.Config) (core.Engine, error) {
				r, err := core.New(cfg)
				if cfg.Name != "n1" || err != nil {
					return r, err
				}
				return &toiling{Ring: r, more: test.more}, nil
			}})
			defer w.Close()
			w.Promise()
			for i, name := range []string{"n0", "n1", "n2"} {
				var join []string
				if i > 0 {
					join = append(join, "n0:7946")
				}
				if err := w.Add(name, sim.Options{}).Start(join...); err != nil {
					t.Fatal(err)
				}
			}
			for range 200 { // as many names as there may be to look at
				w.Machine("n0").Do(core.Command{Op: core.Del, Name: "nobody"})
			}
			w.Run(19 * core.Second)
			w.Machine("n1").StepClock(-10 * core.Second)
			w.Run(20 * core.Second)
			switch err := w.Err(); {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("it is complained of %v, and not that %q", err, test.want)
			}
		})
	}
}
