package main

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// testForeignText: what a guest calls itself, and says, is shown on the page so that it is seen for what it is, and
// turns nothing else around. (A name has no control characters; a tag and a message may have any.)
func testForeignText(t *testing.T, b *browser) {
	ns := unwatchedNodes(t)
	dev1 := ns.mustStart(t, "dev1", "")
	guest := hostileGuest(t, dev1.addr, core.Config{Ring: defaultRing, Name: hostileName, Seed: 1,
		Tags: []wire.Tag{{Key: "k" + hostileText, Value: hostileText}, {Key: "role", Value: "web" + hostileText}}}, "")
	hostileGuest(t, dev1.addr, core.Config{Ring: defaultRing, Name: "דב 7 up", Seed: 2}, "")
	hostileGuest(t, dev1.addr, core.Config{Ring: defaultRing, Name: "heart ❤️", Seed: 3}, "")
	tab := b.open(t, "http://"+dev1.addr+"/")
	tab.becomes("joined")
	tab.until(`nanoring.up().length === 5`)
	tab.until(`document.querySelector("tr[data-name='heart ❤️']")?.textContent.includes("heart ❤️")`)
	row := "tr[data-name='" + hostileName + "'] button"
	tab.press(row)
	tab.until(`document.querySelector("#details-tags").textContent.includes("role=web")`)
	tab.press("#talk-tab")
	tab.until(`nanoring.all().length === 5`)
	eventually(t, "what it says is shown", func() bool {
		guest.commands <- core.Command{Op: core.SendMessage, Topic: "chat.x", Payload: hostileText}
		return eval[bool](tab, `document.body.textContent.includes("FORGED")  && document.querySelector("#talk-list")?.textContent.includes("FORGED")`)
	})

	// All that is shown, by what a reader sees, hears, and rests a pointer on.
	const all = `(() => {
		const said = [document.title, document.body.innerText];
		for (const e of document.querySelectorAll("body *")) {
			for (const name of ["title", "aria-label", "alt", "placeholder"]) said.push(e.getAttribute(name) ?? "");
			if (e instanceof SVGTextElement) said.push(e.textContent);
		}
		return said.join("\n").replaceAll("\t", " ").replaceAll("❤\ufe0f", "");
	})()`
	shown := eval[string](tab, all)
	if what := forbidden(shown); what != "" {
		t.Errorf("the page shows %s", what)
	}
	tab.press("#log-tab")
	// A name that is written from right to left stays in its own box, and the state stands in its own.
	if got := eval[string](tab, `[...document.querySelectorAll("tr[data-name]")].map((row) => getComputedStyle(row.querySelector("button span")).unicodeBidi).join()`); got != "isolate,isolate,isolate,isolate,isolate" {
		t.Error(got)
	}
	tab.press(row)
	tab.pictures(t, "foreign")
}
