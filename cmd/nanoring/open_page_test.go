package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
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

// testKeepsWhatItHas: what lets a tab in is in no URL once it is read, and a reload has it still; a link that is not good ends
// and hides nothing that a tab has, and one that nobody answered is tried again, once at a time.
func testKeepsWhatItHas(t *testing.T, b *browser) {
	dev1, dev2, key := startLocked(t, b)
	page := "http://" + dev1.addr + "/"
	tab := b.open(t, page+"#tag=desk=9&token="+mint(t, key, "--name", "tab-*"))
	tab.expect("status of 410")
	tab.becomes("joined")
	if got := eval[string](tab, "location.href"); got != page+"#tag=desk%3D9" {
		t.Errorf("a guest's URL is %s", got)
	}
	name := tab.name()
	dev2.becomes(t, name, "up")
	tab.do(chromedp.Reload())
	tab.until(`document.documentElement.dataset.state === "joined" && nanoring.name === "` + name + `" && nanoring.all({ name: nanoring.name })[0].tags.desk === "9"`)

	// A bad link, in this page and for a new one.
	eval[any](tab, `location.hash = "#open=junk"`)
	tab.until(`document.querySelector("#answer").textContent.includes("This link") || document.querySelector("#answer").textContent.includes("nanoring open")`)
	operator := b.open(t, dev1.openLink(t))
	operator.expect("status of (410|401)")
	operator.becomes("joined")
	for _, one := range []*tabOf{{tab, false}, {operator, true}} {
		one.navigate("about:blank")
		one.navigate(page + "#open=junk")
		one.becomes("joined")
		one.until(`!location.hash && document.querySelector("#answer").textContent.includes("On the node's machine this makes another: nanoring open")`)
		if is := eval[bool](one.tab, operates); is != one.operates {
			t.Errorf("after a bad link it operates: %t", is)
		}
	}

	// A node that does not answer, and two presses.
	link, _ := json.Marshal(dev1.openLink(t))
	other := b.open(t, page)
	other.until(shows("The ring is locked"))
	eval[any](other, `(() => {
		window.asked = 0;
		const real = window.fetch;
		window.answers = false;
		window.fetch = (...args) => (asked++, answers ? real(...args) : Promise.reject(new TypeError("no network")));
		location.href = `+string(link)+`;
	})()`)
	other.until(shows("The node does not answer") + ` && !location.hash && document.querySelector("#message-button").checkVisibility()`)
	if got := eval[int](other, `(answers = true, asked = 0, document.querySelector("#message-button").click(), document.querySelector("#message-button").click(), asked)`); got != 1 {
		t.Errorf("two presses ask %d times", got)
	}
	other.becomes("joined")
	other.until(operates)
}

// tabOf is a tab, and whether it operates.
type tabOf struct {
	*tab
	operates bool
}

// testPlainPage: a locked page that came by http from elsewhere sends no token, and asks for none.
func testPlainPage(t *testing.T, b *browser) {
	dev1, _, key := startLocked(t, b)
	node, err := url.Parse("http://" + dev1.addr)
	must(t, err)
	var mu sync.Mutex
	var sent []string
	proxy := httputil.NewSingleHostReverseProxy(node)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		sent = append(sent, fmt.Sprint(r.URL, r.Header))
		mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	page := "http://node.elsewhere.test" + server.URL[strings.LastIndex(server.URL, ":"):] + "/"
	guest, operator := mint(t, key, "--name", "tab-*"), mint(t, key, "--role", "operator")
	for _, fragment := range []string{"#token=" + guest, "#token=" + operator, dev1.openLink(t)[len("http://"+dev1.addr+"/"):], ""} {
		tab := b.open(t, page+fragment)
		tab.until(shows("This page is not to be trusted with a secret") + ` && !location.hash && sessionStorage.length === 0 && document.querySelector("#message-code").hidden`)
		tab.close()
	}
	mu.Lock()
	defer mu.Unlock()
	if len(sent) == 0 {
		t.Error("the page was not loaded")
	}
	for _, request := range sent {
		if strings.Contains(request, "nanoring.token") || strings.Contains(request, "Bearer") || strings.HasPrefix(request, "/v1/") || strings.HasPrefix(request, "/ring") {
			t.Errorf("it sent %s", request)
		}
	}
}
