package sim

import "strconv"

// A frame's packets have so many bytes around it, of IP, of TCP with its
// timestamps, and of WebSocket; and no more than so many in all, as native has it.
const (
	headers    = 20 + 32 + 8
	mostPacket = 1280
)

// Narrow makes a hole of the path between two machines: packets of more than
// size bytes do not arrive, and nobody is told. So a frame that needs a larger
// one is sent again and again in vain, and all behind it on its connection waits,
// while small frames, acknowledgements and dials pass.
func (w *World) Narrow(a, b *Machine, size int) {
	w.note(nil, "no packet of more than ", strconv.Itoa(size), " bytes passes between ", a.name, " and ", b.name)
	w.narrow[link(a, b)] = size
	w.release()
}

// tooLarge tells whether what a side sends next is larger than the path takes.
func (w *World) tooLarge(src, dst *end) bool {
	if len(w.narrow) == 0 {
		return false
	}
	size, narrow := w.narrow[link(src.m, dst.m)]
	return narrow && !src.empty() && min(len(src.queue[src.head].frame)+headers, mostPacket) > size
}
