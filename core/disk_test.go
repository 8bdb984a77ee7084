package core_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// onDisk returns the names that a ring file has records of.
func onDisk(t *testing.T, r *core.Ring) (names []string) {
	b, _ := r.Snapshot()
	var s wire.Snapshot
	if err := s.Decode(b); err != nil {
		t.Fatal(err)
	}
	for _, w := range s.Records {
		names = append(names, w.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// TestGuestsAreNotOnDisk: what a guest says never gets into the ring file, nor is
// that written because it comes, changes and goes. That one was deleted does.
func TestGuestsAreNotOnDisk(t *testing.T) {
	g := start(t, me())
	dev := g.peer("dev")
	pass := func(d int64) (effects []core.Effect) { // in which dev is there
		for ; d > 0; d -= core.Second {
			g.receive(dev, &wire.Frame{Kind: wire.KindProbe})
			effects = append(effects, g.tick(core.Second)...)
		}
		return effects
	}
	pass(2 * core.Minute)
	var dirty []core.Effect
	note := func(effects []core.Effect) { dirty = append(dirty, of(effects, core.Dirty)...) }
	id := g.accept(core.Guest)
	h := g.guestHello("tab")
	note(g.sayHello(id, h))
	note(g.receive(id, rumor(g.member("tab", wire.Member{Ephemeral: true}), g.presence("tab", wire.Presence{Ephemeral: true, Via: "me", Instance: h.Instance, Version: 1}))))
	g.isUp("tab")
	g.wall++
	note(g.receive(dev, rumor(g.member("other", wire.Member{Ephemeral: true}), g.presence("other", wire.Presence{Ephemeral: true, Via: "dev", Instance: h.Instance, Version: 1}))))
	g.isUp("other")
	if names := onDisk(t, g.ring); !slices.Equal(names, []string{"dev", "me"}) {
		t.Errorf("the ring file has %q", names)
	}
	note(g.step(core.Input{Kind: core.Closed, Conn: id, Code: wire.CodeBye}))
	note(pass(3 * core.Hour)) // it is reaped, and its tombstone forgotten
	if len(dirty) > 3 {       // one an hour
		t.Errorf("the ring file is written %d times for a guest", len(dirty))
	}
	g.guest("tab")
	g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Del, Name: "tab"}})
	if names := onDisk(t, g.ring); len(of(g.effects, core.Dirty)) != 1 || !slices.Contains(names, "tab") {
		t.Errorf("that a guest was deleted is not kept: %q", names)
	}
}

// TestWritesOnce: presences alone wait for a minute, and do not wait any more once
// they are written with something else.
func TestWritesOnce(t *testing.T) {
	g := start(t, me())
	dev := g.peer("dev")
	writes := func() (n int) { // in two minutes in which dev is there
		for range 120 {
			g.receive(dev, &wire.Frame{Kind: wire.KindProbe})
			n += len(of(g.tick(core.Second), core.Dirty))
		}
		return n
	}
	writes()
	says := wire.Presence{Address: "dev:7946", Instance: g.hello("dev").Instance, Version: 1}
	g.wall++
	if n := len(of(g.receive(dev, rumor(g.presence("dev", says))), core.Dirty)); n != 0 {
		t.Error("a presence alone is written at once")
	}
	if n := writes(); n != 1 {
		t.Errorf("a presence alone is written %d times", n)
	}
	g.wall++
	g.receive(dev, rumor(g.presence("dev", says), g.member("new", wire.Member{Address: "new:1"})))
	if n := len(of(g.effects, core.Dirty)); n != 1 {
		t.Errorf("a new member is written %d times", n)
	}
	if n := writes(); n != 0 {
		t.Errorf("a presence that was written with a new member is written again, %d times", n)
	}
}

// TestLongValues: what a node says of itself is bounded, and who says too much is
// told how much, and how much it may be.
func TestLongValues(t *testing.T) {
	tags := func(n int) []wire.Tag { // of so many bytes
		return []wire.Tag{{Key: "k", Value: strings.Repeat("x", n-8)}}
	}
	for _, test := range []struct {
		guest bool
		bytes int
		says  string
	}{
		{false, 1024, ""},
		{false, 1025, "they have 1025 bytes, and may have 1024"},
		{true, 400, ""},
		{true, 500, "bytes, and may have 512"},
	} {
		cfg := me()
		cfg.Tags = tags(test.bytes)
		if test.guest {
			cfg.Address, cfg.Ephemeral = "", true
		}
		_, err := core.New(cfg)
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%d bytes of tags of a guest (%t): %v", test.bytes, test.guest, err)
		}
	}

	unknown := "\x83\xa1e\xc3\xa1x\xda\x02\x00" + strings.Repeat("x", 512) + "\xa1y\x01"
	g := start(t, me())
	for what, rec := range map[string]wire.Record{
		"tags":           g.presence("tab", wire.Presence{Ephemeral: true, Via: "me", Instance: g.guestHello("tab").Instance, Version: 1, Tags: tags(600)}),
		"keys not known": {Set: wire.Nodes, Name: "tab", Stamp: epoch, Value: unknown},
	} {
		g := start(t, me())
		id := g.accept(core.Guest)
		g.sayHello(id, g.guestHello("tab"))
		g.receive(id, rumor(rec, g.member("tab", wire.Member{Ephemeral: true}), rec))
		g.refused(id, wire.CodeForbidden)
		for _, f := range sent(t, g.effects, id) {
			if !strings.Contains(f.Text, "bytes") || !strings.Contains(f.Text, "512") {
				t.Errorf("%s: it is told %q", what, f.Text)
			}
		}
	}
}
