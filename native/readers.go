package native

import (
	"net/http"

	"github.com/nanoring/nanoring/core/ledger"
)

// streaming are the paths whose answers have no end.
var streaming = map[string]int64{"/v1/events": 1, "/v1/messages": 1}

// admitReader counts a reader's request, and the connection that it came on, or says of what
// there are too many. Operators are not counted: readers leave them their room.
func (n *Node) admitReader(r *http.Request, party string) (done func(), full string) {
	cost, streams := n.costs.open(party), streaming[r.URL.Path]
	v, _ := r.Context().Value(visitorKey{}).(*visitor)
	switch {
	case v != nil && !v.seat(n.costs, party):
		full = "connections"
	case cost.take(costRequests, 1) != ledger.Enough:
		full = "requests"
	case cost.take(costStreams, streams) != ledger.Enough:
		full = "streams"
	}
	if full != "" {
		cost.close()
		return nil, "too many " + full + " by this token, or by those of all readers"
	}
	return func() {
		cost.give(costStreams, streams)
		cost.close()
	}, ""
}

// seat makes a connection a reader's, if there may be one more.
func (v *visitor) seat(c *costs, party string) bool {
	v.door.mu.Lock()
	defer v.door.mu.Unlock()
	if v.cost != nil || v.gone {
		return true
	}
	cost := c.open(party)
	if cost.take(costReaders, 1) != ledger.Enough {
		cost.close()
		return false
	}
	v.cost = cost
	return true
}
