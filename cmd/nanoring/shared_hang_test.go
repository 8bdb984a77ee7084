package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// hangingWorker is a SharedWorker that hangs, and computes nothing, when a tab wants it.
const hangingWorker = `
import { Hub } from "./hub.js";
const hub = new Hub();
addEventListener("connect", ({ ports: [port] }) => hub.connect(port));
new BroadcastChannel("hang").onmessage = () => name.endsWith("]") && Atomics.wait(new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer), 0, 0);
`

// hanging serves what a node does, with a SharedWorker that can be hung.
func hanging(t *testing.T, p *process) (at string) {
	node, err := url.Parse("http://" + p.addr)
	must(t, err)
	proxy := httputil.NewSingleHostReverseProxy(node)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/worker.js" {
			proxy.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/javascript")
		w.Write([]byte(hangingWorker))
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// testSharedHangs: tabs whose SharedWorker hangs meet in another.
func testSharedHangs(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	at := hanging(t, dev1)
	options := `{ name: undefined, gateways: ["ws://` + dev1.addr + `/ring"], ...(Object.assign((await import("/waits.js")).waits, { beat: 500 }), {}), tags: { page: "`
	one, two := b.sharing(t, at, options+`a" } }`), b.sharing(t, at, options+`b" } }`)
	one.until(`tabs() === "a,b"`)
	for _, tab := range []*tab{one, two} {
		eval[any](tab, `import("/waits.js").then(({ waits }) => Object.assign(waits, { worker: 4000 }))`) // in vain: a hello takes long on a busy machine
	}
	eval[any](one, `new BroadcastChannel("hang").postMessage(0)`)
	for _, tab := range []*tab{one, two} {
		tab.until(`["a,b", "b,a"].includes(tabs()) && log.some((line) => line.startsWith("worker: "))`)
	}
	eventually(t, "they are one node", func() bool { return len(dev1.ups(t)) == 2 && slices.Contains(dev1.ups(t), one.name()) })
}

// testSharedFollow: a tab that takes a SharedWorker for hung that is only slow takes the others along.
func testSharedFollow(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	one := b.sharing(t, dev1.addr, `{ name: undefined, tags: { page: "a" } }`)
	dev1.becomes(t, one.name(), "up")
	two := b.sharing(t, dev1.addr, `{ name: undefined, tags: { page: "b" }, ...(Object.defineProperty((await import("/waits.js")).waits, "worker", { get: () => Object.entries(localStorage).some(([key, value]) => key.startsWith("nanoring 1 ") && value === "1") ? 10000 : 0 }), {}) }`)
	for _, tab := range []*tab{one, two} {
		tab.until(`["a,b", "b,a"].includes(tabs()) && nanoring.state === "joined" && ends.length === 0`)
	}
	eventually(t, "they are one node", func() bool { return len(dev1.ups(t)) == 2 })
}
