package core_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// setTags has an operator change the node's tags, and returns the answer.
func (g *rig) setTags(set map[string]string, drop ...string) *core.Event {
	g.Helper()
	c := core.Command{ID: 7, Op: core.SetTags, Drop: drop}
	for key, value := range set {
		c.Tags = append(c.Tags, wire.Tag{Key: key, Value: value})
	}
	for _, e := range g.step(core.Input{Kind: core.Do, Command: c}) {
		if e.Kind == core.Emit && e.Event.Kind == core.EventResult && e.Event.ID == 7 {
			return e.Event
		}
	}
	g.Fatal("there is no answer")
	return nil
}

// tagged expects that this node has some tags and no others.
func (g *rig) tagged(want ...string) {
	g.Helper()
	own, _ := g.view.Get("me")
	var got []string
	for _, t := range own.Tags {
		got = append(got, t.Key+"="+t.Value)
	}
	if !slices.Equal(got, want) {
		g.Errorf("its tags are %q, not %q", got, want)
	}
}

// TestSetTags: a node's tags change while it runs, and all hear of it at once; the
// next process has them, but where it is given others.
func TestSetTags(t *testing.T) {
	cfg := me()
	cfg.Tags = []wire.Tag{{Key: "zone", Value: "a"}, {Key: "role", Value: "web"}}
	g := start(t, cfg)
	id := g.peer("dev")
	g.tagged("role=web", "zone=a")
	if e := g.setTags(map[string]string{"state": "busy", "role": "db"}, "zone"); e.Code != 0 || e.Name != "me" {
		t.Fatalf("%+v", e)
	}
	if d := of(g.effects, core.Dirty); len(d) != 1 {
		t.Errorf("it has to be on disk once it is answered: %+v", g.effects)
	}
	g.tagged("role=db", "state=busy")
	g.tick(10 * core.Millisecond)
	busy := func(r wire.Record) bool {
		return r.Set == wire.Up && r.Name == "me" && strings.Contains(r.Value, "busy")
	}
	if told := sent(t, g.effects, id); len(told) != 1 || !slices.ContainsFunc(told[0].Records, busy) {
		t.Errorf("a peer is told %+v", told)
	}
	before, _ := g.view.Get("me")
	if before.Instance != cfg.Instance {
		t.Errorf("it is another process: %+v", before)
	}

	g.setTags(map[string]string{"role": "db"}, "nothing")
	if after, _ := g.view.Get("me"); after.Incarnation != before.Incarnation || len(of(g.effects, core.Dirty)) > 0 {
		t.Errorf("what changes nothing is news: %+v", g.effects)
	}
	g.setTags(map[string]string{"b": "2", "a": "1"}, "state")
	g.tagged("a=1", "b=2", "role=db")
	g.takeOver()
	g.tagged("a=1", "b=2", "role=db")
	g.setTags(nil, "a")
	g.tagged("b=2", "role=db")
	g.setTags(map[string]string{"b": "3", "c": "4"}, "b", "c") // for this process alone
	g.tagged("b=3", "c=4", "role=db")
	g.takeOver()
	g.tagged("b=3", "c=4", "role=db")

	next := g.cfg
	next.Tags = []wire.Tag{{Key: "zone", Value: "c"}, {Key: "role", Value: "web"}}
	next.Instance.Start++
	next.Snapshot, _ = g.ring.Snapshot()
	start(t, next).tagged("role=web", "zone=c")
}

// TestSetTagsRefused: what cannot be said changes nothing, and the answer says why.
func TestSetTagsRefused(t *testing.T) {
	g := start(t, me())
	g.setTags(map[string]string{"zone": "a"})
	for _, test := range []struct {
		key, value, says string
	}{
		{"", "x", `"": a key is not empty, and it and its value are UTF-8`},
		{"\xff", "x", "\"\uFFFD\": a key"},
		{"k", "\xff", `"k": a key`},
		{"k", strings.Repeat("x", 1200), "bytes, and may have 1024"},
	} {
		e := g.setTags(map[string]string{test.key: test.value, "zone": "b"})
		if e.Code != wire.CodeInvalid || !strings.Contains(e.Text, test.says) {
			t.Errorf("%.20q=%.20q: %+v", test.key, test.value, e)
		}
		if len(of(g.effects, core.Dirty)) > 0 {
			t.Errorf("it is written: %+v", g.effects)
		}
		g.tagged("zone=a")
	}
}

// TestGuestSetsTags: a guest's tags are what it was given, and then what it set.
func TestGuestSetsTags(t *testing.T) {
	cfg := me()
	cfg.Address, cfg.Ephemeral, cfg.Tags = "", true, []wire.Tag{{Key: "page", Value: "a"}}
	cfg.Join = []string{"gw:7946"}
	g := start(t, cfg)
	g.setTags(map[string]string{"early": "1"})
	g.setTags(map[string]string{"page": "b"}, "early")
	if e := g.setTags(map[string]string{"page": strings.Repeat("x", 600)}); e.Code != wire.CodeInvalid || !strings.Contains(e.Text, "bytes, and may have 512") {
		t.Errorf("%+v", e)
	}
}
