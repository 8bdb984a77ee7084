package native

import (
	"crypto/sha256"
	"errors"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/nanoring/nanoring/native/trust"
)

const (
	guestTime = 15 * time.Minute // of the token by which a session's page is a guest: it asks for the next one
	openTabs  = "tab-*"          // the names of these guests
)

// PageLinkJSON is a link to the node's page in the HTTP API: its URL, and "#open=" and the code.
type PageLinkJSON struct {
	Page    string `json:"page"`
	Code    string `json:"code,omitempty"` // none in a ring without a secret, whose page everybody may operate
	Seconds int64  `json:"seconds,omitempty"`
}

// SessionJSON is an operator's session in the HTTP API.
type SessionJSON struct {
	Token   string `json:"token,omitempty"` // when it begins
	Guest   string `json:"guest"`           // a token by which the page is a node, for a quarter of an hour
	Seconds int64  `json:"seconds"`
}

// EndedJSON is what DELETE /v1/links has ended.
type EndedJSON struct {
	Links    int `json:"links"`
	Sessions int `json:"sessions"`
}

// postLink makes a link to the page, by which an operator's browser may do what the
// operator may: once, and soon.
func (n *Node) postLink(w http.ResponseWriter, r *http.Request) {
	page := n.pageURL()
	if page == "" {
		problem(w, http.StatusConflict, "no-page", "this node serves no page (--page=false), or none that its own address leads to")
		return
	}
	t := n.keeper.Now()
	switch {
	case !t.Secured():
		respond(w, http.StatusCreated, PageLinkJSON{Page: page})
		return
	case len(t.IDs()) == 0:
		problem(w, http.StatusConflict, "no-secret", "this ring has certificates, and no secret, so no page can be a node of it: there are no tokens")
		return
	}
	v, ok := n.vouch(w, r)
	if !ok {
		return
	}
	code := n.sessions.link(v)
	n.log.Info("a link to the page was made, by which an operator operates the ring", "by", v.by, "from", asker(r), "works_once_within", linkTime)
	respond(w, http.StatusCreated, PageLinkJSON{page, code, int64(linkTime / time.Second)})
}

// vouch finds out on whose word an operator asks, or answers. A session makes nothing that
// outlives it.
func (n *Node) vouch(w http.ResponseWriter, r *http.Request) (v vouched, ok bool) {
	if bySocket(r) {
		return vouched{by: "the socket"}, true
	}
	signed := bearer(r)
	if isSession(signed) {
		if _, err := n.sessions.find(signed, n.keeper.Now().Believes); err != nil {
			n.unauthorized(w, r, err)
			return v, false
		}
		n.refuse(w, r, http.StatusForbidden, "forbidden", "a session of the page makes no links, and ends none: nanoring open does, on the node's machine")
		return v, false
	}
	now := n.cfg.Clock()
	token, key, err := n.keeper.Now().Admit(signed, n.cfg.Ring, now)
	if signed == "" {
		err = errNoToken
	}
	if err == nil && !token.Expires.After(now) {
		err = errNoSession // what is forgiven a clock begins nothing
	}
	switch {
	case err != nil:
		n.unauthorized(w, r, err)
		return v, false
	case token.Role != trust.RoleOperator:
		n.refuse(w, r, http.StatusForbidden, "forbidden", "a token of the role "+token.Role+" does not allow this")
		return v, false
	}
	return vouched{"a token", sha256.Sum256([]byte(signed)), key, n.sessions.tick().Add(token.Expires.Sub(now))}, true
}

// deleteLinks ends all that links of this node have begun, or would.
func (n *Node) deleteLinks(w http.ResponseWriter, r *http.Request) {
	if n.keeper.Now().Secured() {
		if _, ok := n.vouch(w, r); !ok {
			return
		}
	}
	links, open := n.sessions.endAll()
	n.log.Info("all links to the page and the sessions of operators have ended", "from", asker(r), "links", links, "sessions", open)
	respond(w, http.StatusOK, EndedJSON{links, open})
}

// postSession begins a session, by a link's code or an operator's token.
func (n *Node) postSession(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Code string `json:"code"`
	}
	if !readBody(w, r, &body) || !n.sessionsHere(w, r) {
		return
	}
	var token string
	var of session
	if body.Code == "" {
		v, ok := n.vouch(w, r)
		if !ok {
			return
		}
		token, of = n.sessions.start(v)
		n.log.Info("an operator's session began, by a token", "from", asker(r), "ends_within", of.ends.Sub(of.began))
	} else {
		var err error
		token, of, err = n.sessions.exchange(body.Code, r.RemoteAddr, n.keeper.Now().Believes)
		var no *linkError
		switch {
		case errors.As(err, &no):
			if n.rare.now("link", r.RemoteAddr) {
				n.log.Warn("a link to the page was refused", "from", asker(r), "why", err)
			}
			w.Header().Set("Connection", "close")
			problem(w, http.StatusGone, no.code, err.Error())
			return
		case err != nil:
			n.noLink(w, r, err)
			return
		}
		n.log.Info("a link to the page was used: an operator's session began", "from", asker(r), "ends_within", of.ends.Sub(of.began))
	}
	lends(r, n.sessionStands(token), true)
	n.answerSession(w, http.StatusCreated, token, of)
}

// noLink answers who has the code of no link, which is a guess like that of a token.
func (n *Node) noLink(w http.ResponseWriter, r *http.Request, why error) {
	if n.rare.now("link", r.RemoteAddr) {
		n.log.Warn("a link to the page was refused", "from", asker(r), "why", why)
	}
	w.Header().Set("Connection", "close")
	if !n.codes.take(r.RemoteAddr) {
		w.Header().Set("Retry-After", "60")
		problem(w, http.StatusTooManyRequests, "too-many-attempts", "too many requests with links that are not good")
		return
	}
	problem(w, http.StatusGone, "link-unknown", why.Error())
}

// getSession says how long a session is good, and gives its page the next token of a guest.
func (n *Node) getSession(w http.ResponseWriter, r *http.Request) {
	if of, ok := n.sessionOf(w, r); ok {
		n.answerSession(w, http.StatusOK, "", of)
	}
}

func (n *Node) deleteSession(w http.ResponseWriter, r *http.Request) {
	if _, ok := n.sessionOf(w, r); ok {
		n.sessions.end(bearer(r))
		n.log.Info("an operator's session was ended by its page", "from", asker(r))
		w.WriteHeader(http.StatusNoContent)
	}
}

// sessionOf returns the session that a request is of, or answers.
func (n *Node) sessionOf(w http.ResponseWriter, r *http.Request) (of session, ok bool) {
	if !n.sessionsHere(w, r) {
		return of, false
	}
	token := bearer(r)
	of, err := n.sessions.find(token, n.keeper.Now().Believes)
	if token == "" {
		err = errNoToken
	}
	if err != nil {
		n.unauthorized(w, r, err)
		return of, false
	}
	lends(r, n.sessionStands(token), true)
	return of, true
}

// sessionsHere says whether there are any, and nobody else reads this one; or answers.
func (n *Node) sessionsHere(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case !n.keeper.Now().Secured():
		problem(w, http.StatusConflict, "unlocked", "this ring has no secret: whoever reaches its page operates it, and needs no link")
	case !n.private(r):
		n.refuse(w, r, http.StatusForbidden, "tls-required", "this node takes no link, and no token, that others can read: open the page by https")
	default:
		return true
	}
	return false
}

func (n *Node) answerSession(w http.ResponseWriter, status int, token string, of session) {
	left := n.sessions.left(of)
	guest, err := n.keeper.Now().Sign(trust.Token{
		Ring: n.cfg.Ring, Role: trust.RoleGuest, Name: openTabs, Send: []string{"*"}, Hear: []string{"*"},
		Expires: n.cfg.Clock().Add(min(guestTime, left)),
	}, of.key) // nothing lasts longer than what it came of
	if err != nil {
		failed(w, err)
		return
	}
	respond(w, status, SessionJSON{token, guest, int64(left / time.Second)})
}

// pageURL is where browsers find the page: where --public-url leads, or at the node's own
// address, with TLS unless it is of this machine; "" if there is none.
func (n *Node) pageURL() string {
	if n.cfg.NoPage {
		return ""
	}
	if u, err := url.Parse(n.cfg.PublicURL); err == nil && u.Host != "" {
		u.Scheme = strings.Replace(u.Scheme, "ws", "http", 1)
		u.Path = strings.TrimSuffix(path.Dir(u.Path), "/") + "/"
		u.RawQuery, u.Fragment = "", ""
		return u.String()
	}
	host, _, err := net.SplitHostPort(n.addr)
	if err != nil {
		return ""
	}
	if n.keeper.Now().Secured() && !isLoopback(host) {
		return "https://" + n.addr + "/"
	}
	return "http://" + n.addr + "/"
}

// asker is where a request comes from, for the log.
func asker(r *http.Request) string {
	if bySocket(r) {
		return "the socket"
	}
	return r.RemoteAddr
}
