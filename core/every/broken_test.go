package every

import (
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// broken is an engine with one fault.
type broken struct {
	*core.Ring
	step func(*core.Ring, core.Input) ([]core.Effect, error)
}

func (b broken) Step(in core.Input) ([]core.Effect, error) { return b.step(b.Ring, in) }
func (b broken) Copy() core.Engine                         { return broken{Copy(b.Ring), b.step} }
func (b broken) Sum() uint64                               { return Sum(b.Ring) }

// forgetful drops the deletions that others bring.
func forgetful(r *core.Ring, in core.Input) ([]core.Effect, error) {
	var f wire.Frame
	if in.Kind == core.Received && f.Decode(in.Frame) == nil && f.Kind == wire.KindRumor {
		for _, rec := range f.Records {
			if rec.Set == wire.Nodes && rec.Rank == 2 {
				in = core.Input{Kind: core.Tick, Mono: in.Mono, Wall: in.Wall}
				break
			}
		}
	}
	return r.Step(in)
}

// hasty says that what it was told is on the disk before it is.
func hasty(r *core.Ring, in core.Input) ([]core.Effect, error) {
	effects, err := r.Step(in)
	for i := range effects {
		if e := effects[i].Event; e != nil && e.Kind == core.EventResult {
			e.Seq = 0
		}
	}
	return effects, err
}

// deaf says that it has deleted a node, and does not.
func deaf(r *core.Ring, in core.Input) ([]core.Effect, error) {
	if in.Kind != core.Do || in.Command.Op != core.Del {
		return r.Step(in)
	}
	return []core.Effect{{Kind: core.Emit, Event: &core.Event{Kind: core.EventResult, ID: in.Command.ID, Name: in.Command.Name}}}, nil
}

// jumpy takes whom it cannot reach at once for dead, and halts when two dials cross.
func jumpy(r *core.Ring, in core.Input) ([]core.Effect, error) {
	effects, err := r.Step(in)
	for i := range effects {
		if e := &effects[i]; e.Kind == core.Close && e.Code == wire.CodeDuplicate {
			return append(effects, core.Effect{Kind: core.Halt, Reason: core.HaltNameTaken}), err
		}
	}
	return effects, err
}

// TestFaultsAreFound breaks the engine, and expects the shortest schedule that shows it.
func TestFaultsAreFound(t *testing.T) {
	for _, test := range []struct {
		name   string
		step   func(*core.Ring, core.Input) ([]core.Effect, error)
		scene  string
		depart int
		length int
		what   string
	}{
		{"drops deletions", forgetful, "three", 2, 1, "shows"},
		{"acknowledges before it is on disk", hasty, "slow2", 1, 1, "not on its disk"},
		{"ignores a del", deaf, "two", 1, 1, "has not done"},
		{"halts when dials cross", jumpy, "join2", 1, 0, "a good member"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var sc *Scene
			for _, sc = range Scenes() {
				if sc.Name == test.scene {
					break
				}
			}
			sc.wrap = func(e core.Engine) core.Engine { return broken{e.(*core.Ring), test.step} }
			begun, err := sc.Begin()
			if err != nil {
				t.Fatal(err)
			}
			counts, f := begun.Explore(Bounds{Depth: 12, Depart: test.depart, Most: Most(1, 1)})
			if f == nil {
				t.Fatalf("it is not found: %s", counts.String())
			}
			story := f.Story([]*Scene{sc})
			t.Logf("%s\n%s", f.Code(), story)
			if !strings.Contains(f.What, test.what) || len(f.Path) > test.length || strings.Contains(story, "otherwise") {
				t.Errorf("found is: %s, by %d choices, want %q by %d at most", f.What, len(f.Path), test.what, test.length)
			}
		})
	}
}
