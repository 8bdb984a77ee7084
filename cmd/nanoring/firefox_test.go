package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// brokenOff is how Firefox complains of a WebSocket that is reset.
const brokenOff = "was interrupted while the page was loading."

// firefox is a real Firefox, driven by WebDriver BiDi. What its tabs complain of fails the test.
type firefox struct {
	*testing.T
	conn *websocket.Conn
	last int
}

// foxTab is one of its tabs.
type foxTab struct {
	*firefox
	id string
}

// prefs have Firefox slow down the timers of a tab that is hidden at once, not after half a minute, and draw
// ten pictures a second, which is dear without a graphics card.
const prefs = `user_pref("dom.timeout.throttling_delay", 0);
user_pref("layout.frame_rate", 10);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("toolkit.telemetry.server", "");
`

func startFirefox(t *testing.T) *firefox {
	t.Helper()
	path, err := exec.LookPath("firefox")
	if err != nil {
		path, err = exec.LookPath("firefox-esr")
	}
	if err != nil {
		t.Fatal("there is no Firefox to test the library with: install it (Debian's package is firefox-esr), or run make test, which does")
	}
	var out lockedBuffer
	home := t.TempDir()
	must(t, os.WriteFile(filepath.Join(home, "user.js"), []byte(prefs), 0o666))
	cmd := exec.Command(path, "--headless", "--no-remote", "--profile", home, "--remote-debugging-port", "0")
	cmd.Env, cmd.Stderr, cmd.SysProcAttr = append(os.Environ(), "HOME="+home), &out, childAttr()
	must(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM) // killed, it leaves others behind
		cmd.Wait()
	})
	var url string
	eventually(t, "Firefox is there", func() bool {
		found := regexp.MustCompile(`listening on (ws://\S+)`).FindStringSubmatch(out.String())
		if found != nil {
			url = found[1]
		}
		return found != nil
	})
	conn, _, err := websocket.Dial(t.Context(), url+"/session", nil)
	must(t, err)
	conn.SetReadLimit(-1)
	f := &firefox{T: t, conn: conn}
	t.Cleanup(func() { conn.CloseNow() })
	f.call("session.new", map[string]any{"capabilities": map[string]any{}}, nil)
	f.call("session.subscribe", map[string]any{"events": []string{"log.entryAdded"}}, nil)
	return f
}

// call has Firefox do something, and waits for what comes of it.
func (f *firefox) call(method string, params map[string]any, result any) {
	f.Helper()
	f.last++
	ctx, cancel := context.WithTimeout(f.Context(), patience)
	defer cancel()
	must(f.T, wsjson.Write(ctx, f.conn, map[string]any{"id": f.last, "method": method, "params": params}))
	for {
		var m struct {
			ID                     int
			Method, Error, Message string
			Result                 json.RawMessage
			Params                 struct{ Level, Text string }
		}
		must(f.T, wsjson.Read(ctx, f.conn, &m))
		switch {
		case m.Method == "log.entryAdded" && m.Params.Level == "error" && strings.HasSuffix(m.Params.Text, brokenOff): // a killed gateway's, if its system resets it
		case m.Method == "log.entryAdded" && m.Params.Level == "error":
			f.Errorf("the tab complains: %s", m.Params.Text)
		case m.ID == f.last && m.Error != "":
			f.Fatalf("%s: %s: %s", method, m.Error, m.Message)
		case m.ID == f.last:
			if result != nil {
				must(f.T, json.Unmarshal(m.Result, result))
			}
			return
		}
	}
}

// open opens a tab, which is before all others.
func (f *firefox) open(url string) *foxTab {
	f.Helper()
	var made struct{ Context string }
	f.call("browsingContext.create", map[string]any{"type": "tab"}, &made)
	tab := &foxTab{f, made.Context}
	tab.navigate(url)
	return tab
}

func (tab *foxTab) navigate(url string) {
	tab.Helper()
	tab.call("browsingContext.navigate", map[string]any{"context": tab.id, "url": url, "wait": "complete"}, nil)
}

func (tab *foxTab) close() {
	tab.Helper()
	tab.call("browsingContext.close", map[string]any{"context": tab.id}, nil)
}

// eval returns what an expression is in the tab, as text; a promise is waited for. It counts as a click.
func (tab *foxTab) eval(js string) string {
	tab.Helper()
	var got struct {
		Type             string
		Result           struct{ Value string }
		ExceptionDetails struct{ Text string }
	}
	tab.call("script.evaluate", map[string]any{"expression": "Promise.resolve(" + js + ").then(String)", "awaitPromise": true, "userActivation": true,
		"target": map[string]any{"context": tab.id}}, &got)
	if got.Type != "success" {
		tab.Fatalf("%s: %s", js, got.ExceptionDetails.Text)
	}
	return got.Result.Value
}

func (tab *foxTab) until(condition string) {
	tab.Helper()
	eventually(tab.T, condition, func() bool { return tab.eval("!!("+condition+")") == "true" })
}

// TestFirefox has tabs of Firefox, too, live through what tabs live through.
func TestFirefox(t *testing.T) {
	t.Parallel()
	f := startFirefox(t)
	pages := httptest.NewServer(http.HandlerFunc(servePages))
	defer pages.Close()
	b := &browser{pages: pages.URL}
	for _, test := range []struct {
		name string
		test func(*testing.T, *firefox, *browser)
	}{
		{"lets in a page with a Content-Security-Policy, which goes on when its gateway is killed", testFoxPolicy},
		{"gives a tab that is duplicated a name of its own", testFoxDuplicate},
		{"lets a node live on in a tab that is hidden", testFoxHidden},
		{"says bye when the page is left, and is back with it", testFoxBack},
		{"shows the page", testFoxPage},
	} {
		t.Run(test.name, func(t *testing.T) {
			f.T = t
			test.test(t, f, b)
		})
	}
	f.T = t
}

const foxJoined = `document.documentElement.dataset.state === "joined"`

// testFoxPolicy: the policies are the README's, for a page that imports the library from a node.
func testFoxPolicy(t *testing.T, f *firefox, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := f.open(b.policed(t, dev1, dev2))
	tab.until(foxJoined + " && nanoring.up().length === 3")
	name := tab.eval("nanoring.name")
	dev2.becomes(t, name, "up")
	tab.eval(`nanoring.listen("chat", ({ text }) => (window.heard = text)), nanoring.send("chat", "hello")`)
	tab.until(`window.heard === "hello"`)
	states := seen(t, dev2, name)
	dev1.kill()
	tab.until(`nanoring.gateway?.name === "dev2"`)
	tab.eval(`nanoring.send("chat", "here again")`)
	tab.until(`window.heard === "here again"`)
	if got := states(); slices.Contains(got, "down") || slices.Contains(got, "left") {
		t.Errorf("it was seen %v", got)
	}
	if log := tab.eval(`log.join("\n")`); strings.Contains(log, "worker: ") {
		t.Errorf("it has no Worker: %s", log)
	}
	tab.close()
	dev2.becomes(t, name, "left")
}

// joins opens a page that is a node by one of two, and up for the other.
func (f *firefox) joins(t *testing.T, b *browser) (dev2 *process, tab *foxTab, name string) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab = f.open(b.page(dev1, joinOptions{"gateways": gateways(dev1)}))
	tab.until(foxJoined)
	name = tab.eval("nanoring.name")
	dev2.becomes(t, name, "up")
	return dev2, tab, name
}

func testFoxDuplicate(t *testing.T, f *firefox, b *browser) {
	dev2, tab, name := f.joins(t, b)
	tab.eval(`window.opened = window.open("about:blank"), location.href`) // it has a copy of the tab's session
	var all struct {
		Contexts []struct{ Context, OriginalOpener string }
	}
	f.call("browsingContext.getTree", map[string]any{}, &all)
	var second *foxTab
	for _, c := range all.Contexts {
		if c.OriginalOpener == tab.id {
			second = &foxTab{f, c.Context}
		}
	}
	if second == nil {
		t.Fatalf("there is no second tab: %v", all)
	}
	second.navigate(tab.eval("location.href"))
	second.until(foxJoined)
	if got := second.eval("sessionStorage.length + nanoring.name"); got == "1"+name || !strings.HasPrefix(got, "1tab-") {
		t.Errorf("the second is %s, and the first %s", got, name)
	}
	dev2.becomes(t, second.eval("nanoring.name"), "up")
	dev2.becomes(t, name, "up")
	second.close()
	tab.close()
	dev2.becomes(t, name, "left")
}

func testFoxHidden(t *testing.T, f *firefox, b *browser) {
	dev2, tab, name := f.joins(t, b)
	other := f.open(b.pages + "/empty")
	f.call("browsingContext.activate", map[string]any{"context": other.id}, nil)
	tab.until("document.hidden")
	states := seen(t, dev2, name)
	tab.eval("window.sent = 0, nanoring.on('frame', (frame) => { sent += frame.sent }), 0")
	tab.until("sent >= 8")
	if got := states(); !slices.Contains(got, "up") || slices.ContainsFunc(got, func(s string) bool { return s != "up" }) {
		t.Errorf("it was seen %v", got)
	}
	other.close()
	tab.close()
	dev2.becomes(t, name, "left")
}

// testFoxBack: a page that was left has said bye, whether Firefox keeps it, frozen, or loads it anew.
func testFoxBack(t *testing.T, f *firefox, b *browser) {
	dev2, tab, name := f.joins(t, b)
	tab.navigate(b.pages + "/empty")
	dev2.becomes(t, name, "left")
	f.call("browsingContext.traverseHistory", map[string]any{"context": tab.id, "delta": -1}, nil)
	tab.until("window.nanoring?.state === 'joined'")
	if got := tab.eval("nanoring.name"); got != name {
		t.Errorf("it was %s, and is %s", name, got)
	}
	dev2.becomes(t, name, "up")
	tab.close()
}

// testFoxPage: the page of a node shows what is said, asks and answers, goes on when its
// gateway is killed, and is seen to leave.
func testFoxPage(t *testing.T, f *firefox, _ *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	tab := f.open("http://" + dev1.addr + "/")
	tab.until(`document.documentElement.dataset.state === "joined" && nanoring.up().length === 3`)
	name := tab.eval("nanoring.name")
	dev2.becomes(t, name, "up")
	tab.until(`document.querySelectorAll(".spot .glyph.up").length === 3`)

	cli := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("nanoring", append([]string{"--data", dev2.client.data}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
		return string(out)
	}
	tab.eval(`(document.querySelector("#talk-tab").click(), nanoring.answer("who.edits", ({ text }) => "I edit " + text), nanoring.setTags({ page: "cart" }))`)
	eventually(t, "it answers", func() bool {
		out, _ := exec.Command("nanoring", "--data", dev2.client.data, "ask", "who.edits", "page 7", "-t", "page=cart", "--timeout", "1m").CombinedOutput()
		return string(out) == name+"  I edit page 7\n"
	})
	cli("tell", name, "chat", "<b>hello</b>")
	tab.until(`[...document.querySelectorAll("#talk-list .text.told")].some((text) => text.textContent === "<b>hello</b>")`)
	if got := tab.eval(`(async () => { for await (const { from, text } of nanoring.ask("who.edits", "it")) return from + ": " + text; })()`); got != name+": I edit it" {
		t.Error(got)
	}
	cli("cordon", "dev2")
	tab.until(`document.querySelector("tr[data-name='dev2'] .state").textContent === "cordoned"`)
	cli("uncordon", "dev2")
	tab.until(`document.querySelector("tr[data-name='dev2'] .state").textContent === "up"`)

	states := seen(t, dev2, name)
	dev1.kill()
	tab.until(`nanoring.gateway?.name === "dev2" && document.querySelector("#gateway").textContent === "dev2"`)
	eventually(t, "it is heard through dev2", func() bool { return strings.Contains(cli("ask", "who.edits", "--limit", "1", "--timeout", "1m"), name) })
	if got := states(); slices.Contains(got, "down") || slices.Contains(got, "left") {
		t.Errorf("it was seen %v", got)
	}
	var shot struct{ Data []byte }
	f.call("browsingContext.captureScreenshot", map[string]any{"context": tab.id}, &shot)
	must(t, os.WriteFile(filepath.Join(t.ArtifactDir(), fmt.Sprintf("firefox-%s.png", tab.eval("innerWidth"))), shot.Data, 0o666))
	tab.close()
	dev2.becomes(t, name, "left")
}
