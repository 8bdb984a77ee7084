package native

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRingWhyShares: one asker who asks all the time, from all addresses of its IPv6 network, or of all the networks of its site,
// takes nothing from others; and all together have a bound.
func TestRingWhyShares(t *testing.T) {
	n := startFake(t, newFake(nil))
	asks := func(from string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "http://"+n.Addr()+"/ring/why", nil)
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		n.Handler().ServeHTTP(w, r)
		return w
	}
	answered := func(many int, from func(i int) string) (got int) {
		for i := range many {
			if asks(from(i)).Code == http.StatusOK {
				got++
			}
		}
		return got
	}
	for name, asker := range map[string]func(i int) string{
		"an address":      func(int) string { return "192.0.2.1:1" },
		"an IPv6 network": func(i int) string { return fmt.Sprintf("[2001:db8::%x]:1", i) },
		"an IPv6 site":    func(i int) string { return fmt.Sprintf("[2001:db8:1:%x::1]:1", i) },
		"a proxy, here":   func(int) string { return "127.0.0.1:1" },
	} {
		eventually(t, name+" has had its share", func() bool {
			n.whys = whys{}
			return answered(2*whysASecond, asker) < 2*whysASecond && asks("198.51.100.7:1").Code == http.StatusOK
		})
	}
	eventually(t, "all together have a bound", func() bool {
		n.whys = whys{}
		all := func(i int) string { return fmt.Sprintf("198.51.%d.%d:1", i/250, i%250) }
		return answered(whysASecond, all) == whysASecond && asks("203.0.113.1:1").Code == http.StatusTooManyRequests && len(n.whys.from) <= whysASecond
	})
	w := asks("203.0.113.1:1")
	if vary := w.Header().Get("Vary"); w.Header().Get("Cache-Control") != "no-store" || !strings.Contains(vary, "Origin") || !strings.Contains(vary, "Authorization") || !strings.Contains(vary, ownOrigin) {
		t.Errorf("%v", w.Header())
	}
	first := ask(t, httpClient(t), "OPTIONS", "http://"+n.Addr()+"/ring/why", "", "Origin", "https://app.example", "Access-Control-Request-Method", "GET")
	if first.header.Get("Cache-Control") != "no-store" || first.header.Get("Vary") == "" {
		t.Errorf("%v", first.header)
	}
}

// TestGuessesApart: who guesses tokens takes nothing from who opens links, nor does who guesses from all
// addresses of a network have more guesses; and a thousand addresses silence no log.
func TestGuessesApart(t *testing.T) {
	o := startOperated(t)
	o.cfg.Insecure = true // addresses of elsewhere are looked at
	asks := func(from, path, body, token string) Problem {
		r := httptest.NewRequest("POST", "http://"+o.Addr()+path, strings.NewReader(body))
		r.RemoteAddr = from
		r.Header.Set("Content-Type", "application/json")
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		o.Handler().ServeHTTP(w, r)
		var p Problem
		json.Unmarshal(w.Body.Bytes(), &p)
		return p
	}
	for i := range guessesAMinute + 1 {
		asks(fmt.Sprintf("[2001:db8::%x]:1", i), "/v1/nodes", "{}", "a.b.c")
	}
	if p := asks("[2001:db8::ff]:1", "/v1/nodes", "{}", "a.b.c"); p.Code != "too-many-attempts" {
		t.Errorf("a network that guessed tokens: %+v", p)
	}
	if p := asks("[2001:db8::ff]:1", "/v1/session", `{"code":"x"}`, ""); p.Code != "link-unknown" {
		t.Errorf("a link, from where tokens were guessed: %+v", p)
	}
	for i := range guessesAMinute + 1 {
		asks(fmt.Sprintf("[2001:db8::%x]:1", i), "/v1/session", `{"code":"x"}`, "")
	}
	if p := asks("[2001:db8::1]:1", "/v1/session", `{"code":"x"}`, ""); p.Code != "too-many-attempts" {
		t.Errorf("a network that guessed links: %+v", p)
	}
	refused := func() int { return o.log.count("a link to the page was refused") }
	eventually(t, "one line of one network's guesses", func() bool { return refused() == 1 })
	o.rare.mu.Lock()
	o.rare.said, o.rare.lines = nil, nil // as after a minute
	o.rare.mu.Unlock()
	before := o.log.count("path=/v1/nodes")
	const crowd = 1100
	for i := range crowd {
		r := httptest.NewRequest("GET", "http://"+o.Addr()+"/v1/nodes", nil)
		r.RemoteAddr = fmt.Sprintf("10.0.%d.%d:1", i/250, i%250)
		o.Handler().ServeHTTP(httptest.NewRecorder(), r)
	}
	asks("203.0.113.1:1", "/v1/session", `{"code":"x"}`, "")
	asks("203.0.113.2:1", "/v1/session", `{"code":"x"}`, "")
	eventually(t, "one line of another kind", func() bool { return refused() == 2 })
	o.rare.end()
	eventually(t, "how many there were", func() bool { return o.log.count(fmt.Sprintf("more=%d", crowd-strangerLines+1)) == 1 })
	if got := o.log.count("path=/v1/nodes") - before; got != strangerLines {
		t.Errorf("%d lines of a thousand addresses", got)
	}
}
