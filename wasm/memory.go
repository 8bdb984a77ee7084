//go:build wasip1

package main

import (
	"runtime"
	"unsafe"
)

const (
	smallBuffer = 1 << 10   // buffer's size at least
	largeBuffer = 512 << 10 // beyond it, buffer shrinks again
	minGarbage  = 1 << 20   // bytes between two collections, at least,
	maxGarbage  = 12 << 20  // and at most
	lookCalls   = 64        // calls between two looks at how many there are
)

//go:wasmexport buffer
func buffer(size uint32) uint32 {
	if size > maxBuffer {
		return 0
	}
	if n := int(size); n > len(input) || len(input) > largeBuffer && n <= largeBuffer {
		input = make([]byte, max(n, smallBuffer))
	}
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(input))))
}

// out leaves bytes for the host: ptr << 32 | len.
func out(b []byte) int64 {
	output = b
	return int64(uintptr(unsafe.Pointer(unsafe.SliceData(b))))<<32 | int64(len(b))
}

// collector runs the garbage collector when there is as much garbage as there was in use when
// it last ran. Left alone it would hardly ever end: exported functions run on one goroutine,
// which its workers wait for. To look at how much there is takes a while, so it does that
// when something came in or went out, or after some calls: what a call leaves behind may be twenty times that.
type collector struct {
	since, calls int
	live         int
	stats        runtime.MemStats
}

func (c *collector) took(n int) {
	c.since += n
	c.calls++
	if c.since < minGarbage/4 && c.calls < lookCalls {
		return
	}
	c.since, c.calls = 0, 0
	runtime.ReadMemStats(&c.stats)
	if int(c.stats.HeapAlloc) < c.live+min(max(c.live, minGarbage), maxGarbage) {
		return
	}
	runtime.GC()
	runtime.ReadMemStats(&c.stats)
	c.live = int(c.stats.HeapAlloc)
}
