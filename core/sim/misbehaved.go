package sim

import (
	"strings"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// habit is one thing that a peer does wrong, again and again.
type habit uint8

const (
	wrongSyncs habit = iota // answers each sync with nothing, and tells of other fingerprints
	otherValue              // sends back what it hears, encoded otherwise
	lessValue               // sends back what it hears of nodes, with an empty value
	accuses                 // others at random
	noAck                   // takes gossip without a word
	habits
)

func (h habit) String() string {
	return [...]string{"answers syncs wrongly", "encodes anew what it hears", "empties what it hears", "accuses at random", "sends no acks"}[h]
}

// misbehaved is a node whose engine is as all are, but for what it lets out.
type misbehaved struct {
	core.Engine
	habit habit
	name  string
	wake  int64                  // that the engine asked for
	at    int64                  // of the next accusation
	turn  int                    // whose it is
	conns []core.ConnID          // over which hellos went, oldest first
	heard map[string]wire.Record // presences of others
	names []string               // of them
	out   []core.Effect
}

// misbehave makes engines of peers with a habit.
func misbehave(h habit, engine func(core.Config) (core.Engine, error)) func(core.Config) (core.Engine, error) {
	return func(cfg core.Config) (core.Engine, error) {
		e, err := engine(cfg)
		if err != nil {
			return nil, err
		}
		return &misbehaved{Engine: e, habit: h, name: cfg.Name, heard: make(map[string]wire.Record)}, nil
	}
}

func (b *misbehaved) Step(in core.Input) ([]core.Effect, error) {
	var f wire.Frame
	heard := in.Kind == core.Received && f.Decode(in.Frame) == nil
	var back []wire.Record
	for i := range f.Records {
		if w, ok := b.hear(&f.Records[i]); ok {
			back = append(back, w)
		}
	}
	inner, err := b.Engine.Step(in)
	b.out = b.out[:0]
	for _, e := range inner {
		switch e.Kind {
		case core.Wake:
			b.wake = e.At
			continue
		case core.Close:
			b.forget(e.Conn)
		case core.Send:
			if e.Frame = b.spoil(e.Frame); e.Frame == nil {
				continue
			}
		case core.Halt:
			return append(b.out, e), err
		}
		b.out = append(b.out, e)
	}
	if in.Kind == core.Closed {
		b.forget(in.Conn)
	}
	if heard && f.Kind != wire.KindHello && f.Kind != wire.KindError && !b.has(in.Conn) {
		b.conns = append(b.conns, in.Conn)
	}
	if len(back) > 0 && b.has(in.Conn) {
		b.out = append(b.out, core.Effect{Kind: core.Send, Conn: in.Conn, Frame: (&wire.Frame{Kind: wire.KindRumor, Records: back}).Append(nil)})
	}
	at := b.wake
	if b.habit == accuses {
		if in.Mono >= b.at {
			b.at = in.Mono + 500*core.Millisecond
			b.accuse()
		}
		at = min(max(at, in.Mono+1), b.at)
	}
	return append(b.out, core.Effect{Kind: core.Wake, At: at}), err
}

// hear takes note of a record, and returns what is sent back for it.
func (b *misbehaved) hear(r *wire.Record) (wire.Record, bool) {
	w := *r
	w.Name, w.Value = strings.Clone(r.Name), strings.Clone(r.Value)
	if w.Name == b.name {
		return w, false
	}
	if w.Set == wire.Up {
		if _, known := b.heard[w.Name]; !known {
			b.names = append(b.names, w.Name)
		}
		b.heard[w.Name] = w
	}
	switch b.habit {
	case otherValue: // a greater one: one key more, z
		w.Value = string([]byte{w.Value[0] + 1}) + w.Value[1:] + "\xa1z\xc3"
		return w, w.Value[0] < 0x90
	case lessValue:
		m, _ := wire.ParseMember(r.Value) // a guest stays one: that a name is a node's counts for ever
		w.Value = wire.Member{Ephemeral: m.Ephemeral}.Value()
		return w, w.Set == wire.Nodes && w.Value != r.Value // two of them would go on for ever
	}
	return w, false
}

// spoil returns what is sent in the place of a frame; nil for nothing.
func (b *misbehaved) spoil(frame []byte) []byte {
	var f wire.Frame
	if b.habit != wrongSyncs && b.habit != noAck || f.Decode(frame) != nil {
		return frame
	}
	switch f.Kind {
	case wire.KindAck:
		if b.habit == noAck {
			return nil
		}
	case wire.KindHello, wire.KindGossip:
	case wire.KindSynced:
		f.Handled, f.Items = f.Handled+1, nil
	default:
		return frame
	}
	if b.habit == noAck {
		return frame
	}
	f.Fingerprint++
	f.Hello.Fingerprint++
	return f.Append(nil)
}

// accuse tells all that one of the others is suspect, or down.
func (b *misbehaved) accuse() {
	if len(b.names) == 0 {
		return
	}
	b.turn++
	w := b.heard[b.names[b.turn%len(b.names)]]
	w.Rank = 1 + uint8(b.turn%2)
	frame := (&wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{w}}).Append(nil)
	for _, id := range b.conns {
		b.out = append(b.out, core.Effect{Kind: core.Send, Conn: id, Frame: frame})
	}
}

func (b *misbehaved) has(id core.ConnID) bool {
	for _, c := range b.conns {
		if c == id {
			return true
		}
	}
	return false
}

func (b *misbehaved) forget(id core.ConnID) {
	for i, c := range b.conns {
		if c == id {
			b.conns = append(b.conns[:i], b.conns[i+1:]...)
			return
		}
	}
}
