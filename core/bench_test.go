package core_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

const benchWall = 1_800_000_010 * core.Second

// benchPeer is a Ring of n others with one of them connected.
type benchPeer struct {
	ring *core.Ring
	now  int64
	sent []core.Effect // of the last step
}

func newBenchPeer(b testing.TB, n int) *benchPeer {
	p := &benchPeer{ring: bigRing(b, "me", n)}
	p.step(core.Input{Kind: core.Start})
	p.step(core.Input{Kind: core.Opened, Conn: 1})
	hello := wire.Frame{Kind: wire.KindHello, Hello: wire.Hello{Address: "node-00000:7946", Name: "node-00000", Ring: "r",
		Members: uint64(n), Min: 1, Max: 1, Wall: benchWall, Instance: wire.Instance{Start: 1_800_000_000 * core.Second, Nonce: 1}}}
	p.receive(hello.Append(nil))
	for range 200 { // what a new connection brings: rumors and a sync that is not answered
		p.now += 100 * core.Millisecond
		p.step(core.Input{Kind: core.Tick})
		p.receive((&wire.Frame{Kind: wire.KindAlive}).Append(nil))
	}
	return p
}

func (p *benchPeer) step(in core.Input) {
	p.now++
	in.Mono, in.Wall = p.now, benchWall+p.now
	p.sent, _ = p.ring.Step(in)
}

func (p *benchPeer) receive(frame []byte) {
	p.step(core.Input{Kind: core.Received, Conn: 1, Frame: frame})
}

// news makes a rumor of new incarnations of nodes from first on, the i-th of their kind.
func news(first, records, i int) []byte {
	f := wire.Frame{Kind: wire.KindRumor}
	for k := range records {
		name := fmt.Sprintf("node-%05d", first+k)
		presence := wire.Presence{Address: name + ":7946", Instance: wire.Instance{Start: benchWall, Nonce: 1}, Version: 1}
		f.Records = append(f.Records, wire.Record{Set: wire.Up, Name: name, Stamp: 1_800_000_001*core.Second + int64(i), Value: presence.Value()})
	}
	return f.Append(nil)
}

// BenchmarkMerge1000 is a frame of 1,000 records, all of them news, beside
// its decoding alone.
func BenchmarkMerge1000(b *testing.B) {
	p := newBenchPeer(b, 2000)
	var decoding, all time.Duration
	var f wire.Frame
	for i := range b.N {
		frame := news(1, 1000, i)
		start := time.Now()
		if err := f.Decode(frame); err != nil {
			b.Fatal(err)
		}
		decoding += time.Since(start)
		start = time.Now()
		p.receive(frame)
		all += time.Since(start)
	}
	b.ReportMetric(float64(all)/float64(decoding), "times-decode")
}

// BenchmarkChange is one changed record in rings of several sizes: it costs
// about the same in all of them.
func BenchmarkChange(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			p := newBenchPeer(b, n)
			var spent time.Duration
			for i := range b.N {
				frame := news(1+i%(n-1), 1, i)
				start := time.Now()
				p.receive(frame)
				spent += time.Since(start)
			}
			b.ReportMetric(float64(spent)/float64(b.N), "ns/change")
		})
	}
}

// TestIdleFramesAreSmall: a round without news costs the same in any ring. A
// ring that is heard of for the first time has news; it ends after some rounds.
func TestIdleFramesAreSmall(t *testing.T) {
	for _, n := range []int{3, 1_000, 10_000} {
		p := newBenchPeer(t, n)
		gossip := (&wire.Frame{Kind: wire.KindGossip, Seq: 1 << 20, Wall: benchWall, Fingerprint: 1 << 63}).Append(nil)
		if len(gossip) > 32 {
			t.Fatalf("an idle gossip has %d bytes", len(gossip))
		}
		idle := func() bool {
			p.receive(gossip)
			for _, e := range p.sent {
				var f wire.Frame
				if e.Kind != core.Send || f.Decode(e.Frame) != nil || f.Kind != wire.KindAck || len(f.Records) > 0 {
					continue
				}
				if len(e.Frame) > 32 {
					t.Errorf("with %d others, an idle ack has %d bytes", n, len(e.Frame))
				}
				return true
			}
			return false
		}
		for round := 0; !idle(); round++ {
			if round == 1000 {
				t.Fatalf("with %d others, no ack of 1,000 was idle", n)
			}
		}
	}
}

// TestHeapOfARingOf1000 holds a node of a ring of 1,000 to 8 MiB.
func TestHeapOfARingOf1000(t *testing.T) {
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	p := newBenchPeer(t, 999)
	used := heap() - before
	runtime.KeepAlive(p)
	if used > 8<<20 {
		t.Errorf("%d KiB of heap", used>>10)
	}
	t.Logf("%d KiB of heap", used>>10)
}
