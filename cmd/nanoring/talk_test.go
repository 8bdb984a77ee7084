package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestTalk has tabs of a real browser send messages, and ask and answer questions.
func TestTalk(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	t.Run("tabs", func(t *testing.T) { // the browser is there until all are done
		for name, test := range map[string]func(*testing.T, *browser){
			"send, tell and listen":              testSend,
			"ask and answer":                     testAsk,
			"say what is wrong":                  testWrongMessages,
			"hear all though a gateway dies":     testHearsOn,
			"are told what they did not read":    testUnread,
			"are told what they had no time for": testBusyHearer,
			"are answered by 16 at a time":       testAnswering,
			"hear only what their token allows":  testMayHear,
			"show it on the page":                testTalkPage,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, b)
			})
		}
	})
}

// startTalk starts two tabs, alice and bob, each with a gateway of its own.
func startTalk(t *testing.T, b *browser) (alice, bob *tab) {
	t.Helper()
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	alice = b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1), "name": "alice", "tags": map[string]string{"zone": "a"}}))
	bob = b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev2), "name": "bob", "tags": map[string]string{"zone": "b"}}))
	for _, tab := range []*tab{alice, bob} {
		tab.becomes("joined")
		tab.until("nanoring.up().length === 4")
	}
	return alice, bob
}

// hears has a tab keep what it hears, and waits until its gateway knows that it
// listens: another can tell it something.
func (tab *tab) hears(from *tab, pattern, topic string) {
	tab.Helper()
	eval[any](tab, fmt.Sprintf(`window.words = [], window.unlisten = nanoring.listen(%q, ({ from, topic, text, told, gap }) =>
		topic === %q && text === "ready" ? (window.ready = true) : words.push([from, topic, text, told, gap].join())), undefined`, pattern, topic))
	tab.Log(eval[string](from, fmt.Sprintf(`(async () => {
		for (let i = 1; ; i++) {
			try { await nanoring.tell(%q, %q, "ready"); return "heard at try " + i; }
			catch (error) { if (!["nobody", "unknown-node", "busy"].includes(error.code)) throw error; }
			await new Promise((resolve) => setTimeout(resolve, 50)); // else the tries use up what a tab may send
		}
	})()`, tab.name(), topic)))
	tab.until("window.ready")
}

func testSend(t *testing.T, b *browser) {
	alice, bob := startTalk(t, b)
	bob.hears(alice, "chat.*", "chat.go")
	alice.hears(bob, "*", "go")
	eval[any](alice, `nanoring.send("chat.a", "hi <b>ü</b>").then(() => nanoring.send("other", "nobody hears"))
		.then(() => nanoring.send("chat.b", new Uint8Array([0, 255, 10]))).then(() => nanoring.send("chat.c"))
		.then(() => nanoring.send("chat.d", "x".repeat(8192), { to: { tags: ["zone=b"], name: "bo*", state: "up" } }))
		.then(() => nanoring.send("chat.e", "not to bob", { to: { tags: ["!zone"] } }))
		.then(() => nanoring.send("chat.end", "."))`)
	bob.until(`words.at(-1) === "alice,chat.end,.,false,false"`)
	eval[any](alice, `nanoring.tell("bob", "chat.f", "to bob").then(() => nanoring.tell("bob", "chat.f", "and again"))`)
	want := strings.Join([]string{"alice,chat.a,hi <b>ü</b>,false,false", "alice,chat.b,\x00\ufffd\n,false,false", "alice,chat.c,,false,false",
		"alice,chat.d," + strings.Repeat("x", 8192) + ",false,false", "alice,chat.end,.,false,false", "alice,chat.f,to bob,true,false", "alice,chat.f,and again,true,false"}, "|")
	if got := eval[string](bob, "words.join('|')"); got != want {
		t.Errorf("bob hears %.300q", got)
	}
	// One hears oneself, too, and what is for nobody in particular.
	alice.until(`words.at(-1)?.startsWith("alice,chat.end")`)
	if got := eval[string](alice, "words.map((word) => word.split(',')[1]).join()"); got != "chat.a,other,chat.b,chat.c,chat.end" {
		t.Errorf("alice hears %s", got)
	}
	if got := eval[string](alice, `nanoring.listen("bytes", ({ payload }) => (window.bytes = payload)), nanoring.send("bytes", new Uint8Array([0, 255, 10])).then(() => "sent")`); got != "sent" {
		t.Error(got)
	}
	alice.until(`window.bytes instanceof Uint8Array && bytes.join() === "0,255,10"`)

	// As a loop, which ends by a break, or with the node; and then it is told no more.
	eval[any](bob, `unlisten(), window.loop = (async () => {
		const got = [];
		for await (const { text } of nanoring.listen("count", "count.*")) {
			if (text === "stop") break;
			got.push(text);
		}
		return got.join();
	})(), window.all = (async () => {
		let count = 0;
		for await (const message of nanoring.listen("count*")) count++;
		return count;
	})(), undefined`)
	eval[any](alice, `(async () => {
		while ((await nanoring.tell("bob", "count.0", "0").catch((error) => error.code)) === "nobody");
		for (let i = 1; i < 100; i++) await nanoring.send(i % 2 ? "count" : "count.even", String(i));
		await nanoring.send("count", "stop");
	})()`)
	if got := eval[string](bob, "loop"); strings.Count(got, ",") != 99 || !strings.HasSuffix(got, ",98,99") {
		t.Errorf("its loop has %s", got)
	}
	eval[any](bob, "nanoring.leave()")
	if got := eval[int](bob, "all"); got != 101 {
		t.Errorf("the loop that ends with the node has %d", got)
	}
	if got := eval[string](bob, `[() => nanoring.listen("x"), () => nanoring.answer("x", () => "")].map((f) => { try { f(); } catch (error) { return error.code; } }).join() + "," +
		"" `); got != "halting,halting," {
		t.Errorf("after it left it says %s", got)
	}
	if got := eval[string](bob, `Promise.all([nanoring.send("x"), nanoring.tell("alice", "x"), (async () => { for await (const a of nanoring.ask("x")); })()].map((p) => p.catch((error) => error.code))).then((codes) => codes.join())`); got != "halting,halting,halting" {
		t.Errorf("after it left it says %s", got)
	}
}

func testAsk(t *testing.T, b *browser) {
	alice, bob := startTalk(t, b)
	eval[any](bob, `window.asked = [], window.stop = nanoring.answer("who.*", async ({ from, topic, text, until }) => {
		asked.push([from, topic, text].join());
		if (text === "until") return String(until instanceof Date && until > new Date() && until <= new Date(Date.now() + 300000));
		if (text === "fail") throw new Error("the disk is full");
		if (text === "busy") throw Object.assign(new Error(), { code: "busy" });
		if (text === "much") return "x".repeat(9000);
		if (text === "bytes") return new Uint8Array([7, 0]);
		if (text === "never") return new Promise(() => {});
		return "bob edits " + text;
	}), undefined`)
	ask := func(payload, options string) string {
		t.Helper()
		return eval[string](alice, fmt.Sprintf(`(async () => {
			const answers = nanoring.ask("who.edits", %q, %s), got = [];
			for await (const answer of answers) got.push(answer.from + ": " + (answer.text.startsWith("\x07") ? answer.payload.join() : answer.text));
			for (const [name, error] of answers.failed) got.push(name + " failed: " + error.code + ": " + error.message);
			return got.sort().join("|") + " silent: " + answers.silent.join();
		})()`, payload, options))
	}
	eventually(t, "bob answers", func() bool { return ask("x", "{}") == "bob: bob edits x silent: " })
	eval[any](alice, `nanoring.answer("who.edits", ({ text }) => text === "none" ? undefined : "alice edits " + text), undefined`)
	for _, test := range []struct{ payload, options, want string }{
		{"y", "{}", "alice: alice edits y|bob: bob edits y silent: "},
		{"y", "{ to: { name: '!alice' } }", "bob: bob edits y silent: "},
		{"y", "{ to: { tags: ['zone=none'] } }", " silent: "},
		{"none", "{ to: { name: 'alice' } }", "alice:  silent: "},
		{"bytes", "{ to: { name: 'bob' } }", "bob: 7,0 silent: "},
		{"until", "{ to: { name: 'bob' }, timeout: 300000 }", "bob: true silent: "},
		{"fail", "{}", "alice: alice edits fail|bob failed: failed: bob has no answer: the disk is full. silent: "},
		{"busy", "{}", "alice: alice edits busy|bob failed: busy: bob has no answer: busy. silent: "},
		{"much", "{}", "alice: alice edits much|bob failed: failed: bob has no answer: the answer has 9000 bytes, and may have 8192. silent: "},
		{"never", "{ timeout: 500 }", "alice: alice edits never silent: bob"},
		{"never", "{ limit: 1, timeout: 600000, to: { name: '!dev*' } }", "alice: alice edits never silent: bob"},
	} {
		if got := ask(test.payload, test.options); got != test.want {
			t.Errorf("who edits %s, %s: %q, not %q", test.payload, test.options, got, test.want)
		}
	}

	// A break calls it off; it says who had not answered.
	if got := eval[string](alice, `(async () => {
		const answers = nanoring.ask("who.edits", "never", { timeout: 600000, to: { name: "!dev*" } });
		for await (const { from } of answers) break;
		return answers.silent.join();
	})()`); got != "bob" {
		t.Errorf("%q are silent", got)
	}
	eval[any](bob, "stop()")
	eventually(t, "bob answers no more", func() bool { return ask("x", "{}") == "alice: alice edits x silent: " })
	if got := eval[string](bob, "[...new Set(asked)].join('|')"); !strings.HasPrefix(got, "alice,who.edits,x|alice,who.edits,y|") {
		t.Errorf("bob was asked %s", got)
	}

	// A question that is open when its node begins anew is lost.
	if got := eval[string](alice, `(async () => {
		nanoring.answer("none", () => new Promise(() => {}));
		const lost = (async () => { for await (const answer of nanoring.ask("none", "", { timeout: 600000 })); })().catch((error) => error.code + error.retryable);
		dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
		dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
		return await lost;
	})()`); got != "haltingtrue" {
		t.Error(got)
	}
	alice.until("nanoring.state === 'joined'")
	eventually(t, "it answers still", func() bool { return ask("z", "{}") == "alice: alice edits z silent: " })
}

func testWrongMessages(t *testing.T, b *browser) {
	alice, bob := startTalk(t, b)
	for js, want := range map[string]string{
		`nanoring.send("", "x")`:                                     `invalid: The message was not sent: topic "": empty.`,
		`nanoring.send("x".repeat(65))`:                              "invalid: The message was not sent: ",
		`nanoring.send("with space")`:                                "invalid: The message was not sent: ",
		`nanoring.send("chat.*")`:                                    "invalid: The message was not sent: ",
		`nanoring.send("x", "ü".repeat(4097))`:                       "invalid: The message was not sent: the payload has 8194 bytes, and may have 8192",
		`nanoring.send("x", { a: 1 })`:                               "invalid: A topic is a string, and a payload is a string or a Uint8Array: JSON.stringify",
		`nanoring.send("x", "", { to: { tags: ["=a"] } })`:           "invalid: The filter",
		`nanoring.tell("nobody", "x")`:                               "unknown-node: nobody was not told: ",
		`nanoring.tell("bob", "x")`:                                  "nobody: bob was not told: nobody at bob hears x.",
		`nanoring.tell("dev2", "x")`:                                 "nobody: dev2 was not told: nobody at dev2 hears x.",
		`nanoring.ask("x", "", { timeout: 0 }).next()`:               "invalid: A question is open",
		`nanoring.ask("x", "", { timeout: "soon" }).next()`:          "invalid: A question is open",
		`nanoring.ask("x", "", { limit: 0.5 }).next()`:               "invalid: A question is open",
		`nanoring.ask("x y").next()`:                                 "invalid: The question was not asked: ",
		`nanoring.listen("a b", () => {})`:                           `invalid: "a b" is no pattern`,
		`nanoring.listen("*".repeat(1000), () => {})`:                "invalid: ",
		`nanoring.listen("ok", 7)`:                                   "invalid: ",
		`nanoring.answer("ü", () => {})`:                             "invalid: ",
		`[...Array(64).keys()].map((i) => nanoring.answer("a" + i))`: "invalid: There are 63 who answer here already",
	} {
		if got := eval[string](alice, "(async () => "+js+")().then(() => 'done', (error) => error.code + ': ' + error.message)"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", js, got)
		}
	}
	// Who sends too much is told so at once, and can send later.
	if got := eval[string](alice, `Promise.all(Array.from({ length: 300 }, (_, i) => nanoring.send("much", String(i)).then(() => "", (error) => error.code + error.retryable + error.message)))
		.then((codes) => [...new Set(codes)].join())`); got != ",busytrueThe message was not sent: too many messages at once: try again later." {
		t.Errorf("300 messages at once: %s", got)
	}
	if got := eval[string](alice, `Promise.all(Array.from({ length: 200 }, async () => { for await (const answer of nanoring.ask("much", "")); }).map((asked) => asked.catch((error) => error.code + error.retryable + error.message)))
		.then((errors) => errors.findLast(Boolean))`); got != "busytrueThe question was not asked: too many messages at once: try again later." {
		t.Errorf("200 questions at once: %s", got)
	}
	eventually(t, "it can send again", func() bool {
		return eval[string](alice, `nanoring.send("much", "again").then(() => "sent", (error) => error.code)`) == "sent"
	})
	// More topics than a node may have are heard all the same.
	eval[any](bob, `window.many = [], Array.from({ length: 100 }, (_, i) => nanoring.listen("many." + i, ({ topic }) => many.push(topic))), undefined`)
	bob.hears(alice, "ready", "ready")
	eval[any](alice, `nanoring.send("many.7").then(() => nanoring.send("many.none")).then(() => nanoring.send("many.99"))`)
	bob.until(`many.join() === "many.7,many.99"`)
}

// testHearsOn: who has another gateway hears what it missed in between, in order.
func testHearsOn(t *testing.T, b *browser) {
	ns := unwatchedNodes(t)
	dev1, dev2 := startPair(t, ns)
	dev3 := ns.mustStart(t, "dev3", "", "--join", dev1.addr)
	eventually(t, "the three are a ring", func() bool { return dev2.isUp(t, "dev1", "dev2", "dev3") })
	alice := b.open(t, b.page(dev2, joinOptions{"gateways": gateways(dev2), "name": "alice"}))
	bob := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1, dev3), "name": "bob"}))
	for _, tab := range []*tab{alice, bob} {
		tab.expect(killedGateway)
		tab.becomes("joined")
		tab.until("nanoring.up().length === 5")
	}
	bob.hears(alice, "*", "go")
	eval[any](alice, `window.sent = 0, window.timer = setInterval(() => nanoring.send("n", String(sent++)), 50), undefined`)
	bob.until("words.length > 20")
	dev1.kill()
	bob.until("nanoring.gateway && nanoring.gateway.name !== 'dev1'")
	bob.until("words.length > 80")
	eval[any](alice, "clearInterval(timer)")
	bob.until(fmt.Sprintf("words.length >= %d", eval[int](alice, "sent")))
	if got := eval[string](bob, `words.findIndex((word, i) => word !== "alice,n," + i + ",false,false") + " " + words.filter((w) => w.endsWith("true"))`); got != "-1 " {
		t.Errorf("it hears %s: %v", got, eval[[]string](bob, "words"))
	}
}

// testUnread: what is not read does not pile up, and that some was lost is said.
func testUnread(t *testing.T, b *browser) {
	alice, bob := startTalk(t, b)
	bob.hears(alice, "n", "n")
	eval[any](bob, `window.unread = nanoring.listen("n"), undefined`)
	eval[any](alice, fmt.Sprintf(`(async () => {
		const { join } = await import(%q);
		const gateway = nanoring.gateway.url;
		for (let i = 0; i < 3; i++) {
			const node = await join({ gateways: [gateway], name: "many" + i });
			await Promise.all(Array.from({ length: 100 }, (_, j) => node.send("n", i + "." + j)));
		}
	})()`, eval[string](alice, "new URLSearchParams(location.search).get('from')")))
	bob.until("words.length === 300")
	if got := eval[string](bob, `(async () => {
		const got = [];
		for await (const { text, gap } of unread) {
			got.push(text + gap);
			if (text === "2.99") break;
		}
		return got.length + " " + got[0] + " " + got[1] + " " + got.filter((text) => text.endsWith("true")).length;
	})()`); got != "256 0.44true 0.45false 1" {
		t.Error(got)
	}
}

// testBusyHearer: what a page is too busy for does not pile up either. Its Worker hears
// it all the same.
func testBusyHearer(t *testing.T, b *browser) {
	release := make(chan struct{})
	gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-release
		w.Header().Set("Access-Control-Allow-Origin", "*")
	}))
	defer gate.Close()
	alice, bob := startTalk(t, b)
	bob.hears(alice, "n*", "n")
	eval[any](bob, `window.gaps = [], nanoring.on("gap", (name) => gaps.push(name)), nanoring.answer("q", () => "late"), undefined`)
	eval[any](alice, fmt.Sprintf(`(async () => {
		const { join } = await import(%q);
		window.many = [];
		for (let i = 0; i < 12; i++) many.push(await join({ gateways: [nanoring.gateway.url], name: "many" + i })); // at once they would wait for each other
		window.heard = 0;
		nanoring.listen("n", () => heard++);
	})()`, eval[string](alice, "new URLSearchParams(location.search).get('from')")))
	busy := make(chan struct{})
	go func() {
		defer close(busy)
		chromedp.Run(bob.ctx, chromedp.Evaluate[any](fmt.Sprintf(`(() => {
			const request = new XMLHttpRequest();
			request.open("GET", %q, false);
			request.send();
		})()`, gate.URL)))
	}()
	if got := eval[string](alice, `(async () => {
		for (let i = 0; i < 100; i++) await Promise.all(many.map((node) => node.send("n", node.name + " " + i)));
		const answers = nanoring.ask("q", "", { to: { name: "bob" } });
		for await (const { text } of answers) return text;
		await nanoring.tell("bob", "n", "told");
		return heard + " " + answers.failed.get("bob")?.code;
	})()`); got != "1200 busy" {
		t.Error(got)
	}
	close(release)
	<-busy
	bob.until("words.length === 1024")
	eval[any](alice, `nanoring.send("n", "last")`)
	bob.until("words.length === 1025")
	if got := eval[string](bob, `words.at(-1) + " " + words.filter((word) => word.endsWith("true")).length + " " + JSON.stringify(gaps)`); got != `alice,n,last,false,true 1 [""]` {
		t.Error(got)
	}
}

// testAnswering: of many questions at once some are answered later, and too many are not.
func testAnswering(t *testing.T, b *browser) {
	alice, bob := startTalk(t, b)
	eval[any](bob, `window.now = 0, window.most = 0, window.finish = [], nanoring.answer("q", async () => {
		most = Math.max(most, ++now);
		await new Promise((done) => finish.push(done));
		now--;
		return "done";
	}), undefined`)
	bob.hears(alice, "go", "go")
	eval[any](alice, `window.all = Promise.all(Array.from({ length: 40 }, async (_, i) => {
		for await (const { text } of nanoring.ask("q", String(i), { timeout: 60000 })) return text;
	})), undefined`)
	bob.until("now === 16")
	eval[any](bob, "window.timer = setInterval(() => finish.splice(0).forEach((done) => done()), 10)")
	if got := eval[string](alice, "all.then((all) => all.join())"); got != strings.TrimSuffix(strings.Repeat("done,", 40), ",") {
		t.Error(got)
	}
	if got := eval[int](bob, "most"); got != 16 {
		t.Errorf("%d were answered at a time", got)
	}
}

func testMayHear(t *testing.T, b *browser) {
	dev1, _, key := startLocked(t, b)
	tab := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1), "token": mint(t, key, "--name", "alice")}))
	tab.becomes("joined")
	if got := eval[string](tab, `["x", "*"].map((pattern) => { try { nanoring.listen(pattern); } catch (error) { return error.message; } }).join()`); got != "The token does not let this node hear x.,The token does not let this node hear *." {
		t.Error(got)
	}
	if got := eval[string](tab, `nanoring.send("x").catch((error) => error.code)`); got != "forbidden" {
		t.Error(got)
	}
	eval[any](tab, "nanoring.leave()")
	tab.becomes("ended")
	eval[any](tab, fmt.Sprintf(`start({ gateways: %q.split(","), token: %q })`, gateways(dev1)[0], mint(t, key, "--name", "bob", "--send", "chat.a", "--hear", "chat.*")))
	tab.becomes("joined")
	if got := eval[string](tab, `(async () => {
		const heard = nanoring.listen("*"), codes = [];
		for (const topic of ["chat.b", "other", "chat.a"]) codes.push(await nanoring.send(topic, topic).catch((error) => error.code));
		try { nanoring.answer("other", () => ""); } catch (error) { codes.push(error.code); }
		nanoring.answer("chat.ask", () => "");
		return codes.join();
	})()`); got != "forbidden,forbidden,,forbidden" {
		t.Error(got)
	}
}

// testTalkPage: the page shows what is said, once somebody looks, and as text alone.
func testTalkPage(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	page := b.open(t, "http://"+dev1.addr+"/")
	alice := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev2), "name": "alice"}))
	for _, tab := range []*tab{page, alice} {
		tab.becomes("joined")
		tab.until("nanoring.up().length === 4")
	}
	eval[any](page, `document.querySelector("#talk-tab").click()`)
	page.until(`document.querySelector("#log-panel").hidden && !document.querySelector("#talk-panel").hidden && document.querySelector("#talk-none").offsetHeight`)
	eventually(t, "the page listens", func() bool {
		return eval[string](alice, fmt.Sprintf(`nanoring.tell(%q, "chat", "hello, %[1]s").then(() => "told", (error) => error.code)`, page.name())) == "told"
	})
	eval[any](alice, `(async () => {
		await nanoring.send("chat", "<img src=x onerror=alert(1)><b>bold</b>");
		await nanoring.send("chat.raw", "\x1b[31mred\x07 \u202eevil\u0000\n2nd");
		await nanoring.send("bytes", new Uint8Array([0xff, 0, 1, 2]));
		await nanoring.send("long", "long ".repeat(1000));
	})()`)
	page.until(`document.querySelectorAll("#talk-list li").length === 5`)
	want := []string{
		"alice long 4.9 KiB " + strings.Repeat("long ", 56) + "… (5000 bytes)", "alice bytes 4 B 4 bytes: ff 00 01 02", `alice chat.raw 22 B \u{1b}[31mred\u{7} \u{202e}evil\u{0}\u{a}2nd`,
		"alice chat 39 B <img src=x onerror=alert(1)><b>bold</b>", "alice chat 16 B hello, " + page.name(),
	}
	if got := eval[[]string](page, `[...document.querySelectorAll("#talk-list li div")].map((line) => [...line.children].map((e) => e.textContent).join(" "))`); !slices.Equal(got, want) {
		t.Errorf("it shows %q", got)
	}
	if got := eval[int](page, `document.querySelectorAll("#talk-list :not(li, div, time, bdi, span)").length`); got != 0 {
		t.Errorf("%d elements are none of the page's", got)
	}

	// A name is not broken for what is said after it.
	eval[any](page, `nanoring.send("metrics.cpu", JSON.stringify({ node: "a-long-name-of-it", cpu: 0.25 }))`)
	page.until(`document.querySelector("#talk-list li .code").textContent === "metrics.cpu"`)
	if got := eval[int](page, `document.querySelector("#talk-list li .from").offsetHeight`); got > 30 {
		t.Errorf("a name has %d px", got)
	}
	eval[any](page, `document.querySelector("#talk-list li").remove()`)

	// So is a question, and a name and tags that are markup.
	markup := `<img src=x onerror=alert(2)>`
	eval[any](alice, fmt.Sprintf(`(async () => {
		const { join } = await import(%q);
		const evil = await join({ gateways: [nanoring.gateway.url], name: %q, tags: { "<script>": "<iframe>" } });
		evil.ask("who.is", "<i>there</i>?").next();
	})()`, eval[string](alice, "new URLSearchParams(location.search).get('from')"), markup))
	page.until(`document.querySelectorAll("#talk-list li").length === 6`)
	if got := eval[string](page, `(() => {
		const line = document.querySelector("#talk-list li div");
		return [...line.children].map((e) => e.textContent).join(" ") + " " + getComputedStyle(line.lastElementChild, "::before").content;
	})()`); got != markup+` who.is 13 B <i>there</i>? "asks: "` {
		t.Errorf("of a question it shows %q", got)
	}
	page.until(`nanoring.all().length === 5 && [...document.querySelectorAll("#nodes-body tr")].some((row) => row.dataset.name.startsWith("<img") && (row.querySelector("button").click(), true))`)
	page.until(`document.querySelector("#details-name").textContent === ` + strconv.Quote(markup) + ` && document.querySelector("#details-tags").textContent === "<script>=<iframe>"`)
	if got := eval[int](page, `document.querySelectorAll("img, i, iframe, body script").length`); got != 0 {
		t.Errorf("%d elements are made of what others say", got)
	}

	// What comes at once in great number is calm: it has few lines.
	eval[any](alice, `Promise.all(Array.from({ length: 40 }, (_, i) => nanoring.send("cursor", i + ",0")))`)
	page.until(`document.querySelector("#talk-list li .text").textContent === "39,0"`)
	if got := eval[int](page, `[...document.querySelectorAll("#talk-list li")].filter((line) => line.textContent.includes("cursor")).length`); got > 20 {
		t.Errorf("a burst of 40 has %d lines", got)
	}

	// One topic alone can be looked at.
	page.until(`document.querySelector("#talk-topics [data-topic='chat.raw']").textContent === "chat.raw 1"`)
	eval[any](page, `document.querySelector("#talk-topics [data-topic='chat.raw']").click()`)
	shown := `[...document.querySelectorAll("#talk-list li")].filter((line) => line.offsetHeight).length`
	page.until(shown + ` === 1 && document.querySelector("#talk-topics [data-topic='chat.raw']").getAttribute("aria-pressed") === "true"`)
	eval[any](page, `document.querySelector("#talk-topics [data-topic='']").click()`)
	page.until(shown + ` > 6`)

	// While nobody looks nothing is heard, and that is said.
	tells := fmt.Sprintf(`nanoring.tell(%q, "chat", "psst").then(() => "told", (error) => error.code)`, page.name())
	eval[any](page, `document.querySelector("#log-tab").click()`)
	eventually(t, "the page does not listen", func() bool { return eval[string](alice, tells) == "nobody" })
	eval[any](page, `document.querySelector("#talk-tab").click()`)
	page.until(`document.querySelector("#talk-list li").className === "pause"`)
	eventually(t, "the page listens again", func() bool { return eval[string](alice, tells) == "told" })

	// Its user says something, too, and is told if that is wrong.
	eval[any](alice, `window.heard = [], nanoring.listen("chat", ({ from, text }) => heard.push(from + ": " + text)), undefined`)
	say := func(topic, text string) {
		eval[any](page, fmt.Sprintf(`document.querySelector("#talk-topic").value = %q, document.querySelector("#talk-text").value = %q, document.querySelector("#talk-send").click()`, topic, text))
	}
	eventually(t, "alice hears it", func() bool {
		say("chat", "hello, all")
		return eval[bool](alice, fmt.Sprintf(`heard.includes(%q)`, page.name()+": hello, all"))
	})
	page.until(`document.querySelector("#talk-text").value === "" && document.querySelector("#talk-answer").hidden`)
	say("no topic", "x")
	page.until(`document.querySelector("#talk-answer").textContent.startsWith("The message was not sent: topic ") && document.querySelector("#talk-text").value === "x"`)
	for _, size := range [][2]int64{{1280, 760}, {360, 780}, {1000, 560}} {
		for _, scheme := range []string{"dark", "light"} {
			page.accessible(size[0], size[1], scheme)
			if wide := eval[int64](page, "document.documentElement.scrollWidth"); wide > size[0] {
				t.Errorf("at %d px it is %d px wide", size[0], wide)
			}
			if err := os.WriteFile(filepath.Join(t.ArtifactDir(), fmt.Sprintf("talk-%d-%s.png", size[0], scheme)), page.picture(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	say("chat", "")
	eval[any](page, `document.querySelector("#log-tab").click()`)
	page.until(`document.querySelector("#log-panel").offsetHeight && document.querySelector("#log-list").childElementCount`)
}
