package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
)

// testSharedPolicy: what a SharedWorker's own policy forbids is told by it, to each tab.
func testSharedPolicy(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	node, err := url.Parse("http://" + dev1.addr)
	must(t, err)
	first, err := freePorts(1)
	must(t, err)
	nobody := localhost(first, 1)[0]
	connect := func(at string) string {
		return "Its SharedWorker's Content-Security-Policy does not let it connect to ws://" + at + "/ring: connect-src has to allow ws://" + at + "."
	}
	for _, test := range []struct{ allows, at, want string }{
		{"", dev1.addr, connect(dev1.addr)},
		{"http://" + dev1.addr, dev1.addr, connect(dev1.addr)},
		{"ws://" + nobody, nobody, "No gateway can be had at ws://" + nobody + "/ring. Its SharedWorker's Content-Security-Policy forbids to ask why: connect-src would have to allow http://" + nobody + ", too."},
		{"ws://" + dev1.addr, dev1.addr, "joined"},
	} {
		proxy := httputil.NewSingleHostReverseProxy(node)
		proxy.ModifyResponse = func(r *http.Response) error {
			if r.Request.URL.Path == "/worker.js" {
				r.Header.Set("Content-Security-Policy", "script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' "+test.allows)
			}
			return nil
		}
		server := httptest.NewServer(proxy)
		t.Cleanup(server.Close)
		tab := b.newTab(t)
		tab.expect(".")
		tab.navigate(server.URL + "/nanoring.js")
		got := eval[string](tab, `import("/nanoring.js").then(({ join }) => join({ shared: true, name: "us", gateways: ["ws://`+test.at+`/ring"] }).then((node) => node.leave().then(() => "joined"), (error) => error.message))`)
		if got != test.want {
			t.Errorf("with %q it says %s, not %s", test.allows, got, test.want)
		}
	}
}
