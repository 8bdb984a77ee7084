package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// sharing opens an empty page of a node's own origin, as SharedWorkers want it, which joins
// with others or not.
func (b *browser) sharing(t testing.TB, at, options string) *tab {
	t.Helper()
	tab := b.newTab(t)
	tab.expect("favicon.ico")
	tab.navigate("http://" + at + "/nanoring.js")
	eval[any](tab, `(async () => {
		const { join, tabsOf } = await import("/nanoring.js");
		Object.assign(window, { tabsOf, log: [], ends: [] });
		window.nanoring = await join({ name: "us", shared: true, ...`+options+` });
		nanoring.on("log", ({ kind, text }) => log.push(kind + ": " + text));
		nanoring.on("end", (error) => ends.push(error?.code ?? "left"));
		window.tabs = () => tabsOf(nanoring.all({ name: nanoring.name })[0]).map((tags) => tags.page).join();
	})()`)
	return tab
}

// testShared: three tabs are one node, each with its tags, and hear, say, ask and answer as one
// each. It lives on when one leaves, and when one crashes, and is gone with the last.
func testShared(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	one := b.sharing(t, dev1.addr, `{ tags: { app: "shop", page: "a" } }`)
	two := b.sharing(t, dev1.addr, `{ tags: { app: "shop", page: "b, c=d" } }`)
	three := b.sharing(t, dev1.addr, `{ tags: { app: "shop", page: "e" } }`)
	all := []*tab{one, two, three}
	for _, tab := range all {
		if tab.until(`tabs() === "a,b, c=d,e"`); tab.name() != "us" {
			t.Errorf("it is %s", tab.name())
		}
		tab.until("nanoring.gateway?.name === 'dev1' && nanoring.up().length === 3")
	}
	eventually(t, "all see it", func() bool {
		m, err := dev2.client.members(t.Context(), pathUp+"?tag=app=shop&tag=tabs=*page=e*")
		return err == nil && len(m) == 1 && m[0].Name == "us"
	})
	if m, err := dev1.client.members(t.Context(), pathUp); err != nil || len(m) != 3 {
		t.Errorf("up are %v, %v", m, err)
	}

	eval[any](two, "nanoring.setTags({ page: 'x', typing: 1 })")
	one.until(`tabs() === "a,x,e"`)
	if got := eval[string](two, "nanoring.setTags({ long: 'x'.repeat(600) }).catch((error) => error.code + ': ' + error.message)"); !strings.HasPrefix(got, "invalid: ") || !strings.Contains(got, "bytes") || !strings.HasSuffix(got, "3 tabs share this node, and its tags.") {
		t.Errorf("too many tags: %s", got)
	}

	eval[any](two, "(nanoring.setTags({ long: 'x'.repeat(600) }).catch(() => {}), nanoring.setTags({ page: 'y' }))")
	one.until(`tabs() === "a,y,e"`)

	for _, tab := range all {
		eval[any](tab, "window.heard = [], nanoring.listen('chat', ({ from, text }) => heard.push(from + ' ' + text)), 0")
	}
	eval[any](three, "nanoring.answer('who', () => 'three'), 0")
	eventually(t, "each hears it", func() bool {
		eval[any](two, "nanoring.send('chat', 'hi')")
		return !slices.ContainsFunc(all, func(tab *tab) bool { return eval[int](tab, "heard.length") == 0 })
	})
	ask := `(async () => { const said = []; for await (const { from, text } of nanoring.ask("who", "", { to: { name: "us" } })) said.push(from + " " + text); return said.join(); })()`
	eventually(t, "one answers", func() bool { return eval[string](one, ask) == "us three" })

	eval[any](two, "nanoring.leave()")
	one.until(`tabs() === "a,e"`)
	if got := eval[string](two, "nanoring.state + ends.join()"); got != "endedleft" {
		t.Errorf("who left is %s", got)
	}
	three.close()
	one.until(`tabs() === "a"`)
	if got := eval[string](one, "nanoring.state + JSON.stringify(nanoring.all({ name: 'us' })[0].tags)"); got != `joined{"app":"shop","page":"a"}` {
		t.Errorf("the last is %s", got)
	}
	one.close()
	dev2.becomes(t, "us", "left", "removed")
}

// testSharedWakes: a tab that wakes when no gateway answers tries on, as one that shares nothing does.
func testSharedWakes(t *testing.T, b *browser) {
	ns := unwatchedNodes(t)
	dev1 := ns.mustStart(t, "dev1", "")
	tab := b.sharing(t, dev1.addr, "{}")
	tab.expect(killedGateway + "|favicon.ico")
	dev1.becomes(t, "us", "up")
	tab.lifecycle("frozen")
	dev1.becomes(t, "us", "left")
	dev1.kill()
	tab.lifecycle("active")
	tab.until("log.some((line) => line.startsWith('unreachable: '))")
	dev1 = ns.mustStart(t, "dev1", dev1.addr)
	dev1.becomes(t, "us", "up")
	tab.until("nanoring.state === 'joined' && ends.length === 0")
}

// testSharedGivenUp: who gives up while it waits for the SharedWorker is no node, by itself either.
func testSharedGivenUp(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	tab := b.sharing(t, dev1.addr, "{}")
	if got := eval[string](tab, `(async () => {
		window.SharedWorker = class { port = new MessageChannel().port1; constructor() { setTimeout(() => { gone.abort(); this.onerror(); }); } };
		const gone = new AbortController(), { join } = await import("/nanoring.js");
		return join({ name: "them", shared: true, signal: gone.signal }).then(() => "joined", (error) => error.name);
	})()`); got != "AbortError" {
		t.Errorf("it is %s", got)
	}
	dev1.becomes(t, "us", "up")
	if got := dev1.ups(t); slices.Contains(got, "them") {
		t.Errorf("up are %q", got)
	}
}

// testSharedRemoved: tabs whose node was removed come back as another one.
func testSharedRemoved(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	tab := b.sharing(t, dev1.addr, "{ name: undefined }")
	old := tab.name()
	dev1.becomes(t, old, "up")
	must(t, dev1.client.del(t.Context(), old))
	tab.until("ends.join() === 'removed'")
	if got := eval[string](tab, `import("/nanoring.js").then(({ join }) => join({ shared: true })).then((node) => node.name)`); got == old || !strings.HasPrefix(got, "tab-") {
		t.Errorf("it was %s, and is %s", old, got)
	}
}

// testNotShared: where tabs can share nothing, each is a node, and says why.
func testNotShared(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := b.impatient(t, dev1, "{}", "")
	for _, test := range []struct{ name, before, why string }{
		{"alice", "0", "the library is of another origin"},
		{"bob", "delete window.SharedWorker", "this browser has no SharedWorkers"},
	} {
		eval[any](tab, fmt.Sprintf("%s, start({ name: %q, shared: true })", test.before, test.name))
		dev2.becomes(t, test.name, "up")
		tab.until(fmt.Sprintf("log.some((line) => line.startsWith('shared: ') && line.includes(%q))", test.why))
	}
}
