package native

import (
	"bufio"
	"bytes"
	"container/list"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

const (
	maxInbound  = 4096              // WebSockets that others opened
	maxSilent   = 512               // of them, those that have sent no frame yet
	maxAccepted = maxInbound + 1024 // TCP connections: some speak plain HTTP
	smallBuffer = 512               // bytes; the one of net/http has eight times as many, for as long as the connection lives
)

// inbound counts the connections that others opened. When too many of them are
// silent the oldest makes room, so that silent ones cannot keep nodes out: a
// node speaks as soon as it is connected.
type inbound struct {
	mu     sync.Mutex
	total  int
	silent list.List // of *conn, oldest first
	at     map[*conn]*list.Element
	barred map[string]time.Time // hosts from which a guest broke the engine, until when
}

// reserve counts a connection to come, unless there are too many.
func (i *inbound) reserve() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.total >= maxInbound {
		return false
	}
	i.total++
	return true
}

func (i *inbound) opened(c *conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.at == nil {
		i.at = make(map[*conn]*list.Element)
	}
	i.at[c] = i.silent.PushBack(c)
	if len(i.at) > maxSilent {
		oldest := i.silent.Remove(i.silent.Front()).(*conn)
		delete(i.at, oldest)
		oldest.close(wire.CodeTimeout, "too many silent connections")
	}
}

func (i *inbound) spoke(c *conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if e := i.at[c]; e != nil {
		i.silent.Remove(e)
		delete(i.at, c)
	}
}

func (i *inbound) release() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.total--
}

// accept serves /ring.
func (n *Node) accept(w http.ResponseWriter, r *http.Request) {
	role := core.Peer
	if r.Header.Get("Origin") != "" {
		role = core.Guest
		if !originAllowed(r) {
			problem(w, http.StatusForbidden, "cross-origin", "a WebSocket of a web page must come from the same origin or a loopback one, not from "+r.Header.Get("Origin"))
			return
		}
	}
	if role == core.Guest && n.inbound.isBarred(hostname(r.RemoteAddr)) {
		problem(w, http.StatusForbidden, "barred", "a guest from there broke this node's engine: it takes none from there for a while")
		return
	}
	if !offers(r, subprotocol) {
		problem(w, http.StatusBadRequest, "subprotocol", "this is the WebSocket of nodes: it takes the subprotocol "+subprotocol)
		return
	}
	if !n.inbound.reserve() {
		w.Header().Set("Retry-After", "1")
		problem(w, http.StatusServiceUnavailable, "busy", "too many connections")
		return
	}
	hijack := &hijacker{ResponseWriter: w}
	ws, err := websocket.Accept(hijack, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		CompressionMode:    websocket.CompressionDisabled,
		InsecureSkipVerify: true, // the origin was checked above
	})
	if err != nil {
		n.inbound.release()
		n.log.Debug("no WebSocket", "from", r.RemoteAddr, "err", err)
		return
	}
	c := n.newConn(core.ConnID(2*n.nextConn.Add(1)-1), ws, hijack.conn)
	n.inbound.opened(c)
	over := func() {
		n.inbound.spoke(c)
		n.inbound.release()
	}
	if !n.adopt(c, core.Input{Role: role, Addr: r.RemoteAddr}, over) {
		over()
		ws.CloseNow()
	}
}

func offers(r *http.Request, protocol string) bool {
	return slices.ContainsFunc(r.Header.Values("Sec-WebSocket-Protocol"), func(v string) bool {
		return slices.ContainsFunc(strings.Split(v, ","), func(p string) bool { return strings.TrimSpace(p) == protocol })
	})
}

// hijacker keeps the connection that Accept hijacks, and gives it buffers for
// frames of common size: longer ones bypass them.
type hijacker struct {
	http.ResponseWriter
	conn net.Conn
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.conn = conn
	early, _ := rw.Reader.Peek(rw.Reader.Buffered())
	r := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(early), conn), max(smallBuffer, len(early)))
	r.Peek(len(early))
	return conn, bufio.NewReadWriter(r, bufio.NewWriterSize(conn, smallBuffer)), nil
}

// limitListener closes the connections that are too many at once.
type limitListener struct {
	net.Listener
	free chan struct{}
}

func newLimitListener(l net.Listener, n int) net.Listener {
	return &limitListener{l, make(chan struct{}, n)}
}

func (l *limitListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.free <- struct{}{}:
			return &limitedConn{Conn: c, free: l.free}, nil
		default:
			c.Close()
		}
	}
}

type limitedConn struct {
	net.Conn
	free chan struct{}
	once sync.Once
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { <-c.free })
	return err
}
