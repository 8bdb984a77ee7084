package host

import (
	"encoding/binary"
	"math"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"
)

// The ten functions of WASI that the Go runtime wants. They show the module
// nothing of the world: no arguments, no environment, no files, a clock that
// follows its inputs', and random bytes out of its node's seed.

const (
	success = 0
	badFile = 8 // errno badf

	maxWork  = 1 << 16 // calls of WASI in one call of the module; a collection takes some dozens
	maxWords = 4 << 10 // of the module's last words
)

// spend counts what WASI does for the module in one call.
func (e *Engine) spend(work uint64) {
	if work > uint64(e.work) {
		violate("it does not come to an end: over %d calls of WASI", maxWork)
	}
	e.work -= int(work)
}

// read returns bytes of the module's memory.
func read(mem api.Memory, at, size uint64) []byte {
	b, ok := mem.Read(uint32(at), uint32(size))
	if !ok {
		violate("%d bytes at %d are not in its memory", uint32(size), uint32(at))
	}
	return b
}

func (e *Engine) nothing(_ api.Memory, stack []uint64) {
	e.spend(1)
	stack[0] = success
}

// noSizes is the answer of args_sizes_get and environ_sizes_get.
func (e *Engine) noSizes(mem api.Memory, stack []uint64) {
	e.spend(1)
	clear(read(mem, stack[0], 4))
	clear(read(mem, stack[1], 4))
	stack[0] = success
}

// clockTime shows the time of the input, a little later with each call.
func (e *Engine) clockTime(mem api.Memory, stack []uint64) {
	e.spend(1)
	e.pass(1)
	binary.LittleEndian.PutUint64(read(mem, stack[2], 8), uint64(e.clock))
	stack[0] = success
}

func (e *Engine) pass(nanoseconds uint64) {
	e.clock += int64(min(nanoseconds, uint64(math.MaxInt64-e.clock)))
}

// write keeps the module's last words.
func (e *Engine) write(mem api.Memory, stack []uint64) {
	vectors := uint64(uint32(stack[2]))
	e.spend(1 + vectors)
	if fd := uint32(stack[0]); fd != 1 && fd != 2 {
		stack[0] = badFile
		return
	}
	written := uint32(0)
	list := read(mem, stack[1], 8*vectors)
	for ; len(list) > 0; list = list[8:] {
		b := read(mem, uint64(binary.LittleEndian.Uint32(list)), uint64(binary.LittleEndian.Uint32(list[4:])))
		written += uint32(len(b))
		e.words = append(e.words, b[:min(len(b), maxWords-len(e.words))]...)
	}
	binary.LittleEndian.PutUint32(read(mem, stack[3], 4), written)
	stack[0] = success
}

// poll lets the time pass that the module wants to wait for, and says that all
// it waits for has come.
func (e *Engine) poll(mem api.Memory, stack []uint64) {
	const subscription, event = 48, 32
	n := uint64(uint32(stack[2]))
	e.spend(1 + n)
	in, out := read(mem, stack[0], n*subscription), read(mem, stack[1], n*event)
	for ; len(in) > 0; in, out = in[subscription:], out[event:] {
		clear(out[8:event])
		copy(out[:8], in) // whose it is
		if kind := in[8]; kind == 0 {
			e.pass(binary.LittleEndian.Uint64(in[24:]))
		} else {
			out[8], out[10] = badFile, kind
		}
	}
	binary.LittleEndian.PutUint32(read(mem, stack[3], 4), uint32(n))
	stack[0] = success
}

func (e *Engine) exit(_ api.Memory, stack []uint64) { panic(sys.NewExitError(uint32(stack[0]))) }

func (e *Engine) fillRandom(mem api.Memory, stack []uint64) {
	b := read(mem, stack[0], stack[1])
	e.spend(1 + uint64(len(b))/16)
	e.random.Read(b)
	stack[0] = success
}
