package main

import "testing"

// testOperates has an operator of a locked ring prune, set tags and ask from the page.
func testOperates(t *testing.T, b *browser) {
	dev1, dev2, key := startLocked(t, b)
	ns := unwatchedNodes(t)
	dev3 := ns.mustStart(t, "dev3", "", "--ring", "red", "--secret-file", key, "--join", dev1.addr, "--tag", "zone=b", "--on-question", "up.time=echo an hour; echo \"$NANORING_FROM\" asks")
	dev1.becomes(t, "dev3", "up")
	tab := b.open(t, dev1.openLink(t))
	tab.becomes("joined")
	tab.until(`nanoring.up().length === 4`)

	// A question, and its answers as they come.
	tab.press("#ask-open")
	tab.fill("asking-topic", "up.time")
	tab.press("#asking-ask")
	tab.until(`document.querySelector("#asking-says").textContent === "Over, 1 answer."`)
	tab.until(`document.querySelector("#asking-list").textContent.startsWith("dev3an hour") && document.querySelector("#asking-list").textContent.includes("asks")`)
	tab.fill("asking-topic", "nanoring.rtt")
	tab.fill("asking-text", "nobody")
	tab.fill("asking-name", "dev*")
	tab.press("#asking-ask")
	tab.until(`document.querySelector("#asking-says").textContent === "Over, 0 answers, 3 could not."`)
	tab.until(`document.querySelectorAll("#asking-list li.bad").length === 3`)
	tab.pictures(t, "ask")
	tab.fill("asking-tags", "=x")
	tab.press("#asking-ask")
	tab.until(`document.querySelector("#asking-says").className === "bad" && document.querySelector("#asking-says").textContent.includes("names no tag")`)
	tab.press("#asking-close")

	// The tags of the node that serves the page, of the tab itself, and of another, whose are its own.
	tab.press(`tr[data-name='dev1'] button`)
	tab.press("#labels-open")
	tab.until(`document.querySelector("#labels").open`)
	tab.fill("labels-text", "role=web\nzone")
	tab.press("#labels-save")
	tab.until(`document.querySelector("#labels-says").textContent === "“zone” is no KEY=VALUE."`)
	tab.pictures(t, "tags")
	tab.fill("labels-text", "role=web=1\n\n zone = a ")
	tab.press("#labels-save")
	tab.until(`!document.querySelector("#labels").open && JSON.stringify(nanoring.all({ name: "dev1" })[0].tags) === '{"role":"web=1","zone":"a"}'`)
	tab.press("#answer button") // undo
	tab.until(`JSON.stringify(nanoring.all({ name: "dev1" })[0].tags) === "{}"`)
	tab.press(`tr[data-name='dev2'] button`)
	tab.press("#labels-open")
	tab.until(`document.querySelector("#labels-about").textContent.includes("A node says its tags itself, and this page is dev1's. On its machine: nanoring tags") && !document.querySelector("#labels-save").checkVisibility()`)
	tab.press("#labels-cancel")
	tab.press(`tr[data-name='` + tab.name() + `'] button`)
	tab.press("#labels-open")
	tab.fill("labels-text", "page=test")
	tab.press("#labels-save")
	dev2.becomes(t, tab.name(), "up")
	tab.until(`nanoring.all({ tags: ["page=test"] }).length === 1`)

	// What is down for long, and nothing else.
	dev3.kill()
	dev1.becomes(t, "dev3", "down")
	eval[any](tab, `(() => { const now = Date.now; Date.now = () => now() + 10 * 86_400_000; })()`) // the node's clock counts
	tab.press("#prune-open")
	tab.until(`document.querySelector("#prune-says").textContent !== ""`)
	if got := eval[string](tab, `document.querySelector("#prune-says").textContent + document.querySelector("#prune-remove").disabled`); got != "None of 4 nodes is down for so long.true" {
		t.Errorf("with a clock that is ahead: %s", got)
	}
	eval[any](tab, `document.querySelector("#prune-for").add(new Option("any time", "0"))`)
	tab.fill("prune-for", "0")
	tab.until(`document.querySelector("#prune-list").textContent === "dev3down for 0 min"`)
	tab.pictures(t, "prune")
	tab.fill("prune-tags", "zone=a")
	tab.until(`document.querySelector("#prune-says").textContent === "None of 4 nodes is down for so long."`)
	tab.fill("prune-tags", "zone=b")
	tab.press("#prune-remove")
	tab.until(`document.querySelector("#answer").textContent.startsWith("1 node was removed.")`)
	dev2.becomes(t, "dev3", "")
	tab.press("#answer button")
	dev2.becomes(t, "dev3", "unknown", "down")
	eval[any](tab, `(() => { // a node that is cut off from the others
		const real = window.fetch;
		const gone = ["dev1", "dev2", "dev3"].map((name) => ({ name, state: "down", since: "2026-11-01T00:00:00Z", address: "127.0.0.1:1", ephemeral: false }));
		window.fetch = (path, init) => path === "v1/nodes" ? Promise.resolve(new Response(JSON.stringify({ nodes: [...gone, { name: "dev4", state: "up" }] }))) : real(path, init);
	})()`)
	tab.press("#prune-open")
	tab.fill("prune-tags", "")
	tab.fill("prune-for", "0")
	tab.until(`document.querySelector("#prune-most").checkVisibility() && document.querySelector("#prune-remove").disabled`)
	tab.press("#prune-sure")
	tab.until(`!document.querySelector("#prune-remove").disabled`)
	tab.press("#prune-cancel")
}
