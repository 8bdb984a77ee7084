package main

import (
	"encoding/json"
	"flag"
	"fmt"
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

var firefoxPath = flag.String("firefox", "", "the Firefox that TestFirefox runs: make firefox")

// firefox is a real Firefox with one tab, driven by WebDriver BiDi. What the tab
// complains of fails the test.
type firefox struct {
	*testing.T
	conn *websocket.Conn
	last int
	tab  string
}

func startFirefox(t *testing.T) *firefox {
	t.Helper()
	var out lockedBuffer
	home := t.TempDir()
	cmd := exec.Command(*firefoxPath, "--headless", "--no-remote", "--profile", home, "--remote-debugging-port", "0")
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
	var made struct{ Context string }
	f.call("browsingContext.create", map[string]any{"type": "tab"}, &made)
	f.tab = made.Context
	return f
}

// call has Firefox do something, and waits for what comes of it.
func (f *firefox) call(method string, params map[string]any, result any) {
	f.Helper()
	f.last++
	must(f.T, wsjson.Write(f.Context(), f.conn, map[string]any{"id": f.last, "method": method, "params": params}))
	for {
		var m struct {
			ID                     int
			Method, Error, Message string
			Result                 json.RawMessage
			Params                 struct{ Level, Text string }
		}
		must(f.T, wsjson.Read(f.Context(), f.conn, &m))
		switch {
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

// eval returns what an expression is in the tab, as text; a promise is waited for.
func (f *firefox) eval(js string) string {
	f.Helper()
	var got struct {
		Type             string
		Result           struct{ Value string }
		ExceptionDetails struct{ Text string }
	}
	f.call("script.evaluate", map[string]any{"expression": "Promise.resolve(" + js + ").then(String)", "awaitPromise": true, "target": map[string]any{"context": f.tab}}, &got)
	if got.Type != "success" {
		f.Fatalf("%s: %s", js, got.ExceptionDetails.Text)
	}
	return got.Result.Value
}

func (f *firefox) until(condition string) {
	f.Helper()
	eventually(f.T, condition, func() bool { return f.eval("!!("+condition+")") == "true" })
}

// TestFirefox: the page of a node is one in Firefox, too. It shows what is said, asks
// and answers, goes on when its gateway is killed, and is seen to leave.
func TestFirefox(t *testing.T) {
	if *firefoxPath == "" {
		t.Skip("it takes -firefox: make firefox runs it")
	}
	f := startFirefox(t)
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	f.call("browsingContext.navigate", map[string]any{"context": f.tab, "url": "http://" + dev1.addr + "/", "wait": "complete"}, nil)
	f.until(`document.documentElement.dataset.state === "joined" && nanoring.up().length === 3`)
	name := f.eval("nanoring.name")
	dev2.becomes(t, name, "up")
	f.until(`document.querySelectorAll(".spot .glyph.up").length === 3`)

	cli := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("nanoring", append([]string{"--data", dev2.client.data}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
		return string(out)
	}
	f.eval(`(document.querySelector("#talk-tab").click(), nanoring.answer("who.edits", ({ text }) => "I edit " + text), nanoring.setTags({ page: "cart" }))`)
	eventually(t, "it answers", func() bool {
		out, _ := exec.Command("nanoring", "--data", dev2.client.data, "ask", "who.edits", "page 7", "-t", "page=cart", "--timeout", "1m").CombinedOutput()
		return string(out) == name+"  I edit page 7\n"
	})
	cli("tell", name, "chat", "<b>hello</b>")
	f.until(`[...document.querySelectorAll("#talk-list .text.told")].some((text) => text.textContent === "<b>hello</b>")`)
	if got := f.eval(`(async () => { for await (const { from, text } of nanoring.ask("who.edits", "it")) return from + ": " + text; })()`); got != name+": I edit it" {
		t.Error(got)
	}
	cli("cordon", "dev2")
	f.until(`document.querySelector("tr[data-name='dev2'] .state").textContent === "cordoned"`)
	cli("uncordon", "dev2")
	f.until(`document.querySelector("tr[data-name='dev2'] .state").textContent === "up"`)

	states := seen(t, dev2, name)
	dev1.kill()
	f.until(`nanoring.gateway?.name === "dev2" && document.querySelector("#gateway").textContent === "dev2"`)
	eventually(t, "it is heard through dev2", func() bool { return strings.Contains(cli("ask", "who.edits", "--timeout", "1m"), name) })
	if got := states(); slices.Contains(got, "down") || slices.Contains(got, "left") {
		t.Errorf("it was seen %v", got)
	}
	var shot struct{ Data []byte }
	f.call("browsingContext.captureScreenshot", map[string]any{"context": f.tab}, &shot)
	must(t, os.WriteFile(filepath.Join(t.ArtifactDir(), fmt.Sprintf("firefox-%s.png", f.eval("innerWidth"))), shot.Data, 0o666))
	f.call("browsingContext.close", map[string]any{"context": f.tab}, nil)
	dev2.becomes(t, name, "left")
}
