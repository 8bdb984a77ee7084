//go:build unix

package host

import (
	"testing"
	"unsafe"

	"github.com/tetratelabs/wazero/experimental"

	"github.com/nanoring/nanoring/core"
)

// TestLinear: memory that grows has what it had, and nothing in what is new.
func TestLinear(t *testing.T) {
	const most = 1 << 20
	for what, m := range map[string]experimental.LinearMemory{"of the system": allocate(0, most), "of the heap": new(moving)} {
		t.Run(what, func(t *testing.T) {
			b := m.Reallocate(pageSize)
			b[0], b[pageSize-1] = 1, 2
			grown := m.Reallocate(most)
			if len(b) != pageSize || len(grown) != most || grown[0] != 1 || grown[pageSize-1] != 2 || grown[pageSize] != 0 || grown[most-1] != 0 {
				t.Error("it is another memory")
			}
			if _, ok := m.(linear); ok {
				if unsafe.SliceData(grown) != unsafe.SliceData(b) {
					t.Error("it has moved")
				}
				if m.Reallocate(most+1) != nil {
					t.Error("it grows beyond what there may be")
				}
			}
			m.Free()
		})
	}
}

// TestMemoryStays: a module's memory is not copied when it grows.
func TestMemoryStays(t *testing.T) {
	e, err := New(t.Context(), Config{Node: core.Config{Name: "me", Address: "me:7946", Ring: "ring"}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	before, _ := e.mod.Memory().Read(0, 1)
	size := e.MemorySize()
	if _, ok := e.mod.Memory().Grow(100); !ok || e.MemorySize() != size+100*pageSize {
		t.Fatalf("it has %d bytes, and had %d", e.MemorySize(), size)
	}
	after, _ := e.mod.Memory().Read(0, 1)
	if unsafe.SliceData(before) != unsafe.SliceData(after) {
		t.Error("it has moved")
	}
}
