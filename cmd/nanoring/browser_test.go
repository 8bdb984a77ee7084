package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// browser is a real Chromium, and a server of pages that are of another origin
// than any node.
type browser struct {
	ctx   context.Context
	pages string // its URL
}

// somePage is a page of somebody's, that joins a ring. It is given where to
// import from, and the options of join.
const somePage = `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<title>A page of somebody's</title>
<script type="module" nonce="test">
import { join } from %s;
const become = (state, error) => Object.assign(document.documentElement.dataset,
  { state, code: error?.code ?? "", message: error?.message ?? "", retryable: error?.retryable ?? "" });
window.log = [];
window.changes = [];
window.start = async (options = %s) => {
  become("joining");
  try {
    const node = await join(options);
    window.nanoring = node;
    node.on("end", (error) => become("ended", error));
    node.on("change", (nodes) => changes.push(nodes.map((n) => n.name)));
    node.on("log", ({ kind, text }) => log.push(kind + ": " + text));
    become("joined");
    return node;
  } catch (error) {
    become("failed", error);
  }
};
start();
</script>`

// A shell is Chromium without its windows, which take half of its time.
var (
	shells   = []string{"chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}
	windowed = shells[2:]
)

func startBrowser(t testing.TB, flags ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	return startOne(t, shells, flags...)
}

// startWindows starts one whose tabs are in windows, and so may be hidden.
func startWindows(t testing.TB, flags ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	return startOne(t, windowed, flags...)
}

// startOne starts one for a test alone: Chromium has the tabs of one wait for each other's WebSockets.
func startOne(t testing.TB, names []string, flags ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	file := ""
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			file = path
			break
		}
	}
	if file == "" {
		t.Fatal("there is no Chromium to test the page with: install it (Debian's package is chromium), or run make test, which does")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(file), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.CombinedOutput(&fatal{TB: t}), chromedp.Flag("enable-logging", "stderr"),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(options, flags...)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("Chromium does not start: %v", err)
	}
	pages := httptest.NewServer(http.HandlerFunc(servePages))
	t.Cleanup(pages.Close)
	return &browser{ctx, pages.URL}
}

// fatal tells a test of each process of its browser that crashed: its tabs may fail by that alone.
type fatal struct {
	testing.TB
	rest []byte
}

func (f *fatal) Write(p []byte) (int, error) {
	f.rest = append(f.rest, p...)
	for {
		line, rest, whole := bytes.Cut(f.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		if f.rest = rest; bytes.Contains(line, []byte("FATAL:")) || bytes.Contains(line, []byte("crashed")) {
			f.Logf("Chromium: %s", line)
		}
	}
}

func servePages(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch r.URL.Path {
	case "/":
		w.Header().Set("Content-Type", "text/html")
		if policy := q.Get("policy"); policy != "" {
			w.Header().Set("Content-Security-Policy", policy)
		}
		lib, _ := json.Marshal(q.Get("from"))
		fmt.Fprintf(w, somePage, lib, q.Get("options"))
	case "/pasted":
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte(q.Get("html")))
	case "/other.wasm":
		w.Header().Set("Content-Type", "application/wasm")
		w.Write([]byte("\x00asm\x01\x00\x00\x00"))
	case "/damaged.wasm":
		w.Header().Set("Content-Type", "application/wasm")
		w.Write([]byte("\x00asm\x01\x00\x00\x00\x01"))
	case "/empty", "/elsewhere":
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><link rel=icon href=data:,><title>Nothing</title>")
	default:
		http.NotFound(w, r)
	}
}

// joinOptions are those of join.
type joinOptions = map[string]any

// page returns the URL of a page that joins with the nanoring.js of a node.
func (b *browser) page(from *process, options joinOptions, more ...string) string {
	o, _ := json.Marshal(options)
	q := url.Values{"from": {"http://" + from.addr + "/nanoring.js"}, "options": {string(o)}}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return b.pages + "/?" + q.Encode()
}

func gateways(of ...*process) []string {
	var urls []string
	for _, p := range of {
		urls = append(urls, "ws://"+p.addr+"/ring")
	}
	return urls
}

// tab is a tab of the browser. What it complains of on its console, and was
// not expected, fails the test.
type tab struct {
	testing.TB
	ctx   context.Context
	close func()

	mu       sync.Mutex
	expected *regexp.Regexp
	all      []string
}

func (b *browser) open(t testing.TB, url string) *tab {
	t.Helper()
	tab := b.newTab(t)
	tab.navigate(url)
	return tab
}

// newTab returns an empty tab, or one that is there already.
func (b *browser) newTab(t testing.TB, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, options...)
	tab := &tab{TB: t, ctx: ctx, close: cancel, expected: regexp.MustCompile("^$")}
	t.Cleanup(cancel)
	if err := chromedp.Listen(ctx, tab.hear); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tab.complain)
	return tab
}

// duplicate opens the tab's page once more, as the browser does when a user
// duplicates a tab: with a copy of its session.
func (b *browser) duplicate(of *tab) *tab {
	of.Helper()
	ctx, cancel := context.WithTimeout(of.ctx, patience)
	defer cancel()
	opened := chromedp.WaitNewTarget(of.ctx, func(info *target.Info) bool { return info.URL != "" })
	byUser := func(p *runtime.EvaluateParams) { p.UserGesture = new(true) }
	// The page comes once the driver has the tab: it must not look at one that changes.
	url, err := chromedp.Run(ctx, chromedp.Evaluate[string]("sessionStorage.duplicated = true, window.open('about:blank') && location.href", byUser))
	if err != nil {
		of.Fatal(err)
	}
	select {
	case id := <-opened:
		tab := b.newTab(of.TB, chromedp.WithTargetID(id))
		tab.navigate(url)
		tab.until("sessionStorage.duplicated")
		return tab
	case <-ctx.Done():
		of.Fatal("no second tab opens")
		return nil
	}
}

func (tab *tab) navigate(url string) {
	tab.Helper()
	tab.do(chromedp.Navigate(url))
}

func (tab *tab) do(action chromedp.Action[chromedp.Void]) {
	tab.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, action); err != nil {
		tab.Fatal(err)
	}
}

// expect says what the tab may complain of.
func (tab *tab) expect(pattern string) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.expected = regexp.MustCompile(pattern)
}

func (tab *tab) hear(event any) {
	text := ""
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelWarning || e.Entry.Level == log.EntryLevelError {
			text = e.Entry.Text + " " + e.Entry.URL
		}
	case *runtime.EventExceptionThrown:
		text = "exception: " + e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			text = "console: "
			for _, arg := range e.Args {
				text += string(arg.Value) + arg.Description
			}
		}
	}
	if text != "" {
		tab.mu.Lock()
		defer tab.mu.Unlock()
		tab.all = append(tab.all, text)
	}
}

// killedGateway is how a tab complains of a gateway that was killed: before, or while it was dialled.
const killedGateway = "ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|WebSocket connection to .* failed"

func (tab *tab) complain() {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	for _, text := range tab.all {
		if !tab.expected.MatchString(text) {
			tab.Errorf("the tab complains: %s", text)
		}
	}
}

// eval returns what an expression is in the tab; a promise is waited for.
func eval[T any](tab *tab, js string) T {
	tab.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil && !errors.Is(err, chromedp.ErrJSNull) {
		tab.Fatalf("%s: %v", js, err)
	}
	return v
}

// until waits until a condition holds in the tab.
func (tab *tab) until(condition string) {
	tab.Helper()
	for deadline := time.Now().Add(patience); !eval[bool](tab, "!!("+condition+")"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			tab.Fatalf("waited in vain: %s; it is %v, %v", condition, eval[map[string]string](tab, "({ ...document.documentElement.dataset })"), eval[[]string](tab, "Array.isArray(window.log) ? log : [...document.querySelectorAll('#log-list li')].map((line) => line.innerText)"))
		}
	}
}

// becomes waits until the tab has a state, which is final.
func (tab *tab) becomes(state string) {
	tab.Helper()
	tab.until(fmt.Sprintf("['%s', 'ended', 'failed'].includes(document.documentElement.dataset.state)", state))
	if got := eval[string](tab, "document.documentElement.dataset.state"); got != state {
		tab.Fatalf("the tab is %s, not %s: %v", got, state, eval[map[string]string](tab, "({ ...document.documentElement.dataset })"))
	}
}

// name returns who the tab's node is.
func (tab *tab) name() string {
	tab.Helper()
	return eval[string](tab, "nanoring.name")
}
