package sim_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// veiled is an engine of which not all frames come to the network as they were.
type veiled struct {
	core.Engine
	veil func(frame []byte) []byte // nil if it is lost
	hear func(frame []byte)
}

func (v *veiled) Step(in core.Input) ([]core.Effect, error) {
	if in.Kind == core.Received && v.hear != nil {
		v.hear(in.Frame)
	}
	effects, err := v.Engine.Step(in)
	all := effects[:0]
	for _, e := range effects {
		if e.Kind == core.Send {
			if e.Frame = v.veil(e.Frame); e.Frame == nil {
				continue
			}
		}
		all = append(all, e)
	}
	return all, err
}

// tagged has nodes change again and again, and expects that all come to know.
func tagged(t *testing.T, seed uint64, names []string, wrap func(name string, e core.Engine) core.Engine) {
	t.Helper()
	n := len(names)
	w := sim.New(sim.Config{Seed: seed, New: func(cfg core.Config) (core.Engine, error) {
		r, err := core.New(cfg)
		if err != nil {
			return nil, err
		}
		return wrap(cfg.Name, r), nil
	}})
	defer w.Close()
	for i, name := range names {
		if err := w.Add(fmt.Sprint("n", i), sim.Options{Node: name}).Start("n0:7946"); err != nil {
			t.Fatal(err)
		}
	}
	w.Run(20 * core.Second)
	for i := range 30 {
		w.Machines()[i*7%n].Do(core.Command{Op: core.SetTags, Tags: []wire.Tag{{Key: "k", Value: fmt.Sprint(i)}}})
		w.Run(100 * core.Millisecond)
	}
	if !w.RunUntil(core.Minute, func() bool { return w.Check() == nil }) {
		t.Errorf("seed %d: %v", seed, w.Check())
	}
	if w.Err() != nil {
		t.Error(w.Err())
	}
}

// twenty are plain names.
func twenty() (names []string) {
	for i := range 20 {
		names = append(names, fmt.Sprint("n", i))
	}
	return names
}

// TestLostDigests: whichever frames of news are lost, on connections that go on, all nodes
// come to know the same.
func TestLostDigests(t *testing.T) {
	t.Parallel()
	for seed, kinds := range [][]wire.Kind{{wire.KindKnown}, {wire.KindLack}, {wire.KindRumor}, {wire.KindKnown, wire.KindLack, wire.KindRumor}} {
		lost := 0
		tagged(t, uint64(seed), twenty(), func(name string, e core.Engine) core.Engine {
			rng := rand.New(rand.NewPCG(uint64(seed), uint64(len(name))))
			return &veiled{Engine: e, veil: func(frame []byte) []byte {
				for _, kind := range kinds {
					if wire.Peek(frame).Kind == kind && rng.IntN(2) == 0 {
						lost++
						return nil
					}
				}
				return frame
			}}
		})
		if lost == 0 {
			t.Errorf("no frame of %v was there to be lost", kinds)
		}
	}
}

// TestRingOfBoth: nodes that know no digests, as those of before, are in one ring with
// others, and are sent none.
func TestRingOfBoth(t *testing.T) {
	t.Parallel()
	told := 0
	tagged(t, 1, twenty(), func(name string, e core.Engine) core.Engine {
		isOld := name[len(name)-1]%2 == 0
		return &veiled{Engine: e, veil: func(frame []byte) []byte {
			var f wire.Frame
			switch kind := wire.Peek(frame).Kind; {
			case kind == wire.KindKnown:
				told++
			case isOld && kind == wire.KindHello && f.Decode(frame) == nil:
				f.Hello.Digests = false
				return f.Append(nil)
			}
			return frame
		}, hear: func(frame []byte) {
			if kind := wire.Peek(frame).Kind; isOld && (kind == wire.KindKnown || kind == wire.KindLack) {
				t.Errorf("%s, which is of before, is sent a frame of kind %s", name, kind)
			}
		}}
	})
	if told == 0 {
		t.Error("nobody was told by a digest")
	}
}

// TestDigestsOfCollidingNames: of names that were made to share a hash a digest may not tell
// what is known; all nodes come to know the same.
func TestDigestsOfCollidingNames(t *testing.T) {
	t.Parallel()
	tagged(t, 1, sim.Hashed()[:20], func(name string, e core.Engine) core.Engine { return e })
}
