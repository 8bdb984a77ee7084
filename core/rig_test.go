package core_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// epoch is the wall clock at which a rig starts.
const epoch = 1_800_000_000 * core.Second

// rig drives one Ring by hand: it is the runtime and, frame by frame, all of
// the peers. It holds every effect against what a runtime may rely on.
type rig struct {
	testing.TB
	cfg   core.Config
	ring  *core.Ring
	mono  int64
	wall  int64
	view  core.View
	next  core.ConnID // of the next accepted connection
	party string      // of those

	effects []core.Effect // of the last step, the test's own
	conns   map[core.ConnID]connState
	first   map[core.ConnID][]byte // the first frame that came
	said    map[core.ConnID]bool   // a frame went
	roles   map[core.ConnID]core.Role
	wake    int64
	dirty   uint64
	halted  core.Reason
}

type connState uint8

const (
	dialing connState = iota + 1
	open
	over
)

// me is the node that most tests are about.
func me() core.Config {
	return core.Config{Ring: "ring", Name: "me", Address: "me:7946", Instance: wire.Instance{Start: epoch, Nonce: 1}, Seed: 1}
}

// start starts a Ring, and expects that it can be started.
func start(t testing.TB, cfg core.Config) *rig {
	t.Helper()
	r, err := core.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	g := &rig{TB: t, cfg: cfg, ring: r, wall: max(epoch, cfg.Instance.Start), mono: core.Second, next: 1, conns: make(map[core.ConnID]connState),
		first: make(map[core.ConnID][]byte), said: make(map[core.ConnID]bool), roles: make(map[core.ConnID]core.Role)}
	g.step(core.Input{Kind: core.Start})
	return g
}

// step takes one input at the rig's time.
func (g *rig) step(in core.Input) []core.Effect {
	g.Helper()
	in.Mono, in.Wall = g.mono, g.wall
	switch in.Kind {
	case core.Opened:
		g.conns[in.Conn], g.roles[in.Conn] = open, in.Role
	case core.Received:
		if g.conns[in.Conn] == open && g.first[in.Conn] == nil && len(in.Frame) <= 512 {
			g.first[in.Conn] = bytes.Clone(in.Frame)
		}
	case core.Closed:
		if g.conns[in.Conn] != 0 {
			g.conns[in.Conn] = over
			g.forget(in.Conn)
		}
	}
	effects, err := g.ring.Step(in)
	if err != nil {
		g.Fatalf("Step: %v", err)
	}
	g.effects = g.effects[:0]
	for i, e := range effects {
		e.Frame = bytes.Clone(e.Frame)
		if e.Event != nil {
			event := *e.Event
			e.Event = &event
		}
		g.effects = append(g.effects, e)
		if what := g.check(e); what != "" {
			g.Fatalf("effect %d of %d, %+v: %s", i+1, len(effects), e, what)
		}
	}
	return g.effects
}

// check says what is wrong with an effect.
func (g *rig) check(e core.Effect) string {
	if g.halted != 0 {
		return "after Halt"
	}
	switch e.Kind {
	case core.Dial:
		if g.conns[e.Conn] != 0 || e.Conn%2 != 0 || wire.ValidAddress(e.Addr) != nil {
			return "not a new connection to an address"
		}
		g.conns[e.Conn] = dialing
	case core.Send:
		var f wire.Frame
		if err := f.Decode(e.Frame); err != nil {
			return err.Error()
		}
		if g.conns[e.Conn] != open {
			return "on a connection that is not open"
		}
		g.said[e.Conn] = true
	case core.Close:
		if g.conns[e.Conn] != open && g.conns[e.Conn] != dialing {
			return "of a connection that is not there"
		}
		if e.Code < wire.CodeBye || !utf8.ValidString(e.Text) {
			return "without a code and text that can be sent"
		}
		g.conns[e.Conn] = over
		g.forget(e.Conn)
	case core.Dirty:
		if e.Seq <= g.dirty {
			return "not later than the one before"
		}
		g.dirty = e.Seq
	case core.Emit:
		if !utf8.ValidString(e.Event.Text) {
			return "text that is not UTF-8"
		}
		g.view.Apply(e.Event, 0)
	case core.Wake:
		if e.At <= g.mono {
			return fmt.Sprintf("not later than now, %d", g.mono)
		}
		g.wake = e.At
	case core.Halt:
		g.halted = e.Reason
	default:
		return "unknown"
	}
	return ""
}

func (g *rig) forget(id core.ConnID) {
	delete(g.first, id)
	delete(g.said, id)
	delete(g.roles, id)
}

// tick lets a time pass without a Tick being missed, and returns all effects of it.
func (g *rig) tick(d int64) (all []core.Effect) {
	g.Helper()
	for end := g.mono + d; g.halted == 0; {
		to := min(end, max(g.wake, g.mono))
		g.wall += to - g.mono
		g.mono = to
		if g.mono == end && g.wake > end {
			return all
		}
		all = append(all, g.step(core.Input{Kind: core.Tick})...)
	}
	return all
}

// instanceOf is the process of a peer.
func instanceOf(name string) wire.Instance {
	return wire.Instance{Start: epoch - core.Hour, Nonce: lww.HashName(name)}
}

// pass is tick with peers that answer when they are probed.
func (g *rig) pass(d int64) {
	g.Helper()
	for end := g.mono + d; g.mono < end && g.halted == 0; {
		for _, e := range of(g.tick(min(core.Second/10, end-g.mono)), core.Send) {
			var f wire.Frame
			if f.Decode(e.Frame) == nil && f.Kind == wire.KindProbe && g.conns[e.Conn] == open {
				g.receive(e.Conn, &wire.Frame{Kind: wire.KindAlive, Seq: f.Seq})
			}
		}
	}
}

// accept opens a connection that somebody dialled.
func (g *rig) accept(role core.Role) core.ConnID {
	g.Helper()
	id := g.next
	g.next += 2
	g.step(core.Input{Kind: core.Opened, Conn: id, Role: role, Addr: "10.0.0.1:4321", Party: g.party})
	return id
}

func (g *rig) receive(id core.ConnID, f *wire.Frame) []core.Effect {
	g.Helper()
	return g.receiveBytes(id, f.Append(nil))
}

func (g *rig) receiveBytes(id core.ConnID, b []byte) []core.Effect {
	g.Helper()
	return g.step(core.Input{Kind: core.Received, Conn: id, Frame: b})
}

// hello is that of a well-behaved node.
func (g *rig) hello(name string) wire.Hello {
	return wire.Hello{
		Address: name + ":7946", Instance: instanceOf(name),
		Members: 1, Name: name, Ring: "ring", Min: 1, Max: 1, Fingerprint: 1, Wall: g.wall,
	}
}

// guestHello is that of a well-behaved guest.
func (g *rig) guestHello(name string) wire.Hello {
	h := g.hello(name)
	h.Address, h.Ephemeral = "", true
	return h
}

func (g *rig) sayHello(id core.ConnID, h wire.Hello) []core.Effect {
	g.Helper()
	return g.receive(id, &wire.Frame{Kind: wire.KindHello, Hello: h})
}

// peer lets a durable node connect and add itself.
func (g *rig) peer(name string) core.ConnID {
	g.Helper()
	g.wall++
	id := g.accept(core.Peer)
	h := g.hello(name)
	g.sayHello(id, h)
	g.receive(id, rumor(
		g.member(name, wire.Member{Address: h.Address}),
		g.presence(name, wire.Presence{Address: h.Address, Instance: h.Instance, Version: 1}),
	))
	g.isUp(name)
	return id
}

// guest lets a guest connect and add itself.
func (g *rig) guest(name string) core.ConnID {
	g.Helper()
	g.wall++
	id := g.accept(core.Guest)
	h := g.guestHello(name)
	g.sayHello(id, h)
	g.receive(id, rumor(
		g.member(name, wire.Member{Ephemeral: true}),
		g.presence(name, wire.Presence{Ephemeral: true, Via: g.cfg.Name, Instance: h.Instance, Version: 1}),
	))
	g.isUp(name)
	return id
}

func (g *rig) isUp(name string) {
	g.Helper()
	if n, _ := g.view.Get(name); n.State != core.Alive {
		g.Fatalf("%s is %s", name, n.State)
	}
}

// member and presence make records that their node has just minted.
func (g *rig) member(name string, m wire.Member) wire.Record {
	return wire.Record{Set: wire.Nodes, Name: name, Stamp: g.wall, Value: m.Value()}
}

func (g *rig) presence(name string, p wire.Presence) wire.Record {
	return wire.Record{Set: wire.Up, Name: name, Stamp: g.wall, Value: p.Value()}
}

func rumor(records ...wire.Record) *wire.Frame {
	return &wire.Frame{Kind: wire.KindRumor, Records: records}
}

// sent returns the frames that effects send on a connection.
func sent(t testing.TB, effects []core.Effect, id core.ConnID) (frames []*wire.Frame) {
	t.Helper()
	for _, e := range effects {
		if e.Kind == core.Send && e.Conn == id {
			f := new(wire.Frame)
			if err := f.Decode(e.Frame); err != nil {
				t.Fatal(err)
			}
			frames = append(frames, f)
		}
	}
	return frames
}

// of returns the effects of a kind.
func of(effects []core.Effect, kind core.EffectKind) []core.Effect {
	return slices.DeleteFunc(slices.Clone(effects), func(e core.Effect) bool { return e.Kind != kind })
}

// events returns the events of a kind.
func events(effects []core.Effect, kind core.EventKind) (all []*core.Event) {
	for _, e := range of(effects, core.Emit) {
		if e.Event.Kind == kind {
			all = append(all, e.Event)
		}
	}
	return all
}

// refused expects that the last step sent one error frame on a connection and
// closed it, both with the code, and did nothing else on it.
func (g *rig) refused(id core.ConnID, code wire.Code) {
	g.Helper()
	var frames []*wire.Frame
	closes := 0
	for _, e := range g.effects {
		if e.Conn != id {
			continue
		}
		switch {
		case e.Kind == core.Close && e.Code == code:
			closes++
		case e.Kind == core.Send:
			frames = append(frames, sent(g, []core.Effect{e}, id)...)
		default:
			g.Errorf("not what a refusal is: %+v", e)
		}
	}
	if len(frames) != 1 || frames[0].Kind != wire.KindError || frames[0].Code != code || frames[0].Text == "" || closes != 1 {
		g.Errorf("want one error frame and close with %s, got %+v and %d closes", code, frames, closes)
	}
	if g.halted != 0 {
		g.Errorf("it halted: %s", g.halted)
	}
}

// records returns what a Ring holds, sorted.
func records(t testing.TB, r *core.Ring) []wire.Record {
	t.Helper()
	b, err := r.Handover()
	if err != nil {
		t.Fatal(err)
	}
	var s wire.Snapshot
	if err := s.Decode(b); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(s.Records, func(a, b wire.Record) int {
		return bytes.Compare(wire.AppendRecord(nil, a), wire.AppendRecord(nil, b))
	})
	return s.Records
}

// own returns the record of me in nodes.
func (g *rig) own() wire.Record {
	g.Helper()
	for _, w := range records(g, g.ring) {
		if w.Name == "me" && w.Set == wire.Nodes {
			return w
		}
	}
	g.Fatal("it does not know itself")
	return wire.Record{}
}
