package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// testOperator uses the page of a node: it has its operator's rights.
func testOperator(t *testing.T, b *browser) {
	ns := unwatchedNodes(t)
	dev1 := ns.mustStart(t, "dev1", "", "--ring", "other")
	dev2 := ns.mustStart(t, "dev2", "", "--ring", "other")
	tab := b.open(t, "http://"+dev1.addr+"/")
	tab.expect("status of (404|502)")
	tab.becomes("joined")
	code := func(js string) string { return eval[string](tab, js+".then(() => '', (error) => error.code)") }
	if got := eval[string](tab, `nanoring.add("`+dev2.addr+`").then((n) => n.name + Object.keys(n.tags))`); got != "dev2" {
		t.Errorf("it added %s", got)
	}
	dev2.becomes(t, tab.name(), "up")
	tab.until("nanoring.all().length === 3")
	if got := code(`nanoring.add("127.0.0.1:1")`); got != "refused" {
		t.Errorf("to add what is not there: %q", got)
	}
	if got := code(`nanoring.del("dev9")`); got != "unknown-node" {
		t.Errorf("to remove who is not there: %q", got)
	}
	if got := eval[string](tab, `nanoring.cordon("dev2").then((n) => n.name + n.cordoned)`); got != "dev2true" {
		t.Errorf("to cordon dev2: %s", got)
	}
	tab.until(`nanoring.all({ name: "dev2" })[0].cordoned && !nanoring.owners("some key", 2).some((n) => n.name === "dev2")`)
	if got := eval[string](tab, `nanoring.uncordon("dev2").then((n) => n.name + n.cordoned)`); got != "dev2false" {
		t.Errorf("to uncordon dev2: %s", got)
	}
	if got := code(`nanoring.cordon("dev9")`); got != "unknown-node" {
		t.Errorf("to cordon who is not there: %q", got)
	}
	if got := code(`nanoring.del("dev2")`); got != "" {
		t.Errorf("to remove dev2: %q", got)
	}
	tab.until("nanoring.all().length === 2")

	other := b.open(t, b.page(dev1, joinOptions{"gateways": gateways(dev1), "ring": "other"}))
	other.becomes("joined")
	if got := eval[string](other, `nanoring.del("dev1").catch((error) => error.code)`); got != "cross-origin" {
		t.Errorf("a page of another origin removes a node: %q", got)
	}
}

// testUndo adds a node and removes it by hand, and takes both back.
func testUndo(t *testing.T, b *browser) {
	ns := unwatchedNodes(t)
	dev1, dev2 := ns.mustStart(t, "dev1", ""), ns.mustStart(t, "dev2", "")
	tab := b.open(t, "http://"+dev1.addr+"/")
	tab.becomes("joined")
	click := func(selector string) {
		t.Helper()
		// in one: the row may be of before, and gone when the next is asked
		tab.until(`((b) => b?.disabled === false && (b.click(), true))(document.querySelector("` + selector + `"))`)
	}
	tab.until(`!document.querySelector("#add-button").disabled`)
	eval[any](tab, `document.querySelector("#add-address").value = "`+dev2.addr+`"`)
	click("#add-button")
	dev1.becomes(t, "dev2", "up")
	click("#answer button") // undo
	dev1.becomes(t, "dev2", "")
	click("#answer button")
	dev1.becomes(t, "dev2", "up")

	// again, if the row was of before: its details close when it is gone
	tab.until(`document.querySelector("#details-name").textContent === "dev2" || document.querySelector("tr[data-name='dev2'] button")?.click()`)
	for _, cordoned := range []bool{true, false, true} { // the last one undoes
		tab.until(`document.querySelector("#cordon").textContent === "` + map[bool]string{true: "Cordon", false: "Uncordon"}[cordoned] + `"`)
		click(map[bool]string{true: "#cordon", false: "#answer button"}[cordoned])
		tab.until(fmt.Sprintf(`document.querySelector("tr[data-name='dev2'] .state").textContent === %q && document.querySelector("#answer").className === "good"`, map[bool]string{true: "cordoned", false: "up"}[cordoned]))
	}
	for _, size := range [][2]int64{{1280, 760}, {360, 780}} {
		for _, scheme := range []string{"light", "dark"} {
			tab.accessible(size[0], size[1], scheme)
			if wide := eval[int64](tab, "document.documentElement.scrollWidth"); wide > size[0] {
				t.Errorf("at %d px it is %d px wide", size[0], wide)
			}
			if cut := eval[[]string](tab, `[...document.querySelectorAll("td.state, #details-kind")].filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent)`); len(cut) > 0 {
				t.Errorf("at %d px %q are cut off", size[0], cut)
			}
			if err := os.WriteFile(filepath.Join(t.ArtifactDir(), fmt.Sprintf("cordon-%d-%s.png", size[0], scheme)), tab.picture(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	click("#cordon")
	tab.until(`document.querySelector("#cordon").textContent === "Cordon" && !document.querySelector("#cordon").disabled`)
	click("#remove")
	tab.until(`document.querySelector("#confirm").open && document.querySelector("#confirm-title").textContent.includes("dev2")`)
	tab.accessible(1280, 760, "light")
	click("#confirm-remove")
	dev1.becomes(t, "dev2", "")
	click("#answer button")
	dev1.becomes(t, "dev2", "up")
	eventually(t, "dev2 stays", func() bool { return dev2.isUp(t, "dev1", "dev2", tab.name()) })
}

func testSearch(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "", "--tag", "zone=north")
	for _, name := range []string{"dev2", "dev3"} { // they never run
		if _, err := dev1.client.add(t.Context(), name, "127.0.0.1:1"); err != nil {
			t.Fatal(err)
		}
	}
	tab := b.open(t, "http://"+dev1.addr+"/")
	tab.becomes("joined")
	tab.until("nanoring.all().length === 4")
	small(tab)
	for search, want := range map[string]string{"": "dev1,dev2,dev3," + tab.name(), "zone=n*": "dev1", "zone!=north dev2": "dev2", "!zone 127": "dev2,dev3", "north": "dev1", "=x": "", "127.0.0.1:1 dev3": "dev3", "guest up": tab.name(), "nobody": ""} {
		eval[any](tab, `(() => {
			document.querySelector("#search").value = "`+search+`";
			document.querySelector("#search").dispatchEvent(new Event("input"));
		})()`)
		tab.until(`[...document.querySelectorAll("#nodes-body tr")].map((row) => row.dataset.name).join() === "` + want + `"`)
		tab.until(`document.querySelector("#nodes-none").hidden === ` + strconv.FormatBool(want != ""))
	}
	enter := func(search string) {
		eval[any](tab, `(() => {
			document.querySelector("#search").value = "`+search+`";
			document.querySelector("#search").dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
		})()`)
	}
	enter("zone=")
	tab.until(`document.querySelector("#nodes-none").offsetHeight > 0`)
	enter("=north") // which is no term
	tab.until(`document.querySelector("#nodes-none").textContent.startsWith("The filter ")`)
	enter("zone=no*h")
	tab.until(`document.querySelector("#details-name").textContent === "dev1"`)
	enter("dev")
	enter("dev3")
	tab.until(`document.querySelector("#details-name").textContent === "dev3"`)
}

func testInvite(t *testing.T, b *browser) {
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	tab := b.open(t, "http://"+dev1.addr+"/")
	tab.becomes("joined")
	eval[any](tab, `document.querySelector("#invite").click()`)
	tab.until(`document.querySelector("#invite-link").value === "http://` + dev1.addr + `/"`)
	tab.accessible(360, 780, "dark")
	code := eval[string](tab, `document.querySelector("#invite-code").textContent`)
	guest := b.open(t, b.pages+"/pasted?"+url.Values{"html": {"<!doctype html><link rel=icon href=data:,>" + spy + code}}.Encode())
	guest.until("window.heard")
	eventually(t, "whoever was invited is a node", func() bool { return len(dev1.ups(t)) == 3 })
}
