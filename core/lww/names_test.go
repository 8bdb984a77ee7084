package lww

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"sync"
	"testing"
)

// pool is the names that the tests draw from, in the order of every Set: many
// that spread, some that crowd in one range of depth 3, and some that share
// a whole hash.
var pool = sync.OnceValue(func() []string {
	var names []string
	for i := range 1200 {
		names = append(names, fmt.Sprintf("node-%d", i))
	}
	const crowd = 0xABC
	for i := 0; len(names) < 1200+80; i++ {
		if name := fmt.Sprintf("crowd-%d", i); HashName(name)>>52 == crowd {
			names = append(names, name)
		}
	}
	names = append(names, collide(80)...)
	slices.SortFunc(names, func(a, b string) int {
		return place(New(a, 0, 0, "")).cmp(place(New(b, 0, 0, "")))
	})
	return names
})

// collide makes names that share one xxHash64, as somebody hostile would. Each
// of the hash's four lanes takes 8 bytes of every 32 by a step that can be
// undone: whatever the first 8 bytes do to a lane, the next 8 can put right.
func collide(n int) []string {
	var p1, p2 uint64 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F
	step := func(lane, in uint64) uint64 { return bits.RotateLeft64(lane+in*p2, 31) * p1 }
	undo := uint64(1) // the inverse of p2, each turn good for twice as many bits
	for range 6 {
		undo *= 2 - p2*undo
	}
	lane, goal := p1+p2, uint64(0x0123456789abcdef) // where the first lane starts, and has to be after two steps

	var names []string
	for try := uint64(0); len(names) < n; try++ {
		name := []byte(fmt.Sprintf("%08d", try) + "xxxxxxxxxxxxxxxxxxxxxxxx" + "????????" + "xxxxxxxxxxxxxxxxxxxxxxxx")
		first := binary.LittleEndian.Uint64(name)
		binary.LittleEndian.PutUint64(name[32:], (goal-step(lane, first))*undo)
		if !slices.ContainsFunc(name, func(c byte) bool { return c <= ' ' || c > '~' || c == '@' }) {
			names = append(names, string(name)) // a valid name of a node, too
		}
	}
	return names
}

func TestCollidingNamesCollide(t *testing.T) {
	names := collide(3)
	if names[0] == names[1] || names[1] == names[2] {
		t.Fatalf("names are equal: %q", names)
	}
	for _, name := range names {
		if HashName(name) != HashName(names[0]) {
			t.Errorf("%q and %q have different hashes", name, names[0])
		}
	}
}

// key is what All orders by.
type key struct {
	hash uint64
	name string
}

func place(r *Record) key { return key{r.hash, r.Name} }

func (k key) cmp(o key) int {
	switch {
	case k == o:
		return 0
	case k.hash < o.hash || k.hash == o.hash && k.name < o.name:
		return -1
	}
	return 1
}
