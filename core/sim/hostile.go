package sim

import (
	"math/rand/v2"
	"strings"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// evil is the address that a hostile guest gives others, if anybody believes it.
const evil = "evil:7946"

// hostile is an engine that has a guest's rights and no manners: it says of
// everybody whatever hurts, in every frame there is, and garbage in between.
type hostile struct {
	cfg     core.Config
	rng     *rand.Rand
	names   func() []string // of whom it tells lies
	posing  func() []string // as whom it poses
	conn    core.ConnID
	state   connState
	name    string // that it says it has, on this connection
	wall    int64
	effects []core.Effect
	seen    [][]byte // frames of others, to be spoilt and sent back
	said    *int     // frames sent
	greedy  bool
}

// Hostile returns what makes a hostile guest's engine, for Options.Rogue: it tells
// lies of some names, poses as some (of durable nodes: a guest's name is free for any
// other when it is gone), and counts the frames that it sends.
func Hostile(names, posing func() []string, said *int) func(core.Config) (core.Engine, error) {
	return func(cfg core.Config) (core.Engine, error) {
		rng := rand.New(rand.NewPCG(cfg.Seed, 0x6576696c))
		return &hostile{cfg: cfg, rng: rng, names: names, posing: posing, said: said, state: closed}, nil
	}
}

// Greedy is Hostile of one that mostly asks for as much as it can.
func Greedy(names, posing func() []string, said *int) func(core.Config) (core.Engine, error) {
	return func(cfg core.Config) (core.Engine, error) {
		e, err := Hostile(names, posing, said)(cfg)
		e.(*hostile).greedy = true
		return e, err
	}
}

func (h *hostile) Snapshot() ([]byte, error)      { return nil, nil }
func (h *hostile) Changes(uint64) ([]byte, error) { return nil, nil }
func (h *hostile) Handover() ([]byte, error)      { return nil, nil }
func (h *hostile) Close() error                   { return nil }

func (h *hostile) Step(in core.Input) ([]core.Effect, error) {
	h.effects = h.effects[:0]
	h.wall = in.Wall
	switch in.Kind {
	case core.Opened:
		h.state = open
		h.hello()
	case core.Received:
		if len(h.seen) < 200 {
			h.seen = append(h.seen, append([]byte(nil), in.Frame...))
		} else {
			h.seen[h.rng.IntN(len(h.seen))] = append([]byte(nil), in.Frame...)
		}
	case core.Closed:
		if in.Conn == h.conn {
			h.state = closed
		}
	case core.Tick:
		switch {
		case h.state == open:
			for range 1 + h.rng.IntN(2)*h.rng.IntN(4) {
				h.attack()
			}
			if h.rng.IntN(300) == 0 {
				h.state = closed
				h.effects = append(h.effects, core.Effect{Kind: core.Close, Conn: h.conn, Code: wire.Code(1000 + h.rng.IntN(2)*h.rng.IntN(3020))})
			}
		case h.state == closed && len(h.cfg.Join) > 0:
			h.conn += 2
			h.state = dialling
			h.effects = append(h.effects, core.Effect{Kind: core.Dial, Conn: h.conn, Addr: h.cfg.Join[h.rng.IntN(len(h.cfg.Join))]})
		}
	}
	h.effects = append(h.effects, core.Effect{Kind: core.Wake, At: in.Mono + 150*core.Millisecond})
	return h.effects, nil
}

func (h *hostile) send(f *wire.Frame) { h.sendBytes(f.Append(nil)) }

func (h *hostile) sendBytes(b []byte) {
	*h.said++
	h.effects = append(h.effects, core.Effect{Kind: core.Send, Conn: h.conn, Frame: b})
}

// hello is mostly one that it is let in by.
func (h *hostile) hello() {
	hello := wire.Hello{
		Name: h.cfg.Name, Ring: h.cfg.Ring, Min: 1, Max: 1, Ephemeral: true,
		Instance: h.cfg.Instance, Wall: h.wall, Members: uint64(h.rng.IntN(2)),
	}
	switch h.rng.IntN(12) {
	case 0: // as somebody else
		if as := h.posing(); len(as) > 0 {
			hello.Name = as[h.rng.IntN(len(as))]
		}
	case 1:
		hello.Ephemeral = false
	case 2:
		hello.Address = evil
	case 3:
		hello.LastContact, hello.Members = 1+h.rng.Int64N(h.wall), 1000
	case 4:
		hello.Wall = h.rng.Int64()
	case 5:
		hello.Instance.Start = h.rng.Int64()
	}
	h.name = hello.Name
	h.send(&wire.Frame{Kind: wire.KindHello, Hello: hello})
}

// attack sends one frame that an honest guest would not.
func (h *hostile) attack() {
	if h.greedy && h.rng.IntN(8) > 0 {
		h.demand()
		return
	}
	var lies []wire.Record
	for range 1 + h.rng.IntN(8) {
		lies = append(lies, h.lie())
	}
	seq := h.rng.Uint64N(1000)
	f := &wire.Frame{Seq: seq, Wall: h.wall, Fingerprint: h.rng.Uint64(), Records: lies}
	switch h.rng.IntN(20) {
	case 14, 15, 16:
		f = h.speech()
	case 0:
		f.Kind = wire.KindRumor
	case 1:
		f.Kind = wire.KindGossip
	case 2:
		f.Kind = wire.KindAck
	case 3:
		f.Kind, f.Items = wire.KindSync, h.items(lies)
	case 4:
		f.Kind, f.Items = wire.KindSynced, h.items(lies)
		f.Handled = uint64(h.rng.IntN(4))
	case 5:
		f.Kind = wire.KindProbe
	case 6:
		f.Kind, f.Instance = wire.KindAlive, h.cfg.Instance
	case 7:
		f.Kind = wire.KindRefused
	case 8:
		probe := (&wire.Frame{Kind: wire.KindProbe, Seq: seq}).Append(nil)
		f = &wire.Frame{Kind: wire.KindRelay, From: h.other(), To: h.other(), Hops: uint8(h.rng.IntN(4)), Inner: string(probe)}
	case 9:
		inner := (&wire.Frame{Kind: wire.KindAlive, Seq: seq, Instance: h.cfg.Instance}).Append(nil)
		f = &wire.Frame{Kind: wire.KindRelay, From: h.name, To: h.other(), Inner: string(inner)}
	case 10:
		code := []wire.Code{wire.CodeNameTaken, wire.CodeRemoved, wire.CodeSkew, wire.CodeRing, wire.CodeBye}
		f = &wire.Frame{Kind: wire.KindError, Code: code[h.rng.IntN(len(code))], Text: "go away"}
	case 11:
		h.hello() // one more
		return
	case 12:
		f = &wire.Frame{Kind: wire.KindCordon, On: seq%4 > 0}
	case 13:
		inner := (&wire.Frame{Kind: wire.KindCordon, On: seq%4 > 0}).Append(nil)
		f = &wire.Frame{Kind: wire.KindRelay, From: h.name, To: h.other(), Inner: string(inner)}
	default:
		h.spoilt()
		return
	}
	h.send(f)
}

// speech is a frame of messages: in its own name or in that of another, with numbers
// that jump, and of others' questions.
func (h *hostile) speech() *wire.Frame {
	name, in := h.name, h.cfg.Instance
	if h.rng.IntN(2) == 0 {
		name = h.other()
	}
	if h.rng.IntN(4) == 0 {
		in.Start = h.wall
	}
	seq := max(1, [...]uint64{h.rng.Uint64N(100), h.rng.Uint64N(100), 1 << 40, 1<<63 - 1}[h.rng.IntN(4)])
	f := &wire.Frame{Kind: wire.KindMessage + wire.Kind(h.rng.IntN(9)), Seq: seq, Instance: in, Asker: h.other(), Topics: []string{"*"}, Bytes: seq,
		Streams: []wire.Stream{{Name: name, Instance: in, Seqs: []uint64{seq}}},
		Answers: []wire.Answer{{Name: name, Payload: "me"}}, Tell: wire.Tell{Topic: "t", Payload: "x"}}
	for i := range uint64(1 + h.rng.IntN(40)) {
		m := wire.Message{Name: name, Instance: in, Seq: min(seq+i, 1<<63-1), Step: 1, Since: h.rng.Uint64N(wire.Window), Verb: wire.Verb(h.rng.IntN(5))}
		switch m.Verb {
		case wire.VerbAsk:
			m.Wait = 1 + h.rng.Uint64N(wire.MaxWait)
			fallthrough
		case wire.VerbSend:
			m.Topic, m.Payload = "t", strings.Repeat("x", h.rng.IntN(500))
		case wire.VerbOff:
			m.Seq = max(m.Seq, 2)
			m.Wait = 1
		}
		f.Messages = append(f.Messages, m)
	}
	if f.Kind == wire.KindTell || f.Kind == wire.KindSaid || f.Kind == wire.KindAnswers {
		if h.rng.IntN(2) == 0 {
			return &wire.Frame{Kind: wire.KindRelay, From: name, To: h.other(), Inner: string(f.Append(nil))}
		}
	}
	return f
}

// demand asks for much, and says little: a frame full of questions whose answers are
// long, or have to be looked for long.
func (h *hostile) demand() {
	f := &wire.Frame{Kind: wire.KindSync, Seq: h.rng.Uint64N(1000)}
	kinds := [...]wire.ItemKind{wire.ItemFingerprint, wire.ItemFingerprint, wire.ItemAfter, wire.ItemAfter, wire.ItemSome, wire.ItemAll}
	kind := kinds[h.rng.IntN(len(kinds)-h.rng.IntN(2))]
	deepest := h.rng.IntN(wire.RangeDepth + 1)
	n := wire.MaxItems
	if h.rng.IntN(3) == 0 {
		n = 1 + h.rng.IntN(n)
	}
	for range n {
		it := wire.Item{Kind: kind, Range: wire.Range{Depth: uint8(deepest)}}
		switch kind {
		case wire.ItemAfter:
			it.Range.Depth, it.After = wire.RangeDepth, [...]string{"!", "m", "~~"}[h.rng.IntN(3)]
		case wire.ItemAll, wire.ItemSome:
			it.Range.Depth = uint8(h.rng.IntN(3))
		}
		if it.Range.Depth > 0 {
			it.Range.Prefix = lww.HashName(h.other()) &^ (1<<(64-4*int(it.Range.Depth)) - 1)
		}
		f.Items = append(f.Items, it)
	}
	h.send(f)
}

// spoilt sends a frame that it got back, as it was or not.
func (h *hostile) spoilt() {
	if len(h.seen) == 0 {
		return
	}
	b := append([]byte(nil), h.seen[h.rng.IntN(len(h.seen))]...)
	if len(b) == 0 {
		return
	}
	switch h.rng.IntN(4) {
	case 0:
		b[h.rng.IntN(len(b))] ^= byte(1 + h.rng.IntN(255))
	case 1:
		b = b[:h.rng.IntN(len(b)+1)]
	case 2:
		b = append(b, b...)
	}
	h.sendBytes(b)
}

// items are those of a sync, of any kind and range.
func (h *hostile) items(lies []wire.Record) (items []wire.Item) {
	for range 1 + h.rng.IntN(4) {
		r := wire.Range{Set: wire.SetID(h.rng.IntN(2)), Depth: uint8(h.rng.IntN(17))}
		if r.Depth > 0 {
			r.Prefix = h.rng.Uint64() &^ (1<<(64-4*int(r.Depth)) - 1)
		}
		it := wire.Item{Kind: wire.ItemKind(h.rng.IntN(4)), Range: r}
		switch it.Kind {
		case wire.ItemAll, wire.ItemSome:
			it.Range = wire.Range{Set: lies[0].Set}
			it.Records = sameSet(lies)
		case wire.ItemChildren:
			it.Range.Depth = min(it.Range.Depth, 1)
			if it.Range.Depth == 0 {
				it.Range.Prefix = 0
			} else {
				it.Range.Prefix &= 0xf << 60
			}
		}
		items = append(items, it)
	}
	return items
}

func sameSet(records []wire.Record) []wire.Record {
	for i := range records {
		if records[i].Set != records[0].Set {
			return records[:i]
		}
	}
	return records
}

func (h *hostile) other() string {
	names := h.names()
	return names[h.rng.IntN(len(names))]
}

// lie is a record that would hurt, if anybody believed it.
func (h *hostile) lie() wire.Record {
	r := wire.Record{
		Set:   wire.SetID(h.rng.IntN(2)),
		Name:  h.other(),
		Stamp: h.wall + h.rng.Int64N(2*core.Minute),
		Rank:  uint8(h.rng.IntN(4)),
	}
	if h.rng.IntN(3) == 0 {
		r.Name = h.name
	}
	if h.rng.IntN(20) == 0 {
		r.Stamp = h.rng.Int64()
	}
	if r.Set == wire.Up {
		p := wire.Presence{Address: evil, Instance: h.cfg.Instance, Version: 1}
		if h.rng.IntN(2) == 0 {
			p.Address, p.Via = "", h.other()
		}
		r.Value = p.Value()
	} else {
		r.Value = wire.Member{Address: evil, Ephemeral: h.rng.IntN(2) == 0}.Value()
	}
	if h.rng.IntN(20) == 0 { // as long as it may be, and longer
		key := "z" + strings.Repeat("z", 20)
		r.Value = string([]byte{0x81, 0xa0 + byte(len(key))}) + key + "\xda\x04\x00" + strings.Repeat("!", 1024)
	}
	return r
}
