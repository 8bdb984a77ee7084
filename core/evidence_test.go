package core_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// evidenceOf are the pieces about a name among effects, in words.
func evidenceOf(effects []core.Effect, name string) (all []string) {
	for _, e := range effects {
		if e.Kind == core.Emit && e.Event.Kind == core.EventEvidence && e.Event.Name == name {
			names := slices.Sorted(slices.Values(e.Event.Names))
			all = append(all, strings.TrimSpace(strings.Join(append([]string{e.Event.Topic, e.Event.Text}, names...), " ")))
		}
		if e.Kind == core.Emit && e.Event.Kind == core.EventNode && e.Event.Node.Name == name {
			all = append(all, strings.TrimSpace("is "+e.Event.Node.State.String()+" "+e.Event.Text))
		}
	}
	return all
}

func (g *rig) found(effects []core.Effect, name string, want ...string) {
	g.Helper()
	if got := evidenceOf(effects, name); !slices.Equal(got, want) {
		g.Errorf("of %s: %q, not %q", name, got, want)
	}
}

// TestEvidence: what leads to a state is told, and who said so.
func TestEvidence(t *testing.T) {
	g, helpers, probes := broken(t)
	g.found(g.effects, "prey", "unreached", "asked  a b")
	g.found(g.receive(helpers["a"], refusedFrame(probes["a"])), "prey", "refused a")
	g.found(g.receive(helpers["b"], refusedFrame(probes["b"])), "prey", "refused b", "is down")
	p := presenceOf(g, "prey")
	p.Rank, p.Stamp = 0, p.Stamp+1
	g.found(g.receive(helpers["a"], rumor(p)), "prey", "is up a")

	g, helpers, probes = broken(t)
	alive := relayOf("prey", "me", 1, &wire.Frame{Kind: wire.KindAlive, Seq: probes["a"], Instance: instanceOf("prey")})
	g.found(g.receive(helpers["a"], alive), "prey", "answered")
	p = presenceOf(g, "prey")
	p.Rank = 1
	g.found(g.receive(helpers["b"], rumor(p)), "prey", "is suspect b")
}

// presenceOf is the record that the rig has of a node.
func presenceOf(g *rig, name string) wire.Record {
	g.Helper()
	for _, rec := range records(g, g.ring) {
		if rec.Set == wire.Up && rec.Name == name {
			return rec
		}
	}
	g.Fatalf("there is no presence of %s", name)
	return wire.Record{}
}

// TestUnanswered: an ack that is missed is evidence, with for how long nothing came.
func TestUnanswered(t *testing.T) {
	g := start(t, me())
	g.peer("a")
	for range 100 {
		for _, e := range g.tick(core.Second / 10) {
			if e.Kind == core.Emit && e.Event.Kind == core.EventEvidence && e.Event.Topic == "unanswered" {
				if e.Event.Name != "a" || e.Event.Wait < core.Second/2 {
					t.Errorf("%+v", e.Event)
				}
				return
			}
		}
	}
	t.Error("nothing was missed")
}

// TestUnsynced: a reconciliation that comes to no answer is evidence, whoever has closed, since one of the
// two heard nothing. It goes on where its connection is replaced: there it may fail, too, and has to be told.
func TestUnsynced(t *testing.T) {
	asks := func(effects []core.Effect, id core.ConnID) (asks bool) {
		for _, f := range sent(t, effects, id) {
			asks = asks || f.Kind == wire.KindSync
		}
		return asks
	}
	begin := func() (*rig, core.ConnID) {
		cfg := me()
		cfg.Join = []string{"a:7946"}
		g := start(t, cfg)
		id := of(g.effects, core.Dial)[0].Conn
		g.step(core.Input{Kind: core.Opened, Conn: id, Role: core.Peer, Addr: "a:7946"})
		if !asks(g.sayHello(id, g.hello("a")), id) {
			t.Fatal("it does not ask")
		}
		return g, id
	}
	for _, code := range []wire.Code{wire.CodeLost, wire.CodeTimeout} {
		g, id := begin()
		if got := evidenceOf(g.step(core.Input{Kind: core.Closed, Conn: id, Code: code}), "a"); !slices.Contains(got, "unsynced") {
			t.Errorf("closed by %s it is told of %q", code, got)
		}
	}
	g, _ := begin()
	id := g.accept(core.Peer)
	if !asks(g.sayHello(id, g.hello("a")), id) {
		t.Fatal("the reconciliation ends with the connection that is replaced")
	}
	if got := evidenceOf(g.step(core.Input{Kind: core.Closed, Conn: id, Code: wire.CodeLost}), "a"); !slices.Contains(got, "unsynced") {
		t.Errorf("it is told of %q", got)
	}
}
