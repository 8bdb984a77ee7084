package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// testClearToken: in the clear a token is offered on loopback alone, wherever the ring says that gateways are.
func testClearToken(t *testing.T, b *browser) {
	dev1, dev2, key := startLocked(t, b)
	var mu sync.Mutex
	var sent []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, r.URL.Path+" "+r.Header.Get("Sec-WebSocket-Protocol")+r.Header.Get("Authorization"))
		http.NotFound(w, r)
	}))
	t.Cleanup(server.Close)
	elsewhere := "ws://node.elsewhere.test" + server.URL[strings.LastIndex(server.URL, ":"):] + "/ring"
	locked := []string{"--ring", "red", "--secret-file", key}
	ns := unwatchedNodes(t)
	dev3 := ns.mustStart(t, "dev3", "", append(locked, "--join", dev1.addr, "--public-url", elsewhere)...)
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1), "token": mint(t, key, "--name", "tab-*")}))
	tab.expect(killedGateway)
	tab.becomes("joined")
	tab.until(`nanoring.up({ tags: ["public-url"] }).length === 1`)
	dev2.kill()
	dev1.kill()
	tab.until(`log.filter((line) => line.startsWith("dial: ")).length >= 5`) // of three
	ns.mustStart(t, "dev1", dev1.addr, append(locked, "--join", dev3.addr, "--allow-origin", b.pages)...)
	tab.until(`nanoring.gateway?.name === "dev1"`)
	eval[any](tab, "start({ gateways: ['"+elsewhere+"'], token: '"+mint(t, key, "--name", "bob")+"' })")
	tab.fails("tls-required", elsewhere+" is without TLS, and of another machine", false)
	mu.Lock()
	defer mu.Unlock()
	if len(sent) > 0 {
		t.Errorf("it was offered %q", sent)
	}
}
