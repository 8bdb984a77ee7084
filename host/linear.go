package host

// moving is the memory of a module in Go's heap.
type moving []byte

// Reallocate returns so many bytes, those of before first.
func (m *moving) Reallocate(size uint64) []byte {
	if more := int(size) - len(*m); more > 0 {
		*m = append(*m, make([]byte, more)...)
	}
	return (*m)[:size]
}

// Free lets go of it.
func (m *moving) Free() { *m = nil }
