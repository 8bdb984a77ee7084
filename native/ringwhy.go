package native

import (
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/nanoring/nanoring/native/trust"
)

// A browser does not tell a page why a WebSocket has failed. So the page may ask: GET /ring/why
// answers what GET /ring would to a WebSocket of the same origin, Host and token. Anybody may
// read that, since it says no more than the refusal does, but for what is wrong with a token that
// the ring itself has signed.

// RingWhyJSON is whether a WebSocket would be let in, and if not, why, in the HTTP API.
type RingWhyJSON struct {
	LetsIn bool   `json:"lets_in"`
	Code   string `json:"code,omitempty"` // as in problems, if it would not
	Detail string `json:"detail"`
}

// ownOrigin is by what a page says which it is of if it asks its own origin, as it sees it: a
// browser says that of a WebSocket, and not in such a GET. Others may not send it.
const ownOrigin = "Nanoring-Origin"

// How often that is answered within a second.
const (
	whysASecond = 500 // to all together
	whysOfOne   = 20  // to one address; of IPv6, one network
	whysOfSite  = 100 // to one site of IPv6: who has a line may have all its 65,536 networks
	siteBits    = 48  // of its addresses
)

func (n *Node) getRingWhy(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Authorization, Origin, "+ownOrigin)
	if r.Method == http.MethodOptions { // a browser asks first whether a page may send its token
		h.Set("Access-Control-Allow-Methods", "GET")
		h.Set("Access-Control-Allow-Headers", "Authorization")
		h.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if !n.whys.take(r.RemoteAddr) {
		h.Set("Retry-After", "1")
		problem(w, http.StatusTooManyRequests, "too-many-attempts", "too many have asked within this second, or too often from there")
		return
	}
	why := n.ringWhy(r)
	if why.LetsIn && r.Header.Get("Origin") != "" && n.rare.now("no upgrade", r.RemoteAddr) {
		n.log.Info("a page asks why it has no WebSocket, and would be let in: a proxy before this node may keep Upgrade and Connection back",
			"from", r.RemoteAddr, "origin", truncate(r.Header.Get("Origin"), maxSaid), "host", truncate(r.Host, maxSaid))
	}
	respond(w, http.StatusOK, why)
}

func (n *Node) ringWhy(r *http.Request) RingWhyJSON {
	if own := r.Header.Get(ownOrigin); own != "" && r.Header.Get("Origin") == "" {
		r.Header.Set("Origin", own)
	}
	if !n.hostAllowed(r, "/ring") {
		return RingWhyJSON{Code: "host-refused", Detail: hostRefused(r.Host)}
	}
	by, no := n.whose(r)
	if no == nil && n.isBarred(by, r) {
		no = barred
	}
	if no == nil {
		if cost, full := n.reserve(by); full != "" {
			no = busy(full)
		} else {
			cost.give(costOpenings, 1)
			n.unreserve(cost)
		}
	}
	if no == nil {
		return RingWhyJSON{LetsIn: true, Detail: "a WebSocket from there would be let in now: if there is none, something on the way, a proxy perhaps, does not pass Upgrade and Connection on"}
	}
	if no.token == nil {
		return RingWhyJSON{Code: no.code, Detail: no.detail}
	}
	var signed *trust.SignedError
	switch {
	case no.token == errNoToken:
		return RingWhyJSON{Code: "unauthorized", Detail: "there is no token, and this ring needs one: join({ token })"}
	case !errors.As(no.token, &signed):
		if !n.guesses.take(r.RemoteAddr) {
			return RingWhyJSON{Code: "too-many-attempts", Detail: "too many requests with tokens that are not good"}
		}
		return RingWhyJSON{Code: "unauthorized", Detail: "the token is not good here: no secret that this node has signed it; the node's log says more"}
	case signed.OtherRing != "":
		return RingWhyJSON{Code: "wrong-ring", Detail: "the token is for the ring " + signed.OtherRing + ", which is not the one here"}
	}
	return RingWhyJSON{Code: "forbidden", Detail: signed.Error()}
}

// whys counts questions within a second, by where they come from, so that one asker takes nothing
// from others.
type whys struct {
	mu    sync.Mutex
	since time.Time
	n     int // answered
	from  map[netip.Prefix]int
}

// take says whether there may be one more from an address.
func (a *whys) take(addr string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := time.Now(); a.from == nil || now.Sub(a.since) >= time.Second {
		a.since, a.n, a.from = now, 0, make(map[netip.Prefix]int)
	}
	from, share := networkAt(addr), whysOfOne
	if from.Addr().IsLoopback() {
		share = whysASecond / 2 // there may be a proxy, for all
	}
	var site netip.Prefix
	if from.Addr().Is6() && from.Bits() > siteBits && !from.Addr().IsLoopback() {
		site, _ = from.Addr().Prefix(siteBits)
	}
	if a.n >= whysASecond || a.from[from] >= share || site.IsValid() && a.from[site] >= whysOfSite {
		return false
	}
	a.n++
	a.from[from]++
	if site.IsValid() {
		a.from[site]++
	}
	return true
}
