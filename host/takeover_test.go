package host_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestTakeover: a Ring takes over from a sandboxed Engine, and back, in the middle
// of a life; both do the same, as twins do.
func TestTakeover(t *testing.T) {
	cfg := config("me")
	engine, err := newTwin(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	now := core.Second
	step := func(in core.Input) []core.Effect {
		t.Helper()
		now += core.Millisecond
		in.Mono, in.Wall = now, epoch+now
		effects, err := engine.Step(in)
		if err != nil {
			t.Fatal(err)
		}
		return effects
	}
	hello := func(name string) []byte {
		f := wire.Frame{Kind: wire.KindHello, Hello: wire.Hello{
			Name: name, Address: name + ":7946", Ring: "ring", Min: 1, Max: 1, Members: 1, Fingerprint: 1, Wall: epoch + now,
			Instance: wire.Instance{Start: epoch, Nonce: uint64(len(name))},
		}}
		return f.Append(nil)
	}
	step(core.Input{Kind: core.Start})
	firsts := make(map[core.ConnID][]byte)
	for i, name := range []string{"a", "bb", "ccc"} {
		id := core.ConnID(2*i + 1)
		firsts[id] = hello(name)
		step(core.Input{Kind: core.Opened, Conn: id, Addr: "10.0.0.1:1"})
		step(core.Input{Kind: core.Received, Conn: id, Frame: firsts[id]})
		step(core.Input{Kind: core.Received, Conn: id, Frame: members(i, 40)})
		step(core.Input{Kind: core.Received, Conn: id, Frame: presences(i, 20, i)})
	}
	for range 3 {
		cfg.Takeover = true
		if cfg.Snapshot, err = engine.Handover(); err != nil {
			t.Fatal(err)
		}
		engine.Close()
		if engine, err = newTwin(t, cfg); err != nil {
			t.Fatal(err)
		}
		step(core.Input{Kind: core.Closed, Conn: 40})
		for _, id := range []core.ConnID{1, 3, 5} {
			step(core.Input{Kind: core.Opened, Conn: id, Addr: "10.0.0.1:1"})
			step(core.Input{Kind: core.Received, Conn: id, Frame: firsts[id]})
		}
		step(core.Input{Kind: core.Start})
		gossips := 0
		for range 30 {
			now += 100 * core.Millisecond
			for _, e := range step(core.Input{Kind: core.Tick}) {
				if e.Kind == core.Dial && e.Conn <= 40 {
					t.Errorf("id %d is used twice", e.Conn)
				}
				if e.Kind == core.Send && e.Conn <= 5 {
					gossips++
				}
			}
		}
		if gossips == 0 {
			t.Error("it says nothing on the connections that it took over")
		}
	}
	engine.Close()
}

// BenchmarkHandover is what a host pays to be able to start an engine again.
func BenchmarkHandover(b *testing.B) {
	for _, e := range engines {
		b.Run(e.name, func(b *testing.B) {
			p := newPeer(b, e.make(b, config("me")), 1000)
			p.receive(presences(1, 1000, 1))
			for b.Loop() {
				if _, err := p.engine.Handover(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkTakeover is a new engine's way into the place of one in a ring of a
// thousand: a snapshot, an instance, its start.
func BenchmarkTakeover(b *testing.B) {
	for _, e := range engines {
		b.Run(e.name, func(b *testing.B) {
			p := newPeer(b, e.make(b, config("me")), 1000)
			p.receive(presences(1, 1000, 1))
			cfg := config("me")
			cfg.Takeover = true
			for b.Loop() {
				var err error
				if cfg.Snapshot, err = p.engine.Handover(); err != nil {
					b.Fatal(err)
				}
				next := e.make(b, cfg)
				if _, err := next.Step(core.Input{Kind: core.Start, Mono: core.Second + p.now, Wall: epoch + p.now}); err != nil {
					b.Fatal(err)
				}
				next.Close()
			}
		})
	}
}
