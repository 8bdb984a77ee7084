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
	"github.com/nanoring/nanoring/core/ledger"
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
	smallBuffer = 512 // bytes; the one of net/http has eight times as many, for as long as the connection lives
)

// inbound counts the connections that others opened. When too many of them are
// silent the oldest makes room, so that silent ones cannot keep nodes out: a
// node speaks as soon as it is connected.
type inbound struct {
	most   int // of all
	mu     sync.Mutex
	total  int
	silent list.List // of *conn, oldest first
	at     map[*conn]*list.Element
	barred map[string]time.Time // addresses, of IPv6 networks, from which a guest broke the engine, until when
}

// reserve counts a connection to come, unless there are too many.
func (i *inbound) reserve() (ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if ok = i.total < i.most; ok {
		i.total++
	}
	return ok
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

func (i *inbound) release() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.total--
}

// reserve counts a caller's connection to come, in its account if it has one, or says of
// what there are too many.
func (n *Node) reserve(by caller) (cost *account, full string) {
	if !n.inbound.reserve() {
		return nil, fmt.Sprintf("there are %d (--max-connections)", n.inbound.most)
	}
	if by.opened.role != core.Guest {
		return nil, ""
	}
	cost = n.costs.open(by.opened.party)
	switch scope, most := cost.take(costGuests, 1), max(n.cfg.MaxGuests/partyShare, 1); scope {
	case ledger.All:
		full = fmt.Sprintf("there are %d guests (--max-guests)", n.cfg.MaxGuests)
	case ledger.Party:
		full = fmt.Sprintf("%d guests have come by this token, as many as may (an eighth of --max-guests)", most)
	}
	if full == "" && cost.take(costOpenings, 1) != ledger.Enough {
		cost.give(costGuests, 1)
		full = "guests come by this token faster than they may"
	}
	if full != "" {
		n.inbound.release()
		cost.close()
		return nil, full
	}
	return cost, ""
}

// unreserve ends what reserve began.
func (n *Node) unreserve(cost *account) {
	n.inbound.release()
	cost.give(costGuests, 1)
	cost.close()
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
	var cost *account
	if no == nil {
		var full string
		if cost, full = n.reserve(by); full != "" {
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
		n.unreserve(cost)
		why := err.Error()
		if r.Header.Get("Upgrade") == "" {
			why += ": a proxy has to pass Upgrade and Connection on"
		}
		n.logRefused(r, "no WebSocket", why)
		return
	}
	c := n.newConn(core.ConnID(2*n.nextConn.Add(1)-1), ws, hijack.conn)
	c.sieve = hijack.sieve
	c.key, c.cost, c.until, c.story.open = by.key, cost, untilOf(&by), by.opened
	if cost != nil {
		c.turn = n.turns.join(by.opened.party)
	}
	welcome(r)
	n.inbound.opened(c)
	over := func() {
		n.inbound.spoke(c)
		c.turn.leave()
		n.unreserve(cost)
	}
	if !n.adopt(c, over) {
		over()
		ws.CloseNow()
	}
}

func (n *Node) isBarred(by caller, r *http.Request) bool {
	return by.opened.role == core.Guest && n.inbound.isBarred(r.RemoteAddr)
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
	h.sieve = &sieve{Conn: conn, at: time.Now()}
	return h.sieve, bufio.NewReadWriter(r, bufio.NewWriterSize(conn, smallBuffer)), nil
}
