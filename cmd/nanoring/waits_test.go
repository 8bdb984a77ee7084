package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/wasm/module"
)

// impatient opens an empty page, which waits for nothing as long as others do, and has
// run some JavaScript before it imports the library from a node.
func (b *browser) impatient(t *testing.T, from *process, waits, before string) *tab {
	t.Helper()
	tab := b.open(t, b.pages+"/empty")
	eval[any](tab, `(async () => {
		Object.assign((await import("http://`+from.addr+`/waits.js")).waits, `+waits+`);
		`+before+`
		const { join } = await import("http://`+from.addr+`/nanoring.js");
		window.log = [];
		window.start = async (options) => {
			window.nanoring = await join(options);
			nanoring.on("log", ({ kind, text }) => log.push(kind + ": " + text));
		};
		window.fails = (options) => join(options).then(() => "joined", (error) => error.code + ": " + error.message);
	})()`)
	return tab
}

// aToken is a JavaScript string of a JWT, as far as a tab can tell.
func aToken() string {
	return `"e30.` + base64.RawURLEncoding.EncodeToString([]byte(`{"ring":"nanoring","role":"guest","name":"tab-*"}`)) + `.c2ln"`
}

// testHungToken: a token function that does not answer once is called again, by which the
// answer that comes late is of no use; one that never does ends a join.
func testHungToken(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := b.impatient(t, dev1, "{ token: 200 }", "")
	tab.expect(killedGateway)
	eval[any](tab, `window.late = [], window.calls = 0, start({ gateways: ["`+gateways(dev1)[0]+`"], token: () =>
		++calls === 2 ? new Promise((_, reject) => late.push(reject)) : `+aToken()+` })`)
	tab.until("nanoring.up().length === 3")
	dev1.kill()
	tab.until("nanoring.gateway?.name === 'dev2'")
	dev2.becomes(t, tab.name(), "up")
	if got := eval[[]string](tab, "late[0](new Error('too late')), log"); !slices.Contains(got, "token: The token function has not answered in 0.2 s: it is called again") {
		t.Errorf("it says %q", got)
	}
	if got := eval[string](tab, "fails({ token: () => new Promise(() => {}) })"); got != "token: The token function has not answered in 1.4 s, and was called 3 times." {
		t.Errorf("join says %s", got)
	}
	tab.until("nanoring.gateway?.name === 'dev2'")
}

// testWorkersAreLight: the URLs of Workers that have begun, or that never will, are given back.
func testWorkersAreLight(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := b.impatient(t, dev1, "{ worker: 300 }", `
		window.urls = new Set(), window.made = 0;
		const { createObjectURL, revokeObjectURL } = URL;
		URL.createObjectURL = (blob) => { const url = createObjectURL(blob); made++; urls.add(url); return url; };
		URL.revokeObjectURL = (url) => { revokeObjectURL(url); urls.delete(url); }`)
	eval[any](tab, "start({ name: 'alice' })")
	eval[any](tab, "nanoring.leave()")
	eval[any](tab, "window.Worker = class { constructor(url) { if (String(url).startsWith('blob:')) return; return {}; } postMessage() {} terminate() {} }, 0")
	eval[any](tab, "start({ name: 'bob' })")
	dev2.becomes(t, "bob", "up")
	if got := eval[[]int](tab, "[made, urls.size]"); got[0] < 1 || got[1] != 0 {
		t.Errorf("there were %d, and are %d", got[0], got[1])
	}
}

// testTokensAreLight: what waited for a token leaves nothing at the life that it was for.
func testTokensAreLight(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	tab := b.impatient(t, dev1, "{ token: 20 }", "")
	if got := eval[int](tab, `(async () => {
		const { Tokens } = await import("http://`+dev1.addr+`/token.js");
		const { signal } = new AbortController();
		let left = 0;
		const [add, remove] = [signal.addEventListener, signal.removeEventListener];
		signal.addEventListener = (...a) => (left++, add.apply(signal, a));
		signal.removeEventListener = (...a) => (left--, remove.apply(signal, a));
		for (const from of ["", () => { throw new Error("no"); }, () => new Promise(() => {})]) {
			await new Tokens(from, () => {}).next(signal, 2).catch(() => {});
		}
		return left;
	})()`); got != 0 {
		t.Errorf("%d listeners are left", got)
	}
}

// testSlowToken: a token takes longer than a dial may. The next dial has it. The node lives in
// the page, whose clock leaps meanwhile.
func testSlowToken(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := b.impatient(t, dev1, "{}", "delete window.Worker;")
	tab.expect(killedGateway)
	eval[any](tab, `window.calls = 0, window.answers = [], start({ gateways: ["`+gateways(dev1)[0]+`"], token: () => ++calls === 1 ? `+aToken()+` :
		new Promise((resolve) => answers.push(() => resolve(`+aToken()+`))) })`)
	tab.until("nanoring.up().length === 3")
	dev1.kill()
	tab.until("answers.length === 1")
	eval[any](tab, "(() => { const now = performance.now.bind(performance); performance.now = () => now() + 6000; answers[0](); })()")
	tab.until("nanoring.gateway?.name === 'dev2'")
	dev2.becomes(t, tab.name(), "up")
	if got := eval[int](tab, "calls"); got != 2 {
		t.Errorf("it asked for %d tokens", got)
	}
}

// testSilentWorker: a Worker whose script says nothing is none.
func testSilentWorker(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := b.impatient(t, dev1, "{ worker: 200 }", `window.Worker = class extends Worker { constructor() { super("data:text/javascript,"); } };`)
	eval[any](tab, `start({})`)
	dev2.becomes(t, tab.name(), "up")
	if got := eval[[]string](tab, "log"); !slices.ContainsFunc(got, func(line string) bool {
		return strings.HasPrefix(line, "worker: This node lives on the page itself") && strings.Contains(line, "it does not begin")
	}) {
		t.Errorf("it says %q", got)
	}
}

// testWorkerLater: a page whose Worker could not be had once has one for its next node.
func testWorkerLater(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := b.impatient(t, dev1, "{ worker: 60000 }", `window.made = 0; window.Worker = class extends Worker {
		constructor(...a) { made++ ? super(...a) : super("data:text/javascript,"); if (made === 1) setTimeout(() => this.dispatchEvent(new ErrorEvent("error"))); }
	};`)
	for name, lives := range []string{"page", "Worker"} {
		eval[any](tab, fmt.Sprintf("start({ name: 'js%d' })", name))
		dev2.becomes(t, fmt.Sprintf("js%d", name), "up")
		if got := eval[bool](tab, "log.some((line) => line.startsWith('worker: '))"); got != (lives == "page") {
			t.Errorf("the node that is to live in the %s: %q", lives, eval[[]string](tab, "log"))
		}
		eval[any](tab, "log.length = 0, nanoring.leave()")
	}
}

// testDeadWorker: the nodes of a Worker that ends go on in another, under their names, and
// in the page when that has happened too often. Who leaves meanwhile has left.
func testDeadWorker(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := b.impatient(t, dev1, "{ beat: 300, worker: 60000, bye: 100 }", `window.made = []; window.Worker = class extends Worker { constructor(...a) { super(...a); made.push(this); } };`)
	eval[any](tab, `start({ name: "alice", tags: { page: "a" } })`)
	eval[any](tab, "nanoring.setTags({ page: 'b' })")
	dev2.becomes(t, "alice", "up")
	for n := range 3 {
		eval[any](tab, fmt.Sprintf("window.before = nanoring.all({ name: 'alice' })[0].instance, made[%d].terminate()", n))
		tab.until("nanoring.state === 'joined' && nanoring.all({ name: 'alice' })[0].instance !== before")
	}
	eventually(t, "all see it, with its tags", func() bool {
		m, err := dev2.client.members(t.Context(), pathUp+"?tag=page=b")
		return err == nil && len(m) == 1 && m[0].Name == "alice"
	})
	log := strings.Join(eval[[]string](tab, "log"), "\n")
	if strings.Count(log, "worker: The Worker of alice does not answer any more") != 3 || !strings.Contains(log, "has ended 3 times") {
		t.Errorf("it says %s", log)
	}
	if got := eval[int](tab, "made.length"); got != 3 {
		t.Errorf("%d Workers were made", got)
	}

	tab = b.impatient(t, dev1, "{ beat: 1e6, bye: 100 }", `window.made = []; window.Worker = class extends Worker { constructor(...a) { super(...a); made.push(this); } };`)
	eval[any](tab, `start({ name: "bob" })`)
	eval[any](tab, "made[0].terminate(), nanoring.leave()")
	if got := eval[string](tab, "nanoring.state"); got != "ended" {
		t.Errorf("it is %s", got)
	}
}

// testSlowModule: a line may be as slow as it is, as long as something comes.
func testSlowModule(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	lines := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Content-Type", "application/wasm")
		const pieces = 16
		for i := range pieces {
			w.Write(module.Wasm[len(module.Wasm)*i/pieces : len(module.Wasm)*(i+1)/pieces])
			w.(http.Flusher).Flush()
			if r.URL.Path == "/stalled.wasm" {
				<-r.Context().Done()
				return
			}
			time.Sleep(100 * time.Millisecond) // it is a slow line
		}
	}))
	t.Cleanup(lines.Close)
	tab := b.impatient(t, dev1, "{ module: 1000 }", "")
	at, _ := json.Marshal(lines.URL)
	if got := eval[string](tab, `fails({ module: `+string(at)+` + "/stalled.wasm" })`); !strings.HasSuffix(got, "cannot be fetched: nothing more of it came in 1 s.") {
		t.Errorf("it says %s", got)
	}
	eval[any](tab, `start({ module: `+string(at)+` + "/slow.wasm" })`)
	tab.until("nanoring.state === 'joined'")
}

// testSilentAnswerer: who answers nothing has no more of the places of those who do when
// his questions are over.
func testSilentAnswerer(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	tab := b.impatient(t, dev1, "{}", "")
	eval[any](tab, `start({}).then(() => nanoring.answer("who", ({ text }) => text === "?" ? new Promise(() => {}) : "me"))`)
	got := eval[string](tab, `(async () => {
		const ask = async (text, timeout) => {
			const answers = nanoring.ask("who", text, { timeout, to: { name: nanoring.name } }), said = [];
			for await (const { text } of answers) said.push(text);
			return said.join();
		};
		await Promise.all(Array.from({ length: 16 }, () => ask("?", 100)));
		return ask("!", 20000);
	})()`)
	if got != "me" {
		t.Errorf("it answers %q", got)
	}
}
