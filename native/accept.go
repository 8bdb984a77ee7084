package native

import (
	"container/list"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

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

// Of the WebSockets that others opened one in so many may have sent no frame yet.
const silentShare = 8

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
	if no == nil && !slices.Contains(listOf(r.Header, "Sec-WebSocket-Protocol"), subprotocol) {
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
	l, err := upgrade(w, r)
	if err != nil {
		n.unreserve(cost)
		why := err.Error()
		if r.Header.Get("Upgrade") == "" {
			why += ": a proxy has to pass Upgrade and Connection on"
		}
		n.logRefused(r, "no WebSocket", why)
		return
	}
	c := n.newConn(core.ConnID(2*n.nextConn.Add(1)-1), l)
	c.key, c.cost, c.until, c.story.open = by.key, cost, untilOf(&by), by.opened
	if cost != nil {
		c.turn = n.turns.join(by.opened.party)
	}
	welcome(r, by.opened.role != core.Guest)
	n.inbound.opened(c)
	over := func() {
		n.inbound.spoke(c)
		c.turn.leave()
		n.unreserve(cost)
	}
	if !n.adopt(c, over) {
		over()
		c.cut()
	}
}

func (n *Node) isBarred(by caller, r *http.Request) bool {
	return by.opened.role == core.Guest && n.inbound.isBarred(r.RemoteAddr)
}
