package native

import (
	"net/http"
	"slices"
	"strings"
)

const maxSaid = 300 // bytes of what a stranger has said that stand in a line of the log

// refusal is why a WebSocket is not let in.
type refusal struct {
	status       int
	code, detail string
	again        bool // it may be let in a little later

	certificate, token error // what is wrong with it, if it is that
}

var barred = &refusal{status: http.StatusForbidden, code: "barred", detail: "a guest from there broke this node's engine: it takes none from there for a while"}

func busy(full string) *refusal {
	return &refusal{status: http.StatusServiceUnavailable, code: "busy", detail: "too many connections: " + full, again: true}
}

// turnAway answers who is not let in.
func (n *Node) turnAway(w http.ResponseWriter, r *http.Request, no *refusal) {
	if no.token != nil {
		n.unauthorized(w, r, no.token)
		return
	}
	if no.again {
		w.Header().Set("Retry-After", "1")
	}
	if no.certificate == nil {
		n.refuse(w, r, no.status, no.code, no.detail)
		return
	}
	if n.rare.now("certificate", r.RemoteAddr) {
		n.log.Warn("a certificate was refused", "from", r.RemoteAddr, "why", no.certificate)
	}
	problem(w, no.status, no.code, no.detail)
}

// refuse answers a request that is not let in, and says so in the log: a browser keeps from
// its page, and a proxy from its users, why.
func (n *Node) refuse(w http.ResponseWriter, r *http.Request, status int, code, detail string) {
	n.logRefused(r, code, detail)
	problem(w, status, code, detail)
}

// logRefused logs it.
func (n *Node) logRefused(r *http.Request, code, why string) {
	n.log.Log(r.Context(), n.rare.level(code, r.RemoteAddr), "a request was refused", "code", code, "from", r.RemoteAddr, "path", truncate(r.URL.Path, maxSaid), "why", truncate(why, maxSaid))
}

// strange says what to do so that pages of an origin may be guests.
func (n *Node) strange(origin, host string) string {
	origin, host = truncate(origin, maxSaid/4), truncate(host, maxSaid/4)
	said := "web pages of the origin " + origin + " may not be guests here, at " + host + ": "
	if origin == "null" {
		said += "a sandboxed iframe without allow-same-origin has that one, as has a file, and anybody's iframe; "
	}
	entry := origin
	if scheme, _, ok := strings.Cut(origin, "://"); ok && slices.Contains(perInstall, scheme) {
		entry = scheme + "://*"
	}
	switch {
	case n.cfg.SecretFile == "":
		return said + "without a secret only those of that very host (which a proxy has to pass on) and of loopback ones may, with one those that --allow-origin lists"
	case checkOrigin(entry) != nil:
		return said + "it is none that could be listed"
	}
	return said + "list it (--allow-origin " + entry + "), or have a proxy pass the Host on"
}
