package wire_test

import (
	"slices"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
	"pgregory.net/rapid"
)

// drawIDs draws least or more ids, as they are in a frame.
func drawIDs(t *rapid.T, least int) []wire.RingID {
	ids := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) wire.RingID {
		return wire.RingID(genInstance.Draw(t, "id"))
	}), least, wire.MaxIDs, rapid.ID).Draw(t, "ids")
	slices.SortFunc(ids, func(a, b wire.RingID) int {
		if a.Before(b) {
			return -1
		}
		return 1
	})
	if len(ids) == 0 {
		return nil
	}
	return ids
}

func TestOlderIDsComeFirst(t *testing.T) {
	ids := []wire.RingID{{Start: 1, Nonce: 9}, {Start: 2, Nonce: 1}, {Start: 2, Nonce: 1 << 63}, {Start: 1<<63 - 1}}
	for i, a := range ids {
		for k, b := range ids {
			if a.Before(b) != (i < k) {
				t.Errorf("%v before %v: %v", a, b, !(i < k))
			}
		}
	}
}
