package core_test

import (
	"runtime"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestGuestSyncsAsAGuest: a guest asks what its gateway has, and tells of itself.
// One that says what it has in a range, or what its children are, is gone.
func TestGuestSyncsAsAGuest(t *testing.T) {
	for kind, code := range map[wire.ItemKind]wire.Code{wire.ItemFingerprint: 0, wire.ItemSome: 0, wire.ItemAll: wire.CodeForbidden, wire.ItemChildren: wire.CodeForbidden} {
		g := start(t, me())
		g.peer("dev")
		id := g.guest("tab")
		g.receive(id, &wire.Frame{Kind: wire.KindSync, Seq: 1, Items: []wire.Item{{Kind: kind}, {Kind: kind}}})
		if code != 0 {
			g.refused(id, code)
		} else if frames := sent(t, g.effects, id); len(frames) != 1 || frames[0].Handled != 2 {
			t.Errorf("items of kind %d are answered by %+v", kind, g.effects)
		}
	}
}

// allocated is how many bytes something allocates.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestSyncFrameCostsWhatItAnswers: one frame does not have a node walk its records
// again and again, for answers that it never sends.
func TestSyncFrameCostsWhatItAnswers(t *testing.T) {
	g, id, _ := syncing(t, 20_000)
	for kind := wire.ItemFingerprint; kind <= wire.ItemSome; kind++ {
		for depth := range uint8(4) {
			f := &wire.Frame{Kind: wire.KindSync, Seq: 77}
			for range wire.MaxItems {
				f.Items = append(f.Items, wire.Item{Kind: kind, Range: wire.Range{Depth: depth}})
			}
			b := f.Append(nil)
			spent := allocated(func() { g.receiveBytes(id, b) })
			if answers := sent(t, g.effects, id); len(answers) != 1 || answers[0].Handled == 0 {
				t.Fatalf("items of kind %d: %+v", kind, answers)
			}
			if spent > 8<<20 {
				t.Errorf("128 items of kind %d and depth %d: %d KiB of memory for an answer", kind, depth, spent>>10)
			}
		}
	}
}

// TestTicksWalkNothing: while a node has no peer that agrees with its clock it does
// not look through all that it knows again and again.
func TestTicksWalkNothing(t *testing.T) {
	r := bigRing(t, "me", 20_000)
	now := core.Second
	step := func(kind core.InputKind) {
		now++
		if _, err := r.Step(core.Input{Kind: kind, Mono: now, Wall: benchWall}); err != nil {
			t.Fatal(err)
		}
	}
	step(core.Start)
	step(core.Tick)
	if spent := allocated(func() {
		for range 100 {
			step(core.Tick)
		}
	}); spent > 1<<20 {
		t.Errorf("100 ticks take %d KiB of memory", spent>>10)
	}
}
