package native

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

const (
	subprotocol = "nanoring.v1"

	maxFirst    = 16 << 10         // bytes of the first frame: a hello has no more, whoever sends it
	queueFrames = 256              // that wait for a peer to read
	queueBytes  = 1 << 20          // of them
	keepBuffer  = 2 << 10          // a reader's buffer that grew beyond is not kept
	closeWait   = time.Second      // for a peer's half of the close handshake
	writeWait   = 30 * time.Second // for a peer to read what is under way
)

// conn is one WebSocket. Its reader goroutine runs Node.serve; a writer goroutine
// is there only while there is something to write, since most connections are
// idle nearly always. send, close and abort may be called from anywhere.
type conn struct {
	id  core.ConnID
	ws  *websocket.Conn
	raw net.Conn        // below ws: closing it is what ends a blocked read or write at once
	wg  *sync.WaitGroup // of the writer; the reader is in it, too, and outlives what starts a writer

	sieve *sieve // what comes, of who dialled

	key   string   // the id of the secret that vouches for the other end; "" for none
	cost  *account // of a guest
	turn  *turn    // of a guest
	until int64    // when the token by which it came is good no more, in seconds; 0 for never

	buf   *[]byte       // of the frame that the reader has; nil while it waits for one
	grown int           // by how many bytes it has grown
	taken chan struct{} // the engine has taken the frame

	story story // the engine's goroutine's
	round round // likewise

	mu      sync.Mutex
	queue   [][]byte
	queued  int       // bytes in queue
	under   int       // bytes that are being written
	writing bool      // a writer runs, or has done the last thing
	closing bool      // no more frames: code and text go last
	gone    bool      // nothing can be sent any more
	code    wire.Code // if closing or aborted here: why
	text    string
}

func (n *Node) newConn(id core.ConnID, ws *websocket.Conn, raw net.Conn) *conn {
	ws.SetReadLimit(maxFirst)
	return &conn{id: id, ws: ws, raw: raw, wg: &n.wg, taken: make(chan struct{}, 1)}
}

// send queues a copy of frame. It says false if the peer reads too slowly.
func (c *conn) send(frame []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.gone {
		return true
	}
	if len(c.queue) >= queueFrames || c.queued+len(frame) > queueBytes || !c.cost.holds(len(frame)) {
		return false
	}
	c.queue = append(c.queue, bytes.Clone(frame))
	c.queued += len(frame)
	c.signal()
	return true
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
	if c.closing || c.gone {
		return
	}
	c.closing, c.code, c.text = true, code, text
	time.AfterFunc(closeWait, func() { c.raw.Close() })
	c.signal()
}

// abort cuts the connection off.
func (c *conn) abort(code wire.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.gone {
		c.gone = true
		if c.code == 0 {
			c.code = code
		}
		c.cost.releases(c.queued)
		c.queue, c.queued = nil, 0
		c.raw.Close()
		c.signal()
	}
}

// signal has a writer do what there is to do.
func (c *conn) signal() {
	if !c.writing {
		c.writing = true
		c.wg.Go(c.write)
	}
}

// next returns the frames to write; over says that none will follow. With
// neither the writer has nothing to do any more.
func (c *conn) next() (frames [][]byte, over bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	frames, over = c.queue, c.closing || c.gone
	c.wrote()
	c.queue, c.queued, c.under = nil, 0, c.queued
	c.writing = frames != nil || over
	return frames, over
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
	frames, over := c.next()
	for ; frames != nil; frames, over = c.next() {
		c.raw.SetWriteDeadline(time.Now().Add(writeWait))
		for _, frame := range frames {
			if c.ws.Write(context.Background(), websocket.MessageBinary, frame) != nil {
				c.raw.Close() // the reader finds out
				c.ws.CloseNow()
				c.mu.Lock()
				defer c.mu.Unlock()
				c.wrote()
				return
			}
		}
		c.raw.SetWriteDeadline(time.Time{}) // it is not that of what is written next, if only of a close frame
	}
	if !over {
		return
	}
	defer c.raw.Close()
	c.mu.Lock()
	gone, code, text := c.gone, c.code, c.text
	c.mu.Unlock()
	if gone {
		c.ws.CloseNow()
	} else {
		c.ws.Close(websocket.StatusCode(code), truncate(strings.ToValidUTF8(text, "?"), 123))
	}
}

// buffers are for frames that came and are not taken yet: a connection that is idle, as
// most are nearly always, has none.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 512); return &b }}

// release lets go of the frame that read returned.
func (c *conn) release() {
	if cap(*c.buf) <= keepBuffer {
		buffers.Put(c.buf)
	}
	c.buf = nil
	c.cost.releases(c.grown)
	c.grown = 0
}

// read returns the next frame, which is the caller's until it is released, or how the
// connection ended.
func (c *conn) read() (frame []byte, code wire.Code) {
	typ, r, err := c.ws.Reader(context.Background())
	if err != nil {
		return nil, c.ended(err)
	}
	if typ != websocket.MessageBinary {
		c.close(wire.CodeBadFrame, "a text message: frames are binary messages")
		return nil, wire.CodeBadFrame
	}
	c.buf = buffers.Get().(*[]byte)
	defer func() {
		if code != 0 {
			c.release()
		}
	}()
	b := (*c.buf)[:0]
	begun := time.Now()
	for {
		c.raw.SetReadDeadline(begun.Add(messageWait + time.Duration(2*cap(b)/messageRate)*time.Second))
		if len(b) == cap(b) {
			if !c.cost.holds(cap(b)) {
				c.close(wire.CodeForbidden, "more bytes than guests may have under way")
				return nil, wire.CodeForbidden
			}
			c.grown += cap(b)
			b = append(b, make([]byte, cap(b))...)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		c.sieve.taken(n)
		if err == io.EOF {
			c.sieve.taken(headSize)
			c.raw.SetReadDeadline(time.Time{})
			c.ws.SetReadLimit(wire.MaxFrame)
			*c.buf = b
			return b, 0
		}
		if errors.Is(err, websocket.ErrMessageTooBig) {
			// The library has sent its close frame; this waits for the peer's.
			c.close(wire.CodeTooBig, "")
			return nil, wire.CodeTooBig
		}
		if err != nil {
			return nil, c.ended(err)
		}
	}
}

// ended says how the connection ended, and ends the writer too.
func (c *conn) ended(err error) wire.Code {
	c.mu.Lock()
	code := c.code
	c.mu.Unlock()
	if code == 0 {
		code = closeCode(err)
	}
	c.abort(code)
	return code
}

// closeCode is the code of a peer's close frame.
func closeCode(err error) wire.Code {
	switch status := websocket.CloseStatus(err); status {
	case -1, websocket.StatusAbnormalClosure:
		return wire.CodeLost
	default:
		return wire.Code(status)
	}
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
