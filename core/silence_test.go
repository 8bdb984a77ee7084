package core_test

import (
	"slices"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// answer is what a peer of that name that reaches everybody says to a frame; nil for nothing.
func (g *rig) answer(name string, f *wire.Frame) *wire.Frame {
	var probe wire.Frame
	switch {
	case f.Kind == wire.KindGossip:
		return &wire.Frame{Kind: wire.KindAck, Seq: f.Seq, Wall: g.wall, Fingerprint: f.Fingerprint}
	case f.Kind == wire.KindProbe:
		return &wire.Frame{Kind: wire.KindAlive, Seq: f.Seq, Instance: instanceOf(name)}
	case f.Kind == wire.KindRelay && probe.Decode([]byte(f.Inner)) == nil && probe.Kind == wire.KindProbe:
		alive := wire.Frame{Kind: wire.KindAlive, Seq: probe.Seq, Instance: instanceOf(f.To)}
		return &wire.Frame{Kind: wire.KindRelay, From: f.To, To: f.From, Inner: string(alive.Append(nil))}
	}
	return nil
}

// TestSilentConnection: a connection on which nothing comes any more is given up
// and dialled anew, whether others reach its peer or not, and as long as somebody
// answers nobody is accused before. The others stay.
func TestSilentConnection(t *testing.T) {
	for _, answering := range [][]string{{"a", "b"}, {"a"}, {}} {
		g := start(t, me())
		conns := map[string]core.ConnID{"a": g.peer("a"), "b": g.peer("b"), "silent": g.peer("silent")}
		var closed, dialled []string
		for range 60 {
			effects := g.tick(core.Second / 10)
			for name, id := range conns {
				for _, e := range effects {
					switch {
					case e.Kind == core.Close && e.Conn == id:
						if n, _ := g.view.Get(name); n.State != core.Alive && len(answering) > 0 || e.Code != wire.CodeTimeout {
							t.Errorf("%s is %s when its connection is closed with %s", name, n.State, e.Code)
						}
						closed = append(closed, name)
					case e.Kind == core.Dial && e.Addr == name+":7946" && g.conns[id] == over:
						dialled = append(dialled, name)
					}
				}
				for _, f := range sent(t, effects, id) {
					if reply := g.answer(name, f); reply != nil && slices.Contains(answering, name) && g.conns[id] == open {
						g.receive(id, reply)
					}
				}
			}
		}
		for name := range conns {
			answers := slices.Contains(answering, name)
			if slices.Contains(closed, name) == answers || slices.Contains(dialled, name) == answers {
				t.Errorf("%v answer: %v were closed, %v dialled", answering, closed, dialled)
			}
		}
	}
}

// TestSecondConnection: of two connections with a process, one dialled by each
// side, the one dialled by the lower name stays if the dials crossed; else the
// newer one, since the older one may be dead.
func TestSecondConnection(t *testing.T) {
	for _, test := range []struct {
		peer  string
		after int64
		stays string
	}{
		{"above", core.Second, "older"},
		{"above", 3 * core.Second, "newer"},
		{"zebra", core.Second, "newer"},
		{"zebra", 3 * core.Second, "newer"},
	} {
		g := start(t, me())
		older := g.peer(test.peer)
		g.pass(test.after)
		newer := of(g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Add, Addr: test.peer + ":7946"}}), core.Dial)[0].Conn
		g.step(core.Input{Kind: core.Opened, Conn: newer})
		g.sayHello(newer, g.hello(test.peer))
		stays := map[connState]string{open: "older", over: "newer"}[g.conns[older]]
		if stays != test.stays || g.conns[older] == g.conns[newer] {
			t.Errorf("of %s's, after %d s, the %s one stays", test.peer, test.after/core.Second, stays)
		}
	}
}

// TestSilentAuthority: a stale node does not gossip with its authority, which would be
// missed by its acks, but asks it. It finds out as soon that nothing comes any more.
func TestSilentAuthority(t *testing.T) {
	cfg := me()
	long := epoch - 40*core.Day
	snapshot := wire.Snapshot{Ring: "ring", Name: "me", Wall: long, LastContact: long}
	for _, name := range []string{"me", "a", "b"} {
		p := wire.Presence{Address: name + ":7946", Instance: instanceOf(name), Version: 1}
		snapshot.Records = append(snapshot.Records,
			wire.Record{Set: wire.Nodes, Name: name, Stamp: long, Value: wire.Member{Address: name + ":7946"}.Value()},
			wire.Record{Set: wire.Up, Name: name, Stamp: long, Value: p.Value()})
	}
	cfg.Snapshot = snapshot.Append(nil)
	g := start(t, cfg)
	id := g.accept(core.Peer)
	h := g.hello("a")
	h.Members = 3
	g.sayHello(id, h)
	for range 40 {
		if g.tick(core.Second / 10); g.conns[id] == over {
			return
		}
	}
	t.Error("after 4 s the connection with an authority of which nothing comes is there")
}
