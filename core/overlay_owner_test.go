package core

import (
	"testing"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// newTestOverlay makes an overlay that no Ring drives, of a node that knows some
// members that are up.
func newTestOverlay(t *testing.T, up ...string) *overlay {
	t.Helper()
	cfg := Config{Ring: "ring", Name: "me", Address: "me:1", Seed: 1}
	if err := cfg.complete(); err != nil {
		t.Fatal(err)
	}
	s := newSelf(cfg)
	s.wall = Hour
	rep := newReplica(&s)
	o := newOverlay(&s, &rep)
	for _, name := range append(up, "me") {
		rep.add(name, wire.Member{Address: name + ":1"}, 0)
		p := wire.Presence{Address: name + ":1", Version: 1}
		rec := lww.New(name, s.wall, rankUp, p.Value())
		rec.Parsed = &p
		rep.put(wire.Up, rec)
	}
	return &o
}

// TestShun: a name is left alone for longer, the oftener there is the same reason
// for it, and all is forgotten after a while without one.
func TestShun(t *testing.T) {
	o := newTestOverlay(t)
	for _, test := range []struct {
		why  int
		want []int64 // seconds
	}{
		{refusals, []int64{3, 3, 3, 3}},
		{detours, []int64{3, 6, 12, 24, 24, 24}},
		{breaches, []int64{3, 6, 12, 24, 48, 96, 192, 192}},
	} {
		for i, want := range test.want {
			o.shun("a", test.why)
			o.now += want*Second - 1
			if !o.shunning("a") {
				t.Errorf("%d: it is not left alone for %d s", i, want)
			}
			if o.now++; o.shunning("a") {
				t.Errorf("%d: it is left alone after %d s", i, want)
			}
			o.unshun("a") // it was let in meanwhile
		}
		o.now += peace + 1
		if o.forgive(); len(o.shunned) > 0 {
			t.Error("it is not forgotten")
		}
	}
}
