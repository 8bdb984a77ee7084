package core_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// takeOver puts a new Ring in the place of the one that runs, as a runtime does:
// it tells it what is open, and expects that it shows what the other one showed.
func (g *rig) takeOver() []core.Effect {
	g.Helper()
	cfg := g.cfg
	cfg.Seed++
	cfg.Takeover = true
	var err error
	if cfg.Snapshot, err = g.ring.Handover(); err != nil {
		g.Fatal(err)
	}
	if g.ring, err = core.New(cfg); err != nil {
		g.Fatal(err)
	}
	var last core.ConnID
	for id, is := range g.conns {
		if id%2 == 0 {
			last = max(last, id)
			if is == dialing { // the runtime gives these up
				g.conns[id] = over
			}
		}
	}
	before := func(in core.Input) {
		in.Mono, in.Wall = g.mono, g.wall
		if effects, _ := g.ring.Step(in); len(effects) > 0 {
			g.Fatalf("effects before Start: %+v", effects)
		}
	}
	before(core.Input{Kind: core.Closed, Conn: last})
	var again []core.ConnID // heard, and not answered yet
	for _, id := range slices.Sorted(maps.Keys(g.conns)) {
		if g.conns[id] != open {
			continue
		}
		before(core.Input{Kind: core.Opened, Conn: id, Role: g.roles[id], Addr: "10.0.0.1:4321"})
		switch {
		case g.first[id] != nil && g.said[id]:
			before(core.Input{Kind: core.Received, Conn: id, Frame: g.first[id]})
		case g.first[id] != nil:
			again = append(again, id)
		}
	}
	was := g.view
	g.view, g.dirty, g.wake = core.View{}, 0, 0
	all := slices.Clone(g.step(core.Input{Kind: core.Start}))
	if !reflect.DeepEqual(g.view.All(), was.All()) {
		g.Fatalf("after the takeover it shows\n%+v, not\n%+v", g.view.All(), was.All())
	}
	for _, id := range again {
		if g.conns[id] == open {
			all = append(all, g.receiveBytes(id, g.first[id])...)
		}
	}
	return all
}

// TestTakeover: nobody is told anything, nor asked anything again, by an engine
// that takes over; it goes on with the connections that there are.
func TestTakeover(t *testing.T) {
	g := start(t, me())
	a, tab := g.peer("a"), g.guest("tab")
	g.tick(core.Second / 10)
	own, _ := g.view.Get("me")
	if s := of(g.takeOver(), core.Send); len(s) > 0 {
		t.Errorf("it sends %+v", s)
	}
	if d := of(g.effects, core.Dirty); len(d) > 0 {
		t.Errorf("nothing has changed, and it says %+v", d)
	}
	if now, _ := g.view.Get("me"); !reflect.DeepEqual(now, own) {
		t.Errorf("it is %+v, and was %+v", now, own)
	}
	// Its rounds go on, on the old connection, and its timers too.
	effects := g.tick(1100 * core.Millisecond)
	gossips := sent(t, effects, a)
	if len(gossips) == 0 || gossips[0].Kind != wire.KindGossip {
		t.Fatalf("no round: %+v", gossips)
	}
	if d := of(effects, core.Dial); len(d) > 0 {
		t.Errorf("it dials %+v", d)
	}
	// What comes is merged, and owed to the other, the guest.
	g.wall++
	news := slices.Clone(g.receive(a, rumor(g.member("b", wire.Member{Address: "b:7946"}))))
	if s := sent(t, append(news, g.tick(core.Second/10)...), tab); len(s) == 0 || s[0].Kind != wire.KindRumor || s[0].Records[0].Name != "b" {
		t.Errorf("the guest is not told: %+v", s)
	}
	// A connection that is lost has the consequences that it always has.
	d := of(g.step(core.Input{Kind: core.Closed, Conn: a, Code: wire.CodeLost}), core.Dial)
	if len(d) != 1 || d[0].Addr != "a:7946" {
		t.Errorf("it does not dial the peer that it lost: %+v", d)
	}
}

// TestTakeoverKeepsRanks: a suspect stays one, and is down after its time.
func TestTakeoverKeepsRanks(t *testing.T) {
	g := start(t, me())
	g.peer("a")
	b := g.peer("b")
	suspect := g.presence("a", wire.Presence{Address: "a:7946", Instance: g.hello("a").Instance, Version: 1})
	suspect.Stamp, suspect.Rank = g.wall-1, 1
	g.receive(b, rumor(suspect))
	if n, _ := g.view.Get("a"); n.State != core.Suspect {
		t.Fatalf("a is %s", n.State)
	}
	g.takeOver()
	if n, _ := g.view.Get("a"); n.State != core.Suspect {
		t.Fatalf("a is %s after the takeover", n.State)
	}
	g.tick(10 * core.Second)
	if n, _ := g.view.Get("a"); n.State != core.Down {
		t.Errorf("a is %s in the end", n.State)
	}
}

// until lets time pass, with another engine taking over every now and then, until
// something is the case, and returns how long that took.
func (g *rig) until(every, most int64, is func() bool) (took int64) {
	g.Helper()
	for ; !is() && g.halted == 0; took += every {
		if took > most {
			g.Fatalf("not after %d s", most/core.Second)
		}
		g.pass(every)
		if g.halted == 0 {
			g.takeOver()
		}
	}
	return took
}

// TestTakeoverKeepsTimes: what is due after a time is so however often engines
// take over meanwhile.
func TestTakeoverKeepsTimes(t *testing.T) {
	state := func(g *rig, name string, state core.State) func() bool {
		return func() bool { n, _ := g.view.Get(name); return n.State == state }
	}
	removed := func(g *rig, name string) func() bool {
		return func() bool { _, ok := g.view.Get(name); return !ok }
	}
	accused := func(g *rig, name string, rank uint8) {
		p := g.presence(name, wire.Presence{Address: name + ":7946", Instance: g.hello(name).Instance, Version: 1, ReapAfter: 60})
		p.Stamp, p.Rank = g.wall, rank
		g.receive(g.peer("b"), rumor(g.member(name, wire.Member{Address: name + ":7946"}), p))
	}
	for name, c := range map[string]struct {
		every, most int64
		begin       func(*rig) func() bool
	}{
		"a suspicion": {core.Second / 2, 5 * core.Second, func(g *rig) func() bool {
			accused(g, "a", 1)
			return state(g, "a", core.Down)
		}},
		"this node's removal": {2 * core.Second, 12 * core.Second, func(g *rig) func() bool {
			del := g.member("me", wire.Member{Address: "me:7946"})
			del.Rank = 2
			g.wall++
			g.receive(g.peer("b"), rumor(del))
			return func() bool { return g.halted == core.HaltRemoved }
		}},
		"a durable node is reaped": {10 * core.Second, 70 * core.Second, func(g *rig) func() bool {
			accused(g, "a", 2)
			return removed(g, "a")
		}},
		"a guest is reaped": {10 * core.Second, 110 * core.Second, func(g *rig) func() bool {
			g.step(core.Input{Kind: core.Closed, Conn: g.guest("tab"), Code: wire.CodeBye})
			return removed(g, "tab")
		}},
		"a guest's gateway does not reach it": {core.Second, 6 * core.Second, func(g *rig) func() bool {
			g.receive(g.peer("b"), rumor(g.member("tab", wire.Member{Ephemeral: true}),
				g.presence("tab", wire.Presence{Ephemeral: true, Via: "me", Instance: wire.Instance{Start: 9, Nonce: 9}, Version: 1})))
			return state(g, "tab", core.Suspect)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			g := start(t, me())
			g.wall++
			is := c.begin(g)
			if is() {
				t.Fatal("it is so at once")
			}
			if took := g.until(c.every, c.most, is); took < c.most/3 {
				t.Errorf("it took %d ms alone", took/core.Millisecond)
			}
		})
	}
}

// TestTakeoverOfHandshakes: connections whose hellos were not all said are met where they are.
func TestTakeoverOfHandshakes(t *testing.T) {
	cfg := me()
	cfg.Join = []string{"a:7946", "b:7946"}
	g := start(t, cfg)
	silent := g.accept(core.Peer)                  // its hello is awaited
	g.step(core.Input{Kind: core.Opened, Conn: 2}) // me's hello is said
	if !g.said[2] {
		t.Fatal("no hello")
	}
	effects := g.takeOver()
	if s := of(effects, core.Send); len(s) > 0 {
		t.Errorf("it sends %+v", s)
	}
	for _, e := range of(effects, core.Dial) {
		if e.Conn <= 4 {
			t.Errorf("id %d is used twice", e.Conn)
		}
	}
	if s := sent(t, g.sayHello(2, g.hello("a")), 2); len(s) > 0 && s[0].Kind == wire.KindHello {
		t.Error("it says hello twice")
	}
	if s := sent(t, g.sayHello(silent, g.hello("c")), silent); len(s) == 0 || s[0].Kind != wire.KindHello {
		t.Errorf("its hello is answered by %+v", s)
	}
	// And who stays silent is given up.
	late := g.accept(core.Peer)
	g.takeOver()
	g.tick(6 * core.Second)
	if g.conns[late] != over {
		t.Error("a connection without a hello stays open")
	}
}

// TestTakeoverWhileRemoved: who was removed halts all the same, and Rejoin does
// not overrule what was done after this process began.
func TestTakeoverWhileRemoved(t *testing.T) {
	cfg := me()
	cfg.Rejoin = true
	g := start(t, cfg)
	a := g.peer("a")
	g.tick(core.Second)
	del := g.member("me", wire.Member{Address: "me:7946"})
	del.Rank = 2
	g.receive(a, rumor(del))
	g.tick(core.Second)
	g.takeOver()
	if e := events(g.effects, core.EventLeaving); len(e) != 1 {
		t.Errorf("it does not say that it leaves: %+v", g.effects)
	}
	g.tick(11 * core.Second)
	if g.halted != core.HaltRemoved {
		t.Errorf("it halts: %s", g.halted)
	}
}

// TestTakeoverOfNonsense: what cannot be is not taken over, nor does it harm.
func TestTakeoverOfNonsense(t *testing.T) {
	cfg := me()
	cfg.Takeover = true
	r, err := core.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	g := start(t, me())
	hello := func(name string) []byte {
		f := wire.Frame{Kind: wire.KindHello, Hello: g.hello(name)}
		return f.Append(nil)
	}
	for _, in := range []core.Input{
		{Kind: core.Received, Conn: 1, Frame: hello("a")}, // of no connection
		{Kind: core.Opened, Conn: 1}, {Kind: core.Opened, Conn: 1},
		{Kind: core.Received, Conn: 1, Frame: []byte("no frame")},
		{Kind: core.Received, Conn: 1, Frame: rumor().Append(nil)},
		{Kind: core.Received, Conn: 1, Frame: hello("me")},
		{Kind: core.Received, Conn: 1, Frame: hello("a")}, {Kind: core.Received, Conn: 1, Frame: hello("b")},
		{Kind: core.Opened, Conn: 3}, {Kind: core.Received, Conn: 3, Frame: hello("a")},
		{Kind: core.Tick}, {Kind: core.Do, Command: core.Command{Op: core.Leave}}, {Kind: 77, Conn: 8},
	} {
		if effects, _ := r.Step(in); len(effects) > 0 {
			t.Errorf("%+v has effects: %+v", in, effects)
		}
	}
	g.ring, g.conns = r, map[core.ConnID]connState{1: open, 3: open}
	g.wake, g.dirty = 0, 0
	g.step(core.Input{Kind: core.Start})
	g.pass(6 * core.Second)
	if g.conns[1] != open || g.conns[3] != over {
		t.Errorf("a's connection is %d, its second one %d", g.conns[1], g.conns[3])
	}
}
