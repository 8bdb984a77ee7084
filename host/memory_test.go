package host_test

import (
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

// TestMemoryIsFlat: the module collects its own garbage. Its memory grows in the
// beginning, and then no more, whatever it is sent.
func TestMemoryIsFlat(t *testing.T) {
	t.Run("a million small frames", func(t *testing.T) {
		t.Parallel()
		e := sandboxed(t, config("me"))
		p := newPeer(t, e, 5)
		f := wire.Frame{Kind: wire.KindGossip, Seq: 1, Wall: epoch + p.now, Print: 1 << 63}
		frame := f.Append(nil)
		flat(t, e.MemorySize, 20, func() {
			for range 50_000 {
				p.receive(frame)
			}
		})
	})
	t.Run("large merges", func(t *testing.T) {
		t.Parallel()
		e := sandboxed(t, config("me"))
		p := newPeer(t, e, 2000)
		i := 1
		flat(t, e.MemorySize, 15, func() {
			for range 20 {
				i++
				p.receive(presences(1, 1000, i))
			}
		})
	})
}

// flat does something so often, and expects that it takes no more memory after
// it has done so twice.
func flat(t *testing.T, size func() uint32, times int, do func()) {
	t.Helper()
	do()
	do()
	before := size()
	for range times - 2 {
		do()
	}
	if after := size(); after > before+before/16 {
		t.Errorf("the module's memory has grown from %d to %d KiB", before>>10, after>>10)
	}
	t.Logf("%d KiB", size()>>10)
}
