package native

import (
	"math/bits"
	"time"
)

// latencies counts how long steps took, by powers of two of microseconds.
type latencies struct {
	counts [32]uint64 // of those below 1, 2, 4, ... µs
	total  uint64
	most   time.Duration
}

func (h *latencies) add(d time.Duration) {
	h.counts[min(bits.Len64(uint64(max(d, 0).Microseconds())), len(h.counts)-1)]++
	h.total++
	h.most = max(h.most, d)
}

// below returns what so many of a thousand steps took less than.
func (h *latencies) below(permille uint64) time.Duration {
	var n uint64
	for i, count := range h.counts {
		if n += count; h.total > 0 && n*1000 >= h.total*permille {
			return min(time.Microsecond<<i, h.most)
		}
	}
	return h.most
}
