package main

import (
	"strconv"
	"strings"
	"testing"
)

func testNames(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, newNodes(t))
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1)}))
	tab.becomes("joined")
	first := tab.name()
	twin := b.duplicate(tab)
	twin.becomes("joined")
	second := twin.name()
	dev2.becomes(t, first, "up")
	dev2.becomes(t, second, "up")
	if first == second {
		t.Errorf("both are %s", first)
	}

	for name, want := range map[string]string{first: "name-taken", "dev2": "forbidden", "dev1": "name-taken", "a@b": "invalid"} {
		eval[any](tab, `start({ gateways: ["ws://`+dev1.addr+`/ring"], name: "`+name+`" })`)
		tab.fails(want, "", false)
	}
	eval[any](tab, `start({ gateways: ["ws://`+dev1.addr+`/ring"], name: "a tab" }).then((node) => node.leave())`)
	dev2.becomes(t, "a tab", "left")
}

// fails waits until the tab could not join: with what code, what words in its
// sentence, and whether it shall try again.
func (tab *tab) fails(code, words string, retryable bool) {
	tab.Helper()
	tab.becomes("failed")
	got := eval[map[string]string](tab, "({ ...document.documentElement.dataset })")
	tab.Log(got["message"])
	if got["code"] != code || !strings.Contains(got["message"], words) || got["retryable"] != strconv.FormatBool(retryable) {
		tab.Errorf("it fails with %v, not %s, %q, %v", got, code, words, retryable)
	}
}

func testRefused(t *testing.T, b *browser) {
	ns := newNodes(t)
	dev1 := ns.mustStart(t, "dev1", "")
	first, err := freePorts(2)
	if err != nil {
		t.Fatal(err)
	}
	nobody := localhost(first, 2)
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1), "ring": "other"}))
	tab.expect(killedGateway + "|violates the (following|document's) Content Security Policy|Connecting to 'ws://.*violates")
	tab.fails("wrong-ring", "belongs to the ring other, dev1 to nanoring", false)
	start := func(options string) { eval[any](tab, "start("+options+")") }
	start(`{ gateways: ["ws://` + nobody[0] + `/ring", "ws://` + nobody[1] + `/ring"] }`)
	tab.fails("unreachable", nobody[1]+"/ring", true)
	start(`{ gateways: ["ftp://127.0.0.1/ring"] }`)
	tab.fails("invalid", "ftp:", false)
	start(`{ gateways: [] }`)
	tab.fails("invalid", "gateway", false)
	start(`{ ring: "a@b" }`)
	tab.fails("invalid", "Ring", false)
	// Without options it joins through the node that serves nanoring.js.
	start(`{ gateways: ["ws://` + nobody[0] + `/ring", "ws://` + dev1.addr + `/ring"] }`)
	tab.becomes("joined")
	start(`{}`)
	tab.becomes("joined")
	start(`{ signal: AbortSignal.abort() }`)
	tab.becomes("failed")

	tab.navigate(b.page(dev1, joinOptions{"gateways": gateways(dev1)}, "policy",
		"default-src 'none'; script-src 'nonce-test' 'wasm-unsafe-eval' http://"+dev1.addr+"; connect-src http://"+dev1.addr+"; img-src data:"))
	tab.fails("unreachable", "connect-src has to allow ws://"+dev1.addr+".", false)
}

func testModule(t *testing.T, b *browser) {
	dev1 := newNodes(t).mustStart(t, "dev1", "")
	tab := b.open(t, b.page(dev1, joinOptions{"module": "/none.wasm"}))
	tab.expect("status of 404|ERR_CONNECTION_REFUSED|violates the (following|document's) Content Security Policy|WebAssembly|blocked by CORS|ERR_FAILED")
	tab.fails("module", "404", false)
	start := func(module string) { eval[any](tab, `start({ module: "`+module+`" })`) }
	start("/?from=x")
	tab.fails("module", "text/html", false)
	start("/damaged.wasm")
	tab.fails("module", "damaged", false)
	start("/other.wasm")
	tab.fails("module", "same place", false)
	start("http://" + dev1.addr + "/v1/status")
	tab.fails("module", "cannot be fetched", true)
	start("http://" + dev1.addr + "/nanoring.wasm")
	tab.becomes("joined")

	for policy, words := range map[string]string{
		"connect-src ws:": "connect-src",
		"connect-src ws: http:; script-src 'nonce-test' http://" + dev1.addr: "wasm-unsafe-eval",
	} {
		tab.navigate(b.page(dev1, nil, "policy", policy))
		tab.becomes("failed")
		tab.fails("module", words, strings.Contains(words, "connect"))
	}
}

func testOldBrowser(t *testing.T, b *browser) {
	dev1 := newNodes(t).mustStart(t, "dev1", "")
	tab := b.open(t, b.page(dev1, nil))
	tab.becomes("joined")
	eval[any](tab, "delete WebAssembly, start()")
	tab.fails("unsupported", "WebAssembly", false)
}
