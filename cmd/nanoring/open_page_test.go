package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// openLink is nanoring open --print.
func (p *process) openLink(t *testing.T, flags ...string) string {
	t.Helper()
	link, err := exec.Command("nanoring", append([]string{"--data", p.client.data, "open", "-o", "names"}, flags...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(link))
}

// fill types into what the page has, by its id.
func (tab *tab) fill(id, text string) {
	tab.Helper()
	value, _ := json.Marshal(text)
	tab.until(`(() => {
		const e = document.getElementById("` + id + `");
		e.value = ` + string(value) + `;
		e.dispatchEvent(new Event("input", { bubbles: true }));
		return true;
	})()`)
}

// press presses a button once it can be.
func (tab *tab) press(selector string) {
	tab.Helper()
	tab.until(`document.querySelector("` + selector + `")?.disabled === false && document.querySelector("` + selector + `").checkVisibility()`)
	eval[any](tab, `document.querySelector("`+selector+`").click()`)
}

// pictures looks at the page, wide and narrow, light and dark.
func (tab *tab) pictures(t *testing.T, name string) {
	t.Helper()
	for _, size := range [][2]int64{{1280, 760}, {360, 780}} {
		for _, scheme := range []string{"light", "dark"} {
			tab.accessible(size[0], size[1], scheme)
			if wide := eval[int64](tab, "document.documentElement.scrollWidth"); wide > size[0] {
				t.Errorf("%s: at %d px it is %d px wide", name, size[0], wide)
			}
			file := name + map[bool]string{true: "-wide-", false: "-narrow-"}[size[0] > 1000] + scheme + ".png"
			if err := os.WriteFile(filepath.Join(t.ArtifactDir(), file), tab.picture(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	tab.look(1280, 760, "light")
}

const operates = `"operator" in document.documentElement.dataset`

// testOpenLink: the link makes a tab an operator, once, as long as an operator lets it.
func testOpenLink(t *testing.T, b *browser) {
	dev1, dev2, key := startLocked(t, b)
	link := dev1.openLink(t)
	tab := b.open(t, link)
	tab.expect("status of (401|410)|HTTP Authentication failed")
	tab.becomes("joined")
	if got := eval[string](tab, "location.href"); strings.Contains(got, "#") {
		t.Errorf("the link stays in the tab's URL: %s", got)
	}
	dev2.becomes(t, tab.name(), "up")
	tab.until(operates + ` && document.querySelector("#session").checkVisibility()`)
	if got := eval[string](tab, `nanoring.cordon("dev2").then((n) => n.name + n.cordoned, (error) => error.message)`); got != "dev2true" {
		t.Errorf("to cordon: %s", got)
	}
	tab.press(`tr[data-name='dev2'] button`)
	tab.until(`document.querySelector("#cordon").textContent === "Uncordon"`)
	tab.pictures(t, "operator")
	tab.press("#cordon")
	tab.until(`document.querySelector("#answer").className === "good" && document.querySelector("#cordon").textContent === "Cordon"`)
	name := tab.name()
	tab.navigate("http://" + dev1.addr + "/") // a reload
	tab.until(`document.documentElement.dataset.state === "joined" && ` + operates + ` && nanoring.name === "` + name + `"`)

	other := b.open(t, link)
	other.expect("status of (401|410)")
	other.until(shows("This link lets nobody in") + ` && document.querySelector("#message-text").textContent.includes("from 127.0.0.1, and works once")`)
	if got := eval[string](other, `document.querySelector("#message-code").textContent + sessionStorage.length`); got != "nanoring open0" {
		t.Error(got)
	}
	other.pictures(t, "link-used")
	operator, _ := json.Marshal("http://" + dev1.addr + "/#token=" + mint(t, key, "--role", "operator"))
	eval[any](other, "location.href = "+string(operator))
	other.until(`document.documentElement.dataset.state === "joined" && ` + operates + ` && !location.hash`)

	eval[any](other, `document.querySelector("#session-end").click()`)
	other.until(`!(` + operates + `) && !document.querySelector("#session").checkVisibility() && !document.querySelector("#acts").checkVisibility()`)
	guest := "http://" + dev1.addr + "/#token=" + mint(t, key, "--name", "tab-*")
	other.navigate("about:blank")
	other.navigate(guest)
	other.becomes("joined")
	if got := eval[string](other, `nanoring.del("dev2").catch((error) => error.code)`); got != "unauthorized" {
		t.Errorf("a guest removes a node: %s", got)
	}
	next, _ := json.Marshal(dev1.openLink(t)) // for a tab that is a guest
	eval[any](other, `Object.defineProperty(window, "isSecureContext", { value: false, configurable: true }), location.href = `+string(next))
	other.until(`document.querySelector("#answer").textContent.includes("It came by http, where everybody on the way reads") && !location.hash && !(` + operates + `)`)
	eval[any](other, `Object.defineProperty(window, "isSecureContext", { value: true }), location.href = `+string(next)) // which was not sent
	other.until(operates)

	if out, err := exec.Command("nanoring", "--data", dev1.client.data, "open", "--end").CombinedOutput(); err != nil || !strings.Contains(string(out), "ended 2 sessions") {
		t.Fatalf("%s %v", out, err)
	}
	tab.press(`tr[data-name='dev2'] button`)
	tab.press("#cordon")
	tab.until(`!(` + operates + `) && document.querySelector("#answer").textContent.includes("nanoring open")`)
	tab.navigate("http://" + dev1.addr + "/")
	tab.until(shows("The ring is locked"))
	if printed := dev1.printed(); strings.Contains(printed, link[len(link)-20:]) || !strings.Contains(printed, "a link to the page was used: an operator's session began") {
		t.Errorf("the log: %s", printed)
	}
}
