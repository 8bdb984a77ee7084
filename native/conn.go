package native

import (
	"encoding/binary"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

const (
	subprotocol = "nanoring.v1"

	maxFirst    = 16 << 10         // bytes of the first frame: a hello has no more, whoever sends it
	queueFrames = 256              // that wait for a peer to read
	queueBytes  = 1 << 20          // of them
	closeWait   = time.Second      // for a peer's half of the close handshake
	writeWait   = 30 * time.Second // for a peer to read what is under way

	codeProtocol = 1002 // closes a WebSocket whose other end breaks its rules
)

// conn is one WebSocket. Most are idle nearly always, and such a one has no buffers, and, where
// the system tells of what comes (see waiter), no goroutine: a reader is there while something
// comes, and a writer while there is something to write. send, close and abort may be called
// from anywhere.
type conn struct {
	id core.ConnID
	below
	wg *sync.WaitGroup // of writers; the connection is in it, too, and outlives what starts one

	key   string   // the id of the secret that vouches for the other end; "" for none
	cost  *account // of a guest
	turn  *turn    // of a guest
	until int64    // when the token by which it came is good no more, in seconds; 0 for never

	arriving arriving      // the reader's
	taken    chan struct{} // the engine has taken the frame

	story story // the engine's goroutine's
	round round // likewise

	mu      sync.Mutex
	waiter  *waiter   // nil if its reader waits itself
	reader  func()    // goes on reading
	fd      polled    // what the waiter knows of it
	queue   []byte    // frames, as they are written
	queued  int       // bytes of their payloads
	under   int       // of those that are being written
	last    []byte    // the payload of the frame that closes; nil if it was written, or is none
	frames  int32     // in queue
	halves  uint8     // of the close handshake: frames that were written, and that came
	parked  bool      // nobody reads: the waiter waits
	writing bool      // a writer runs
	closing bool      // no more frames, but one that closes
	gone    bool      // nothing can be sent any more
	dialled bool      // by this end, which masks what it sends; it does not change
	code    wire.Code // if closing or aborted here: why
}

func (n *Node) newConn(id core.ConnID, l below) *conn {
	c := &conn{id: id, below: l, dialled: id%2 == 0, wg: &n.wg, taken: make(chan struct{}, 1)}
	c.arriving.most = maxFirst
	if c.early = nil; len(l.early) > 0 {
		c.arriving.raw = append(takeBuffer(), l.early...)
	}
	if file, ok := l.raw.(syscall.Conn); ok && n.waiter != nil {
		if raw, err := file.SyscallConn(); err == nil {
			c.waiter, c.fd.raw = n.waiter, raw
		}
	}
	return c
}

// send queues a copy of frame. It says false if the peer reads too slowly.
func (c *conn) send(frame []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.gone {
		return true
	}
	if c.frames >= queueFrames || c.queued+len(frame) > queueBytes || !c.cost.holds(len(frame)) {
		return false
	}
	c.queued += len(frame)
	c.add(opBinary, frame)
	return true
}

// pong answers a ping, unless so much waits already that nobody waits for that.
func (c *conn) pong(payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing && !c.gone && c.frames < queueFrames {
		c.add(opPong, payload)
	}
}

// add has a frame written; c is locked.
func (c *conn) add(op byte, payload []byte) {
	if c.queue == nil {
		c.queue = takeBuffer()
	}
	c.queue = appendFrame(c.queue, op, c.dialled, payload)
	c.frames++
	c.signal()
}

// close closes the connection in order, after what is queued; a peer that does
// not do its part within closeWait is cut off.
func (c *conn) close(code wire.Code, text string) {
	if code < wire.CodeBye { // not one that may cross the wire
		c.abort(code)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing && !c.gone {
		c.code = code
		c.finish(closePayload(uint16(code), text))
	}
}

func closePayload(code uint16, text string) []byte {
	b := binary.BigEndian.AppendUint16(nil, code)
	return append(b, truncate(strings.ToValidUTF8(text, "?"), controlSize-len(b))...)
}

// finish has a frame go out that closes; c is locked.
func (c *conn) finish(payload []byte) {
	c.closing, c.last = true, payload
	time.AfterFunc(closeWait, c.cut)
	c.signal()
}

// half takes note that one half of the close handshake is done. After both it is over.
func (c *conn) half() {
	c.mu.Lock()
	c.halves++
	over := c.halves == 2
	c.mu.Unlock()
	if over {
		c.cut()
	}
}

// closed takes the payload of a frame by which the peer closes, and answers in kind.
func (c *conn) closed(payload []byte) wire.Code {
	code, ok := closing(payload)
	if !ok {
		return c.wrong("a close frame with a code that may not be sent")
	}
	c.mu.Lock()
	why := c.code
	if !c.closing && !c.gone {
		c.finish(append([]byte{}, payload[:min(len(payload), 2)]...)) // the code: a text may be none that can be sent
	}
	c.mu.Unlock()
	c.half()
	if why != 0 {
		return why
	}
	return wire.Code(code)
}

// wrong closes a WebSocket whose other end breaks its rules, which is no end in order.
func (c *conn) wrong(text string) wire.Code {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing && !c.gone {
		c.code = wire.CodeLost
		c.finish(closePayload(codeProtocol, text))
	}
	return c.code
}

// abort cuts the connection off.
func (c *conn) abort(code wire.Code) {
	c.mu.Lock()
	if !c.gone {
		c.gone = true
		if c.code == 0 {
			c.code = code
		}
		c.cost.releases(c.queued)
		c.queue, c.queued, c.last = nil, 0, nil
	}
	c.mu.Unlock()
	c.cut()
}

// cut ends what is read and written.
func (c *conn) cut() {
	c.raw.Close()
	c.resume() // of a closed connection no waiter is told
}

// signal has a writer do what there is to do.
func (c *conn) signal() {
	if !c.writing {
		c.writing = true
		c.wg.Go(c.write)
	}
}

// next returns what to write. At the end that is a frame that closes.
func (c *conn) next() (b []byte, closes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrote()
	b, c.queue = c.queue, nil
	c.under, c.queued, c.frames = c.queued, 0, 0
	if b == nil && c.last != nil {
		b, closes = appendFrame(nil, opClose, c.dialled, c.last), true
		c.last = nil
	}
	c.writing = b != nil
	return b, closes
}

// wrote lets go of what was being written.
func (c *conn) wrote() {
	c.cost.releases(c.under)
	c.under = 0
}

// settle gives back all that is held for the connection, when its reader has ended: what the
// writer still has is little, and soon over.
func (c *conn) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cost.releases(c.queued + c.under)
	c.cost = nil
}

// write is the writer goroutine.
func (c *conn) write() {
	for {
		b, closes := c.next()
		if b == nil {
			return
		}
		c.raw.SetWriteDeadline(time.Now().Add(writeWait))
		_, err := c.Write(b)
		giveBuffer(b)
		if err != nil {
			c.cut() // the reader finds out
			c.mu.Lock()
			defer c.mu.Unlock()
			c.wrote()
			return // writing: nothing is begun any more
		}
		c.raw.SetWriteDeadline(time.Time{}) // it is not that of what is written next, if only of a close frame
		if closes {
			c.half()
		}
	}
}

// ended says how the connection ended when nothing can be read any more, and ends the writer too.
func (c *conn) ended() wire.Code {
	c.abort(wire.CodeLost)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.code
}

// truncate cuts s to at most n bytes, between characters.
func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
