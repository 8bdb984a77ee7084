package native

import (
	"bufio"
	"bytes"
	"container/list"
	"crypto/tls"
	"fmt"
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

// How many WebSockets others may have opened, at a time: see Config.MaxConnections.
const (
	defaultConnections = 4096
	leastConnections   = 16
	mostConnections    = 1 << 16
)

const (
	silentShare = 8   // of the WebSockets that others opened one in so many may have sent no frame yet
	tokenShare  = 8   // one part in so many of a gateway's guests may come by the same token
	smallBuffer = 512 // bytes; the one of net/http has eight times as many, for as long as the connection lives
)

// inbound counts the connections that others opened. When too many of them are
// silent the oldest makes room, so that silent ones cannot keep nodes out: a
// node speaks as soon as it is connected.
type inbound struct {
	most   int // of all
	mu     sync.Mutex
	total  int
	guests int
	tokens map[string]int // guests by their token; "" are those without
	silent list.List      // of *conn, oldest first
	at     map[*conn]*list.Element
	barred map[string]time.Time // hosts from which a guest broke the engine, until when
}

// reserve counts a connection to come, unless there are too many: then it says of what.
// maxGuests is 0 for a node.
func (i *inbound) reserve(maxGuests int, token string) (full string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if full := i.isFull(maxGuests, token); full != "" {
		return full
	}
	i.total++
	if maxGuests > 0 {
		i.guests++
		if i.tokens == nil {
			i.tokens = make(map[string]int)
		}
		i.tokens[token]++
	}
	return ""
}

// full says of what there are too many for one connection more.
func (i *inbound) full(maxGuests int, token string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.isFull(maxGuests, token)
}

func (i *inbound) isFull(maxGuests int, token string) string {
	switch share := max(maxGuests/tokenShare, 1); {
	case i.total >= i.most:
		return fmt.Sprintf("there are %d (--max-connections)", i.most)
	case maxGuests > 0 && i.guests >= maxGuests:
		return fmt.Sprintf("there are %d guests (--max-guests)", maxGuests)
	case maxGuests > 0 && token != "" && i.tokens[token] >= share:
		return fmt.Sprintf("%d guests have come by this token, as many as may (an eighth of --max-guests)", share)
	}
	return ""
}

func (i *inbound) opened(c *conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.at == nil {
		i.at = make(map[*conn]*list.Element)
	}
	i.at[c] = i.silent.PushBack(c)
	if len(i.at) > i.most/silentShare {
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

func (i *inbound) release(maxGuests int, token string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.total--
	if maxGuests > 0 {
		i.guests--
		if i.tokens[token]--; i.tokens[token] == 0 {
			delete(i.tokens, token)
		}
	}
}

// accept serves /ring.
func (n *Node) accept(w http.ResponseWriter, r *http.Request) {
	by, no := n.whose(r)
	if no == nil && n.isBarred(by, r) {
		no = barred
	}
	if no == nil && !offers(r, subprotocol) {
		no = &refusal{status: http.StatusBadRequest, code: "subprotocol", detail: "this is the WebSocket of nodes: it takes the subprotocol " + subprotocol}
	}
	maxGuests := n.maxGuests(by)
	if no == nil {
		if full := n.inbound.reserve(maxGuests, by.token); full != "" {
			no = busy(full)
		}
	}
	if no != nil {
		n.turnAway(w, r, no)
		return
	}
	hijack := &hijacker{ResponseWriter: w}
	ws, err := websocket.Accept(hijack, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		CompressionMode:    websocket.CompressionDisabled,
		InsecureSkipVerify: true, // the origin was checked above
	})
	if err != nil {
		n.inbound.release(maxGuests, by.token)
		why := err.Error()
		if r.Header.Get("Upgrade") == "" {
			why += ": a proxy has to pass Upgrade and Connection on"
		}
		n.logRefused(r, "no WebSocket", why)
		return
	}
	c := n.newConn(core.ConnID(2*n.nextConn.Add(1)-1), ws, hijack.conn)
	c.sieve = hijack.sieve
	c.key, c.until, c.story.open = by.key, untilOf(&by), by.opened
	welcome(r)
	n.inbound.opened(c)
	token := by.token // all else of by is not kept for as long
	over := func() {
		n.inbound.spoke(c)
		n.inbound.release(maxGuests, token)
	}
	if !n.adopt(c, over) {
		over()
		ws.CloseNow()
	}
}

// maxGuests is how many connections there may be of a caller's kind, of a guest; 0 of a node.
func (n *Node) maxGuests(by caller) int {
	if by.opened.role == core.Guest {
		return n.cfg.MaxGuests
	}
	return 0
}

func (n *Node) isBarred(by caller, r *http.Request) bool {
	return by.opened.role == core.Guest && n.inbound.isBarred(hostname(r.RemoteAddr))
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
	conn  net.Conn
	sieve *sieve
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.conn = conn
	if secure, ok := conn.(*tls.Conn); ok {
		h.conn = secure.NetConn() // cut off at once, it does not wait to say so
	}
	early, _ := rw.Reader.Peek(rw.Reader.Buffered())
	from := io.Reader(conn)
	if len(early) > 0 {
		from = io.MultiReader(bytes.NewReader(early), conn)
	}
	r := bufio.NewReaderSize(from, max(smallBuffer, len(early)))
	r.Peek(len(early))
	h.sieve = &sieve{Conn: conn, opened: time.Now()}
	return h.sieve, bufio.NewReadWriter(r, bufio.NewWriterSize(conn, smallBuffer)), nil
}
