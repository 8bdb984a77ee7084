package sim_test

import (
	"math/rand/v2"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// hostile is an engine that has a guest's rights and no manners: it says of
// everybody whatever hurts, in every frame there is, and garbage in between.
type hostile struct {
	cfg     core.Config
	rng     *rand.Rand
	conn    core.ConnID
	open    bool
	wall    int64
	effects []core.Effect
	seen    [][]byte // frames of others, to be spoilt and sent back
	names   []string
	said    int // frames sent
}

func (h *hostile) Snapshot() ([]byte, error) { return nil, nil }
func (h *hostile) Handover() ([]byte, error) { return nil, nil }
func (h *hostile) Close() error              { return nil }

func (h *hostile) Step(in core.Input) ([]core.Effect, error) {
	h.effects = h.effects[:0]
	h.wall = in.Wall
	switch in.Kind {
	case core.Start:
		h.conn = 0
	case core.Opened:
		h.open = true
		h.send(&wire.Frame{Kind: wire.KindHello, Hello: wire.Hello{
			Name: h.cfg.Name, Ring: h.cfg.Ring, Min: 1, Max: 1, Ephemeral: true,
			Instance: h.cfg.Instance, Wall: in.Wall, Members: 1,
		}})
	case core.Received:
		if len(h.seen) < 1000 {
			h.seen = append(h.seen, append([]byte(nil), in.Frame...))
		}
	case core.Closed:
		if in.Conn == h.conn {
			h.open = false
		}
	case core.Tick:
		if h.open {
			h.attack()
		} else {
			h.conn += 2
			h.effects = append(h.effects, core.Effect{Kind: core.Dial, Conn: h.conn, Addr: h.cfg.Join[h.rng.IntN(len(h.cfg.Join))]})
		}
	}
	h.effects = append(h.effects, core.Effect{Kind: core.Wake, At: in.Mono + 50*core.Millisecond})
	return h.effects, nil
}

func (h *hostile) send(f *wire.Frame) { h.sendBytes(f.Append(nil)) }

func (h *hostile) sendBytes(b []byte) {
	h.said++
	h.effects = append(h.effects, core.Effect{Kind: core.Send, Conn: h.conn, Frame: b})
}

// attack sends one frame that an honest guest would not.
func (h *hostile) attack() {
	var lies []wire.Record
	for range 1 + h.rng.IntN(8) {
		lies = append(lies, h.lie())
	}
	seq := h.rng.Uint64N(1000)
	switch h.rng.IntN(9) {
	case 0:
		h.send(&wire.Frame{Kind: wire.KindRumor, Records: lies})
	case 1:
		h.send(&wire.Frame{Kind: wire.KindGossip, Seq: seq, Wall: h.wall, Fingerprint: h.rng.Uint64(), Records: lies})
	case 2:
		h.send(&wire.Frame{Kind: wire.KindAck, Seq: seq, Wall: h.wall, Fingerprint: h.rng.Uint64(), Records: lies})
	case 3:
		h.send(&wire.Frame{Kind: wire.KindSync, Seq: seq, Items: []wire.Item{
			{Kind: wire.ItemSome, Range: wire.Range{Set: lies[0].Set}, Records: sameSet(lies)},
			{Kind: wire.ItemAll, Range: wire.Range{Set: 1 - lies[0].Set}},
		}})
	case 4:
		h.send(&wire.Frame{Kind: wire.KindSynced, Seq: seq, Handled: 1, Items: []wire.Item{{Kind: wire.ItemAll, Range: wire.Range{Set: wire.Nodes}}}})
	case 5:
		probe := (&wire.Frame{Kind: wire.KindProbe, Seq: seq}).Append(nil)
		h.send(&wire.Frame{Kind: wire.KindRelay, From: h.name(), To: h.name(), Hops: uint8(h.rng.IntN(4)), Inner: string(probe)})
	case 6:
		alive := (&wire.Frame{Kind: wire.KindAlive, Seq: seq, Instance: h.cfg.Instance}).Append(nil)
		h.send(&wire.Frame{Kind: wire.KindRelay, From: h.cfg.Name, To: h.name(), Inner: string(alive)})
	case 7:
		h.send(&wire.Frame{Kind: wire.KindError, Code: wire.CodeNameTaken, Text: "go away"})
	case 8:
		if len(h.seen) > 0 {
			b := append([]byte(nil), h.seen[h.rng.IntN(len(h.seen))]...)
			b[h.rng.IntN(len(b))] ^= byte(1 + h.rng.IntN(255))
			h.sendBytes(b[:h.rng.IntN(len(b)+1)])
		}
	}
}

func (h *hostile) name() string { return h.names[h.rng.IntN(len(h.names))] }

// lie is a record that would hurt, if anybody believed it.
func (h *hostile) lie() wire.Record {
	r := wire.Record{
		Set:   wire.SetID(h.rng.IntN(2)),
		Name:  h.name(),
		Stamp: h.wall + h.rng.Int64N(2*core.Minute),
		Rank:  uint8(h.rng.IntN(4)),
		Value: wire.Member{Address: "evil:7946", Ephemeral: h.rng.IntN(2) == 0}.Value(),
	}
	if r.Set == wire.Up {
		r.Value = wire.Presence{Address: "evil:7946", Instance: h.cfg.Instance, Version: 1}.Value()
	}
	return r
}

func sameSet(records []wire.Record) []wire.Record {
	for i := range records {
		if records[i].Set != records[0].Set {
			return records[:i]
		}
	}
	return records
}

// A hostile guest can make itself a member, and break its own connection. The
// durable nodes, and the honest guest of the same gateway, are not disturbed.
func TestHostileGuest(t *testing.T) {
	t.Parallel()
	var evil *hostile
	w := sim.New(sim.Config{Seed: 1, Trace: traceOf(), New: func(cfg core.Config) (core.Engine, error) {
		if cfg.Name == "evil" {
			evil = &hostile{cfg: cfg, rng: rand.New(rand.NewPCG(1, 2)), names: []string{"a", "b", "c", "tab", "evil", "new"}}
			return evil, nil
		}
		return core.New(cfg)
	}})
	s := storyIn(t, w, "a", "b", "c")
	s.Add("tab", sim.Options{Guest: true})
	s.start("tab", "a", "b")
	s.settle(core.Minute)
	s.OnEvent(func(m *sim.Machine, e *core.Event) {
		if n := &e.Node; e.Kind == core.EventNode && n.Name != "evil" && (n.State != core.Alive || n.Address == "evil:7946") {
			t.Errorf("%s shows %s %v at %s", m.Name(), n.Name, n.State, n.Address)
		}
	})
	s.Add("evil", sim.Options{Guest: true})
	s.start("evil", "a", "b")
	s.Run(10 * core.Minute)
	if evil.said < 1000 {
		t.Errorf("the hostile guest sent %d frames only", evil.said)
	}
	s.Machine("evil").Crash()
	s.settle(5 * core.Minute)
}
