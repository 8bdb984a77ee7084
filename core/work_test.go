package core_test

import (
	"runtime"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

// TestGuestSyncsAsAGuest: a guest asks what its gateway has, and tells of itself.
// One that says what it has in a range, or what its children are, is gone.
func TestGuestSyncsAsAGuest(t *testing.T) {
	for kind, code := range map[wire.ItemKind]wire.Code{wire.ItemPrint: 0, wire.ItemSome: 0, wire.ItemAll: wire.CodeForbidden, wire.ItemChildren: wire.CodeForbidden} {
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
	for kind := wire.ItemPrint; kind <= wire.ItemSome; kind++ {
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
