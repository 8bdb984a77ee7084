package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// broken is a ring of "me", two helpers and "prey", whose connection has just
// broken and whose address refused the dial that followed.
func broken(t *testing.T) (g *rig, helpers map[string]core.ConnID, probes map[string]uint64) {
	t.Helper()
	g = start(t, me())
	helpers = map[string]core.ConnID{"a": g.peer("a"), "b": g.peer("b")}
	prey := g.peer("prey")
	g.tick(core.Second)
	return g, helpers, g.breakOff(prey, helpers)
}

// breakOff lets the connection break, and the dial that follows be refused. It
// returns the numbers of the probes that the helpers were asked to forward.
func (g *rig) breakOff(prey core.ConnID, helpers map[string]core.ConnID) map[string]uint64 {
	g.Helper()
	dials := of(g.step(core.Input{Kind: core.Closed, Conn: prey, Code: wire.CodeLost}), core.Dial)
	if len(dials) != 1 || dials[0].Addr != "prey:7946" {
		g.Fatalf("not dialled again: %+v", g.effects)
	}
	effects := g.step(core.Input{Kind: core.Closed, Conn: dials[0].Conn, Code: wire.CodeRefused})
	probes := make(map[string]uint64)
	for name, id := range helpers {
		for _, f := range sent(g, effects, id) {
			var probe wire.Frame
			if f.Kind == wire.KindRelay && f.To == "prey" && probe.Decode([]byte(f.Inner)) == nil {
				probes[name] = probe.Seq
			}
		}
	}
	if len(probes) != len(helpers) {
		g.Fatalf("not all were asked: %+v", effects)
	}
	return probes
}

func (g *rig) is(name string, want core.State) {
	g.Helper()
	if n, _ := g.view.Get(name); n.State != want {
		g.Fatalf("%s is %s, not %s", name, n.State, want)
	}
}

func refusedFrame(seq uint64) *wire.Frame { return &wire.Frame{Kind: wire.KindRefused, Seq: seq} }

// TestAllAreRefused: a process that is gone is down as soon as all who were
// asked were refused, and not before.
func TestAllAreRefused(t *testing.T) {
	g, helpers, probes := broken(t)
	g.receive(helpers["a"], refusedFrame(probes["a"]))
	g.receive(helpers["a"], refusedFrame(probes["a"])) // says it twice
	g.is("prey", core.Alive)
	g.receive(helpers["b"], refusedFrame(probes["b"]))
	g.is("prey", core.Down)
}

// TestHelperVetoes: a firewall refuses this node, but a helper reaches the other.
func TestHelperVetoes(t *testing.T) {
	g, helpers, probes := broken(t)
	g.receive(helpers["a"], relayOf("prey", "me", 1, &wire.Frame{Kind: wire.KindAlive, Seq: probes["a"]}))
	g.receive(helpers["b"], refusedFrame(probes["b"]))
	g.receive(helpers["a"], refusedFrame(probes["a"]))
	g.tick(400 * core.Millisecond)
	g.is("prey", core.Alive)
}

// TestSilentHelper: where one says nothing, there is a suspicion first.
func TestSilentHelper(t *testing.T) {
	g, helpers, probes := broken(t)
	g.receive(helpers["a"], refusedFrame(probes["a"]))
	g.receive(helpers["b"], refusedFrame(probes["b"]+1))
	g.tick(2 * core.Second)
	g.is("prey", core.Suspect)
}

// TestStrangersWord: the word of who was not asked does not count.
func TestStrangersWord(t *testing.T) {
	g, helpers, probes := broken(t)
	stranger := g.accept(core.Peer)
	g.sayHello(stranger, g.hello("stranger"))
	g.receive(helpers["a"], refusedFrame(probes["a"]))
	g.receive(stranger, refusedFrame(probes["b"]))
	g.is("prey", core.Alive)
}

// TestRefutedConclusion: who was concluded about wrongly has the usual time, the
// next time; another process of that name does not.
func TestRefutedConclusion(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		g, helpers, probes := broken(t)
		for name, id := range helpers {
			g.receive(id, refusedFrame(probes[name]))
		}
		g.is("prey", core.Down)
		g.wall++
		id, h := g.accept(core.Peer), g.hello("prey")
		if restarted {
			h.Instance.Start++
		}
		g.sayHello(id, h)
		g.receive(id, rumor(g.presence("prey", wire.Presence{Address: h.Address, Instance: h.Instance, Version: 1})))
		g.is("prey", core.Alive)
		probes = g.breakOff(id, helpers)
		for name, id := range helpers {
			g.receive(id, refusedFrame(probes[name]))
		}
		if restarted {
			g.is("prey", core.Down)
		} else {
			g.is("prey", core.Alive)
		}
	}
}

// TestHelperIsRefused: who dials in order to forward a probe says if it was refused.
func TestHelperIsRefused(t *testing.T) {
	for code, says := range map[wire.Code]bool{wire.CodeRefused: true, wire.CodeUnreachable: false} {
		g := start(t, me())
		asker := g.peer("asker")
		g.receive(asker, rumor(g.member("prey", wire.Member{Address: "prey:7946"}),
			g.presence("prey", wire.Presence{Address: "prey:7946", Version: 1})))
		dials := of(g.receive(asker, relayOf("asker", "prey", 0, &wire.Frame{Kind: wire.KindProbe, Seq: 7})), core.Dial)
		if len(dials) != 1 {
			t.Fatalf("%+v", g.effects)
		}
		told := false
		for _, f := range sent(t, g.step(core.Input{Kind: core.Closed, Conn: dials[0].Conn, Code: code}), asker) {
			told = told || f.Kind == wire.KindRefused && f.Seq == 7
		}
		if told != says {
			t.Errorf("%s: %+v", code, g.effects)
		}
	}
}

// TestHelperFindsOut: a helper may still hold the connection for open on which it
// forwards a probe. When it breaks, the probe goes with the dial that follows.
func TestHelperFindsOut(t *testing.T) {
	for answered, says := range map[bool]bool{false: true, true: false} {
		g := start(t, me())
		asker, prey := g.peer("asker"), g.peer("prey")
		if frames := sent(t, g.receive(asker, relayOf("asker", "prey", 0, &wire.Frame{Kind: wire.KindProbe, Seq: 7})), prey); len(frames) != 1 {
			t.Fatalf("not forwarded: %+v", g.effects)
		}
		if answered {
			g.receive(prey, relayOf("prey", "asker", 0, &wire.Frame{Kind: wire.KindAlive, Seq: 7}))
		}
		dials := of(g.step(core.Input{Kind: core.Closed, Conn: prey, Code: wire.CodeLost}), core.Dial)
		if len(dials) != 1 {
			t.Fatalf("%+v", g.effects)
		}
		told := false
		for _, f := range sent(t, g.step(core.Input{Kind: core.Closed, Conn: dials[0].Conn, Code: wire.CodeRefused}), asker) {
			told = told || f.Kind == wire.KindRefused && f.Seq == 7
		}
		if told != says {
			t.Errorf("answered %v: told %v: %+v", answered, told, g.effects)
		}
	}
}
