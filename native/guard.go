package native

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
)

// guard refuses what a web page may make a browser ask for behind its user's back.
func (n *Node) guard(h http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.refuse(w, r, http.StatusForbidden, "cross-origin", "the request comes from a web page of another origin: "+r.Header.Get("Origin"))
	}))
	h = cross.Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !n.hostAllowed(r, r.URL.Path) {
			n.refuse(w, r, http.StatusForbidden, "host-refused", hostRefused(r.Host))
			return
		}
		h.ServeHTTP(w, r)
	})
}

// hostAllowed guards a ring without a secret against DNS rebinding: a page of evil.example may
// have its own name lead to this node, but cannot change the Host that a browser
// sends. Nodes may use any name: they are no browsers, which give WebSockets an Origin.
func (n *Node) hostAllowed(r *http.Request, path string) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok || n.keeper.Now().Secured() { // no page has a token by another's name
		return true
	}
	switch path {
	case "/ring":
		if r.Header.Get("Origin") == "" {
			return true
		}
	case "/healthz", "/readyz": // load balancers ask with any Host, or none, and are told nothing that is anybody's
		return true
	case "/ring/why": // which says of /ring whether it is
		return true
	}
	host := hostname(r.Host)
	if isLoopback(host) || n.names[host] || slices.Contains(n.live.Load().Hosts, host) {
		return true
	}
	// An address is no name, which somebody could have lead elsewhere; there may be a NAT, or a
	// container's network, by which this node is at one that it does not know.
	_, err := netip.ParseAddr(host)
	return err == nil && !local.IP.IsLoopback()
}

func hostRefused(host string) string {
	if host == "" {
		return "the request has no Host"
	}
	name := truncate(hostname(host), maxSaid/4)
	return "this node goes by no name " + name + ", which a web page may have made up (DNS rebinding): list it (--host " + name + "), or use an address of the node; with a secret any name will do"
}

// ownNames are what a node's own settings, and its machine, say that it is called.
func (n *Node) ownNames() map[string]bool {
	names := map[string]bool{hostname(n.addr): true, hostname(n.cfg.Listen): true}
	if u, err := url.Parse(n.cfg.PublicURL); err == nil {
		names[hostname(u.Host)] = true
	}
	if machine, err := os.Hostname(); err == nil {
		short, _, _ := strings.Cut(hostname(machine), ".")
		for _, name := range []string{hostname(machine), short, short + ".local"} {
			names[name] = true
		}
	}
	delete(names, "")
	return names
}

// originAllowed is for WebSockets, which CrossOriginProtection does not cover.
// Beside pages of the node's own origin, those listed may be guests, or without
// a secret those of this machine.
func (n *Node) originAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if slices.ContainsFunc(n.live.Load().AllowOrigins, func(entry string) bool { return matchesOrigin(entry, origin) }) {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	port, web := defaultPorts[u.Scheme]
	if web && strings.EqualFold(strings.TrimSuffix(u.Host, port), strings.TrimSuffix(r.Host, port)) {
		return true
	}
	return n.cfg.SecretFile == "" && isLoopback(hostname(u.Host)) && (web || slices.Contains(localApps, u.Scheme))
}

// defaultPorts are those that an origin leaves out. A proxy may say them.
var defaultPorts = map[string]string{"http": ":80", "https": ":443"}

// localApps are the schemes by which programs serve themselves pages: what they call localhost is
// as much this machine as that of the web.
var localApps = []string{"capacitor", "ionic", "tauri"}

// hostname returns the host of HOST or HOST:PORT, as names are compared.
func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
