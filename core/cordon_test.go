package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// tell gives the node an operator's command.
func (g *rig) tell(id uint64, op core.Op, name string) []core.Effect {
	g.Helper()
	return g.step(core.Input{Kind: core.Do, Command: core.Command{ID: id, Op: op, Name: name}})
}

// answered returns what a command was answered by some effects, or nil.
func answered(effects []core.Effect, id uint64) *core.Event {
	for _, e := range events(effects, core.EventResult) {
		if e.ID == id {
			return e
		}
	}
	return nil
}

// expects expects an answer.
func (g *rig) expects(effects []core.Effect, id uint64, code wire.Code, says string) {
	g.Helper()
	if e := answered(effects, id); e == nil || e.Code != code || !strings.Contains(e.Text, says) || (e.Text == "") != (code == 0) {
		g.Errorf("command %d is answered %+v, not with %s and %q", id, e, code, says)
	}
}

// live is tick with peers that answer, and know all that this node does.
func (g *rig) live(d int64) (all []core.Effect) {
	g.Helper()
	for end := g.mono + d; g.mono < end && g.halted == 0; {
		effects := g.tick(core.Second / 10)
		all = append(all, effects...)
		for _, e := range of(effects, core.Send) {
			var f wire.Frame
			if f.Decode(e.Frame) != nil || g.conns[e.Conn] != open {
				continue
			}
			switch f.Kind {
			case wire.KindProbe:
				all = append(all, g.receive(e.Conn, &wire.Frame{Kind: wire.KindAlive, Seq: f.Seq})...)
			case wire.KindGossip:
				all = append(all, g.receive(e.Conn, &wire.Frame{Kind: wire.KindAck, Seq: f.Seq, Wall: g.wall, Fingerprint: g.ring.Print()})...)
			}
		}
	}
	return all
}

func (g *rig) isCordoned(name string, want bool) {
	g.Helper()
	if n, _ := g.view.Get(name); n.Cordoned != want {
		g.Errorf("%s is cordoned: %v", name, n.Cordoned)
	}
}

// says lets a peer say of itself that it is cordoned, or is not.
func (g *rig) says(id core.ConnID, name string, cordoned bool) []core.Effect {
	g.Helper()
	g.wall++
	h := g.hello(name)
	return g.receive(id, rumor(g.presence(name, wire.Presence{Address: h.Address, Cordoned: cordoned, Instance: h.Instance, Version: 1})))
}

func cordonOf(on bool) *wire.Frame { return &wire.Frame{Kind: wire.KindCordon, On: on} }

// TestCordon: a node says that it is cordoned, which outlasts its process, and a drain does not.
func TestCordon(t *testing.T) {
	g := start(t, me())
	id := g.peer("dev")
	own := g.cfg.Instance
	restarted := func() *rig {
		cfg := g.cfg
		cfg.Instance.Start++
		cfg.Snapshot, _ = g.ring.Snapshot()
		return start(t, cfg)
	}
	g.expects(g.tell(1, core.Cordon, "me"), 1, 0, "")
	if len(of(g.effects, core.Dirty)) != 1 {
		t.Errorf("it has to be on disk once it is answered: %+v", g.effects)
	}
	g.isCordoned("me", true)
	says := func(r wire.Record) bool { return r.Name == "me" && strings.Contains(r.Value, "\xa1c\xc3") }
	if told := sent(t, g.tick(10*core.Millisecond), id); len(told) != 1 || !slices.ContainsFunc(told[0].Records, says) {
		t.Errorf("a peer is told %+v", told)
	}
	before, _ := g.view.Get("me")
	g.expects(g.tell(2, core.Cordon, ""), 2, 0, "")
	if after, _ := g.view.Get("me"); after.Incarnation != before.Incarnation || after.Instance != own || len(of(g.effects, core.Dirty)) > 0 {
		t.Errorf("what changes nothing is news: %+v", g.effects)
	}
	g.takeOver()
	g.isCordoned("me", true)
	restarted().isCordoned("me", true)
	g.expects(g.tell(3, core.Uncordon, "me"), 3, 0, "")
	g.isCordoned("me", false)
	restarted().isCordoned("me", false)

	g.expects(g.tell(4, core.Drain, ""), 4, 0, "")
	g.isCordoned("me", true)
	g.takeOver()
	g.isCordoned("me", true)
	restarted().isCordoned("me", false)
	g.tell(5, core.Cordon, "me")
	if len(of(g.effects, core.Dirty)) != 1 {
		t.Errorf("that it is kept has to be on disk: %+v", g.effects)
	}
	restarted().isCordoned("me", true)
	g.tell(6, core.Drain, "")
	restarted().isCordoned("me", true)
	g.tell(7, core.Stop, "")
	restarted().isCordoned("me", true)
}

// TestCordonAnother: another node is asked, again and again, until it says so itself.
func TestCordonAnother(t *testing.T) {
	g := start(t, me())
	id, other := g.peer("dev"), g.peer("other")
	if frames := sent(t, g.tell(1, core.Cordon, "dev"), id); len(frames) != 1 || frames[0].Kind != wire.KindCordon || !frames[0].On || answered(g.effects, 1) != nil {
		t.Fatalf("%+v", g.effects)
	}
	again := 0
	for _, f := range sent(t, g.live(3*core.Second), id) {
		if f.Kind == wire.KindCordon {
			again++
		}
	}
	if again < 2 || again > 4 {
		t.Errorf("asked again %d times in three seconds", again)
	}
	g.expects(g.says(id, "dev", true), 1, 0, "")
	g.isCordoned("dev", true)
	if frames := sent(t, g.live(3*core.Second), id); slices.ContainsFunc(frames, func(f *wire.Frame) bool { return f.Kind == wire.KindCordon }) {
		t.Error("asked again although it says so")
	}
	g.expects(g.tell(2, core.Cordon, "dev"), 2, 0, "")
	if frames := sent(t, g.effects, id); len(frames) != 1 || frames[0].Kind != wire.KindCordon {
		t.Errorf("it is not asked, and may be otherwise by now: %+v", g.effects)
	}
	g.isUp("other")

	g.tell(3, core.Uncordon, "dev")
	g.expects(g.tell(4, core.Cordon, "dev"), 3, wire.CodeTimeout, "the contrary was wished")
	if answered(g.effects, 4) != nil {
		t.Error("it may hear of the first only, so it has to be asked")
	}
	g.expects(g.live(12*core.Second), 4, 0, "") // it was so before
	g.tell(5, core.Uncordon, "dev")
	g.expects(g.live(12*core.Second), 5, wire.CodeTimeout, "dev has not said so yet")

	g.tell(6, core.Uncordon, "dev")
	in := g.hello("dev").Instance
	down := g.presence("dev", wire.Presence{Address: "dev:7946", Cordoned: true, Instance: in, Version: 1})
	down.Rank = 2
	n, _ := g.view.Get("dev")
	down.Stamp = n.Incarnation
	g.step(core.Input{Kind: core.Closed, Conn: id, Code: wire.CodeGoingAway})
	g.expects(g.receive(other, rumor(down)), 6, wire.CodeUnreachable, "dev is down")
	g.expects(g.tell(7, core.Cordon, "dev"), 7, wire.CodeUnreachable, "it alone can say that of itself")
	g.expects(g.tell(8, core.Cordon, "nobody"), 8, wire.CodeUnknown, "nobody")
	g.guest("tab")
	g.expects(g.tell(9, core.Cordon, "tab"), 9, wire.CodeInvalid, "tab is a guest")
}

// TestCordonByOthers: who cannot be reached is asked by others, and who is reached
// through a gateway by that.
func TestCordonByOthers(t *testing.T) {
	g := start(t, me())
	a := g.peer("a")
	g.wall++
	in := wire.Instance{Start: epoch, Nonce: 3}
	g.receive(a, rumor(
		g.member("behind", wire.Member{}), g.presence("behind", wire.Presence{Via: "a", Instance: in, Version: 1}),
		g.member("far", wire.Member{Address: "far:1"}), g.presence("far", wire.Presence{Address: "far:1", Instance: in, Version: 1}),
	))
	want := relayOf("me", "behind", 0, cordonOf(true))
	if frames := sent(t, g.tell(1, core.Cordon, "behind"), a); len(frames) != 1 || string(frames[0].Append(nil)) != string(want.Append(nil)) {
		t.Errorf("%+v", g.effects)
	}
	g.refuseDials(g.tell(2, core.Cordon, "far"))
	asked := false
	for range 20 {
		effects := g.tick(core.Second / 10)
		for _, f := range sent(t, effects, a) {
			asked = asked || f.Kind == wire.KindRelay && f.To == "far" && f.Inner == string(cordonOf(true).Append(nil))
		}
		g.refuseDials(effects)
	}
	if !asked {
		t.Error("nobody is asked to pass it on")
	}
}

// TestCordonIsObeyed: by any node's word, and by no guest's.
func TestCordonIsObeyed(t *testing.T) {
	g := start(t, me())
	id := g.peer("dev")
	g.receive(id, cordonOf(true))
	g.isCordoned("me", true)
	if len(of(g.effects, core.Dirty)) != 1 {
		t.Errorf("it is not kept: %+v", g.effects)
	}
	g.receive(id, relayOf("far", "me", 1, cordonOf(false)))
	g.isCordoned("me", false)
	to := g.peer("to")
	for what, f := range map[string]*wire.Frame{
		"itself":                cordonOf(true),
		"by a relay":            relayOf("tab", "me", 0, cordonOf(true)),
		"another":               relayOf("tab", "to", 0, cordonOf(true)),
		"in the name of a node": relayOf("dev", "me", 0, cordonOf(true)),
		"nobody":                relayOf("tab", "nobody", 0, cordonOf(false)),
	} {
		tab := g.guest("tab")
		g.receive(tab, f)
		if g.refused(tab, wire.CodeForbidden); t.Failed() || len(sent(t, g.effects, to)) > 0 {
			t.Fatalf("a guest cordons %s: %+v", what, g.effects)
		}
		g.isCordoned("me", false)
	}
	cfg := me()
	cfg.Address, cfg.Ephemeral, cfg.Join = "", true, []string{"gw:7946"}
	guest := start(t, cfg)
	for _, op := range []core.Op{core.Cordon, core.Uncordon, core.Drain} {
		guest.expects(guest.tell(1, op, "me"), 1, wire.CodeForbidden, "guest")
	}
}

// goesOn expects that guests are sent on, in any order, and that nobody is told
// anything of them.
func (g *rig) goesOn(effects []core.Effect, ids ...core.ConnID) {
	g.Helper()
	var got []core.ConnID
	for _, e := range of(effects, core.Close) {
		if e.Code == wire.CodeCordoned && e.Text != "" {
			got = append(got, e.Conn)
		}
	}
	if !slices.Equal(got, ids) {
		g.Errorf("%v are sent on, not %v", got, ids)
	}
}

// moves lets a guest come to another gateway.
func (g *rig) moves(peer core.ConnID, name, to string) {
	g.Helper()
	g.wall++
	g.receive(peer, rumor(g.presence(name, wire.Presence{Ephemeral: true, Via: to, Instance: g.guestHello(name).Instance, Version: 1})))
}

// TestDrain: guests are sent on one after another, and are up all the time.
func TestDrain(t *testing.T) {
	g := start(t, me())
	var ids []core.ConnID
	for i := range 4 {
		ids = append(ids, g.guest(fmt.Sprint("tab", i)))
	}
	g.expects(g.tell(1, core.Drain, ""), 1, wire.CodeNobody, "no other node")
	g.isCordoned("me", true)
	gw := g.peer("gw")
	g.says(gw, "gw", true)
	g.expects(g.tell(2, core.Drain, ""), 2, wire.CodeNobody, "no other node")
	g.says(gw, "gw", false)
	for i, id := range ids {
		g.goesOn(g.tell(3, core.Drain, ""), id)
		g.expects(g.effects, 3, 0, "")
		name := fmt.Sprint("tab", i)
		for _, e := range events(append(g.effects, g.live(4*core.Second)...), core.EventNode) {
			if e.Node.Name == name {
				t.Errorf("%+v", e.Node)
			}
		}
		g.moves(gw, name, "gw")
		g.isUp(name)
	}
	g.goesOn(g.tell(4, core.Drain, ""))
	for range 6 {
		g.live(core.Second)
	}
	for i := range 4 {
		g.isUp(fmt.Sprint("tab", i))
	}
}

// TestDrainOfOneWhoStays: a guest that comes back found nobody else. It is let in, and
// tries again only after a while. One that does not come back is suspected.
func TestDrainOfOneWhoStays(t *testing.T) {
	g := start(t, me())
	g.peer("gw")
	id := g.guest("tab")
	for range 3 {
		g.goesOn(g.tell(1, core.Drain, ""), id)
		g.live(2 * core.Second)
		id = g.guest("tab")
		g.goesOn(g.tell(2, core.Drain, ""))
		g.live(5 * core.Second)
		g.goesOn(g.tell(3, core.Drain, ""))
		g.isUp("tab")
		g.live(6 * core.Second)
	}
	g.goesOn(g.tell(1, core.Drain, ""), id)
	g.live(6 * core.Second)
	g.is("tab", core.Suspect)
	g.guest("tab")
	g.goesOn(g.tell(2, core.Drain, ""))
}

// TestCordonedGateway: guests that are new are let in, learn of the ring, and are sent
// on; those that are here stay, and may come back.
func TestCordonedGateway(t *testing.T) {
	g := start(t, me())
	old := g.guest("old")
	g.tell(1, core.Cordon, "me")
	alone := g.guest("alone")
	g.goesOn(g.live(5 * core.Second)) // there is nowhere else to go
	gw := g.peer("gw")
	g.goesOn(g.live(2*core.Second), alone)
	young := g.guest("new")
	g.goesOn(g.live(core.Second / 2))
	g.goesOn(g.live(2*core.Second), young)
	g.moves(gw, "alone", "gw")
	g.guest("new")
	g.step(core.Input{Kind: core.Closed, Conn: old, Code: wire.CodeLost})
	g.guest("old")
	g.goesOn(g.live(10 * core.Second))
	g.takeOver()
	g.goesOn(g.live(10 * core.Second))
	for _, name := range []string{"old", "new", "alone"} {
		g.isUp(name)
	}
}
