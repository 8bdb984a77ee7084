package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// agrees is what the page's log says of nodes, last, that its picture does not: none.
const agrees = `[...document.querySelectorAll("#nodes-body tr")].filter((row) => {
	const line = document.querySelector("#log-list li[data-node='" + row.dataset.name + "']");
	return line && line.dataset.state !== row.querySelector(".state").classList[1];
}).map((row) => row.dataset.name + " is " + row.cells[1].textContent + ", and the log: " + document.querySelector("#log-list li[data-node='" + row.dataset.name + "']").innerText)`

// testEventsAgree: what the page's log says of a node last is what its picture says,
// though the gateway from which it had that is another one meanwhile.
func testEventsAgree(t *testing.T, b *browser) {
	ns := unwatchedNodes(t)
	dev1, dev2 := startPair(t, ns)
	dev3 := ns.mustStart(t, "dev3", "", "--join", dev1.addr)
	dev1.becomes(t, "dev3", "up")
	tab := b.open(t, "http://"+dev1.addr+"/")
	tab.expect(killedGateway)
	tab.becomes("joined")
	tab.until("nanoring.up().length === 4")
	dev1.cmd.Process.Signal(sigStop) // a gateway that hangs
	tab.until("['dev2', 'dev3'].includes(nanoring.gateway?.name)")
	tab.until(`document.querySelector("#log-list li[data-node=dev1]")?.dataset.state.match("suspect|down")`)
	dev1.cmd.Process.Signal(sigCont)
	dev2.becomes(t, "dev1", "up")
	tab.until("nanoring.all().find((n) => n.name === 'dev1').state === 'up'")
	tab.until(agrees + ".length === 0")
	tab.until(`document.querySelector("#log-list li[data-node=dev1]").dataset.state === "up"`)

	// And a page that sleeps through it.
	eval[any](tab, `dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }))`)
	dev3.kill()
	dev2.becomes(t, "dev3", "down")
	eval[any](tab, `dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`)
	tab.until(`document.querySelector("#log-list li[data-node=dev3]")?.dataset.state === "down"`)
	tab.until(agrees + ".length === 0")
	if got := eval[string](tab, `document.querySelector("#log-list").innerText`); strings.Contains(got, "added") || strings.Contains(got, "removed") {
		t.Errorf("nobody was added or removed, and the log says %q", got)
	}
}

// picks chooses a node in the page's table, and waits until its panel says something.
func (tab *tab) picks(name, says string) {
	tab.Helper()
	tab.until(`document.querySelector("tr[data-name='` + name + `'] button") !== null`)
	eval[any](tab, `document.querySelector("tr[data-name='`+name+`'] button").click()`)
	tab.until(`document.querySelector("#details-name").textContent === "` + name + `" && document.querySelector("#details-kind").textContent.includes(` + strconv.Quote(says) + `)`)
}

// why returns what a node answers of another.
func (p *process) why(t *testing.T, name string) (w why) {
	t.Helper()
	b, err := p.client.call(t.Context(), http.MethodGet, pathWhy+"?name="+name, nil)
	if err == nil {
		err = decode(b, &w)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// testTellsWhy: a tab that came later says since when a node is down, and why, as its
// gateway knows it, and asks the others when it is told to.
func testTellsWhy(t *testing.T, b *browser) {
	ns := unwatchedNodes(t)
	dev1, dev2 := startPair(t, ns)
	dev3 := ns.mustStart(t, "dev3", "", "--join", dev1.addr)
	for _, p := range []*process{dev1, dev2} {
		p.becomes(t, "dev3", "up")
	}
	dev3.kill()
	for _, p := range []*process{dev1, dev2} {
		p.becomes(t, "dev3", "down")
	}
	since := dev1.why(t, "dev3").Since
	eventually(t, "it was so for a second before the tab is there", func() bool { return time.Since(since) > time.Second })
	tab := b.open(t, "http://"+dev1.addr+"/")
	tab.becomes("joined")
	tab.picks("dev3", "down since "+since.Local().Format("15:04:05"))
	tab.until(`document.querySelector("#why-last").textContent !== "" && !document.querySelector("#why").open`)
	eval[any](tab, `document.querySelector("#why").open = true`)
	tab.until(`document.querySelector("#why-gateway p").textContent.startsWith("dev1: down since ")`)
	tab.until(`document.querySelector("#why-gateway").textContent.includes("it is down, says dev")`)
	eval[any](tab, `document.querySelector("#why-all").click()`)
	tab.until(`[...document.querySelectorAll("#why-others summary")].map((one) => one.textContent.split(":")[0]).sort().join() === "dev1,dev2"`)
	tab.until(`document.querySelector("#why-others").textContent.startsWith("2 nodes know something of it.")`)
	if !eval[bool](tab, `(async () => { // while all are asked, they are not asked once more
		const picture = () => new Promise((done) => requestAnimationFrame(done)), button = document.querySelector("#why-all");
		let over = () => {};
		nanoring.ask = () => ({ silent: [], async *[Symbol.asyncIterator]() { await new Promise((done) => (over = done)); } });
		button.click();
		document.querySelector("#search").dispatchEvent(new Event("input")); // which draws
		for (let i = 0; i < 20; i++) await picture();
		const asks = button.disabled;
		delete nanoring.ask;
		over();
		return asks;
	})()`) {
		t.Error("all can be asked while they are asked")
	}
	tab.until(`!document.querySelector("#why-all").disabled`)

	// A node that does not answer is said not to, asked again, and asked about others.
	eval[any](tab, `(() => {
		const real = window.fetch;
		window.answers = false;
		window.fetch = (...args) => (answers ? real(...args) : Promise.reject(new TypeError("no network")));
	})()`)
	tab.picks("dev2", "up, seen since ")
	tab.until(`document.querySelector("#why-gateway").textContent === "dev1 does not say what it knows of dev2."`)
	eval[any](tab, "answers = true, 0")
	tab.until(`document.querySelector("#why-gateway p").textContent.startsWith("dev1: up since ")`)
	tab.picks("dev3", "down since ")
	tab.accessible(1400, 860, "dark")
	tab.accessible(390, 844, "light")

	// What the tab sees begin it says itself, and what a node answers is text.
	ns.mustStart(t, "dev3", dev3.addr)
	tab.picks("dev3", "up since ")
	tab.until(`document.querySelector("#details-kind").title.includes("this tab has seen it")`)
}

// testConditions: what is wrong with a tab's gateway is told in a locked ring, too, as far
// as the token lets it ask, and of another gateway than that of the page.
func testConditions(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	dev3 := unwatchedNodes(t).mustStart(t, "dev3", "", "--join", dev1.addr, "--max-guests", "1")
	dev1.becomes(t, "dev3", "up")
	tab := b.open(t, "http://"+dev1.addr+"/")
	tab.expect(killedGateway)
	tab.becomes("joined")
	tab.until("nanoring.up().length === 4")
	dev2.kill()
	dev3.becomes(t, "dev2", "down")
	dev1.kill()
	tab.until("nanoring.gateway?.name === 'dev3'")
	tab.until(`document.querySelector("#conditions .warning")?.innerText.startsWith("dev3: warning: ")`)
	tab.picks("dev2", "down since "+dev3.why(t, "dev2").Since.Local().Format("15:04:05"))

	ns := unwatchedNodes(t)
	key := filepath.Join(ns.dir, "ring.key")
	secret, err := exec.Command("nanoring", "keygen").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, secret, 0o600); err != nil {
		t.Fatal(err)
	}
	locked := ns.mustStart(t, "locked", "", "--ring", "red", "--secret-file", key, "--max-guests", "1")
	link := func(flags ...string) string {
		return fmt.Sprintf("http://%s/#token=%s", locked.addr, mint(t, key, append([]string{"--name", "tab-*"}, flags...)...))
	}
	tab = b.open(t, link("--send", "nanoring.*"))
	tab.becomes("joined")
	tab.until(`document.querySelector("#conditions .warning")?.innerText.startsWith("locked: warning: ")`)
	tab.picks("locked", "up since ")
	eval[any](tab, "nanoring.leave()")
	tab.becomes("ended")
	tab.until(`document.querySelector("#conditions").hidden`)
	tab = b.open(t, link())
	tab.becomes("joined")
	tab.picks("locked", "up, seen since ")
	eval[any](tab, `document.querySelector("#why").open = true`)
	tab.until(`document.querySelector("#why-gateway").textContent.includes("--send 'nanoring.*'")`)
	if !eval[bool](tab, `document.querySelector("#conditions").hidden`) {
		t.Error("it is told what it may not ask")
	}
}

// testRollout: the page says what nodes run, and whether it is mixed, once somebody looks.
func testRollout(t *testing.T, b *browser) {
	ns := unwatchedNodes(t)
	dev1, dev2 := startPair(t, ns)
	dev3 := ns.mustStart(t, "dev3", "", "--join", dev1.addr, "--engine", "wasm")
	dev1.becomes(t, "dev3", "up")
	tab := b.open(t, "http://"+dev1.addr+"/")
	tab.becomes("joined")
	tab.until("nanoring.up().length === 4")
	if rows := eval[int](tab, `document.querySelectorAll("#rollout-body tr").length`); rows != 0 {
		t.Errorf("nobody looks, and it has %d rows", rows)
	}
	eval[any](tab, `document.querySelector("#rollout-tab").click()`)
	rows := `[...document.querySelectorAll("#rollout-body tr")].map((row) => row.cells[1].textContent.split(" ")[0] + " " + row.cells[3].textContent).join("; ")`
	tab.until(rows + ` === "native 2: dev1, dev2; wasm 1: dev3"`)
	tab.until(`document.querySelector("#rollout-says").textContent.includes("Their engines differ: 2 nodes on native, 1 on wasm ")`)
	tab.accessible(1400, 860, "light")
	tab.accessible(390, 844, "dark")
	dev3.kill() // which is seen, and has it ask again
	dev2.becomes(t, "dev3", "down")
	tab.until(rows + ` === "native 2: dev1, dev2"`)
	tab.until(`/^All 2 nodes that answered run .*\. 1 node is not up, and not asked\.$/.test(document.querySelector("#rollout-says").textContent)`)

	says := func(kinds, silent string) string {
		return eval[string](tab, `import(new URL("rollout.js", [...document.scripts].find((s) => s.src.endsWith("page.js")).src)).then(({ words }) => words(`+kinds+`, `+silent+`, 0))`)
	}
	mixed := `[{ version: "1.2", engine: "native", protocol: 2, names: ["a", "b", "c"] }, { version: "1.1", engine: "native", protocol: 1, names: ["d"] }]`
	if got, want := says(mixed, `["e"]`), "3 nodes on 1.2, 1 on 1.1: a rollout is under way. So does what they speak: 3 nodes on protocol version 2, 1 on protocol version 1. No answer from e."; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	if got := says("[]", "[]"); got != "No node has answered." {
		t.Error(got)
	}
}

// testWords: words are explained where they stand, one at a time, by the keyboard, too.
func testWords(t *testing.T, b *browser) {
	tab := b.open(t, "http://"+unwatchedNodes(t).mustStart(t, "dev1", "").addr+"/")
	tab.becomes("joined")
	tab.until("nanoring.up().length === 2")
	open := `[...document.querySelectorAll("details.word[open] > summary")].map((word) => word.textContent).join()`
	eval[any](tab, `[...document.querySelectorAll("details.word > summary")].find((word) => word.textContent === "Incarnation").focus()`)
	tab.do(chromedp.KeyEvent("\r"))
	tab.until(open + ` === "Incarnation"`)
	tab.accessible(390, 844, "light")
	eval[any](tab, `document.querySelector("#words summary").click()`)
	tab.until(open + ` === "What is that?"`)
	tab.accessible(1400, 860, "dark")
	eval[any](tab, `document.querySelector("#words summary").focus()`)
	tab.do(chromedp.KeyEvent("\x1b"))
	tab.until(open + ` === "" && document.activeElement === document.querySelector("#words summary")`)
	for _, name := range []string{"Known", "Reached", "Incarnation", "Protocol"} {
		if !eval[bool](tab, `[...document.querySelectorAll("#details-facts details.word")].some((word) => word.querySelector("summary").textContent === "`+name+`" && word.querySelector("p").textContent.length > 50)`) {
			t.Errorf("%s is not explained", name)
		}
	}
}
