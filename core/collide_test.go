package core_test

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// colliding returns 8^4 names of one hash. xxHash64 takes 64 bytes in four lanes,
// two words each; of any first word a second one leads a lane to where another
// pair led it.
func colliding(t testing.TB) (names []string) {
	const p1, p2 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F
	inverse := func(p uint64) (x uint64) {
		for x = p; x*p != 1; x *= 2 - x*p {
		}
		return x
	}
	round := func(lane, word uint64) uint64 { return bits.RotateLeft64(lane+word*p2, 31) * p1 }
	r1, r2 := inverse(p1), inverse(p2)
	rng := rand.New(rand.NewPCG(1, 1))
	text := func() uint64 {
		var b [8]byte
		for i := range b {
			b[i] = 'a' + byte(rng.IntN(26))
		}
		return binary.LittleEndian.Uint64(b[:])
	}
	isText := func(word uint64) bool {
		for range 8 {
			if b := byte(word); b < ' ' || b > '~' || b == '@' {
				return false
			}
			word >>= 8
		}
		return true
	}
	p := uint64(p1)
	var pairs [4][][2]uint64
	for i, seed := range [4]uint64{p + p2, p2, 0, -p} {
		a, b := text(), text()
		end := round(round(seed, a), b)
		for pairs[i] = append(pairs[i], [2]uint64{a, b}); len(pairs[i]) < 8; {
			a := text()
			if b := (bits.RotateLeft64(end*r1, -31) - round(seed, a)) * r2; isText(b) {
				pairs[i] = append(pairs[i], [2]uint64{a, b})
			}
		}
	}
	for i := range 8 * 8 * 8 * 8 {
		var b []byte
		for word := range 2 {
			for lane := range 4 {
				b = binary.LittleEndian.AppendUint64(b, pairs[lane][i>>(3*lane)&7][word])
			}
		}
		names = append(names, string(b))
		if lww.HashName(names[i]) != lww.HashName(names[0]) {
			t.Fatal("names that do not collide")
		}
	}
	return names
}

// TestCollidingNames: two nodes agree about any number of names that share a hash,
// whoever has which.
func TestCollidingNames(t *testing.T) {
	names := colliding(t)
	for what, has := range map[string]func(i int) (a, b bool){
		"each half":       func(i int) (a, b bool) { return i%2 == 0, i%2 == 1 },
		"one none":        func(i int) (a, b bool) { return true, false },
		"the other a few": func(i int) (a, b bool) { return i%100 == 0, true },
	} {
		t.Run(what, func(t *testing.T) {
			pair := newPair(t, func(i int) (records []wire.Record) {
				for k, name := range names {
					if a, b := has(k); i == 0 && a || i == 1 && b {
						records = append(records, wire.Record{Name: name, Stamp: epoch, Value: wire.Member{}.Value()})
					}
				}
				return records
			})
			if d := pair.agree(5 * core.Minute); d < 0 {
				t.Errorf("after five minutes one has %d records, the other %d", pair.members(0), pair.members(1))
			}
		})
	}
}

// TestWorkIsCharged: a guest's questions cost it what is walked for them, though
// there is nothing to answer.
func TestWorkIsCharged(t *testing.T) {
	names := colliding(t)
	cfg := me()
	s := wire.Snapshot{Ring: "ring", Name: "me", Wall: epoch}
	for _, name := range names {
		s.Records = append(s.Records, wire.Record{Name: name, Stamp: epoch, Value: wire.Member{}.Value()})
	}
	cfg.Snapshot = s.Append(nil)
	g := start(t, cfg)
	tab := g.guest("tab")
	ask := &wire.Frame{Kind: wire.KindSync, Seq: 1}
	for range wire.MaxItems {
		ask.Items = append(ask.Items, wire.Item{Kind: wire.ItemAfter, After: "~~",
			Range: wire.Range{Depth: wire.RangeDepth, Prefix: lww.HashName(names[0])}})
	}
	handled, answered := uint64(0), 0
	for range 100 {
		for _, f := range sent(t, g.receive(tab, ask), tab) {
			handled = max(handled, f.Handled)
			answered++
		}
	}
	if handled == 0 || handled > 8 {
		t.Errorf("%d of %d such items are taken in at once", handled, len(ask.Items))
	}
	if answered > 50 {
		t.Errorf("%d of 100 such frames are answered at once", answered)
	}
}

// pair is two Rings and a connection between them, without delay.
type pair struct {
	testing.TB
	rings [2]*core.Ring
	conns [2]core.ConnID
	now   int64
	views [2]core.View
	queue []func()
}

// newPair starts two nodes with what they know, and has a add b.
func newPair(t testing.TB, knows func(i int) []wire.Record) *pair {
	p := &pair{TB: t, now: core.Second}
	for i, name := range []string{"a", "b"} {
		s := wire.Snapshot{Ring: "ring", Name: name, Wall: epoch, Records: knows(i)}
		var err error
		p.rings[i], err = core.New(core.Config{Ring: "ring", Name: name, Address: name + ":1", Instance: wire.Instance{Start: epoch, Nonce: 1}, Snapshot: s.Append(nil)})
		if err != nil {
			t.Fatal(err)
		}
		p.step(i, core.Input{Kind: core.Start})
	}
	p.step(0, core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Add, Addr: "b:1"}})
	return p
}

func (p *pair) members(i int) int { return p.views[i].Len() }

// step gives one of the two an input: what it sends to the other follows.
func (p *pair) step(i int, in core.Input) {
	in.Mono, in.Wall = p.now, epoch+p.now
	effects, _ := p.rings[i].Step(in)
	for _, e := range effects {
		switch e.Kind {
		case core.Dial:
			p.queue = append(p.queue, func() {
				if other := "ab"[1-i:2-i] + ":1"; e.Addr != other || p.conns != [2]core.ConnID{} {
					p.step(i, core.Input{Kind: core.Closed, Conn: e.Conn, Code: wire.CodeRefused})
					return
				}
				p.conns[i], p.conns[1-i] = e.Conn, 1
				p.step(1-i, core.Input{Kind: core.Opened, Conn: 1})
				p.step(i, core.Input{Kind: core.Opened, Conn: e.Conn})
			})
		case core.Send:
			frame := bytes.Clone(e.Frame)
			if len(frame) > wire.MaxFrame {
				p.Fatalf("a frame of %d bytes", len(frame))
			}
			p.queue = append(p.queue, func() { p.step(1-i, core.Input{Kind: core.Received, Conn: p.conns[1-i], Frame: frame}) })
		case core.Close:
			if e.Conn == p.conns[i] {
				p.Fatalf("%d closes: %s %s", i, e.Code, e.Text)
			}
		case core.Emit:
			p.views[i].Apply(e.Event, 0)
		}
	}
}

// agree lets time pass until both hold the same, and returns how much did; -1 for never.
func (p *pair) agree(within int64) int64 {
	for began := p.now; p.now < began+within; p.now += 10 * core.Millisecond {
		for len(p.queue) > 0 {
			do := p.queue[0]
			p.queue = p.queue[1:]
			do()
		}
		if p.rings[0].Print() == p.rings[1].Print() && p.members(0) == p.members(1) {
			return p.now - began
		}
		p.step(0, core.Input{Kind: core.Tick})
		p.step(1, core.Input{Kind: core.Tick})
	}
	return -1
}
