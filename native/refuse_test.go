package native

import (
	"net/http"
	"strings"
	"testing"
)

// TestRefusalsAreLogged: whatever is refused at the door is a line of the log at INFO, and one
// that is refused again and again one line.
func TestRefusalsAreLogged(t *testing.T) {
	log := new(logged)
	cfg := config(t, "dev1")
	cfg.Log, cfg.MaxGuests, cfg.Engine = log.logger(), 1, newFake(nil).engine
	n := start(t, cfg)
	n.inbound.bar("203.0.113.9", n.cfg.Clock().Add(barTime))
	ask := func(path string, change func(*http.Request)) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+n.Addr()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==", "Sec-WebSocket-Protocol": subprotocol,
		} {
			r.Header.Set(k, v)
		}
		change(r)
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
	}
	for _, test := range []struct {
		code, says, path string
		change           func(*http.Request)
	}{
		{"cross-origin", "https://shop.example.com", "/ring", func(r *http.Request) { r.Header.Set("Origin", "https://shop.example.com") }},
		{"host-refused", "ring.example.com", "/v1/nodes", func(r *http.Request) { r.Host = "ring.example.com" }},
		{"subprotocol", subprotocol, "/ring", func(r *http.Request) { r.Header.Del("Sec-WebSocket-Protocol") }},
		{`"no WebSocket"`, "Connection", "/ring", func(r *http.Request) { r.Header.Del("Connection"); r.Header.Del("Upgrade") }},
	} {
		for range 3 {
			ask(test.path, test.change)
		}
		line := ""
		eventually(t, test.code, func() bool {
			log.mu.Lock()
			defer log.mu.Unlock()
			for l := range strings.Lines(log.b.String()) {
				if strings.Contains(l, "level=INFO") && strings.Contains(l, "code="+test.code) {
					line = l
				}
			}
			return line != ""
		})
		if !strings.Contains(line, test.says) || !strings.Contains(line, "path="+test.path) || !strings.Contains(line, "from=127.0.0.1") {
			t.Errorf("%s", line)
		}
		eventually(t, "the other two", func() bool { return log.count("code="+test.code) == 3 })
	}

	// One guest is there, and there may be one.
	guest := peerOf(t, n, http.Header{"Origin": {"http://" + n.Addr()}})
	defer guest.CloseNow()
	ask("/ring", func(r *http.Request) { r.Header.Set("Origin", "http://"+n.Addr()) })
	eventually(t, "busy", func() bool { return log.count("code=busy") == 1 && log.count("there are 1 guests (--max-guests)") == 1 })
	n.Close()
	if got := strings.Count(log.b.String(), `level=INFO msg="a request was refused"`); got != 5 {
		t.Errorf("%d lines at INFO", got)
	}
}
