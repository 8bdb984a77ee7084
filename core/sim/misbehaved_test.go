package sim_test

import (
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// misbehaved is a node whose engine is as all are, but for what it lets out.
type misbehaved struct {
	core.Engine
	name  string
	wake  int64                               // that the engine asked for
	at    int64                               // of the next act
	conns map[core.ConnID]bool                // over which hellos went
	heard map[string]wire.Record              // presences of others
	says  func(*misbehaved, *wire.Frame) bool // spoils what it sends; true if it did
	echo  func(*wire.Record) bool             // spoils what comes, to be sent back
	acts  func(*misbehaved) *wire.Frame       // what it says to all, twenty times a second
	dials *int                                // of others, to it
}

func (b *misbehaved) Step(in core.Input) ([]core.Effect, error) {
	if b.name != "bad" {
		out, err := b.Engine.Step(in)
		for i := range out {
			if out[i].Kind == core.Dial && out[i].Addr == "bad:7946" {
				*b.dials++
			}
		}
		return out, err
	}
	var f wire.Frame
	heard := in.Kind == core.Received && f.Decode(in.Frame) == nil
	var back []wire.Record
	for i := range f.Records {
		w := f.Records[i]
		w.Name, w.Value = strings.Clone(w.Name), strings.Clone(w.Value)
		if w.Name == b.name {
			continue
		}
		if w.Set == wire.Up {
			b.heard[w.Name] = w
		}
		if b.echo != nil && b.echo(&w) {
			back = append(back, w)
		}
	}
	inner, err := b.Engine.Step(in)
	var out []core.Effect
	for _, e := range inner {
		switch {
		case e.Kind == core.Wake:
			b.wake = e.At
			continue
		case e.Kind == core.Close:
			delete(b.conns, e.Conn)
		case e.Kind == core.Send && b.says != nil:
			var f wire.Frame
			if f.Decode(e.Frame) == nil && b.says(b, &f) {
				e.Frame = f.Append(nil)
			}
		}
		out = append(out, e)
	}
	if in.Kind == core.Closed {
		delete(b.conns, in.Conn)
	}
	if heard && f.Kind != wire.KindHello && f.Kind != wire.KindError {
		b.conns[in.Conn] = true
	}
	if len(back) > 0 && b.conns[in.Conn] {
		out = append(out, core.Effect{Kind: core.Send, Conn: in.Conn, Frame: (&wire.Frame{Kind: wire.KindRumor, Records: back}).Append(nil)})
	}
	if b.acts != nil && in.Mono >= b.at {
		b.at = in.Mono + 50*core.Millisecond
		if f := b.acts(b); f != nil {
			for id := range b.conns {
				out = append(out, core.Effect{Kind: core.Send, Conn: id, Frame: f.Append(nil)})
			}
		}
	}
	at := b.wake
	if b.acts != nil {
		at = min(max(at, in.Mono+1), b.at)
	}
	return append(out, core.Effect{Kind: core.Wake, At: at}), err
}

// otherValue gives a record another value, which is greater.
func otherValue(w *wire.Record) bool {
	w.Value = string([]byte{w.Value[0] + 1}) + w.Value[1:] + "\xa1z\xc3" // one key more: z, true
	return w.Value[0] < 0x90
}

// TestMisbehavedPeers: whatever a peer says, again and again, that is wrong: the
// others go on, it is dialled and told little for it, and who it was is told once a minute.
func TestMisbehavedPeers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		what                 string
		bad                  misbehaved
		dials, frames, lines int // in 25 s: at most
		told                 string
	}{
		{
			what: "answers syncs wrongly",
			bad: misbehaved{says: func(b *misbehaved, f *wire.Frame) bool {
				f.Fingerprint++
				f.Hello.Fingerprint++
				f.Handled, f.Items = f.Handled+1, nil
				return f.Kind == wire.KindHello || f.Kind == wire.KindGossip || f.Kind == wire.KindAck || f.Kind == wire.KindSynced
			}},
			dials: 40, frames: 4000, lines: 8, told: "synced",
		},
		{
			what:  "sends back what it hears, encoded otherwise",
			bad:   misbehaved{echo: otherValue},
			dials: 8, frames: 2000, lines: 8, told: "hash",
		},
		{
			what: "sends back what it hears, with less",
			bad: misbehaved{echo: func(w *wire.Record) bool {
				w.Value = (&wire.Member{}).Value()
				return w.Set == wire.Nodes
			}},
			dials: 8, frames: 2000, lines: 8, told: "hash",
		},
		{
			what: "accuses at random",
			bad: misbehaved{acts: func(b *misbehaved) *wire.Frame {
				w, ok := b.heard["n"+string(rune('0'+b.at/core.Millisecond%4))]
				w.Rank = 1 + uint8(b.at/core.Millisecond%2)
				if !ok {
					return nil
				}
				return &wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{w}}
			}},
			dials: 8, frames: 6000, lines: 80, told: "accuses",
		},
	} {
		t.Run(test.what, func(t *testing.T) {
			t.Parallel()
			dials, lines, states, told := 0, make(map[string]int), make(map[string]core.State), 0
			w := sim.New(sim.Config{Seed: *first, LatencyMin: 50, LatencyMax: 500, Trace: traceOf(), New: func(cfg core.Config) (core.Engine, error) {
				r, err := core.New(cfg)
				b := test.bad
				b.Engine, b.name, b.dials = r, cfg.Name, &dials
				b.conns, b.heard = make(map[core.ConnID]bool), make(map[string]wire.Record)
				return &b, err
			}})
			w.OnEvent(func(m *sim.Machine, e *core.Event) {
				switch {
				case m.Name() == "bad":
				case e.Kind == core.EventNode:
					key := m.Name() + " of " + e.Node.Name
					if states[key] != e.Node.State {
						states[key] = e.Node.State
						lines[key]++
					}
				case e.Kind == core.EventRefused && strings.Contains(e.Text, test.told) && e.Name == "bad":
					told++
				}
			})
			s := storyIn(t, w, "n0", "n1", "n2", "n3", "bad")
			w.Run(25 * core.Second)
			sent, _ := w.Sent()
			most := 0
			for _, n := range lines {
				most = max(most, n)
			}
			t.Logf("%d dials, %d frames, %d lines of one name, told %d times", dials, sent, most, told)
			if dials > test.dials || int(sent) > test.frames || most > test.lines {
				t.Errorf("%d dials, %d frames, %d lines of one name", dials, sent, most)
			}
			if told == 0 || told > 8 {
				t.Errorf("it was told %d times", told)
			}
			for _, m := range s.Machines() {
				if m.Name() != "bad" && len(m.View().Up()) < 4 {
					t.Errorf("%s shows %d up", m.Name(), len(m.View().Up()))
				}
			}
		})
	}
}
