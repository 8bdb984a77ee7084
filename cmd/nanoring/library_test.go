package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestLibrary has tabs of a real browser live through what tabs live through.
func TestLibrary(t *testing.T) {
	t.Parallel()
	secure, flags := securePages(t)
	b := startBrowser(t, flags...)
	t.Run("tabs", func(t *testing.T) { // the browser is there until all are done
		for name, test := range map[string]func(*testing.T, *browser){
			"says why it is not let in":          func(t *testing.T, b *browser) { testWhyNot(t, b, secure) },
			"lives on while its page is busy":    testBusyPage,
			"lives in the page without a Worker": testNoWorker,
			"joins by its README's policies":     testPolicies,
			"learns where gateways are":          testPublicURL,
			"chooses gateways":                   testChoice,
			"asks for a token each time":         testToken,
			"says bye when it is frozen":         testFrozen,
			"changes its network":                testHalfOpen,
			"is many nodes in one page":          testManyNodes,
			"is pasted into an empty page":       testPasted,
			"asks again for a token":             testHungToken,
			"has the time for a slow token":      testSlowToken,
			"does without a silent Worker":       testSilentWorker,
			"outlives its Worker":                testDeadWorker,
			"takes a slow line":                  testSlowModule,
			"answers though it did not once":     testSilentAnswerer,
			"is one node of some tabs":           testShared,
			"shares a node when it wakes":        testSharedWakes,
			"shares none when it was given up":   testSharedGivenUp,
			"shares another after a removal":     testSharedRemoved,
			"keeps nothing of a token":           testTokensAreLight,
			"keeps nothing of a Worker":          testWorkersAreLight,
			"has its Worker the next time":       testWorkerLater,
			"is one of its own where it has to":  testNotShared,
			"shares a node when it is thawed":    testSharedFrozen,
			"is asked once for a shared token":   testSharedTokens,
			"says which tags do not fit":         testSharedTooMuch,
			"leaves a SharedWorker that hangs":   testSharedHung,
			"meets in another where one hangs":   testSharedHangs,
			"follows to another SharedWorker":    testSharedFollow,
			"shares nothing that failed":         testSharedFailed,
			"says why a shared node is none":     testSharedWhy,
			"says what a shared policy forbids":  testSharedPolicy,
			"is let in by nobody once it left":   testSharedLeftEarly,
			"leaves when it is given up late":    testGivenUpLate,
			"is missed when it crashes":          func(t *testing.T, b *browser) { testSharedCrash(t, b, "0") },
			"is missed without locks": func(t *testing.T, b *browser) {
				testSharedCrash(t, b, "delete Navigator.prototype.locks")
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, b)
			})
		}
	})
}

// TestHidden has a browser that treats hidden tabs as a user's does: it slows
// their timers down, the sooner the better for this test.
func TestHidden(t *testing.T) {
	t.Parallel()
	b := startWindows(t, chromedp.Flag("disable-background-timer-throttling", false), chromedp.Flag("disable-renderer-backgrounding", false),
		chromedp.Flag("disable-backgrounding-occluded-windows", false), chromedp.Flag("enable-features", "IntensiveWakeUpThrottling:grace_period_seconds/1"))
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1)}))
	tab.becomes("joined")
	name := tab.name()
	dev2.becomes(t, name, "up")
	other := b.duplicate(tab)
	tab.until("document.hidden")
	states := seen(t, dev2, name)
	eval[any](tab, "window.sent = 0, nanoring.on('frame', (frame) => { sent += frame.sent })")
	tab.until("sent >= 8")
	if got := states(); !slices.Contains(got, "up") || slices.ContainsFunc(got, func(s string) bool { return s != "up" }) {
		t.Errorf("it was seen %v", got)
	}
	other.close()
}

// testBusyPage: a page that computes for so long would be a suspect.
func testBusyPage(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1)}))
	tab.becomes("joined")
	name := tab.name()
	dev2.becomes(t, name, "up")
	states := seen(t, dev2, name)
	eval[any](tab, "(() => { const end = performance.now() + 7000; while (performance.now() < end); })()")
	if got := states(); !slices.Contains(got, "up") || slices.ContainsFunc(got, func(s string) bool { return s != "up" }) {
		t.Errorf("it was seen %v", got)
	}
}

func testNoWorker(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	url := b.page(dev1, joinOptions{"gateways": gateways(dev1)}, "policy", "worker-src 'none'")
	tab := b.open(t, url)
	tab.expect("violates the following Content Security Policy.*worker-src")
	tab.becomes("joined")
	tab.until(`log.some((text) => /^worker: This node lives on the page itself, .*worker-src/.test(text))`)
	dev2.becomes(t, tab.name(), "up")
	tab.close()
}

// testGatewayKilled: a tab that was given one gateway knows all of the ring's.
func testGatewayKilled(t *testing.T, b *browser) {
	ns := unwatchedNodes(t)
	dev1, dev2 := startPair(t, ns)
	dev3 := ns.mustStart(t, "dev3", "", "--join", dev1.addr)
	eventually(t, "the three are a ring", func() bool { return dev2.isUp(t, "dev1", "dev2", "dev3") })
	tab := b.open(t, b.page(dev3, joinOptions{"gateways": gateways(dev1)}))
	tab.expect(killedGateway)
	tab.becomes("joined")
	name := tab.name()
	watch := seen(t, dev3, name)
	dev3.becomes(t, name, "up")
	through := func(gateways ...string) func() bool {
		return func() bool {
			members, err := dev3.client.members(t.Context(), pathUp)
			return err == nil && slices.ContainsFunc(members, func(m member) bool { return m.Name == name && slices.Contains(gateways, m.Via) })
		}
	}
	tab.until("nanoring.up().length === 4")
	dev1.kill()
	eventually(t, "it is up through another", through("dev2", "dev3"))
	tab.until("['dev2', 'dev3'].includes(nanoring.gateway?.name)")
	if got := tab.name(); got != name {
		t.Errorf("it was %s, and is %s", name, got)
	}
	if states := watch(); slices.Contains(states, "down") || slices.Contains(states, "left") {
		t.Errorf("it was seen %v", states)
	}
	dev2.kill()
	eventually(t, "it is up through the last one", through("dev3"))
	ns.mustStart(t, "dev1", dev1.addr)
	eventually(t, "the two are a ring", func() bool { return dev3.isUp(t, "dev1", "dev3", name) })
	tab.until("nanoring.up().length === 3")
	dev3.kill()
	tab.until("nanoring.gateway?.name === 'dev1'")
	t.Log(eval[[]string](tab, "window.log"))
}

// seen watches what a node sees, and returns a function that ends that and
// says in which states another was.
func seen(t *testing.T, p *process, name string) func() []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var out lockedBuffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.client.watch(ctx, pathEvents, &out, "text")
	}()
	eventually(t, "it is watched", func() bool { return strings.Contains(out.String(), "these are all") })
	return func() (states []string) {
		cancel()
		<-done
		for _, found := range regexp.MustCompile("(?m)  "+regexp.QuoteMeta(name)+` is (\w+)`).FindAllStringSubmatch(out.String(), -1) {
			states = append(states, found[1])
		}
		return states
	}
}

// testPublicURL: a node behind something says where browsers reach it.
func testPublicURL(t *testing.T, b *browser) {
	ns := unwatchedNodes(t)
	first, err := freePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	public := fmt.Sprintf("ws://localhost:%d/ring?by=its-public-url", first)
	dev1 := ns.mustStart(t, "dev1", "")
	dev2 := ns.mustStart(t, "dev2", fmt.Sprintf("127.0.0.1:%d", first), "--join", dev1.addr, "--public-url", public)
	eventually(t, "the two are a ring", func() bool { return dev2.isUp(t, "dev1", "dev2") })
	tab := b.open(t, b.page(dev2, joinOptions{"gateways": []string{"ws://localhost" + dev1.addr[strings.LastIndex(dev1.addr, ":"):] + "/ring"}}))
	tab.expect(killedGateway)
	tab.becomes("joined")
	tab.until("nanoring.gateway.name === 'dev1' && nanoring.up().some((n) => n.tags['public-url'])")
	dev1.kill()
	tab.until("nanoring.gateway?.name === 'dev2'")
	if got := eval[string](tab, "nanoring.gateway.url"); got != public {
		t.Errorf("its gateway is at %s", got)
	}
}

// testChoice asks what is dialled next, where the ring has nodes of all kinds.
func testChoice(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	tab := b.open(t, "http://"+dev1.addr+"/")
	tab.becomes("joined")
	next := func(given, accepted string) string {
		t.Helper()
		return eval[string](tab, `(async () => {
			const { Gateways } = await import("/gateways.js");
			const { nodeOf } = await import("/view.js");
			const gateways = new Gateways(`+given+`);
			const learn = (name, fields) => gateways.learn(nodeOf({ name, state: "up", ...fields }));
			learn("a", { address: "a:1" });
			learn("b", { address: "b:1", tags: { "public-url": "wss://b.example/ring" } });
			learn("c", { address: "c:1", state: "down" });
			learn("d", { tags: { "public-url": "javascript:alert(1)" } });
			learn("gone", { address: "gone:1" });
			learn("gone", { state: "removed" });
			learn("guest", { ephemeral: true, via: "a", address: "guest:1", tags: { "public-url": "wss://guest.example/ring" } });
			`+accepted+`
			const first = gateways.next(), all = new Set([first]);
			for (let i = 0; i < 50; i++) all.add(gateways.next());
			return first + " of " + [...all].sort().join(" ");
		})()`)
	}
	for _, test := range []struct{ given, accepted, want string }{
		// Before it was in: those that were given, in their order.
		{`["ws://y:1/ring", "ws://x:1/ring"]`, "", "ws://y:1/ring of ws://x:1/ring ws://y:1/ring"},
		// Then another one than it had, at addresses if its gateway was.
		{`["ws://a:1/ring"]`, `gateways.accepted("ws://a:1/ring", "a")`, "wss://b.example/ring of ws://a:1/ring wss://b.example/ring"},
		{`["ws://front/ring"]`, `gateways.accepted("ws://front/ring", "a")`, "wss://b.example/ring of ws://front/ring wss://b.example/ring"},
		// Not one that is down, if the ring knows that, and not by ws: for who came by wss:.
		{`["ws://c:1/ring", "ws://b:1/ring"]`, `gateways.accepted("ws://b:1/ring", "b")`, ""},
		{`["wss://front/ring"]`, `gateways.accepted("wss://front/ring", "a")`, "wss://b.example/ring of wss://b.example/ring wss://front/ring"},
	} {
		got := next(test.given, test.accepted)
		if test.want == "" { // at random
			_, got, _ = strings.Cut(got, " of ")
			test.want = "ws://a:1/ring ws://b:1/ring wss://b.example/ring"
		}
		if got != test.want {
			t.Errorf("%s, %s: it dials %s, not %s", test.given, test.accepted, got, test.want)
		}
	}
}

// testToken: the first gateway refuses all, and keeps what it was offered.
func testToken(t *testing.T, b *browser) {
	var mu sync.Mutex
	var offered []string
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/ring" {
			offered = append(offered, r.Header.Get("Sec-WebSocket-Protocol"))
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer refuses.Close()
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	urls, _ := json.Marshal([]string{"ws" + strings.TrimPrefix(refuses.URL, "http") + "/ring", gateways(dev1)[0]})
	tab := b.open(t, b.page(dev1, nil))
	tab.expect("HTTP Authentication failed|/ring/why' from origin .* has been blocked by CORS policy|(ERR_FAILED|status of 401).*/ring/why")
	tab.becomes("joined")
	// A JWT, as far as a tab can tell.
	token := func(n int) string {
		claims := fmt.Sprintf(`{"ring":"nanoring","role":"guest","name":"with*","n":%d}`, n)
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
	}
	two, _ := json.Marshal([]string{token(1), token(2)})
	tokens := "window.asked = 0, start({ name: 'with a token', gateways: " + string(urls) + ", token: "
	eval[any](tab, tokens+"async () => "+string(two)+"[asked++] })")
	tab.becomes("joined")
	mu.Lock()
	if len(offered) != 1 || offered[0] != "nanoring.v1, nanoring.token."+token(1) {
		t.Errorf("it offers %q", offered)
	}
	mu.Unlock()
	if got := eval[int](tab, "asked"); got != 2 {
		t.Errorf("it asked for %d tokens", got)
	}
	eval[any](tab, tokens+"() => Promise.reject(new Error('logged out')) })")
	tab.fails("token", "logged out", true)
	eval[any](tab, tokens+"'a token, with spaces' })")
	tab.fails("token", "not a JWT", true)
}

func testFrozen(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1)}))
	tab.becomes("joined")
	name := tab.name()
	dev2.becomes(t, name, "up")
	tab.until("nanoring.up().length === 3")
	tab.lifecycle("frozen")
	dev2.becomes(t, name, "left")
	dev1.kill() // the tab knows of dev2 from the ring alone
	tab.expect(killedGateway)
	tab.lifecycle("active")
	dev2.becomes(t, name, "up")
	tab.until("nanoring.state === 'joined' && nanoring.name === '" + name + "'")
}

func (tab *tab) lifecycle(state page.SetWebLifecycleStateState) {
	tab.Helper()
	if _, err := chromedp.Call(tab.ctx, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: state}); err != nil {
		tab.Fatal(err)
	}
}

// TestOffline: without a network a tab is no member; as soon as it has one it
// is. It has no Worker, whose network the browser would leave as it is, and a browser of
// its own: where other tabs have WebSockets, Chromium's network crashes when it comes back.
func TestOffline(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	ns := unwatchedNodes(t)
	dev1, dev2 := startPair(t, ns)
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1)}, "policy", "worker-src 'none'"))
	tab.expect("worker-src|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_REFUSED")
	tab.becomes("joined")
	name := tab.name()
	dev2.becomes(t, name, "up")
	tab.offline(true)
	dev1.kill()
	tab.until("nanoring.state === 'joining' && log.filter((line) => line.startsWith('dial')).length > 3")
	dev2.becomes(t, name, "down")
	tab.offline(false)
	dev2.becomes(t, name, "up")
	tab.until("nanoring.state === 'joined' && nanoring.name === '" + name + "'")
}

func (tab *tab) offline(is bool) {
	tab.Helper()
	if _, err := chromedp.Call(tab.ctx, network.Enable, network.EnableParams{}); err != nil {
		tab.Fatal(err)
	}
	conditions := network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{{Offline: is, DownloadThroughput: -1, UploadThroughput: -1}}}
	if _, err := chromedp.Call(tab.ctx, network.EmulateNetworkConditionsByRule, conditions); err != nil {
		tab.Fatal(err)
	}
	state := network.OverrideNetworkStateParams{Offline: is, DownloadThroughput: -1, UploadThroughput: -1}
	if _, err := chromedp.Call(tab.ctx, network.OverrideNetworkState, state); err != nil {
		tab.Fatal(err)
	}
}

// testManyNodes: what joins here at once is 50 nodes, and is gone at once.
func testManyNodes(t *testing.T, b *browser) {
	const many = 50
	ns := unwatchedNodes(t)
	ring := []*process{ns.mustStart(t, "dev1", "")}
	for i := range 3 {
		ring = append(ring, ns.mustStart(t, fmt.Sprintf("dev%d", i+2), "", "--join", ring[0].addr))
	}
	eventually(t, "the four are a ring", func() bool { return ring[3].isUp(t, "dev1", "dev2", "dev3", "dev4") })
	tab := b.open(t, b.page(ring[0], joinOptions{"gateways": gateways(ring[0])}))
	tab.becomes("joined")
	tab.expect("closed before the connection is established") // the browser opens one at a time, which may take too long
	urls, _ := json.Marshal(gateways(ring...))
	js := fmt.Sprintf(`(async (urls) => {
		const { join } = await import("http://%s/nanoring.js");
		window.many = await Promise.all(Array.from({ length: %d }, (_, i) =>
			join({ name: "many" + i, gateways: [...urls.slice(i %% 4), ...urls.slice(0, i %% 4)] })));
		return many.length;
	})(%s)`, ring[0].addr, many, urls)
	if got := eval[int](tab, js); got != many {
		t.Fatal(got)
	}
	tab.until(fmt.Sprintf("many.every((node) => node.up().length === %d)", many+5))
	up := func(p *process) int { return len(p.ups(t)) }
	for _, p := range ring {
		eventually(t, "all are up", func() bool { return up(p) == many+5 })
	}

	// The tabs of a gateway that dies spread over the others.
	tab.expect("closed before the connection is established|ERR_CONNECTION_REFUSED")
	ring[0].kill()
	ring = ring[1:]
	tab.until("many.every((node) => node.gateway && node.gateway.name !== 'dev1')")
	heirs := eval[[]string](tab, "many.filter((_, i) => i % 4 === 0).map((node) => node.gateway.name)")
	if slices.Sort(heirs); len(slices.Compact(heirs)) < 2 {
		t.Errorf("all of them went to %s", heirs[0])
	}
	tab.close()
	for _, p := range ring {
		eventually(t, "all have left", func() bool { return up(p) == 3 })
	}
}

// spy keeps what a page prints last.
const spy = `<script>console.log = (what) => { window.heard = what }</script>`

// testPasted pastes what the two READMEs say into pages that are empty.
func testPasted(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	for file, want := range map[string]int{"../../README.md": 1, "../../web/README.md": 3} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		blocks := regexp.MustCompile("(?s)```html\n(.*?)```").FindAllStringSubmatch(string(text), -1)
		if len(blocks) != want {
			t.Fatalf("%s has %d blocks of HTML", file, len(blocks))
		}
		for _, block := range blocks {
			if strings.Contains(block[1], `src="./app.js"`) {
				continue // that is for bundlers: see TestBundlers
			}
			html := strings.NewReplacer("127.0.0.1:7001", dev1.addr, "127.0.0.1:7002", dev2.addr).Replace(block[1])
			tab := b.open(t, b.pages+"/pasted?"+url.Values{"html": {"<!doctype html><link rel=icon href=data:,>" + spy + html}}.Encode())
			eventually(t, "the page is a node", func() bool { return len(dev2.ups(t)) > 2 })
			if strings.Contains(html, "<ring-presence") {
				eval[any](tab, `window.element = document.querySelector("ring-presence"), document.body.append(element)`) // moved while it joins, or after
				tab.until(`element.textContent.includes("dev2 is up")`)
				eventually(t, "it is one node", func() bool { return len(dev2.ups(t)) == 3 })
				eval[any](tab, `document.body.prepend(element)`)
				eventually(t, "it is one node", func() bool { return len(dev2.ups(t)) == 3 })
				eval[any](tab, `element.remove()`)
				eventually(t, "the element has left", func() bool { return len(dev2.ups(t)) == 2 })
			} else {
				tab.until(`window.heard?.includes("dev1") && heard.includes("dev2")`)
			}
			tab.close()
			eventually(t, "it has left", func() bool { return len(dev2.ups(t)) == 2 })
		}
	}
}

// ups returns the names of those that a node sees up.
func (p *process) ups(t *testing.T) (names []string) {
	t.Helper()
	members, err := p.client.members(t.Context(), pathUp)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		names = append(names, m.Name)
	}
	return names
}
