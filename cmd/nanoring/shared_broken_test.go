package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// alone opens an empty page of a node's own origin, in which SharedWorkers are objects of that page, so that it
// can be seen what goes on in them: names are theirs, and the first of them hang if "hung" says so.
func (b *browser) alone(t *testing.T, from *process, waits string) *tab {
	t.Helper()
	tab := b.newTab(t)
	tab.expect("favicon.ico|" + killedGateway)
	tab.navigate("http://" + from.addr + "/nanoring.js")
	eval[any](tab, `(async () => {
		Object.assign((await import("/waits.js")).waits, `+waits+`);
		const { Hub } = await import("/hub.js"), { Line } = await import("/line.js"), { join } = await import("/nanoring.js");
		const hubs = {};
		Object.assign(window, { join, Line, hung: 0, names: [], log: [], ends: [], connect(name) {
			const { port1, port2 } = new MessageChannel();
			(hubs[name] ??= new Hub()).connect(port2);
			return port1;
		} });
		window.SharedWorker = class {
			constructor(_, { name }) {
				names.push(name);
				this.port = hung-- > 0 ? new MessageChannel().port1 : connect(name);
			}
		};
		window.start = async (options) => {
			window.nanoring = await join({ shared: true, ...options });
			nanoring.on("log", ({ kind, text }) => log.push(kind + ": " + text));
			nanoring.on("end", (error) => ends.push(error?.code ?? "left"));
		};
		window.fails = (options) => join({ shared: true, ...options }).then(() => "joined", (error) => error.code + ": " + error.message);
	})()`)
	return tab
}

// testSharedFrozen: a tab that is frozen while it joins goes on when it is thawed.
func testSharedFrozen(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	tab := b.alone(t, dev1, "{}")
	eval[any](tab, "window.calls = 0, window.joins = start({ name: 'us', token: () => ++calls === 1 ? new Promise(() => {}) : '' }).then(() => 'joined', String), 0")
	tab.until("calls === 1")
	tab.lifecycle("frozen")
	tab.lifecycle("active")
	if got := eval[string](tab, "joins"); got != "joined" {
		t.Errorf("join says %s", got)
	}
	dev1.becomes(t, "us", "up")
}

// testSharedTokens: a Worker that asks again and again for a token waits for the same one.
func testSharedTokens(t *testing.T, b *browser) {
	ns := unwatchedNodes(t)
	dev1, dev2 := startPair(t, ns)
	tab := b.alone(t, dev1, "{ token: 100 }")
	eval[any](tab, `window.calls = 0, window.hangs = false, start({ token: () => (calls++, hangs ? new Promise(() => {}) : `+aToken()+`) })`)
	tab.until("nanoring.up().length === 3")
	eval[any](tab, "calls = 0, hangs = true, 0")
	dev1.kill()
	tab.until("log.some((line) => line.includes('has not answered in 3.1 s'))")
	if got := eval[int](tab, "calls"); got > 7 { // after 0, 0.1, 0.3, 0.7, 1.5, 3.1 s
		t.Errorf("it is called %d times", got)
	}
	eval[any](tab, "hangs = false, 0")
	dev2.becomes(t, tab.name(), "up")
}

// testSharedTooMuch: a tab whose tags do not fit, and that can have no name of its own, is told so.
func testSharedTooMuch(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	tab := b.alone(t, dev1, "{}")
	eval[any](tab, "start({ name: 'us', tags: { page: 'a' } })")
	got := eval[string](tab, "fails({ name: 'us', tags: { page: 'x'.repeat(600), role: 'web' } })")
	for _, words := range []string{"invalid: This tab cannot share us, ", "its tags page, role ", " bytes, and may have 512", "2 tabs share this node"} {
		if !strings.Contains(got, words) {
			t.Errorf("it does not say %q: %s", words, got)
		}
	}
	eval[any](tab, "join({ shared: true, tags: { page: 'x'.repeat(300) } }).then(() => join({ shared: true, tags: { page: 'y'.repeat(300) } }))") // one of its own
	eventually(t, "each is a node", func() bool { return len(dev1.ups(t)) == 4 })
}

// testSharedHung: a SharedWorker that hangs is found by no tab any more.
func testSharedHung(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	tab := b.alone(t, dev1, "{ worker: 2000 }")
	eval[any](tab, "hung = 1, start({ name: 'us' })")
	eval[any](tab, "join({ name: 'us', shared: true })")
	if got := eval[string](tab, "new Set(names).size + ' ' + names.map((name) => names.indexOf(name))"); got != "2 0,1,1" {
		t.Errorf("it found %s", got)
	}
	dev1.becomes(t, "us", "up")
	eval[any](tab, "hung = 9, start({ name: 'them' })")
	tab.until("log.some((line) => line.startsWith('shared: ') && line.includes('its SharedWorker does not begin'))")
	eval[any](tab, "nanoring.leave()")
	eval[any](tab, "hung = 0, log.length = 0, start({ name: 'them' })")
	tab.until("nanoring.state === 'joined' && names.length === 6 && !log.some((line) => line.startsWith('shared: '))")
}

// testSharedFailed: a join that has failed is no node later.
func testSharedFailed(t *testing.T, b *browser) {
	ns := unwatchedNodes(t)
	dev1 := ns.mustStart(t, "dev1", "")
	tab := b.alone(t, dev1, "{ beat: 100, bye: 100 }")
	tab.expect(".")
	if got := eval[string](tab, "fails({ name: 'us', gateways: ['ws://127.0.0.1:1/ring'] })"); !strings.HasPrefix(got, "unreachable: ") {
		t.Errorf("it says %s", got)
	}
	eval[any](tab, `(async () => {
		window.begun = names.length;
		for (let times = 0; times < 3; times++) await new Promise((dead) => new Line(new MessageChannel().port1, {}).watch(dead)); // by then it would have seen it, too
	})()`)
	if got := eval[int](tab, "names.length - begun"); got != 0 {
		t.Errorf("it has tried again %d times", got)
	}
}

// testSharedLeftEarly: a tab that gives up while the node takes its tags is not let in.
func testSharedLeftEarly(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	tab := b.alone(t, dev1, "{}")
	eval[any](tab, "start({ name: 'us', tags: { page: 'a' } })")
	got := eval[string](tab, `(async () => {
		const { Commands } = await import("/commands.js"), real = Commands.prototype.do;
		let begun = 0;
		const line = new Line(connect(names[0]), { begin: () => begun++ });
		Commands.prototype.do = function (...command) {
			Commands.prototype.do = real;
			line.say("leave");
			return line.ask("beat").then(() => real.apply(this, command));
		};
		const said = await line.ask("join", { options: { name: "us" }, tags: { page: "b" }, token: "", old: "", lock: "" }).then(() => "joined", (error) => error.code);
		return said + begun;
	})()`)
	if got != "halting0" {
		t.Errorf("it is %s", got)
	}
	tab.until("nanoring.all({ name: 'us' })[0].tags.page === 'a' && !nanoring.all({ name: 'us' })[0].tags.tabs")
}

// testSharedWhy: in a SharedWorker what a browser does not say is said in the same words as in a page.
func testSharedWhy(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	tab := b.sharing(t, dev1.addr, "{}")
	tab.expect(".")
	first, err := freePorts(1)
	must(t, err)
	nobody := localhost(first, 1)[0]
	got := eval[[]string](tab, `import("/nanoring.js").then(({ join }) => Promise.all([true, false].map((shared) =>
		join({ shared, name: "them", gateways: ["ws://`+nobody+`/ring"] }).then(() => "joined", (error) => error.message))))`)
	if want := "No gateway answers at ws://" + nobody + "/ring: nobody is there."; got[0] != got[1] || !strings.HasPrefix(got[0], want) {
		t.Errorf("it says %q, not %s", got, want)
	}
}

// testGivenUpLate: who gives up just when join resolves leaves no node.
func testGivenUpLate(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	tab := b.alone(t, dev1, "{}")
	eval[any](tab, `(async () => {
		const real = Storage.prototype.setItem;
		for (const shared of [false, true]) {
			for (let late = 0; late < 16; late++) {
				const gone = new AbortController();
				Storage.prototype.setItem = async function (...args) { // who remembers its name is in
					Storage.prototype.setItem = real;
					real.apply(this, args);
					for (let turn = 0; turn < late; turn++) await null;
					gone.abort();
				};
				await join({ shared, signal: gone.signal }).then((node) => gone.signal.aborted || node.leave(), () => {}); // as the README's examples do
			}
		}
	})()`)
	eventually(t, "nobody is left", func() bool { return len(dev1.ups(t)) == 1 })
}

// crash kills the process of a tab's page, which says bye to nobody.
func (tab *tab) crash() {
	tab.Helper()
	go chromedp.Call(tab.ctx, page.Crash, cdp.Empty{}) // nobody is there any more to answer
}

// testSharedCrash: a tab that crashes is missed by those that it shared a node with, where there are locks and where there
// are none; they go on, in another SharedWorker if that has died with it.
func testSharedCrash(t *testing.T, b *browser, before string) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	one := b.sharing(t, dev1.addr, `{ ...(`+before+`, {}), tags: { page: "a" } }`)
	two := b.sharing(t, dev1.addr, `{ ...(`+before+`, {}), tags: { page: "b" } }`)
	three := b.sharing(t, dev1.addr, `{ ...(`+before+`, {}), tags: { page: "c" } }`)
	for _, tab := range []*tab{one, two, three} {
		tab.until(`tabs() === "a,b,c"`)
	}
	three.crash()
	one.until(`["a,b", "b,a"].includes(tabs())`)
	one.crash()
	two.until(`tabs() === "b" && nanoring.state === "joined" && ends.length === 0`)
	dev1.becomes(t, "us", "up")
}

// TestEndedRuntime: a runtime that has ended keeps no program from ending.
func TestEndedRuntime(t *testing.T) {
	t.Parallel()
	lib, err := filepath.Abs("../../web/lib/runtime.js")
	must(t, err)
	if got := string(command(t, t.TempDir(), "node", "--experimental-websocket", "--no-warnings", "--input-type=module", "-e", `
		const { Runtime } = await import(process.argv[1]);
		const timers = () => process.getActiveResourcesInfo().filter((what) => what === "Timeout").length;
		const runtime = new Runtime(["ws://127.0.0.1:1/ring"], {});
		runtime.dial(1n);
		const before = timers();
		runtime.end();
		console.log(before, timers());`, "file://"+lib)); got != "1 0\n" {
		t.Errorf("it has timers before and after: %s", got)
	}
}
