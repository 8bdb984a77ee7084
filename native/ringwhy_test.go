package native

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/native/trust"
)

// askWhy asks as a page does, and holds the answer against that of /ring: one lets in what the other does.
func askWhy(t *testing.T, n *Node, token string, header ...string) (why RingWhyJSON, a answer) {
	t.Helper()
	base := "http://" + n.Addr()
	ring := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "x3JJHMbDL1EzLkh9GBhXDw==", "Sec-WebSocket-Protocol", subprotocol}
	if token != "" {
		ring = append(ring, "Sec-WebSocket-Protocol", subprotocol+", "+tokenProtocol+token)
		header = append(header, "Authorization", "Bearer "+token)
	}
	a = ask(t, httpClient(t), "GET", base+"/ring/why", "", header...)
	if err := json.Unmarshal([]byte(a.body), &why); err != nil || a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for i := range header {
		if header[i] == ownOrigin && !slices.Contains(header, "Origin") {
			header[i] = "Origin" // as a WebSocket says it
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/ring", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, all := 0, append(header, ring...); i < len(all); i += 2 {
		if all[i] == "Host" {
			r.Host = all[i+1]
		}
		r.Header.Set(all[i], all[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if (resp.StatusCode == http.StatusSwitchingProtocols) != why.LetsIn {
		t.Errorf("%v: /ring answers %d, and the reason is %+v", header, resp.StatusCode, why)
	}
	return why, a
}

// TestRingWhy: what a browser keeps from a page it may ask for.
func TestRingWhy(t *testing.T) {
	n := startFake(t, newFake(nil))
	for name, test := range map[string]struct {
		header     []string
		code, says string
	}{
		"a program":            {nil, "", "pass Upgrade and Connection on"},
		"a page of the node's": {[]string{ownOrigin, "http://" + n.Addr()}, "", "let in now"},
		"a loopback page":      {[]string{"Origin", "http://localhost:3000"}, "", "let in now"},
		"another origin":       {[]string{"Origin", "https://shop.example.com"}, "cross-origin", "the origin https://shop.example.com may not be guests here, at " + n.Addr() + ": without a secret"},
		"its own, by a proxy that changes the Host": {[]string{ownOrigin, "https://ring.example.com"}, "cross-origin", "which a proxy has to pass on"},
		"what is said otherwise":                    {[]string{"Origin", "https://evil.example", ownOrigin, "http://" + n.Addr()}, "cross-origin", "https://evil.example"},
		"a sandboxed iframe":                        {[]string{"Origin", "null"}, "cross-origin", "a sandboxed iframe without allow-same-origin"},
		"another Host":                              {[]string{"Host", "ring.example.com", "Origin", "https://ring.example.com"}, "host-refused", "ring.example.com"},
		"a rebound name":                            {[]string{"Host", "evil.example:7001", ownOrigin, "http://evil.example:7001"}, "host-refused", "a web page may have made up"},
	} {
		why, a := askWhy(t, n, "", test.header...)
		if why.Code != test.code || !strings.Contains(why.Detail, test.says) || why.LetsIn != (test.code == "") {
			t.Errorf("%s: %+v", name, why)
		}
		if a.header.Get("Access-Control-Allow-Origin") != "*" || a.header.Get("Cache-Control") != "no-store" || a.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", name, a.header)
		}
	}
	if a := ask(t, httpClient(t), "POST", "http://"+n.Addr()+"/ring/why", ""); a.status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", a.status)
	}
	n.inbound.bar("127.0.0.1", n.cfg.Clock().Add(barTime))
	if why, _ := askWhy(t, n, "", "Origin", "http://localhost:3000"); why.Code != "barred" {
		t.Errorf("%+v", why)
	}
}

// TestRingWhyToken: who has a token is told what is wrong with it if the ring has signed it; of
// others nothing but that, also not which origins are let in.
func TestRingWhyToken(t *testing.T) {
	secret := trust.NewSecret()
	s := secretOf(t, secret)
	var log logged
	cfg := config(t, "dev1")
	cfg.Engine, cfg.SecretFile, cfg.AllowOrigins, cfg.MaxGuests, cfg.Log = newFake(nil).engine, secretFile(t, secret), []string{"https://app.example"}, 2, log.logger()
	n := start(t, cfg)
	guest := trust.Token{Role: trust.RoleGuest, Name: "tab-*"}
	good := token(t, s, guest)
	bad := badTokens(t, s)
	early := guest
	early.NotBefore = time.Now().Add(time.Hour)
	early.Expires = early.NotBefore.Add(time.Hour)
	for name, test := range map[string]struct{ token, origin, code, says string }{
		"none":              {"", "https://app.example", "unauthorized", "there is no token"},
		"of another secret": {bad["of another secret"][0], "https://app.example", "unauthorized", "not good here"},
		"without signature": {bad["without signature"][0], "https://app.example", "unauthorized", "not good here"},
		"junk":              {"a.b.c", "https://app.example", "unauthorized", "not good here"},
		"expired":           {bad["expired"][0], "https://app.example", "forbidden", "the token expired at 20"},
		"too early":         {token(t, s, early), "https://app.example", "forbidden", "not valid yet"},
		"of another ring":   {bad["of another ring"][0], "https://app.example", "wrong-ring", "the token is for the ring "},
		"a reader's":        {token(t, s, trust.Token{Role: trust.RoleReader}), "https://app.example", "forbidden", "for the API, not for guests"},
		"another origin":    {good, "https://evil.example", "cross-origin", "--allow-origin https://evil.example"},
		"an extension":      {good, "moz-extension://0b1fcf0a-5d0d-4c4e-9f3e-2c1d7a8a3a10", "cross-origin", "--allow-origin moz-extension://*"},
		"no origin":         {good, "null", "cross-origin", "--allow-origin null"},
		"no origin at all":  {good, "javascript:alert(1)", "cross-origin", "none that could be listed"},
		"a bad one, there":  {bad["expired"][0], "https://evil.example", "cross-origin", "https://evil.example"},
		"good":              {good, "https://app.example", "", "let in now"},
	} {
		n.guesses = guesses{}
		why, a := askWhy(t, n, test.token, "Origin", test.origin)
		if why.Code != test.code || !strings.Contains(why.Detail, test.says) {
			t.Errorf("%s: %+v", name, why)
		}
		if strings.Contains(a.body, testRing) || strings.Contains(a.body, s.ID()) {
			t.Errorf("%s: it tells of the ring: %s", name, a.body)
		}
	}
	// One guest of two is there, as many as may be by one token.
	eventually(t, "the last one is over", func() bool { n.inbound.mu.Lock(); defer n.inbound.mu.Unlock(); return n.inbound.total == 0 })
	if ws, status, says := dialTLS(t, n, nil, http.Header{"Authorization": {"Bearer " + good}}); ws == nil {
		t.Fatalf("%d %s", status, says)
	}
	if why, _ := askWhy(t, n, good, "Origin", "https://app.example"); why.Code != "busy" || !strings.Contains(why.Detail, "by this token") {
		t.Errorf("%+v", why)
	}
	if got := log.count("a proxy before this node may keep Upgrade and Connection back"); got != 1 {
		t.Errorf("%d lines in the log of a page that would be let in", got)
	}

	// A browser asks first whether it may send the token; what is no guess of one has no bound but that of all.
	c, url := httpClient(t), "http://"+n.Addr()+"/ring/why"
	first := ask(t, c, "OPTIONS", url, "", "Origin", "https://app.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization")
	if first.status != http.StatusNoContent || first.header.Get("Access-Control-Allow-Headers") != "Authorization" || first.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%+v", first)
	}
	n.guesses = guesses{}
	last := answer{}
	for range guessesAMinute + 1 {
		last = ask(t, c, "GET", url, "", "Authorization", "Bearer a.b.c")
	}
	if !strings.Contains(last.body, `"too-many-attempts"`) {
		t.Errorf("one guess too many: %s", last.body)
	}
	if a := ask(t, c, "GET", url, "", "Authorization", "Bearer "+bad["expired"][0]); !strings.Contains(a.body, "expired at") {
		t.Errorf("an expired one, then: %s", a.body)
	}
	eventually(t, "too many", func() bool {
		for n.whys.take(n.Addr()) { // as others ask, from there: a busy machine answers fewer in a second
		}
		a := ask(t, c, "GET", url, "")
		return a.status == http.StatusTooManyRequests && a.header.Get("Access-Control-Allow-Origin") == "*"
	})
}
