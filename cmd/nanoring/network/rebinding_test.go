//go:build linux

package network

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestRebinding: a ring without a secret, on a network. A page of somebody's, whose name was made to lead to
// a node, asks from another host as a browser does: it learns, changes and hears nothing. By the
// node's address, and by the names that --host lists, it is let in.
func TestRebinding(t *testing.T) {
	if !enter(t) {
		return
	}
	n := newNetwork(t, 2)
	n.start(n.hosts[0], "--host", "Ring.example", "--host", "other.example")
	n.start(n.hosts[1], n.joins(1)...)
	n.until("all show all up", n.wrong)
	node := n.hosts[0]
	// Whatever the name is, it leads there.
	rebound := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, node.listen())
	}}}
	asks := func(name, method, path, body string, header ...string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+name+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := rebound.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode == http.StatusSwitchingProtocols {
			return resp.StatusCode, ""
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	for name, lets := range map[string]bool{
		"evil.example:7946": false, "evil.example": false, "ring.example.evil.example:7946": false, "10.77.1.2.evil.example:7946": false, "n1.evil.example:7946": false,
		"ring.example:7946": true, "RING.example.": true, "other.example:80": true, node.listen(): true,
	} {
		page := []string{"Origin", "http://" + strings.ToLower(name), "Sec-Fetch-Site", "same-origin", "Content-Type", "application/json"}
		added := "by-" + strings.ToLower(strings.NewReplacer(":", "-", ".", "-").Replace(name))
		for what, answer := range map[string]func() (int, string){
			"reads": func() (int, string) { return asks(name, "GET", "/v1/nodes", "") },
			"adds": func() (int, string) {
				return asks(name, "POST", "/v1/nodes", `{"name":"`+added+`","address":"127.0.0.1:1"}`, page...)
			},
			"joins": func() (int, string) {
				return asks(name, "GET", "/ring", "", "Origin", "http://"+strings.ToLower(name), "Connection", "Upgrade", "Upgrade", "websocket",
					"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "x3JJHMbDL1EzLkh9GBhXDw==", "Sec-WebSocket-Protocol", "nanoring.v1")
			},
		} {
			code, says := answer()
			switch {
			case lets && code > 299:
				t.Errorf("%s as %s: %d %s", what, name, code, says)
			case !lets && (code != http.StatusForbidden || !strings.Contains(says, `"host-refused"`) || strings.Contains(says, "n2")):
				t.Errorf("%s as %s: %d %s", what, name, code, says)
			}
		}
		if slices.Contains(n.members(node), added) != lets {
			t.Errorf("by %s: the ring has %v", name, n.members(node))
		}
	}
}
