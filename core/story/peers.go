package story

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// bad is a node whose engine is as all are, but for what it lets out: a peer that
// is broken, or lies.
type bad struct {
	core.Engine
	name  string
	does  string
	in    core.Input
	out   []core.Effect
	heard map[string]wire.Record // presences of others
	said  []core.Effect          // frames, to be said again
}

// habits are what a bad peer does with a frame that its engine sends: it may say
// another thing, several, or nothing.
var habits = map[string]func(b *bad, e core.Effect, f *wire.Frame) []core.Effect{
	"never-acks": func(_ *bad, e core.Effect, f *wire.Frame) []core.Effect {
		if f.Kind == wire.KindAck {
			return nil
		}
		return []core.Effect{e}
	},
	"forwards-nothing": func(b *bad, e core.Effect, f *wire.Frame) []core.Effect {
		switch f.Kind {
		case wire.KindGossip, wire.KindAck, wire.KindRumor:
			var own []wire.Record
			for _, w := range f.Records {
				if w.Name == b.name {
					own = append(own, w)
				}
			}
			if f.Kind == wire.KindRumor && len(own) == 0 {
				return nil
			}
			return []core.Effect{instead(e, wire.Frame{Kind: f.Kind, Seq: f.Seq, Wall: f.Wall, Fingerprint: f.Fingerprint, Records: own})}
		case wire.KindRelay, wire.KindSync:
			return nil
		case wire.KindSynced:
			return []core.Effect{instead(e, wire.Frame{Kind: f.Kind, Seq: f.Seq, Handled: f.Handled})}
		}
		return []core.Effect{e}
	},
	"repeats-itself": func(b *bad, e core.Effect, f *wire.Frame) []core.Effect {
		if f.Kind == wire.KindHello {
			return []core.Effect{e}
		}
		e.Frame = bytes.Clone(e.Frame)
		b.said = append(b.said, e)
		out := []core.Effect{e}
		for i := 0; i < len(b.said); i += 1 + len(b.said)/8 {
			if old := b.said[i]; old.Conn == e.Conn {
				out = append(out, old)
			}
		}
		return out
	},
	"accuses-all": func(b *bad, e core.Effect, f *wire.Frame) []core.Effect {
		if f.Kind != wire.KindGossip && f.Kind != wire.KindAck {
			return []core.Effect{e}
		}
		lies := wire.Frame{Kind: wire.KindRumor}
		for _, name := range slices.Sorted(maps.Keys(b.heard)) {
			w := b.heard[name]
			w.Rank = 2
			lies.Records = append(lies.Records, w)
		}
		return []core.Effect{e, instead(e, lies)}
	},
	"floods": func(b *bad, e core.Effect, f *wire.Frame) []core.Effect {
		if f.Kind != wire.KindGossip && f.Kind != wire.KindAck {
			return []core.Effect{e}
		}
		out := []core.Effect{e}
		value := (&wire.Presence{Address: b.name + ":7946", Instance: wire.Instance{Start: 1, Nonce: 1}, Version: 1}).Value()
		for i := range 50 {
			flood := wire.Frame{Kind: wire.KindRumor}
			for k := range 100 { // of nodes that nobody has heard of, and of the year to come
				stray := string(rune('a'+i%26)) + "-" + string(rune('a'+k%26))
				flood.Records = append(flood.Records, wire.Record{Set: wire.Up, Name: stray, Stamp: b.in.Wall, Value: value},
					wire.Record{Set: wire.Up, Name: b.name, Stamp: b.in.Wall + 365*core.Day, Value: value})
			}
			out = append(out, instead(e, flood))
		}
		return out
	},
}

// instead sends another frame.
func instead(e core.Effect, f wire.Frame) core.Effect {
	e.Frame = f.Append(nil)
	return e
}

func (b *bad) Step(in core.Input) ([]core.Effect, error) {
	b.in = in
	var f wire.Frame
	if in.Kind == core.Received && f.Decode(in.Frame) == nil {
		records := f.Records
		for _, item := range f.Items {
			records = append(records, item.Records...)
		}
		for _, w := range records {
			if w.Set == wire.Up && w.Name != b.name && w.Rank == 0 {
				w.Name, w.Value = strings.Clone(w.Name), strings.Clone(w.Value)
				b.heard[w.Name] = w
			}
		}
	}
	effects, err := b.Engine.Step(in)
	b.out = b.out[:0]
	for _, e := range effects {
		if e.Kind != core.Send || f.Decode(e.Frame) != nil {
			b.out = append(b.out, e)
			continue
		}
		b.out = append(b.out, habits[b.does](b, e, &f)...)
	}
	return b.out, err
}
