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

// TestNobodyAskedIt: who was not asked is no witness of a refusal.
func TestNobodyAskedIt(t *testing.T) {
	g, helpers, probes := broken(t)
	tab := g.guest("tab")
	g.found(g.receive(tab, refusedFrame(probes["a"])), "prey")
	g.found(g.receive(helpers["a"], refusedFrame(probes["a"])), "prey", "refused a")
	g.found(g.receive(helpers["a"], refusedFrame(probes["a"])), "prey")
}

// TestHelperVetoes: a firewall refuses this node, but a helper reaches the other.
func TestHelperVetoes(t *testing.T) {
	g, helpers, probes := broken(t)
	g.receive(helpers["a"], relayOf("prey", "me", 1, &wire.Frame{Kind: wire.KindAlive, Seq: probes["a"], Instance: instanceOf("prey")}))
	g.receive(helpers["b"], refusedFrame(probes["b"]))
	g.receive(helpers["a"], refusedFrame(probes["a"]))
	g.tick(400 * core.Millisecond)
	g.is("prey", core.Alive)
}

// TestSilentHelper: where one says nothing, there is a suspicion first.
func TestSilentHelper(t *testing.T) {
	g, helpers, probes := broken(t)
	g.tick(core.Millisecond)
	g.receive(helpers["a"], refusedFrame(probes["a"]))
	g.receive(helpers["b"], refusedFrame(probes["b"]+1))
	g.tick(2 * core.Second)
	g.is("prey", core.Suspect)
}

// TestDoubtIsOfAProcess: what is found out about a process that does not answer says nothing of
// one that was started meanwhile.
func TestDoubtIsOfAProcess(t *testing.T) {
	for what, ends := range map[string]func(g *rig, helpers map[string]core.ConnID, probes map[string]uint64){
		"nobody answers": func(g *rig, helpers map[string]core.ConnID, probes map[string]uint64) {
			g.tick(core.Millisecond)
			g.receive(helpers["a"], refusedFrame(probes["a"]))
			g.tick(2 * core.Second)
		},
		"all are refused": func(g *rig, helpers map[string]core.ConnID, probes map[string]uint64) {
			for name, id := range helpers {
				g.receive(id, refusedFrame(probes[name]))
			}
		},
	} {
		for _, restarted := range []bool{true, false} {
			g, helpers, probes := broken(t)
			g.wall++
			p := wire.Presence{Address: "prey:7946", Instance: instanceOf("prey"), Version: 1, Cordoned: true}
			if restarted {
				p.Instance.Start++
			}
			g.receive(helpers["a"], rumor(g.presence("prey", p)))
			ends(g, helpers, probes)
			if n, _ := g.view.Get("prey"); (n.State == core.Alive) != restarted {
				t.Errorf("%s, restarted %v: it is %s", what, restarted, n.State)
			}
		}
	}
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

// TestHelperDoubtsNobody: who dials in order to forward a probe, in vain, asks nobody
// else for that node: else one dial that fails makes three, and those nine.
func TestHelperDoubtsNobody(t *testing.T) {
	g := start(t, me())
	asker, other := g.peer("asker"), g.peer("other")
	g.receive(asker, rumor(g.member("prey", wire.Member{Address: "prey:7946"}),
		g.presence("prey", wire.Presence{Address: "prey:7946", Version: 1})))
	effects := g.receive(asker, relayOf("asker", "prey", 0, &wire.Frame{Kind: wire.KindProbe, Seq: 7}))
	n := 0
	for dials := of(effects, core.Dial); len(dials) > 0; dials = of(effects, core.Dial) {
		n++
		effects = g.step(core.Input{Kind: core.Closed, Conn: dials[0].Conn, Code: wire.CodeUnreachable})
		for _, f := range sent(t, effects, other) {
			if f.Kind == wire.KindRelay {
				t.Errorf("after %d dials: %+v", n, f)
			}
		}
	}
	if n == 0 {
		t.Fatal("it does not dial")
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

// TestRefusedDialAlone: an address that refuses a dial of who had no connection
// says nothing: its node may be one that dials others.
func TestRefusedDialAlone(t *testing.T) {
	g := start(t, me())
	helper := g.peer("a")
	effects := append(g.receive(helper, rumor(g.member("prey", wire.Member{Address: "prey:7946"}),
		g.presence("prey", wire.Presence{Address: "prey:7946", Version: 1}))), g.tick(core.Second)...)
	var dial core.ConnID
	for _, e := range of(effects, core.Dial) {
		if e.Addr == "prey:7946" {
			dial = e.Conn
		}
	}
	seq := uint64(0)
	for _, f := range sent(t, g.step(core.Input{Kind: core.Closed, Conn: dial, Code: wire.CodeRefused}), helper) {
		var probe wire.Frame
		if f.Kind == wire.KindRelay && probe.Decode([]byte(f.Inner)) == nil {
			seq = probe.Seq
		}
	}
	if seq == 0 {
		t.Fatalf("it is not asked for: %+v", g.effects)
	}
	g.receive(helper, refusedFrame(seq))
	g.is("prey", core.Alive)
	g.receive(helper, relayOf("prey", "me", 1, &wire.Frame{Kind: wire.KindAlive, Seq: seq, Instance: instanceOf("prey")}))
	for range 300 {
		effects := g.tick(core.Second / 10)
		for _, e := range of(effects, core.Dial) {
			if e.Addr == "prey:7946" {
				t.Fatal("it is dialled again, by who has another connection")
			}
		}
		for _, f := range sent(t, effects, helper) {
			if reply := g.answer("a", f); reply != nil {
				g.receive(helper, reply)
			}
		}
	}
	g.is("prey", core.Alive)
}

// TestSoleSurvivor: where nobody can be asked, there is a suspicion first.
func TestSoleSurvivor(t *testing.T) {
	g := start(t, me())
	g.breakOff(g.peer("prey"), nil)
	g.is("prey", core.Suspect)
}

// TestNoHelperYet: whom nobody can be asked for is asked for as soon as somebody comes.
func TestNoHelperYet(t *testing.T) {
	g := start(t, me())
	a, prey := g.peer("a"), g.peer("prey")
	g.step(core.Input{Kind: core.Closed, Conn: a, Code: wire.CodeRotated})
	again := g.accept(core.Peer)
	g.breakOff(prey, nil)
	g.is("prey", core.Alive)
	g.wall++
	for _, f := range sent(t, g.sayHello(again, g.hello("a")), again) {
		var probe wire.Frame
		if f.Kind == wire.KindRelay && probe.Decode([]byte(f.Inner)) == nil {
			g.receive(again, refusedFrame(probe.Seq))
		}
	}
	g.is("prey", core.Down)
}

// TestBreaksBeforeItIsEstablished: a process that is killed may accept a dial that
// it soon breaks; the next one is refused. So it is with what a helper has to
// forward while its own dial, begun before, is under way.
func TestBreaksBeforeItIsEstablished(t *testing.T) {
	for _, c := range []struct {
		name  string
		end   func(g *rig, dial core.ConnID)
		again bool
	}{
		{"reset", func(g *rig, dial core.ConnID) {
			g.step(core.Input{Kind: core.Closed, Conn: dial, Code: wire.CodeUnreachable})
		}, true},
		{"reset after it was open", func(g *rig, dial core.ConnID) {
			g.step(core.Input{Kind: core.Opened, Conn: dial})
			g.step(core.Input{Kind: core.Closed, Conn: dial, Code: wire.CodeLost})
		}, true},
		{"after a timeout", func(g *rig, dial core.ConnID) {
			g.tick(2 * core.Second)
			g.step(core.Input{Kind: core.Closed, Conn: dial, Code: wire.CodeUnreachable})
		}, false},
		{"refused", func(g *rig, dial core.ConnID) {
			g.step(core.Input{Kind: core.Closed, Conn: dial, Code: wire.CodeRefused})
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := start(t, me())
			asker, prey := g.peer("asker"), g.peer("prey")
			dials := of(g.step(core.Input{Kind: core.Closed, Conn: prey, Code: wire.CodeLost}), core.Dial)
			g.receive(asker, relayOf("asker", "prey", 0, &wire.Frame{Kind: wire.KindProbe, Seq: 7}))
			c.end(g, dials[0].Conn)
			dials = of(g.effects, core.Dial)
			if len(dials) == 1 != c.again {
				t.Fatalf("%+v", g.effects)
			}
			for len(dials) > 0 { // and again, but not for ever
				if sent(t, g.effects, asker) != nil {
					t.Fatalf("something is said already: %+v", g.effects)
				}
				last := dials[0].Conn
				c.end(g, last)
				if dials = of(g.effects, core.Dial); last > 20 {
					t.Fatal("it is dialled for ever")
				}
			}
		})
	}
}

// TestHelperKnows: a helper that was just refused itself says so without another dial.
func TestHelperKnows(t *testing.T) {
	g, helpers, _ := broken(t)
	effects := g.receive(helpers["a"], relayOf("a", "prey", 0, &wire.Frame{Kind: wire.KindProbe, Seq: 7}))
	if frames := sent(t, effects, helpers["a"]); len(frames) != 1 || frames[0].Kind != wire.KindRefused || frames[0].Seq != 7 || len(of(effects, core.Dial)) > 0 {
		t.Errorf("%+v", effects)
	}
}

// TestContestedAndBroken: what others say of a node is contested while this one is
// connected with it, and believed as soon as that connection breaks.
func TestContestedAndBroken(t *testing.T) {
	for code, want := range map[wire.Code]core.State{wire.CodeLost: core.Down, wire.CodeRotated: core.Alive} {
		g := start(t, me())
		a, prey := g.peer("a"), g.peer("prey")
		n, _ := g.view.Get("prey")
		down := g.presence("prey", wire.Presence{Address: n.Address, Instance: n.Instance, Version: 1})
		down.Stamp, down.Rank = n.Incarnation, 2
		effects := g.receive(a, rumor(down))
		g.is("prey", core.Alive)
		if frames := sent(t, effects, prey); len(frames) != 1 || frames[0].Records[0].Rank != 2 {
			t.Errorf("it is not told: %+v", effects)
		}
		g.step(core.Input{Kind: core.Closed, Conn: prey, Code: code})
		g.is("prey", want)
		g.tick(2 * core.Second)
		g.is("prey", core.Down)
	}
}

// TestContestAsleep: a node that is not run holds up what others say of its neighbour for as
// long as that one may take to refute it, and not for as long as it would have to be run
// for that; but what came meanwhile it reads first.
func TestContestAsleep(t *testing.T) {
	for name, c := range map[string]struct {
		sleeps  []int64
		refutes bool
		want    core.State
	}{
		"once":                        {[]int64{10 * core.Second}, false, core.Down},
		"for most of the time":        {[]int64{core.Second, core.Second, core.Second, core.Second}, false, core.Down},
		"shorter than it would take":  {[]int64{core.Second}, false, core.Alive},
		"once, and it is refuted":     {[]int64{10 * core.Second}, true, core.Alive},
		"often, and at last it is so": {[]int64{core.Second, 10 * core.Second}, true, core.Alive},
	} {
		t.Run(name, func(t *testing.T) {
			g := start(t, me())
			a, prey := g.peer("a"), g.peer("prey")
			n, _ := g.view.Get("prey")
			was := g.presence("prey", wire.Presence{Address: n.Address, Instance: n.Instance, Version: 1})
			was.Stamp = n.Incarnation
			down := was
			down.Rank = 2
			g.receive(a, rumor(down))
			for i, d := range c.sleeps {
				g.tick(10 * core.Millisecond) // a timer is near mostly
				g.mono, g.wall = g.mono+d, g.wall+d
				g.step(core.Input{Kind: core.Tick})
				if g.tick(10 * core.Millisecond); c.refutes && i == len(c.sleeps)-1 {
					g.is("prey", core.Alive)
					was.Stamp++
					g.receive(prey, rumor(was))
				}
				g.tick(50 * core.Millisecond)
			}
			g.is("prey", c.want)
		})
	}
}

// TestDuplicateBesideDial: of two connections one is closed for the other, which is
// not established yet: if that one comes to nothing, the node is not left alone.
func TestDuplicateBesideDial(t *testing.T) {
	g := start(t, me())
	a, prey := g.peer("a"), g.peer("prey")
	g.tick(core.Second)
	dials := of(g.step(core.Input{Kind: core.Closed, Conn: prey, Code: wire.CodeLost}), core.Dial)
	g.wall++
	other := g.accept(core.Peer)
	g.sayHello(other, g.hello("prey"))
	g.step(core.Input{Kind: core.Closed, Conn: other, Code: wire.CodeDuplicate})
	for _, f := range sent(t, g.step(core.Input{Kind: core.Closed, Conn: dials[0].Conn, Code: wire.CodeRefused}), a) {
		var probe wire.Frame
		if f.Kind == wire.KindRelay && probe.Decode([]byte(f.Inner)) == nil {
			g.receive(a, refusedFrame(probe.Seq))
		}
	}
	g.is("prey", core.Down)
}
