package native

import (
	"context"
	"net/http"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// A token lets in for as long as it is good, and no longer: a request that lasts, as a stream of
// events does, ends with its token, its session or its secret, and so does a guest's connection.

// visit is a request that came by a token.
type visit struct {
	stands stands
	end    context.CancelFunc
}

// entry is what a token lets in by.
type entry struct {
	role   string
	stands stands
}

// during serves a request by a token, until that does not stand any more. A change that is under
// way is carried out.
func (n *Node) during(e entry, h http.HandlerFunc, w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.URL.Path != "/v1/questions" {
		h(w, r)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	v := &visit{e.stands, cancel}
	n.mu.Lock()
	n.visits[v] = struct{}{}
	n.mu.Unlock()
	defer func() {
		cancel()
		n.mu.Lock()
		delete(n.visits, v)
		n.mu.Unlock()
	}()
	h(w, r.WithContext(ctx))
}

// showOut ends what came by a token or a secret that is not good any more. Guests have the time
// to come back that those have who are sent to another gateway.
func (n *Node) showOut() {
	t, now := n.keeper.Now(), n.cfg.Clock()
	if n.door != nil {
		n.door.takeBack(t, now)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for v := range n.visits {
		if !v.stands(t, now) {
			v.end()
		}
	}
	for c := range n.conns {
		switch {
		case !t.Believes(c.key):
			c.close(wire.CodeRotated, "the ring's secret has changed")
		case c.until != 0 && now.Unix() >= c.until:
			c.close(wire.CodeRotated, "the token has expired: another is needed")
		}
	}
}

// untilOf is when a token's guest has to have come by another one, in seconds; 0 of no guest.
func untilOf(by *caller) int64 {
	if by.opened.role != core.Guest || by.expires.IsZero() {
		return 0
	}
	return by.expires.Add(trust.Leeway).Unix()
}
