//go:build unix

package host

import (
	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"
)

// linear is the memory of a module, all that it may have: the system gives it page by page when it is used
// first. In Go's heap it would be copied whenever it grows, and the collector would let
// as much again be garbage.
type linear []byte

// allocate is wazero's MemoryAllocator: it wants room for at most so many bytes.
func allocate(_, most uint64) experimental.LinearMemory {
	b, err := unix.Mmap(-1, 0, int(max(most, 1)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return new(moving) // as where addresses, or what may be promised, are few
	}
	return linear(b)
}

// Reallocate returns the first bytes of it, in place; nil if there are not so many.
func (l linear) Reallocate(size uint64) []byte {
	if size > uint64(len(l)) {
		return nil
	}
	return l[:size:size]
}

// Free gives it back to the system.
func (l linear) Free() { unix.Munmap(l) }
