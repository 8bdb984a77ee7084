package main

import (
	"sync"
	"testing"
)

// TestGiveBack: memory is given back when a node is quiet after it was busy, and twice more when what it kept for
// a while is gone; later if it is busy just then.
func TestGiveBack(t *testing.T) {
	var g giver
	allocated := uint64(0)
	for i, look := range []struct {
		more uint64 // MiB
		due  bool
	}{{100, false}, {1, true}, {1, false}, {7, false}, {4, true}, {4, false}, {50, false}, {9, false}, {8, true}, {0, false}, {0, false}, {0, true}, {0, false},
		{800, false}, {101, false}, {100, true}, {100, false}, {90, false}, {100, true}, {100, false}, {8, true}, {0, false}, {9, false}, {9, true}, {0, false}, {300, false}, {30, true}, {0, false}, {0, false}, {40, false}, {0, true}, {0, false},
		{0, false}, {0, true}, {1, false}, {0, false}, {0, false}, {1, false}, {0, false}, {0, true}, {0, false}, {0, false}, {0, false}, {0, false}, {0, false}, {0, false}, {0, false},
		{100, false}, {4, true}, {0, false}, {0, false}, {13, false}, {0, true}} {
		allocated += look.more << 20
		if due := g.isDue(allocated); due != look.due {
			t.Errorf("look %d: %v", i, due)
		}
	}
}

// TestLetGo: what pools keep is given back, too.
func TestLetGo(t *testing.T) {
	const items = 100 // the race detector has a pool lose some
	var pool sync.Pool
	for range items {
		pool.Put(new([1 << 10]byte))
	}
	letGo()
	for range items {
		if pool.Get() != nil {
			t.Fatal("a pool keeps what it has")
		}
	}
}
