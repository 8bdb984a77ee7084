//go:build wasip1

package main

import (
	"runtime"
	"unsafe"
)

const (
	smallBuffer = 1 << 10   // buffer's size at least
	largeBuffer = 512 << 10 // beyond it, buffer shrinks again
	minGarbage  = 1 << 20   // bytes between two collections, at least
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

// collector runs the garbage collector when enough came in since it last ran.
// Left alone it would hardly ever end: exported functions run on one goroutine,
// which its workers wait for.
type collector struct {
	since, limit int
}

func (c *collector) took(n int) {
	c.since += n
	if c.since < max(c.limit, minGarbage) {
		return
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	c.since, c.limit = 0, int(m.HeapAlloc)
}
