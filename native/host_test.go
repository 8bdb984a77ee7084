package native

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/native/trust"
)

// TestHosts: a ring without a secret takes of what a browser sends the names alone by which its node
// goes, on loopback and beyond; a locked one takes any, and so does what is told nobody anything.
func TestHosts(t *testing.T) {
	cfg := config(t, "dev1")
	cfg.Engine, cfg.Insecure, cfg.Advertise, cfg.PublicURL = newFake(nil).engine, true, "node.example.net:7001", "wss://public.example.com/ring"
	cfg.Hosts = []string{"Listed.example.org.", "bücher.example"}
	n := start(t, cfg)
	locked := config(t, "dev2")
	locked.Engine, locked.Insecure, locked.SecretFile = newFake(nil).engine, true, secretFile(t, trust.NewSecret())
	safe := start(t, locked)
	at := func(n *Node, local, method, path, host string, header ...string) (int, string) {
		r := httptest.NewRequest(method, "http://x"+path, nil)
		r.Host = host
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.ParseIP(local), Port: 7001}))
		w := httptest.NewRecorder()
		n.Handler().ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	machine, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	const here, beyond = "127.0.0.1", "10.0.0.5"
	for host, want := range map[string][2]int{ // on loopback, and beyond
		"localhost:7001": {200, 200}, "127.0.0.1:7001": {200, 200}, "app.localhost": {200, 200}, "[::1]:1": {200, 200},
		"10.0.0.5:7001": {403, 200}, "192.0.2.1": {403, 200}, "[2001:db8::1]:7001": {403, 200},
		"node.example.net": {200, 200}, "public.example.com": {200, 200}, "listed.example.org:80": {200, 200}, "LISTED.example.org.": {200, 200},
		"xn--bcher-kva.example": {200, 200}, machine: {200, 200}, machine + ".": {200, 200},
		"evil.example": {403, 403}, "evil.example:7001": {403, 403}, "listed.example.org.evil.example": {403, 403}, "10.0.0.5.evil.example": {403, 403},
		"0x7f.1": {403, 403}, "10.5": {403, 403}, "": {403, 403}, "node.example.net@evil.example": {403, 403},
	} {
		for i, local := range []string{here, beyond} {
			for _, path := range []string{"/v1/nodes", "/", "/nanoring.js"} {
				got, says := at(n, local, "GET", path, host)
				if got != want[i] || got == 403 && !strings.Contains(says, `"host-refused"`) || got == 403 && host != "" && !strings.Contains(says, "--host "+hostname(host)) {
					t.Errorf("%s at %s, of %q: %d %.200s", path, local, host, got, says)
				}
			}
			if got, says := at(safe, local, "GET", "/v1/nodes", host); got != 401 && got != 403 || strings.Contains(says, "host-refused") {
				t.Errorf("a locked node at %s, of %q: %d %s", local, host, got, says)
			}
			if got, _ := at(n, local, "GET", "/healthz", host); got != 200 {
				t.Errorf("its health at %s, of %q: %d", local, host, got)
			}
		}
	}
	// What a page does whose name leads here: it is of the same origin, as the browser sees it.
	for _, local := range []string{here, beyond} {
		for _, path := range []string{"/v1/nodes", "/v1/leave", "/v1/links", "/v1/session"} {
			if got, says := at(n, local, "POST", path, "evil.example:7001", "Origin", "http://evil.example:7001", "Sec-Fetch-Site", "same-origin", "Content-Type", "application/json"); got != 403 || !strings.Contains(says, "host-refused") {
				t.Errorf("POST %s at %s: %d %s", path, local, got, says)
			}
		}
		ring := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "x3JJHMbDL1EzLkh9GBhXDw=="}
		if got, says := at(n, local, "GET", "/ring", "evil.example:7001", append(ring, "Origin", "http://evil.example:7001")...); got != 403 || !strings.Contains(says, "host-refused") {
			t.Errorf("a page's WebSocket at %s: %d %s", local, got, says)
		}
		if got, says := at(n, local, "GET", "/ring", "evil.example:7001", ring...); got != 400 || !strings.Contains(says, `"subprotocol"`) {
			t.Errorf("a node's WebSocket at %s gets as far as its subprotocol: %d %s", local, got, says)
		}
	}

	if err := n.Change(t.Context(), Live{Hosts: []string{"evil.example"}}); err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{"evil.example": 200, "listed.example.org": 403} {
		if got, _ := at(n, beyond, "GET", "/v1/nodes", host); got != want {
			t.Errorf("%q, when the names have changed: %d", host, got)
		}
	}
}

// TestCheckHost: a name is one as browsers send it, or the error says what it is.
func TestCheckHost(t *testing.T) {
	for entry, want := range map[string]string{"Ring.Example.com": "ring.example.com", "a.example.": "a.example", "10.0.0.5": "10.0.0.5", "[2001:DB8::1]": "2001:db8::1", "2001:db8::1": "2001:db8::1", "bücher.example": "xn--bcher-kva.example"} {
		if got, err := checkHost(entry); err != nil || got != want {
			t.Errorf("%q: %q, %v", entry, got, err)
		}
	}
	for entry, says := range map[string]string{"": "it is empty", "ring.example.com:80": "leave out the port", "http://a.example": "a name alone", "a.example/x": "a name alone", "*.example.com": "each name is listed", "a b": "a name alone", "fe80::1%eth0": "leave out the port"} {
		if got, err := checkHost(entry); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %q, %v", entry, got, err)
		}
	}
}
