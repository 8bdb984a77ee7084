package sim_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// hoarder is a faulty engine that keeps what it is given.
type hoarder struct {
	faulty
	kept [][]byte
}

func (h *hoarder) Step(in core.Input) ([]core.Effect, error) {
	h.kept = append(h.kept, slices.Clone(in.Frame))
	return h.faulty.Step(in)
}

// Looks makes it an engine that can be measured.
func (h *hoarder) Looks() uint64 { return 0 }

// each appends an effect to those of each step.
func each(e core.Effect) func(*faulty, []core.Effect) []core.Effect {
	return func(f *faulty, effects []core.Effect) []core.Effect {
		if e.Kind == core.Dirty {
			e.Seq++
		}
		if e.Kind == core.Dial {
			e.Conn += 2
		}
		return append(slices.Clone(effects), e)
	}
}

// TestQuiet: what one node of a quiet ring does that is not to do is what is
// complained of, and of a good ring there is nothing to complain: nor when one is down,
// nor when one was removed.
func TestQuiet(t *testing.T) {
	t.Parallel()
	frame := func(f *wire.Frame) core.Effect {
		return core.Effect{Kind: core.Send, Conn: 1, Frame: f.Append(nil)}
	}
	none := func(_ *faulty, e []core.Effect) []core.Effect { return e }
	known := wire.Record{Set: wire.Nodes, Name: "n0", Stamp: 1, Value: wire.Member{Address: "n0:7946"}.Value()}
	for _, test := range []struct {
		what  string
		spoil func(*faulty, []core.Effect) []core.Effect
		want  string
	}{
		{"nothing", none, ""},
		{"it tells what everybody knows", each(frame(&wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{known}})), "n1 sends news"},
		{"it asks what it knows", each(frame(&wire.Frame{Kind: wire.KindSync, Seq: 7})), "n1 reconciles"},
		{"it gossips too often", each(frame(&wire.Frame{Kind: wire.KindGossip, Seq: 7})), "n1 gossips"},
		{"it does not gossip", func(_ *faulty, effects []core.Effect) []core.Effect {
			return slices.DeleteFunc(slices.Clone(effects), func(e core.Effect) bool {
				var f wire.Frame
				return e.Kind == core.Send && f.Decode(e.Frame) == nil && f.Kind == wire.KindGossip
			})
		}, "n1 gossips"},
		{"it complains too often", each(core.Effect{Kind: core.Emit, Event: &core.Event{Kind: core.EventRefused, Name: "n0"}}), "n1 tells of a refusal"},
		{"it probes too often", each(frame(&wire.Frame{Kind: wire.KindProbe, Seq: 7})), "n1 probes"},
		{"it dials too often", each(core.Effect{Kind: core.Dial, Conn: 1 << 40, Addr: "nobody:7946"}), "n1 dials"},
		{"it writes too often", each(core.Effect{Kind: core.Dirty, Seq: 1 << 40}), "n1 writes its ring file"},
		{"it tells of nothing", each(shown("n0", core.Alive)), "n1 tells"},
		{"it does not reach who is up", each(core.Effect{Kind: core.Emit, Event: &core.Event{Kind: core.EventEvidence, Name: "n0", Topic: "unreached"}}), "n1 tells"},
		{"it hears answers too late", each(core.Effect{Kind: core.Emit, Event: &core.Event{Kind: core.EventEvidence, Name: "n0", Topic: "unanswered"}}), "n1 finds an answer late"},
		{"it asks though no answer was late", each(core.Effect{Kind: core.Emit, Event: &core.Event{Kind: core.EventEvidence, Name: "n0", Topic: "asked"}}), "n1 asks for one that is up"},
		{"it is told what it did not ask", each(core.Effect{Kind: core.Emit, Event: &core.Event{Kind: core.EventEvidence, Name: "n0", Topic: "answered"}}), "n1 is told that one is up"},
		{"its frames are long", each(frame(&wire.Frame{Kind: wire.KindError, Code: wire.CodeBusy, Text: strings.Repeat("x", 1000)})), "bytes, more than"},
		{"it forgets nothing", nil, "n1 holds on to"},
	} {
		t.Run(test.what, func(t *testing.T) {
			w := sim.New(sim.Config{Seed: 1, New: func(cfg core.Config) (core.Engine, error) {
				r, err := core.New(cfg)
				switch f := (faulty{Engine: r, from: 6 * core.Minute, spoil: test.spoil}); {
				case cfg.Name != "n1" || err != nil:
					return r, err
				case test.spoil == nil:
					f.spoil = none
					return &hoarder{faulty: f}, nil
				default:
					return &f, nil
				}
			}})
			defer w.Close()
			for i, name := range []string{"n0", "n1", "n2", "n3", "n4"} {
				if err := w.Add(name, sim.Options{DialOnly: i == 2}).Start("n0:7946"); err != nil {
					t.Fatal(err)
				}
				w.Run(core.Second)
			}
			if err := w.Add("tab", sim.Options{Guest: true}).Start("n0:7946"); err != nil {
				t.Fatal(err)
			}
			w.Run(5 * core.Second)
			w.Machine("n3").Crash()
			w.Machine("n0").Do(core.Command{Op: core.Del, Name: "n4"})
			w.Run(6 * core.Minute)
			if test.spoil == nil {
				w.Run(10 * core.Minute)
			}
			err := w.Quiet()
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("it is complained of %v, and not that %q", err, test.want)
			}
		})
	}
}
