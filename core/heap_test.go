package core_test

import "runtime"

// heapOf returns by how many bytes the heap has grown after fn, garbage not counted.
func heapOf(fn func()) int64 {
	live := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := live()
	fn()
	return live() - before
}
