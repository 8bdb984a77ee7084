package host_test

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/host"
)

// engines are the two that benchmarks compare, native first.
var engines = []struct {
	name string
	make func(testing.TB, core.Config) core.Engine
}{
	{"native", func(t testing.TB, cfg core.Config) core.Engine {
		r, err := core.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}},
	{"wasm", func(t testing.TB, cfg core.Config) core.Engine { return sandboxed(t, cfg) }},
}

// epoch is the wall clock at which tests begin.
const epoch = 1_800_000_000 * core.Second

func config(name string) core.Config {
	return core.Config{Ring: "ring", Name: name, Address: name + ":7946", Instance: wire.Instance{Start: epoch, Nonce: 1}, Seed: 1}
}

// peer drives an engine of a ring of n others, one of which is connected.
type peer struct {
	testing.TB
	engine core.Engine
	now    int64
}

func newPeer(t testing.TB, engine core.Engine, n int) *peer {
	p := &peer{TB: t, engine: engine, now: core.Second}
	p.step(core.Input{Kind: core.Start})
	p.step(core.Input{Kind: core.Opened, Conn: 1, Addr: "10.0.0.1:1"})
	hello := wire.Frame{Kind: wire.KindHello, Hello: wire.Hello{Address: "node-0000:7946", Name: "node-0000", Ring: "ring",
		Members: uint64(n), Min: 1, Max: 1, Wall: epoch + p.now, Instance: wire.Instance{Start: epoch, Nonce: 1}}}
	p.receive(hello.Append(nil))
	for first := 0; first < n; first += 500 {
		p.receive(members(first, min(500, n-first)))
		p.receive(presences(first, min(500, n-first), 0))
	}
	alive := (&wire.Frame{Kind: wire.KindAlive}).Append(nil)
	for range 200 { // the rumors and the sync that follow
		p.now += 100 * core.Millisecond
		p.step(core.Input{Kind: core.Tick})
		p.receive(alive) // else its connection is given up
	}
	p.receive(presences(0, 1, 1))
	return p
}

func (p *peer) step(in core.Input) []core.Effect {
	p.now++
	in.Mono, in.Wall = p.now, epoch+p.now
	effects, err := p.engine.Step(in)
	if err != nil {
		p.Fatal(err)
	}
	return effects
}

func (p *peer) receive(frame []byte) []core.Effect {
	return p.step(core.Input{Kind: core.Received, Conn: 1, Frame: frame})
}

// members makes a rumor that so many nodes belong to the ring.
func members(first, count int) []byte {
	return rumor(first, count, func(name string) wire.Record {
		return wire.Record{Set: wire.Nodes, Stamp: epoch, Value: wire.Member{Address: name + ":7946"}.Value()}
	})
}

// presences makes a rumor of the i-th incarnations of nodes.
func presences(first, count, i int) []byte {
	return rumor(first, count, func(name string) wire.Record {
		p := wire.Presence{Address: name + ":7946", Instance: wire.Instance{Start: epoch, Nonce: 1}, Version: 1}
		return wire.Record{Set: wire.Up, Stamp: epoch + int64(i), Value: p.Value()}
	})
}

func rumor(first, count int, of func(name string) wire.Record) []byte {
	f := wire.Frame{Kind: wire.KindRumor}
	for k := first; k < first+count; k++ {
		name := fmt.Sprintf("node-%04d", k)
		r := of(name)
		r.Name = name
		f.Records = append(f.Records, r)
	}
	return f.Append(nil)
}

// BenchmarkMerge1000 is a frame of 1,000 records, all of them news: decoded,
// merged, and told as events.
func BenchmarkMerge1000(b *testing.B) { benchmarkMerge(b, 2000, 1) }

// BenchmarkMerge10000 is ten such frames, of other records each.
func BenchmarkMerge10000(b *testing.B) { benchmarkMerge(b, 10_001, 10) }

func benchmarkMerge(b *testing.B, ring, frames int) {
	for _, e := range engines {
		b.Run(e.name, func(b *testing.B) {
			p := newPeer(b, e.make(b, config("me")), ring)
			const ahead = 32
			var news [ahead][][]byte
			for i := 0; b.Loop(); i++ {
				if i%ahead == 0 {
					b.StopTimer()
					for k := range news {
						news[k] = nil
						for f := range frames {
							news[k] = append(news[k], presences(1+1000*f, 1000, 2+i+k))
						}
					}
					b.StartTimer()
				}
				for _, frame := range news[i%ahead] {
					p.receive(frame)
				}
			}
		})
	}
}

// BenchmarkRound is a round that brings no news, as most do: a gossip and its ack.
func BenchmarkRound(b *testing.B) {
	for _, e := range engines {
		b.Run(e.name, func(b *testing.B) {
			p := newPeer(b, e.make(b, config("me")), 5)
			var frame []byte
			for seq := uint64(1); b.Loop(); seq++ {
				f := wire.Frame{Kind: wire.KindGossip, Seq: seq, Wall: epoch + p.now, Fingerprint: 1 << 63}
				frame = f.Append(frame[:0])
				p.receive(frame)
			}
		})
	}
}

// BenchmarkStart is the time until a node has taken its first input: of the
// native engine, and of one in the sandbox beside others of the same process.
// BenchmarkColdStart has what a process has to do before.
func BenchmarkStart(b *testing.B) {
	for _, e := range engines {
		b.Run(e.name, func(b *testing.B) {
			for b.Loop() {
				engine := e.make(b, config("me"))
				if _, err := engine.Step(core.Input{Kind: core.Start, Mono: core.Second, Wall: epoch}); err != nil {
					b.Fatal(err)
				}
				engine.Close()
			}
		})
	}
}

// BenchmarkColdStart makes the first engine of a process: one that compiles its
// module, and one that finds it compiled in its folder.
func BenchmarkColdStart(b *testing.B) {
	memory := host.DefaultMemory
	start := func(b *testing.B, cache string) {
		memory += 64 << 10 // not as any engine that there is: nothing is shared
		e, err := host.New(b.Context(), host.Config{Node: config("me"), Memory: memory, Cache: cache})
		if err != nil {
			b.Fatal(err)
		}
		e.Close()
	}
	b.Run("compiled", func(b *testing.B) {
		for b.Loop() {
			start(b, "")
		}
	})
	b.Run("cached", func(b *testing.B) {
		dir := b.TempDir()
		start(b, dir)
		for b.Loop() {
			start(b, dir)
		}
	})
}
