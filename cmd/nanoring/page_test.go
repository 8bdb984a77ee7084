package main

import (
	"encoding/json"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/systeminfo"
	"github.com/chromedp/chromedp"

	"github.com/nanoring/nanoring/native"
)

// TestPage runs tabs of a real browser in rings of real processes.
func TestPage(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	t.Run("tabs", func(t *testing.T) { // the browser is there until all are done
		for name, test := range map[string]func(*testing.T, *browser){
			"joins, is seen, and is removed":    testRemoved,
			"leaves when it is closed":          testClosed,
			"keeps its name when reloaded":      testReloaded,
			"comes back from the cache":         testCached,
			"says that it has lost its ring":    testLost,
			"finds another gateway":             testGatewayKilled,
			"tells at once what comes at once":  testChange,
			"takes a name of its own":           testNames,
			"adds and removes":                  testOperator,
			"is operated, and undone":           testUndo,
			"is searched":                       testSearch,
			"says whose clock is wrong":         testWrongClock,
			"invites others":                    testInvite,
			"is a crowd":                        testCrowd,
			"shows what others call themselves": testForeignText,
			"shows thousands":                   testLargePage,
			"knows who owns what":               testOwners,
			"sets its tags":                     testSetsTags,
			"says what happened":                testHappened,
			"goes on from one that is drained":  testDrained,
			"stays where it cannot go on":       testCannotMove,
			"picks what processes pick":         testFilters,
			"says what its picture shows":       testEventsAgree,
			"says since when, and why":          testTellsWhy,
			"says what is wrong":                testConditions,
			"explains its words":                testWords,
			"says what nodes run":               testRollout,
			"says why it cannot join":           testRefused,
			"says why it has no module":         testModule,
			"says that a browser is too old":    testOldBrowser,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, b)
			})
		}
	})
}

// TestTabDies has a browser of its own: its tabs may share a process.
func TestTabDies(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	url := b.page(dev1, joinOptions{"gateways": gateways(dev1)})
	tab := b.open(t, url)
	tab.becomes("joined")
	name := tab.name()
	dev2.becomes(t, name, "up")

	// One that hangs is down, and up when it goes on.
	b.signal(t, "renderer", sigStop)
	dev2.becomes(t, name, "down")
	b.signal(t, "renderer", sigCont)
	dev2.becomes(t, name, "up")
	if got := tab.name(); got != name {
		t.Errorf("it was %s, and is %s", name, got)
	}

	// One whose connection breaks, as that of all tabs, is back by another.
	tab.expect("WebSocket connection to .* failed")
	b.signal(t, "network.mojom.NetworkService", syscall.SIGKILL)
	tab.until("log.some((line) => line.startsWith('lost')) && nanoring.state === 'joined'")
	dev2.becomes(t, name, "up")

	// One that crashes is gone. (Chromium closes its connections in order.)
	go chromedp.Call(tab.ctx, page.Crash, cdp.Empty{}) // it has no answer
	dev2.becomes(t, name, "left", "down")
}

// signal sends a signal to the browser's processes of a type.
func (b *browser) signal(t *testing.T, typ string, signal os.Signal) {
	t.Helper()
	info, err := chromedp.CallBrowser(b.ctx, systeminfo.GetProcessInfo, cdp.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range info.ProcessInfo {
		if process, err := os.FindProcess(int(p.ID)); err == nil && p.Type == typ {
			process.Signal(signal)
		}
	}
}

// startPair starts two nodes that are a ring.
func startPair(t *testing.T, ns *nodes) (dev1, dev2 *process) {
	t.Helper()
	dev1 = ns.mustStart(t, "dev1", "")
	dev2 = ns.mustStart(t, "dev2", "", "--join", dev1.addr)
	for _, p := range []*process{dev1, dev2} {
		eventually(t, "the two are a ring", func() bool { return p.isUp(t, "dev1", "dev2") })
	}
	return dev1, dev2
}

// state returns how a node sees another; "" if that is no member.
func (p *process) state(t *testing.T, name string) string {
	t.Helper()
	members, err := p.client.members(t.Context(), pathNodes)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if m.Name == name {
			return m.State
		}
	}
	return ""
}

// becomes waits until a node sees another in one of some states.
func (p *process) becomes(t *testing.T, name string, states ...string) {
	t.Helper()
	eventually(t, name+" is "+strings.Join(states, " or "), func() bool { return slices.Contains(states, p.state(t, name)) })
}

func testRemoved(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := b.open(t, "http://"+dev1.addr+"/")
	tab.becomes("joined")
	name := tab.name()
	dev2.becomes(t, name, "up")
	tab.until(`nanoring.up().map((n) => n.name).join() === "dev1,dev2,` + name + `"`)
	if got := eval[float64](tab, `new Promise((done) => {
		new PerformanceObserver((list) => done(list.getEntries().reduce((sum, shift) => sum + shift.value, 0))).observe({ type: "layout-shift", buffered: true });
		setTimeout(done, 1000, 0); // when there was none, nothing is observed
	})`); got > 0.01 {
		t.Errorf("what it shows shifts by %v", got)
	}
	if got := eval[string](tab, "[nanoring.state, nanoring.ring, nanoring.gateway.name, nanoring.gateway.url].join()"); got != "joined,nanoring,dev1,ws://"+dev1.addr+"/ring" {
		t.Error(got)
	}

	if err := dev2.client.del(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	tab.until(shows("An operator removed this tab"))
	tab.until(`document.querySelector("#leave").disabled && document.querySelector("#self-name").textContent === "` + name + `, removed"`)
	tab.becomes("ended")
	tab.until(`document.querySelectorAll("#log li").length === document.querySelectorAll("#log li .glyph").length`)
	if got := eval[string](tab, "nanoring.state"); got != "ended" {
		t.Errorf("the node is %s", got)
	}
	if state := dev1.state(t, name); state != "" {
		t.Errorf("it is still a member, and %s", state)
	}
}

// shows says whether the page has this in its message.
func shows(title string) string {
	return `!document.querySelector("#message").hidden && document.querySelector("#message-title").textContent.startsWith("` + title + `")`
}

// testLost: a page without a gateway says so, changes nothing, and comes back.
func testLost(t *testing.T, b *browser) {
	ns := unwatchedNodes(t)
	dev1 := ns.mustStart(t, "dev1", "")
	tab := b.open(t, "http://"+dev1.addr+"/")
	tab.expect(killedGateway)
	tab.becomes("joined")
	tab.until(`!document.querySelector("#add-button").disabled`)
	dev1.kill()
	tab.until(shows("This tab has lost the ring"))
	tab.until(`document.querySelector("#add-button").disabled && document.querySelector("#remove").disabled`)
	tab.until(`document.querySelector("#nodes-title").textContent === "Nodes, as last heard"`)
	tab.until(`document.querySelectorAll("#log li").length === document.querySelectorAll("#log li .glyph").length`)
	ns.mustStart(t, "dev1", dev1.addr)
	tab.until(`document.querySelector("#message").hidden && !document.querySelector("#add-button").disabled && nanoring.state === "joined"`)
}

func testClosed(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1), "tags": map[string]string{"page": "some"}}))
	tab.becomes("joined")
	name := tab.name()
	dev2.becomes(t, name, "up")
	tab.close()
	dev2.becomes(t, name, "left")

	tab = b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1)}))
	tab.becomes("joined")
	name = tab.name()
	dev2.becomes(t, name, "up")
	eval[any](tab, "nanoring.leave()")
	if got := eval[string](tab, "nanoring.state"); got != "ended" {
		t.Errorf("it is %s", got)
	}
	tab.becomes("ended")
	if got := eval[string](tab, "document.documentElement.dataset.code"); got != "" {
		t.Errorf("to leave is an error: %s", got)
	}
	dev2.becomes(t, name, "left")
}

// testSetsTags: a tab's tags change while it runs, on the main thread too, and are
// those of its next life.
func testSetsTags(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1), "tags": map[string]string{"page": "cart", "old": "1"}}))
	tab.becomes("joined")
	has := func(want string) {
		t.Helper()
		eventually(t, "it has the tags "+want, func() bool {
			m, err := dev2.client.members(t.Context(), pathNodes+"?name="+tab.name())
			if err != nil || len(m) != 1 {
				return false
			}
			b, _ := json.Marshal(m[0].Tags)
			return string(b) == want
		})
	}
	set := func(tags string) string {
		return eval[string](tab, "nanoring.setTags("+tags+").then(() => 'done', (error) => error.code + ': ' + error.message)")
	}
	has(`{"old":"1","page":"cart"}`)
	if got := set(`{ page: "pay", typing: true, old: null }`); got != "done" {
		t.Fatal(got)
	}
	if got := eval[string](tab, "JSON.stringify(nanoring.all({ name: nanoring.name })[0].tags)"); got != `{"page":"pay","typing":"true"}` {
		t.Errorf("once it is set it shows %s", got)
	}
	has(`{"page":"pay","typing":"true"}`)
	if got := set(`{ page: "x".repeat(600) }`); !strings.HasPrefix(got, "invalid: The tags stay as they are: the tags: they have ") {
		t.Error(got)
	}
	if got := set(`{ "": "x" }`); !strings.HasPrefix(got, "invalid: ") {
		t.Error(got)
	}
	has(`{"page":"pay","typing":"true"}`)

	eval[any](tab, `(dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })), nanoring.setTags({ typing: null }).then(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))))`)
	has(`{"page":"pay"}`)
	eval[any](tab, "nanoring.leave()")
	tab.becomes("ended")
	if got := set(`{ page: "x" }`); !strings.HasPrefix(got, "halting: ") {
		t.Error(got)
	}
}

// testHappened: a tab says what becomes of a node, in order, and since when it is so.
func testHappened(t *testing.T, b *browser) {
	ns := unwatchedNodes(t)
	dev1, dev2 := startPair(t, ns)
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1)}))
	tab.becomes("joined")
	tab.until("nanoring.up().length === 3")
	eval[any](tab, `(window.heard = [], nanoring.on("event", ({ what, node, seq, at }) => heard.push({ said: node.name + " " + what, seq, at, since: node.since })), 0)`)
	before := eval[int64](tab, "nanoring.all({ name: 'dev2' })[0].since")
	dev2.kill()
	tab.until("heard.some((e) => e.said === 'dev2 down')")
	ns.mustStart(t, "dev2", dev2.addr)
	tab.until("heard.some((e) => e.said === 'dev2 restarted')")
	if wrong := eval[[]string](tab, `heard.filter((e, i) => i && (e.seq !== heard[i - 1].seq + 1 || e.at < heard[i - 1].at)).map((e) => e.said)`); len(wrong) > 0 {
		t.Errorf("out of order: %q", wrong)
	}
	if after := eval[int64](tab, "nanoring.all({ name: 'dev2' })[0].since"); before == 0 || after <= before {
		t.Errorf("it is up since %d, and was since %d", after, before)
	}
}

func testReloaded(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1)}))
	tab.becomes("joined")
	name := tab.name()
	for range 3 {
		tab.do(chromedp.Reload())
		tab.becomes("joined")
		if got := tab.name(); got != name {
			t.Fatalf("it was %s, and is %s", name, got)
		}
	}
	incarnation := eval[int64](tab, "nanoring.all().find((n) => n.name === nanoring.name).incarnation")
	eventually(t, "the last one is up", func() bool {
		members, err := dev2.client.members(t.Context(), pathUp)
		return err == nil && slices.ContainsFunc(members, func(m member) bool { return m.Name == name && m.Incarnation >= incarnation })
	})
}

// testCached: the browser's back/forward cache keeps a page as it is.
func testCached(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1)}))
	tab.becomes("joined")
	name := tab.name()
	dev2.becomes(t, name, "up")
	tab.navigate(b.pages + "/elsewhere")
	dev2.becomes(t, name, "left")
	eval[any](tab, "setTimeout(() => history.back())") // the driver's own would wait for a page to load, and none does
	dev2.becomes(t, name, "up")
	tab.until("window.nanoring?.state === 'joined'")
	t.Log(eval[[]string](tab, "window.log"))
	if got := tab.name(); got != name {
		t.Errorf("it was %s, and is %s", name, got)
	}
	dev2.becomes(t, name, "up")
}

// testChange: what a ring brings that is joined is one change, not one for each node.
func testChange(t *testing.T, b *browser) {
	ns := unwatchedNodes(t)
	dev1, other := ns.mustStart(t, "dev1", ""), ns.mustStart(t, "other", "")
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} { // they never run
		if _, err := other.client.add(t.Context(), name, "127.0.0.1:1"); err != nil {
			t.Fatal(err)
		}
	}
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1)}))
	tab.becomes("joined")
	if _, err := dev1.client.add(t.Context(), "", other.addr); err != nil {
		t.Fatal(err)
	}
	tab.until("nanoring.all().length === 9")
	changes := eval[[][]string](tab, "changes")
	if !slices.ContainsFunc(changes, func(names []string) bool { return len(names) >= 6 }) {
		t.Errorf("seven nodes came by %q", changes)
	}
	for _, names := range changes {
		if slices.Sort(names); len(slices.Compact(slices.Clone(names))) != len(names) {
			t.Errorf("a node changes twice at once: %q", names)
		}
	}
}

// testOwners holds the page against the golden vectors, and against a process.
func testOwners(t *testing.T, b *browser) {
	vectors, err := os.ReadFile("../../core/testdata/owners.json")
	if err != nil {
		t.Fatal(err)
	}
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := b.open(t, "http://"+dev1.addr+"/")
	tab.becomes("joined")
	wrong := eval[[]string](tab, `(async (vectors) => {
		const { owners } = await import("/owners.js");
		const wrong = vectors.owners.length > 50 ? [] : ["vectors are missing"];
		for (const { ring, key, key_hex, count, owners: want } of vectors.owners) {
			const bytes = key_hex && Uint8Array.from(key_hex.match(/../g), (digits) => parseInt(digits, 16));
			const got = owners(key ?? bytes, count, vectors.rings[ring]).map((node) => node.name);
			if (JSON.stringify(got) !== JSON.stringify(want)) {
				wrong.push(JSON.stringify({ ring, key, key_hex, count, want, got }));
			}
		}
		return wrong;
	})(`+string(vectors)+`)`)
	for _, w := range wrong {
		t.Error(w)
	}

	tab.until("nanoring.up().length === 3")
	firsts := make(map[string]int)
	for i := range 20 {
		key := "some/key:" + strconv.Itoa(i)
		members, err := dev2.client.members(t.Context(), pathOwners+"/"+segment(key)+"?n=3")
		if err != nil || len(members) != 2 { // the tab owns nothing
			t.Fatal(members, err)
		}
		firsts[members[0].Name]++
		want := members[0].Name + "," + members[1].Name
		if got := eval[string](tab, "nanoring.owners('"+key+"', 3).map((n) => n.name).join()"); got != want {
			t.Errorf("the owners of %s are %s for the tab, for the process %s", key, got, want)
		}
		if got := eval[string](tab, "nanoring.owners('"+key+"').map((n) => n.name).join()"); got != members[0].Name {
			t.Errorf("the owner of %s is %s for the tab, for the process %s", key, got, members[0].Name)
		}
	}
	if len(firsts) != 2 {
		t.Errorf("one node owns all: %v", firsts)
	}
	for _, call := range []string{"''", "new Uint8Array()", "'key', 0", "'key', -1", "'key', 1.5", "'key', NaN", "'key', '2'"} {
		if got := eval[string](tab, "(() => { try { return String(nanoring.owners("+call+")) } catch (error) { return error.code } })()"); got != "invalid" {
			t.Errorf("owners(%s): %s", call, got)
		}
	}
}

// testFilters holds the page against the golden vectors.
func testFilters(t *testing.T, b *browser) {
	vectors, err := os.ReadFile("../../core/testdata/filters.json")
	if err != nil {
		t.Fatal(err)
	}
	dev1, _ := startPair(t, unwatchedNodes(t))
	tab := b.open(t, "http://"+dev1.addr+"/")
	tab.becomes("joined")
	for _, w := range eval[[]string](tab, `(async ({ nodes, filters, invalid }) => {
		const { picks } = await import("/filter.js");
		const wrong = filters.length >= 50 && invalid.length >= 15 ? [] : ["vectors are missing"];
		for (const { picks: want, ...filter } of filters) {
			const got = nodes.filter(picks(filter)).map((node) => node.name);
			if (JSON.stringify(got) !== JSON.stringify(want)) {
				wrong.push(JSON.stringify({ filter, want, got }));
			}
		}
		for (const filter of invalid) {
			try {
				picks(filter);
				wrong.push(JSON.stringify({ filter, want: "invalid" }));
			} catch (error) {
				if (error.code !== "invalid") wrong.push(String(error));
			}
		}
		return wrong;
	})(`+string(vectors)+`)`) {
		t.Error(w)
	}
	for call, want := range map[string]string{
		"all({ name: 'dev*' })": "dev1,dev2", "up({ tags: ['!zone'], name: 'tab-*' })": tab.name(), "owners('key', 3, { name: 'dev2' })": "dev2",
	} {
		tab.until("nanoring." + call + ".map((n) => n.name).join() === '" + want + "'")
	}
}

// BenchmarkTabJoin is how long it takes from navigation until the page of a
// node is one of its ring, and as many times as a page with nothing in it.
func BenchmarkTabJoin(b *testing.B) {
	br := startBrowser(b)
	node, err := native.Start(b.Context(), native.Config{Name: "dev1", Listen: "127.0.0.1:0", Data: b.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer node.Close()
	tab := br.open(b, br.pages+"/empty")
	observe := page.AddScriptToEvaluateOnNewDocumentParams{Source: `new MutationObserver(() => {
		if (document.documentElement?.dataset.state === "joined") window.joinedAt ??= performance.now();
	}).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-state"] })`}
	if _, err := chromedp.Call(tab.ctx, page.AddScriptToEvaluateOnNewDocument, observe); err != nil {
		b.Fatal(err)
	}
	painted, joined, bare := 0.0, 0.0, 0.0
	for b.Loop() {
		tab.navigate(br.pages + "/empty")
		bare += eval[float64](tab, "performance.getEntriesByType('navigation')[0].duration")
		tab.navigate("http://" + node.Addr() + "/")
		tab.until("window.joinedAt")
		joined += eval[float64](tab, "joinedAt")
		painted += eval[float64](tab, "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
	}
	b.ReportMetric(painted/float64(b.N), "ms/painted")
	b.ReportMetric(joined/float64(b.N), "ms/joined")
	b.ReportMetric(joined/bare, "x/bare")
}
