package native

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
)

// raw sends a request as it stands, and returns the status of the answer.
func raw(t *testing.T, n *Node, request string) int {
	t.Helper()
	c, err := net.Dial("tcp", n.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	io.WriteString(c, request)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// TestHealthOfAnyHost: what a load balancer asks has no Host, or its own.
func TestHealthOfAnyHost(t *testing.T) {
	n := startFake(t, serving())
	for _, path := range []string{"/healthz", "/readyz"} {
		for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
			for _, head := range []string{"HTTP/1.0\r\n\r\n", "HTTP/1.0\r\nHost: lb.example\r\n\r\n", "HTTP/1.1\r\nHost: lb.example:8443\r\n\r\n"} {
				if method == "HEAD" {
					head = strings.Replace(head, "\r\n", "\r\nConnection: close\r\n", 1)
				}
				if got := raw(t, n, method+" "+path+" "+head); got != 200 {
					t.Errorf("%s %s %q: %d", method, path, head, got)
				}
			}
		}
		if got := raw(t, n, "POST "+path+" HTTP/1.0\r\n\r\n"); got != 405 && got != 403 {
			t.Errorf("POST %s: %d", path, got)
		}
	}
	for _, path := range []string{"/v1/nodes", "/metrics", "/healthz/", "//healthz"} {
		if got := raw(t, n, "GET "+path+" HTTP/1.0\r\nHost: evil.example\r\n\r\n"); got != 403 {
			t.Errorf("%s: %d", path, got)
		}
	}
}

// TestStreamsAreNotBuffered: proxies are told to pass each byte on, and the first comes before
// anything happens.
func TestStreamsAreNotBuffered(t *testing.T) {
	n := startFake(t, newFake(func(in core.Input) []core.Effect {
		if in.Kind != core.Do || in.Command.Op == core.Stop {
			return nil
		}
		return []core.Effect{emit(core.Event{Kind: core.EventResult, ID: in.Command.ID})}
	}))
	for path, body := range map[string]string{"/v1/events": "", "/v1/messages": "", "/v1/questions": `{"topic":"t"}`} {
		method := "GET"
		if body != "" {
			method = "POST"
		}
		req, _ := http.NewRequestWithContext(soon(t), method, "http://"+n.Addr()+path, strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		resp, err := httpClient(t).Do(req) // returns with the head
		if err != nil {
			t.Fatal(path, err)
		}
		if got := resp.Header.Get("X-Accel-Buffering"); got != "no" || resp.StatusCode != 200 {
			t.Errorf("%s: %d %q", path, resp.StatusCode, got)
		}
		if body == "" {
			if b, err := resp.Body.Read(make([]byte, 1)); b != 1 {
				t.Errorf("%s: %v", path, err)
			}
		}
		resp.Body.Close()
	}
}

// TestIdleLongerThanProxies: a proxy closes what it keeps open for the next request; were the
// node to do so first, a request would be lost. nginx and AWS keep it for a minute, Caddy for two.
func TestIdleLongerThanProxies(t *testing.T) {
	n := startFake(t, serving())
	if n.server.IdleTimeout <= 2*time.Minute {
		t.Errorf("idle for %s", n.server.IdleTimeout)
	}
}
