package native

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/native/trust"
)

// tokenProtocol begins the subprotocol by which a web page, which cannot set
// headers, sends the token of its WebSocket.
const tokenProtocol = "nanoring.token."

// errNoToken: a request that needs a token has none.
var errNoToken = errors.New("there is no token")

type (
	visitorKey struct{}
	socketKey  struct{}
)

// remember keeps the connection of requests in their contexts, and that it is one of the
// Unix socket in the data folder. The node's own server alone does so.
func remember(ctx context.Context, c net.Conn) context.Context {
	if _, own := c.(*net.UnixConn); own {
		return context.WithValue(ctx, socketKey{}, true)
	}
	if v := visitorOf(c); v != nil {
		return context.WithValue(ctx, visitorKey{}, v)
	}
	return ctx
}

// welcome says that whoever sent a request may come in, as a node or an operator or not.
func welcome(r *http.Request, friend bool) {
	if v, ok := r.Context().Value(visitorKey{}).(*visitor); ok {
		v.known(friend)
	}
}

// bySocket says whether a request came through the Unix socket in the node's data folder,
// which is the operator's. Another, of a program that Handler is mounted in, is anybody's.
func bySocket(r *http.Request) bool { return r.Context().Value(socketKey{}) != nil }

// isLocal says whether a request never left this machine.
func isLocal(r *http.Request) bool {
	_, unix := r.Context().Value(http.LocalAddrContextKey).(*net.UnixAddr)
	return unix || isLoopback(hostname(r.RemoteAddr))
}

// private says whether nobody else can have read a request. What is not encrypted
// and comes from another machine is for --insecure: there may be a proxy that ends TLS.
func (n *Node) private(r *http.Request) bool {
	return r.TLS != nil || n.cfg.Insecure || isLocal(r)
}

// authorize guards the API: once there is a secret it takes a token of a reader, or
// of an operator for what changes anything.
func (n *Node) authorize(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := n.keeper.Now()
		if !t.Secured() || bySocket(r) {
			welcome(r, true)
			h(w, r)
			return
		}
		if !n.private(r) {
			n.refuse(w, r, http.StatusForbidden, "tls-required", "this node takes no token that others can read: ask by https")
			return
		}
		token := bearer(r)
		by, err := n.entryOf(t, token)
		switch {
		case err != nil:
			n.unauthorized(w, r, err)
			return
		case by.role != trust.RoleOperator && (by.role != trust.RoleReader || r.Method != http.MethodGet && r.Method != http.MethodHead):
			n.refuse(w, r, http.StatusForbidden, "forbidden", "a token of the role "+by.role+" does not allow this")
			return
		}
		if by.role == trust.RoleReader {
			done, full := n.admitReader(r, partyOf(token))
			if full != "" {
				w.Header().Set("Retry-After", "1")
				w.Header().Set("Connection", "close")
				n.refuse(w, r, http.StatusTooManyRequests, "busy", full)
				return
			}
			defer done()
		}
		lends(r, by.stands, by.role == trust.RoleOperator)
		n.during(by, h, w, r)
	})
}

func (n *Node) sessionStands(token string) stands {
	return func(t *trust.Trust, _ time.Time) bool {
		_, err := n.sessions.find(token, t.Believes)
		return err == nil
	}
}

// entryOf finds out what a token makes who sent it, and for how long: one that is signed, or a session's.
func (n *Node) entryOf(t *trust.Trust, token string) (entry, error) {
	if token == "" {
		return entry{}, errNoToken
	}
	if isSession(token) {
		_, err := n.sessions.find(token, t.Believes)
		return entry{trust.RoleOperator, n.sessionStands(token)}, err
	}
	signed, key, err := t.Admit(token, n.cfg.Ring, n.cfg.Clock())
	until := signed.Expires.Add(trust.Leeway)
	return entry{signed.Role, func(t *trust.Trust, now time.Time) bool { return t.Believes(key) && now.Before(until) }}, err
}

// unauthorized answers a request without a good token. Why it is none is for the log.
func (n *Node) unauthorized(w http.ResponseWriter, r *http.Request, why error) {
	kind := "token"
	if why == errNoToken {
		kind = "no token"
	}
	if n.rare.now(kind, r.RemoteAddr) {
		n.log.Warn("a request was refused", "code", "unauthorized", "from", r.RemoteAddr, "path", truncate(r.URL.Path, maxSaid), "origin", truncate(r.Header.Get("Origin"), maxSaid), "why", why)
	}
	if why != errNoToken {
		w.Header().Set("Connection", "close")
		if !n.guesses.take(r.RemoteAddr) {
			w.Header().Set("Retry-After", "60")
			problem(w, http.StatusTooManyRequests, "too-many-attempts", "too many requests with tokens that are not good")
			return
		}
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="nanoring"`)
	if len(n.keeper.Now().IDs()) == 0 {
		problem(w, http.StatusUnauthorized, "unauthorized", "this ring has certificates, and no secret, so there are no tokens: it takes the socket in the node's data folder (--data)")
		return
	}
	problem(w, http.StatusUnauthorized, "unauthorized", "this needs a token that is good: Authorization: Bearer, and what nanoring token prints")
}

// caller is whose WebSocket it is.
type caller struct {
	opened opening
	key    string // the id of the secret that vouches for it; "" for none

	expires time.Time // the token
}

// whose finds out who opens a WebSocket, or why it may not. Whoever shows a certificate
// of the ring is a peer, whoever has a token a guest; without a secret all are peers
// but web pages.
func (n *Node) whose(r *http.Request) (c caller, no *refusal) {
	t, now := n.keeper.Now(), n.cfg.Clock()
	origin := r.Header.Get("Origin")
	c.opened.addr = r.RemoteAddr
	if origin != "" {
		c.opened.role = core.Guest
		if !n.originAllowed(r) {
			return c, &refusal{status: http.StatusForbidden, code: "cross-origin", detail: n.strange(origin, r.Host)}
		}
	}
	if !t.Secured() {
		return c, nil
	}
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 && origin == "" {
		who, err := t.Verify(r.TLS.PeerCertificates, now)
		if err == nil {
			c.opened.name, c.key = who.Name, who.Key
			return c, nil
		}
		// It was good in the handshake: the secret has changed since.
		return c, &refusal{status: http.StatusServiceUnavailable, code: "busy", detail: "the certificate is not good any more: dial again", again: true, certificate: err}
	}
	if !n.private(r) {
		return c, &refusal{status: http.StatusForbidden, code: "tls-required", detail: "this node takes no token that others can read: dial wss"}
	}
	signed := guestToken(r)
	if signed == "" {
		return c, &refusal{token: errNoToken}
	}
	token, key, err := t.Admit(signed, n.cfg.Ring, now)
	if err == nil && token.Role != trust.RoleGuest {
		err = &trust.SignedError{Err: errors.New("a token of the role " + token.Role + " is for the API, not for guests")}
	}
	if err != nil {
		return c, &refusal{token: err}
	}
	c.opened.role, c.opened.name, c.opened.tags, c.opened.own = core.Guest, token.Name, token.Demands(), token.Own
	c.opened.topics = token.Topics()
	c.key, c.expires, c.opened.party = key, token.Expires, partyOf(signed)
	return c, nil
}

// bearer returns the token of a request, "" if it has none.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// guestToken returns the token of a WebSocket: a program's, or a page's.
func guestToken(r *http.Request) string {
	if token := bearer(r); token != "" {
		return token
	}
	for _, v := range r.Header.Values("Sec-WebSocket-Protocol") {
		for p := range strings.SplitSeq(v, ",") {
			if token, ok := strings.CutPrefix(strings.TrimSpace(p), tokenProtocol); ok {
				return token
			}
		}
	}
	return ""
}

const (
	guessesAMinute = 10
	maxGuessers    = 1000 // networks that are counted
)

// guesses counts tokens, or links, that were not good, by address, or of IPv6 by network. A good one is taken
// however many were not: nobody guesses 256 bits, and a lock would be a way to
// keep others out.
type guesses struct {
	mu    sync.Mutex
	since time.Time
	from  map[netip.Prefix]int
}

func (g *guesses) take(addr string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := time.Now(); now.Sub(g.since) > time.Minute {
		g.since, g.from = now, make(map[netip.Prefix]int)
	}
	from := networkAt(addr)
	if len(g.from) >= maxGuessers && g.from[from] == 0 {
		from = netip.Prefix{} // the rest share one count
	}
	g.from[from]++
	return g.from[from] <= guessesAMinute
}
