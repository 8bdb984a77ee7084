package disk

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc64"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
	"pgregory.net/rapid"
)

// history is a ring file as it grows, and all that was ever true.
type history struct {
	now    wire.Snapshot
	file   []byte
	sum    uint64
	states []string // each snapshot
	ends   []int    // how long the file was
}

func (h *history) begin(s wire.Snapshot) *history {
	h.now = s
	h.file = EncodeRingFile(s.Append(nil))
	h.sum = crc64.Checksum(h.file, crcTable)
	h.states, h.ends = []string{string(s.Append(nil))}, []int{len(h.file)}
	return h
}

func (h *history) change(c wire.Change) {
	b, sum := encodeChange(c.Append(nil), h.sum)
	h.file, h.sum = append(h.file, b...), sum
	h.now.Fold([]wire.Change{c})
	h.states, h.ends = append(h.states, string(h.now.Append(nil))), append(h.ends, len(h.file))
}

// node is a node's membership.
func node(name string, stamp int64) wire.Record {
	return wire.Record{Set: wire.Nodes, Name: name, Stamp: stamp, Value: wire.Member{Address: name + ":7946"}.Value()}
}

// presence is what a node says of itself.
func presence(name string, stamp int64) wire.Record {
	return wire.Record{Set: wire.Up, Name: name, Stamp: stamp, Value: wire.Presence{Address: name + ":7946", Version: 1, Instance: wire.Instance{Start: stamp, Nonce: uint64(stamp)}}.Value()}
}

// drawHistory has some changes of few names, so that they come and go.
func drawHistory(t *rapid.T) *history {
	names := rapid.SampledFrom([]string{"a", "b", "c", "dd"})
	h := new(history).begin(wire.Snapshot{Ring: "red", Name: "a", Wall: 1, Records: []wire.Record{node("a", 1), presence("a", 1)}})
	for i := range rapid.IntRange(0, 6).Draw(t, "changes") {
		now := int64(i) + 2
		c := wire.Change{Wall: now, LastContact: rapid.Int64Range(0, now).Draw(t, "last")}
		for range rapid.IntRange(0, 3).Draw(t, "records") {
			name := names.Draw(t, "name")
			c.Records = append(c.Records, rapid.SampledFrom([]wire.Record{node(name, now), presence(name, now)}).Draw(t, "record"))
		}
		for range rapid.IntRange(0, 2).Draw(t, "gone") {
			c.Gone = append(c.Gone, wire.Record{Set: wire.SetID(rapid.IntRange(0, 1).Draw(t, "set")), Name: names.Draw(t, "gone name"), Value: wire.GoneValue})
		}
		if rapid.IntRange(0, 3).Draw(t, "rest") == 0 {
			c.Rest = &wire.Snapshot{Cordoned: rapid.Bool().Draw(t, "cordoned"), IDs: []wire.RingID{{Start: now, Nonce: 7}}, Tags: []wire.Tag{{Key: "k", Value: name(now)}}}
		}
		h.change(c)
	}
	return h
}

func name(n int64) string { return fmt.Sprint("v", n) }

// at returns the state of when the file had so many bytes, and whether it had them whole.
func (h *history) at(size int) (state string, whole bool) {
	for i, end := range h.ends {
		if end <= size {
			state, whole = h.states[i], end == size
		}
	}
	return state, whole
}

// TestAnyEnd: wherever a ring file ends, it is what it was after the last change that is in
// it whole; and if there is more, that is said.
func TestAnyEnd(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := drawHistory(rt)
		for size := range len(h.file) + 1 {
			got, err := DecodeRingFile(h.file[:size])
			state, whole := h.at(size)
			switch {
			case string(got) != state:
				rt.Fatalf("of %d bytes it is %x, and not %x (%v)", size, got, state, err)
			case whole && err != nil, !whole && state != "" && !errors.Is(err, ErrCut), state == "" && !errors.Is(err, ErrDamaged):
				rt.Fatalf("of %d bytes, whole %t: %v", size, whole, err)
			}
		}
	})
}

// TestAnyByte: whichever byte of a ring file is another, it is a state that was once true,
// which is no longer ago than the damage, and that is said; or it is refused.
func TestAnyByte(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := drawHistory(rt)
		flip := rapid.ByteRange(1, 255).Draw(rt, "flip")
		for i := range h.file {
			b := bytes.Clone(h.file)
			b[i] ^= flip
			got, err := DecodeRingFile(b)
			state, _ := h.at(i)
			if string(got) != state || !known(err) {
				rt.Fatalf("with byte %d of %d another it is %x, and not %x (%v)", i, len(b), got, state, err)
			}
		}
	})
}

// TestAnyHole: whatever a disk has lost, and has as zeros, or has of before, shows.
func TestAnyHole(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := drawHistory(rt)
		from := rapid.IntRange(0, len(h.file)-1).Draw(rt, "from")
		b := bytes.Clone(h.file)
		clear(b[from:rapid.IntRange(from+1, len(b)).Draw(rt, "to")])
		if bytes.Equal(b, h.file) {
			return
		}
		got, err := DecodeRingFile(b)
		if state, _ := h.at(from); err == nil || string(got) != state && !h.was(string(got)) {
			rt.Fatalf("with a hole from %d it is %x, and not %x (%v)", from, got, state, err)
		}
	})
}

func (h *history) was(state string) bool {
	for _, s := range h.states {
		if s == state {
			return true
		}
	}
	return false
}
