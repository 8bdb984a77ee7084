package native

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

const (
	bufferSize = 2 << 10               // bytes; most frames are much shorter
	idleAfter  = 20 * time.Millisecond // for more to come, before a reader ends where much comes
	partWait   = 2 * time.Second       // for the rest of what TLS waits for, before a reader ends
)

var past = time.Unix(1, 0) // a deadline that is over

// buffers are for what came and is not taken yet, and for what is not written yet: a connection
// that is idle, as most are nearly always, has none.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

func takeBuffer() []byte { return buffers.Get().(*[bufferSize]byte)[:0] }

// giveBuffer gives a buffer back. One that grew is not kept.
func giveBuffer(b []byte) {
	if cap(b) == bufferSize {
		buffers.Put((*[bufferSize]byte)(b[:bufferSize]))
	}
}

// arriving is what a connection's reader has.
type arriving struct {
	raw     []byte    // what came, from a buffer; nil while it waits
	at      int       // so much of it is taken
	message []byte    // of which there are several frames, or one that is longer than a buffer
	begun   time.Time // the message, or frame, of which something came; zero if nothing did
	grown   int       // bytes that are held for message
	most    int       // bytes that a message may have
	several bool      // frames: the message goes on
	resumed bool      // a reader begins: there is something, if only a part of what TLS waits for
	busy    bool      // it came soon after the last
	parked  time.Time // when
}

func (a *arriving) rest() []byte { return a.raw[a.at:] }

// read returns the next message, which is the caller's until it is released, or how the
// connection ended. If nothing comes, and a waiter waits for that, it is parked: another
// reader goes on.
func (c *conn) read() (frame []byte, code wire.Code, parked bool) {
	a := &c.arriving
	defer func() {
		if code != 0 {
			c.release()
		}
	}()
	for {
		if !a.several {
			a.begun = time.Time{}
			if parked, err := c.await(); err != nil {
				return nil, c.ended(), false
			} else if parked {
				return nil, 0, true
			}
		}
		h, ok := c.head()
		switch {
		case !ok:
			return nil, c.ended(), false
		case h == nil:
			return nil, c.wrong(errHead.Error()), false
		case h.masked == c.dialled:
			return nil, c.wrong("a frame is masked by who dialled, and by nobody else"), false
		case h.isControl():
			if code, ok := c.control(h); !ok {
				return nil, code, false
			}
			continue
		case h.op == opText:
			c.close(wire.CodeBadFrame, "a text message: frames are binary messages")
			return nil, wire.CodeBadFrame, false
		case a.several != (h.op == opMore):
			return nil, c.wrong("a frame that does not go on with the message, or goes on with none"), false
		case h.size > uint64(a.most-len(a.message)):
			c.close(wire.CodeTooBig, "")
			return nil, wire.CodeTooBig, false
		}
		if h.final && !a.several && h.size <= bufferSize {
			frame, ok = c.take(int(h.size))
			if !ok {
				return nil, c.ended(), false
			}
			mask(frame, h.key, 0)
		} else {
			if code := c.gather(h); code != 0 {
				return nil, code, false
			}
			a.several = !h.final
			frame = a.message
		}
		c.sieve.taken(int(h.size))
		if h.final {
			c.sieve.taken(headSize)
			a.most = wire.MaxFrame
			return frame, 0, false
		}
	}
}

// await waits for something to come.
func (c *conn) await() (parked bool, err error) {
	a := &c.arriving
	for len(a.rest()) == 0 && err == nil {
		if c.waiter != nil {
			until := past // takes only what was read already
			switch {
			case a.busy:
				until = time.Now().Add(idleAfter)
			case a.resumed: // a timer for soon would wake the process, for nothing: the runtime keeps one that was stopped until then
				until = time.Now().Add(partWait)
			}
			a.resumed = false
			c.raw.SetReadDeadline(until)
			if err = c.fill(); !errors.Is(err, os.ErrDeadlineExceeded) {
				continue
			}
			if c.park() {
				return true, nil
			}
		}
		c.raw.SetReadDeadline(time.Time{})
		err = c.fill()
	}
	return false, err
}

// park has the waiter wait for something to come, and gives the buffer back. It says false if
// that cannot be.
func (c *conn) park() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &c.arriving
	giveBuffer(a.raw)
	a.raw, a.at, a.parked = nil, 0, time.Now()
	c.parked = c.waiter.wait(c)
	return c.parked
}

// resume goes on reading.
func (c *conn) resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.parked {
		c.parked = false
		c.waiter.forget(c)
		c.arriving.resumed, c.arriving.busy = true, time.Since(c.arriving.parked) < idleAfter
		go c.reader() // it is in wg all the time
	}
}

// fill reads something into the buffer.
func (c *conn) fill() error {
	a := &c.arriving
	switch {
	case a.raw == nil:
		a.raw = takeBuffer()
	case a.at == len(a.raw):
		a.raw, a.at = a.raw[:0], 0
	case len(a.raw) == cap(a.raw):
		a.raw, a.at = a.raw[:copy(a.raw, a.rest())], 0
	}
	n, err := c.Read(a.raw[len(a.raw):cap(a.raw)])
	a.raw = a.raw[:len(a.raw)+n]
	if n > 0 {
		return nil
	}
	return err
}

// more is fill amid a message or frame, which have to come to their end.
func (c *conn) more() error {
	c.hurry()
	return c.fill()
}

// hurry bounds how long the rest of a message, or of a frame, may take.
func (c *conn) hurry() {
	a := &c.arriving
	if a.begun.IsZero() {
		a.begun = time.Now()
	}
	c.raw.SetReadDeadline(a.begun.Add(messageWait + time.Duration(2*cap(a.message)/messageRate)*time.Second))
}

// head returns the head of the next frame, nil if it is none; ok is false if the connection is over.
func (c *conn) head() (*head, bool) {
	a := &c.arriving
	for {
		h, length, err := parseHead(a.rest())
		if err != nil {
			return nil, true
		}
		if length > 0 {
			a.at += length
			return &h, true
		}
		if c.more() != nil {
			return nil, false
		}
	}
}

// take returns so many of the next bytes, of which a buffer has room for all; ok is false if
// the connection is over.
func (c *conn) take(size int) (b []byte, ok bool) {
	a := &c.arriving
	for len(a.rest()) < size {
		if cap(a.raw)-a.at < size {
			a.raw, a.at = a.raw[:copy(a.raw, a.rest())], 0
		}
		if c.more() != nil {
			return nil, false
		}
	}
	a.at += size
	return a.raw[a.at-size : a.at : a.at], true
}

// gather appends a frame's payload to the message, for which it takes no memory before it came.
func (c *conn) gather(h *head) wire.Code {
	a := &c.arriving
	for before := 0; before < int(h.size); {
		if len(a.message) == cap(a.message) {
			more := max(cap(a.message), bufferSize)
			if !c.cost.holds(more) {
				c.close(wire.CodeForbidden, "more bytes than guests may have under way")
				return wire.CodeForbidden
			}
			a.grown += more
			a.message = append(a.message, make([]byte, more)...)[:len(a.message)]
		}
		into := a.message[len(a.message):min(cap(a.message), len(a.message)+int(h.size)-before)]
		n := copy(into, a.rest())
		a.at += n
		if n == 0 {
			var err error
			c.hurry()
			if n, err = c.Read(into); n == 0 && err != nil {
				return c.ended()
			}
		}
		mask(into[:n], h.key, before)
		a.message, before = a.message[:len(a.message)+n], before+n
	}
	if a.message == nil {
		a.message = []byte{}
	}
	return 0
}

// release lets go of the message that read returned.
func (c *conn) release() {
	c.cost.releases(c.arriving.grown)
	c.arriving.message, c.arriving.grown = nil, 0
}

// control takes a control frame; ok is false if the connection is over by it.
func (c *conn) control(h *head) (code wire.Code, ok bool) {
	payload, ok := c.take(int(h.size))
	if !ok {
		return c.ended(), false
	}
	mask(payload, h.key, 0)
	switch h.op {
	case opPing:
		c.pong(payload)
	case opClose:
		return c.closed(payload), false
	}
	return 0, true
}

// sink reads what still comes until the connection is closed, which is soon: a peer that writes
// shall read why it was closed, and not that it was reset.
func (c *conn) sink() {
	giveBuffer(c.arriving.raw)
	c.arriving.raw, c.arriving.at = nil, 0
	c.raw.SetReadDeadline(time.Time{})
	b := takeBuffer()
	defer giveBuffer(b)
	for {
		if _, err := c.Read(b[:cap(b)]); err != nil {
			return
		}
	}
}
