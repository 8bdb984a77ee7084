package native

import "net/http"

const maxSaid = 300 // bytes of what a stranger has said that stand in a line of the log

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
