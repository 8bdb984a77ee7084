package sim

import (
	"math/bits"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// KernelBuffers are the bytes of a connection that the kernels of both ends keep,
// while they are not read or cannot get there.
const KernelBuffers = 256 << 10

// What the runtime of the side that sends keeps on top of that: native's habits.
const (
	queueBytes  = 1 << 20
	queueFrames = 256
	writeWait   = 30 * core.Second // for anything to move
)

// queued returns how much of what a side has sent waits in its runtime, as far as
// it matters: its frames, from the last one, but no more than may be there.
func (e *end) queued() (frames, bytes int) {
	for frames <= queueFrames && e.bytes-bytes > KernelBuffers {
		frames++
		bytes += len(e.queue[len(e.queue)-frames].frame)
	}
	return frames, bytes
}

// full tells whether a side's runtime has no room for another frame.
func (e *end) full(frame []byte) bool {
	if e.bytes <= KernelBuffers {
		return false
	}
	frames, bytes := e.queued()
	return frames >= queueFrames || bytes+len(frame) > queueBytes
}

// trim forgets what waits in the runtime of a side that ends.
func (w *World) trim(e *end) {
	for !e.empty() && e.bytes > KernelBuffers {
		last := len(e.queue) - 1
		e.bytes -= len(e.queue[last].frame)
		w.recycle(e.queue[last].frame)
		e.queue[last] = item{}
		e.queue = e.queue[:last]
	}
}

// stick notes that a side's runtime cannot write, unless it is known.
func (w *World) stick(c *conn, of uint8) {
	if e := &c.end[of]; e.bytes > KernelBuffers && e.stuck == 0 {
		e.stuck = max(w.now, 1)
		w.schedule(e.stuck+writeWait, event{kind: evStuck, conn: c, side: of})
	}
}

// moved notes that something of what a side has sent arrived, which lets its
// runtime write again.
func (e *end) moved(now int64) {
	if e.stuck = now; e.bytes <= KernelBuffers {
		e.stuck = 0
	}
}

// stuck ends a connection at the side whose runtime could not write for too long.
func (w *World) stuck(c *conn, of uint8) {
	switch e := &c.end[of]; {
	case e.stuck == 0 || e.state != open || e.broken:
	case w.now < e.stuck+writeWait:
		w.schedule(e.stuck+writeWait, event{kind: evStuck, conn: c, side: of})
	default:
		w.giveUp(c, of, wire.CodeLost)
	}
}

// giveUp has a side's runtime cut a connection off. What the kernels have of it,
// the other end may still read.
func (w *World) giveUp(c *conn, of uint8, code wire.Code) {
	e := &c.end[of]
	w.trim(e)
	w.end(c, of, wire.CodeLost)
	e.state = closed
	delete(e.proc.conns, e.id)
	w.schedule(w.now, event{kind: evEcho, conn: c, side: of, arg: int64(code)})
}

// spareFrames are kept of each size class, whatever is in use.
const spareFrames = 16

// copied returns a copy of a frame, in a buffer of its size class.
func (w *World) copied(frame []byte) []byte {
	class := bits.Len(uint(len(frame)))
	for len(w.free) <= class {
		w.free, w.flying = append(w.free, nil), append(w.flying, 0)
	}
	f := w.free[class]
	w.flying[class]++
	if len(f) == 0 {
		return append(make([]byte, 0, 1<<class), frame...)
	}
	b := f[len(f)-1]
	w.free[class] = f[:len(f)-1]
	return append(b[:0], frame...)
}

// recycle takes a frame's buffer back, and spoils it: an engine that has kept a
// part of it shows. No more of them are kept than are in use: after a storm there are
// as many as the storm had.
func (w *World) recycle(frame []byte) {
	if cap(frame) == 0 {
		return
	}
	for i := range frame {
		frame[i] = 0xc1 // the one byte that msgpack never uses
	}
	class := bits.Len(uint(cap(frame))) - 1
	w.flying[class]--
	f := append(w.free[class], frame[:0])
	for len(f) > w.flying[class]+spareFrames {
		f[len(f)-1] = nil
		f = f[:len(f)-1]
	}
	w.free[class] = f
}
