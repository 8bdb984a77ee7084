package core_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// standing is where a connection may be when something bad comes over it.
type standing struct {
	name string
	make func(t testing.TB) (*rig, core.ConnID)
	over bool // hellos were exchanged
}

var standings = []standing{
	{"accepted", func(t testing.TB) (*rig, core.ConnID) {
		g := start(t, me())
		return g, g.accept(core.Peer)
	}, false},
	{"accepted as a guest", func(t testing.TB) (*rig, core.ConnID) {
		g := start(t, me())
		return g, g.accept(core.Guest)
	}, false},
	{"dialled", func(t testing.TB) (*rig, core.ConnID) { return dialled(t, me()) }, false},
	{"held", held, false},
	{"peer", func(t testing.TB) (*rig, core.ConnID) {
		g := start(t, me())
		return g, g.peer("dev")
	}, true},
	{"dialled peer, sync under way", func(t testing.TB) (*rig, core.ConnID) {
		g, id := dialled(t, me())
		g.sayHello(id, g.hello("dev"))
		return g, id
	}, true},
	{"guest", func(t testing.TB) (*rig, core.ConnID) {
		g := start(t, me())
		return g, g.guest("dev")
	}, true},
	{"gateway", func(t testing.TB) (*rig, core.ConnID) {
		cfg := me()
		cfg.Ephemeral, cfg.Address = true, ""
		g, id := dialled(t, cfg)
		g.sayHello(id, g.hello("dev"))
		return g, id
	}, true},
}

// dialled opens what a node dials that joins.
func dialled(t testing.TB, cfg core.Config) (*rig, core.ConnID) {
	t.Helper()
	cfg.Join = []string{"dev:7946"}
	g := start(t, cfg)
	id := of(g.effects, core.Dial)[0].Conn
	g.step(core.Input{Kind: core.Opened, Conn: id})
	return g, id
}

// held lets a later process of a connected node's name connect.
func held(t testing.TB) (*rig, core.ConnID) {
	t.Helper()
	g := start(t, me())
	old := g.peer("dev")
	id := g.accept(core.Peer)
	h := g.hello("dev")
	h.Instance.Start, h.Address = epoch, "dev2:7946"
	if probe := sent(t, g.sayHello(id, h), old); len(probe) != 1 || probe[0].Kind != wire.KindProbe {
		t.Fatalf("the old one is not asked: %+v", g.effects)
	}
	return g, id
}

// goodFrames returns one frame of each kind, as an honest node sends them.
func (g *rig) goodFrames() []*wire.Frame {
	in := wire.Instance{Start: epoch - core.Hour, Nonce: 7}
	add := g.member("new", wire.Member{Address: "new:7946"})
	up := g.presence("new", wire.Presence{Address: "new:7946", Instance: in, Version: 1, Tags: []wire.Tag{{Key: "zone", Value: "b"}}})
	probe := string((&wire.Frame{Kind: wire.KindProbe, Seq: 3}).Append(nil))
	var children [wire.RangeChildren]wire.Fingerprint
	children[3] = wire.Fingerprint{Count: 40, Sum: 5}
	return []*wire.Frame{
		{Kind: wire.KindHello, Hello: g.hello("dev")},
		{Kind: wire.KindGossip, Seq: 9, Wall: g.wall, Fingerprint: 3, Records: []wire.Record{add, up}},
		{Kind: wire.KindAck, Seq: 1, Wall: g.wall, Fingerprint: 3, Records: []wire.Record{add, up}},
		{Kind: wire.KindRumor, Records: []wire.Record{add, up}},
		{Kind: wire.KindSync, Seq: 5, Items: []wire.Item{
			{Kind: wire.ItemFingerprint, Fingerprint: wire.Fingerprint{Count: 9, Sum: 1}},
			{Kind: wire.ItemAll, Range: wire.Range{Depth: 1, Prefix: 1 << 60}, Records: []wire.Record{add}},
			{Kind: wire.ItemSome, Range: wire.Range{Set: wire.Up}, Records: []wire.Record{up}},
		}},
		{Kind: wire.KindSynced, Seq: 1, Handled: 1, Items: []wire.Item{{Kind: wire.ItemChildren, Children: children}}},
		{Kind: wire.KindProbe, Seq: 4},
		{Kind: wire.KindAlive, Seq: 1, Instance: in},
		{Kind: wire.KindRelay, From: "dev", To: "me", Inner: probe},
		{Kind: wire.KindError, Code: wire.CodeBusy, Text: "no"},
	}
}

// TestOutOfOrder: a hello comes first, and once.
func TestOutOfOrder(t *testing.T) {
	for _, s := range standings {
		t.Run(s.name, func(t *testing.T) {
			g, _ := s.make(t)
			for _, f := range g.goodFrames() {
				g, id := s.make(t)
				g.receive(id, f)
				switch {
				case f.Kind == wire.KindError:
					if closes := of(g.effects, core.Close); len(closes) != 1 || closes[0].Conn != id {
						t.Errorf("an error ends it: %+v", g.effects)
					}
				case (f.Kind == wire.KindHello) == s.over || s.name == "held":
					g.refused(id, wire.CodeOrder)
				}
				if closes := of(g.effects, core.Close); len(closes) > 0 {
					if more := g.receive(id, f); len(more) > 1 || len(of(more, core.Wake)) != len(more) {
						t.Errorf("kind %d: after the close: %+v", f.Kind, more)
					}
				}
			}
		})
	}
}

// TestBadFrames: bytes that are no frame cost their sender the connection,
// with one error, wherever it stands; bytes that are one by accident are
// taken for what they say. Nothing else happens.
func TestBadFrames(t *testing.T) {
	lying := map[string]string{
		"nothing":                 "",
		"array of 4 billion":      "\xdd\xff\xff\xff\xff",
		"rumor of 4 billion":      "\x92\x04\xdd\xff\xff\xff\xff",
		"synced of 4 billion":     "\x94\x06\x01\x01\xdd\xff\xff\xff\xff",
		"relay from 4 billion":    "\x95\x09\xdb\xff\xff\xff\xff",
		"error of 4 billion":      "\x93\x0a\xcd\x0f\xa0\xdb\xff\xff\xff\xff",
		"hello of 4 billion keys": "\x92\x01\xdf\xff\xff\xff\xff",
		"deep":                    "\x92\x01\x81\xa1a" + strings.Repeat("\x91", 100_000),
		"deeper":                  strings.Repeat("\x91", wire.MaxFrame),
		"too big":                 strings.Repeat("\x00", wire.MaxFrame+1),
		"no kind":                 "\x92\x0d\x01",
		"trailing":                "\x92\x07\x05\x00",
		"not canonical":           "\x92\x07\xcc\x05",
		"not UTF-8":               "\x93\x0a\xcd\x0f\xa0\xa1\xff",
		"relay in relay":          "\x95\x09\xa1a\xa1b\x00\xc4\x0b\x95\x09\xa1a\xa1b\x00\xc4\x03\x92\x07",
		"relay of garbage":        "\x95\x09\xa1a\xa2me\x00\xc4\x02\xff\xff",
		"too many hops":           "\x95\x09\xa1a\xa2me\x04\xc4\x03\x92\x07\x01",
	}
	for _, s := range standings {
		t.Run(s.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			for what, b := range lying {
				g, id := s.make(t)
				g.receiveBytes(id, []byte(b))
				if g.refused(id, wire.CodeBadFrame); t.Failed() {
					t.Fatal(what)
				}
			}
			g, id := s.make(t)
			for _, f := range g.goodFrames() {
				good := f.Append(nil)
				for range 60 {
					g, id = try(g, id, s, mutate(rng, good))
				}
			}
			for range 200 {
				b := make([]byte, rng.IntN(60))
				for i := range b {
					b[i] = byte(rng.Uint32())
				}
				g, id = try(g, id, s, b)
			}
		})
	}
}

// try sends bytes, and expects a refusal if they are no frame. It returns a
// rig and a connection to go on with.
func try(g *rig, id core.ConnID, s standing, b []byte) (*rig, core.ConnID) {
	g.Helper()
	g.receiveBytes(id, b)
	if new(wire.Frame).Decode(b) != nil {
		g.refused(id, wire.CodeBadFrame)
		if g.Failed() {
			g.Fatalf("% x", b)
		}
	} else if g.conns[id] == open && g.halted == 0 && s.over {
		return g, id
	}
	return s.make(g.TB)
}

// mutate returns b with some of it changed, cut off, doubled or added.
func mutate(rng *rand.Rand, b []byte) []byte {
	b = bytes.Clone(b)
	for range 1 + rng.IntN(3) {
		i := rng.IntN(len(b))
		switch rng.IntN(5) {
		case 0:
			b[i] = byte(rng.Uint32())
		case 1:
			b[i] ^= 1 << rng.IntN(8)
		case 2:
			b = append(b[:i:i], b[min(i+1+rng.IntN(4), len(b)):]...)
		case 3:
			b = append(b[:i:i], b[max(0, i-rng.IntN(9)):]...)
		case 4:
			b = b[:i+1]
		}
		if len(b) == 0 {
			return b
		}
	}
	return b
}

// TestLongFramesAreForgotten: the largest frame leaves no memory taken.
func TestLongFramesAreForgotten(t *testing.T) {
	g := start(t, me())
	id := g.peer("dev")
	b := append([]byte("\x92\x04\xdc\x80\x00"), bytes.Repeat([]byte("\x95\x01\xa1x\x00\x00\x80"), 0x8000)...)
	if err := new(wire.Frame).Decode(b); err != nil {
		t.Fatal(err)
	}
	if heap := heapOf(func() { g.receiveBytes(id, b) }); heap > 2*wire.MaxFrame {
		t.Errorf("a frame of %d bytes keeps %d", len(b), heap)
	}
	if g.conns[id] != open {
		t.Errorf("%+v", g.effects)
	}
}
