package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/profiler"
	"github.com/chromedp/cdproto/systeminfo"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/nanoring/nanoring/native"
	"github.com/nanoring/nanoring/web"
)

// preloads are what the page loads early, and the feed does not need.
var preloads = regexp.MustCompile(`<link rel="preload"[^\n]*\n`)

// servePage serves the page of a large ring: testdata/page/feed.js takes the place of nanoring.js.
func servePage(t testing.TB) (url string) {
	t.Helper()
	feed, err := os.ReadFile(filepath.Join("testdata", "page", "feed.js"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" {
			name = "page/index.html"
		}
		b, err := web.Files.ReadFile(name)
		if name == "lib/nanoring.js" {
			b, err = feed, nil
		}
		if name == "page/index.html" {
			b = preloads.ReplaceAll(b, nil)
		}
		if strings.HasPrefix(name, "v1/") { // what the gateway knows
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"name":"node0","by":"node0","conditions":[],"evidence":[]}`)
			return
		}
		if err != nil && name != "lib/nanoring.wasm" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
		w.Write(b)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/"
}

// pace is how many pictures a second the page makes for some seconds, while its ring changes.
const pace = `(async (rate, seconds) => {
	const end = rate ? nanoring.begin(rate) : () => {};
	let pictures = 0, over = false, worst = 0, last = performance.now();
	const begin = last;
	const count = (now) => {
		pictures++;
		worst = Math.max(worst, performance.now() - last);
		last = performance.now();
		over || requestAnimationFrame(count);
	};
	requestAnimationFrame(count);
	await new Promise((done) => setTimeout(done, seconds * 1000));
	over = true;
	end();
	return [pictures / (performance.now() - begin) * 1000, worst];
})`

// work is what the tab's main thread has done since it was asked to count: seconds of a CPU by kind.
func (tab *tab) work() map[string]float64 {
	tab.Helper()
	result, err := chromedp.Call(tab.ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		tab.Fatal(err)
	}
	all := make(map[string]float64)
	for _, m := range result.Metrics {
		all[m.Name] = m.Value
	}
	return all
}

// profiled runs what takes some seconds, and says which functions took most of its time.
func (tab *tab) profiled(run func()) string {
	tab.Helper()
	for _, cmd := range []cdp.Command[cdp.Empty, cdp.Empty]{profiler.Enable, profiler.Start} {
		if _, err := chromedp.Call(tab.ctx, cmd, cdp.Empty{}); err != nil {
			tab.Fatal(err)
		}
	}
	run()
	stopped, err := chromedp.Call(tab.ctx, profiler.Stop, cdp.Empty{})
	if err != nil {
		tab.Fatal(err)
	}
	names, took, total := make(map[int64]string), make(map[string]float64), 0.0
	for _, n := range stopped.Profile.Nodes {
		names[n.ID] = fmt.Sprintf("%s %s:%d", n.CallFrame.FunctionName, path.Base(n.CallFrame.URL), n.CallFrame.LineNumber+1)
	}
	for i, id := range stopped.Profile.Samples {
		took[names[id]] += float64(stopped.Profile.TimeDeltas[i]) / 1e6
		total += float64(stopped.Profile.TimeDeltas[i]) / 1e6
	}
	var b strings.Builder
	for i, name := range slices.SortedFunc(maps.Keys(took), func(a, b string) int { return cmp.Compare(took[b], took[a]) }) {
		if i < 25 {
			fmt.Fprintf(&b, "%6.1f %%  %s\n", took[name]/total*100, name)
		}
	}
	return b.String()
}

// pictures has some nodes change, or something move alone, for every second picture.
const pictures = `(async (count, changes) => {
	const picture = () => new Promise((done) => requestAnimationFrame(done));
	for (let i = 0; i < count; i++) {
		nanoring.step(changes);
		await picture();
		await picture();
	}
})`

// cpu is what all of the browser's processes have taken, in seconds.
func (b *browser) cpu(t testing.TB) (all float64) {
	t.Helper()
	info, err := chromedp.CallBrowser(b.ctx, systeminfo.GetProcessInfo, cdp.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range info.ProcessInfo {
		all += p.CPUTime
	}
	return all
}

// testLargePage: of 2,000 nodes the page has the rows that are seen, groups them by a tag, and draws what changes alone.
func testLargePage(t *testing.T, b *browser) {
	tab := b.open(t, servePage(t)+"?nodes=2000")
	tab.becomes("joined")
	tab.look(1280, 760, "light")
	tab.until(`document.querySelectorAll("#nodes-body tr[data-name]").length > 10`)
	if all := eval[int](tab, `document.querySelectorAll("*").length`); all > 1500 {
		t.Errorf("the page has %d elements", all)
	}
	work := eval[map[string]int](tab, `(async () => {
		const did = { drawImage: 0, stroke: 0, clearRect: 0, written: 0 }, pictures = async (n) => { while (n--) await new Promise(requestAnimationFrame); };
		await pictures(4);
		for (const kind of ["drawImage", "stroke", "clearRect"]) {
			const real = CanvasRenderingContext2D.prototype[kind];
			CanvasRenderingContext2D.prototype[kind] = function (...args) { did[kind]++; return real.apply(this, args); };
		}
		new MutationObserver((all) => (did.written += all.length)).observe(document.body, { subtree: true, childList: true, characterData: true });
		for (let i = 0; i < 9; i++) {
			nanoring.set(1000 + i, i % 2 ? "left" : "down");
			await new Promise((done) => setTimeout(done, 100));
		}
		await pictures(4);
		return did;
	})()`)
	t.Logf("for nine changes: %v", work)
	if work["drawImage"] == 0 || work["drawImage"] > 400 || work["stroke"] > 60 || work["clearRect"] > 60 || work["written"] > 400 {
		t.Errorf("nine changes make for %v", work)
	}

	// Any row can be come by: by the keys, by scrolling, from the drawing.
	names := func() string {
		return eval[string](tab, `[...document.querySelectorAll("#nodes-body tr[data-key]")].map((row) => row.innerText.trim().split(/\s/)[0]).join(" ")`)
	}
	eval[any](tab, `document.querySelector("#nodes-body [tabindex='0']").focus()`)
	tab.do(chromedp.KeyEvent(kb.End))
	tab.until(`document.activeElement.closest("tr")?.dataset.name === "tab-feed"`)
	if n := eval[int](tab, `document.querySelectorAll("#nodes-body tr").length`); n > 80 {
		t.Errorf("at its end the table has %d rows", n)
	}
	tab.do(chromedp.KeyEvent(kb.ArrowUp))
	tab.until(`document.activeElement.closest("tr")?.dataset.name === "tab-1989"`)
	tab.do(chromedp.KeyEvent(kb.Home))
	tab.until(`document.activeElement.closest("tr")?.dataset.name === "node0" && document.activeElement.closest("tr").ariaRowIndex === "2"`)
	eval[any](tab, `document.querySelector("#nodes-scroll").scrollTop = 15000`)
	tab.until(`document.querySelector("tr[data-name='node560']") && !document.querySelector("tr[data-name='node1']")`)

	// A row that is scrolled away keeps the focus, and the keys go on from it.
	rows := `[...document.querySelectorAll("#nodes-body tr[data-key]")].map((row) => Number(row.ariaRowIndex))`
	for _, to := range []int{30000, 59000, 100, 30000} {
		eval[any](tab, fmt.Sprintf(`document.querySelector("#nodes-scroll").scrollTop = %d`, to))
		tab.until(fmt.Sprintf(`%s.some((row) => Math.abs(row - %d / document.querySelector("tr[data-name]").offsetHeight) < 12)`, rows, to))
		if got := eval[string](tab, `document.activeElement.closest("tr")?.dataset.name ?? document.activeElement.tagName`); got != "node0" {
			t.Fatalf("scrolled to %d px the focus is at %s", to, got)
		}
		if !eval[bool](tab, `((at) => at.every((row, i) => !i || row > at[i - 1]))(`+rows+`)`) {
			t.Errorf("the rows are %v", eval[[]int](tab, rows))
		}
	}
	tab.do(chromedp.KeyEvent(kb.ArrowDown))
	tab.until(`document.activeElement.closest("tr")?.dataset.name === "node1" && document.querySelector("#nodes-scroll").scrollTop < 100`)
	tab.do(chromedp.KeyEvent(kb.End)) // and from below
	eval[any](tab, `document.querySelector("#nodes-scroll").scrollTop = 30000`)
	tab.until(`document.querySelector("#nodes-body").lastElementChild.dataset.name === "tab-feed"`)
	tab.do(chromedp.KeyEvent(kb.ArrowUp))
	tab.until(`document.activeElement.closest("tr")?.dataset.name === "tab-1989"`)
	eval[any](tab, `document.querySelector("#nodes-scroll").scrollTop = 15000`)

	// Groups say how many are in which state, and are opened.
	tab.fill("group", "zone")
	eval[any](tab, `document.querySelector("#group").dispatchEvent(new Event("change"))`)
	tab.until(`document.querySelectorAll("#nodes-body tr.group").length === 4 && document.querySelectorAll("#nodes-body tr[data-key]").length === 4`)
	if got := names(); got != "zone=a zone=b zone=c no" {
		t.Errorf("the groups are %s", got)
	}
	if got := eval[int](tab, `[...document.querySelectorAll("#nodes-body .count")].reduce((sum, e) => sum + parseInt(e.textContent), 0)`); got != 2000 {
		t.Errorf("the groups have %d nodes", got)
	}
	tab.pictures(t, "groups")
	tab.press("tr[data-group='b'] button")
	tab.until(`document.querySelector("tr[data-group='b'] button").ariaExpanded === "true" && document.querySelector("tr[data-name='node1']")`)
	tab.press("tr[data-group='b'] button")
	tab.until(`!document.querySelector("tr[data-name='node1']")`)
	tab.fill("search", "node1000")
	tab.until(`[...document.querySelectorAll("#nodes-body tr")].map((row) => row.dataset.name ?? row.dataset.group).join() === "b,node1000"`)
	tab.fill("search", "")
	tab.until(`(() => { // chosen in the drawing, its group is opened
		const c = document.querySelector("#crowd"), box = c.getBoundingClientRect();
		for (let x = 0; x < box.width / 2; x += 3) {
			c.dispatchEvent(new MouseEvent("click", { clientX: box.left + x, clientY: box.top + box.height / 2, bubbles: true }));
		}
		return document.querySelector("tr.chosen");
	})()`)
}

// BenchmarkLargePage is how smooth the page of a ring of 2,000 nodes is: pictures a second while none, 20 or 200 a second
// change, beside an empty page; and what a picture costs of a CPU, of one that shows changes, or something that moves alone:
// with two CPUs, 50 a second are there when the main thread takes less than 20 ms, and all threads less than 40.
func BenchmarkLargePage(b *testing.B) {
	url := servePage(b)
	browser := startBrowser(b)
	bare := browser.open(b, browser.pages+"/empty")
	tab := browser.open(b, url+"?nodes=2000")
	tab.becomes("joined")
	tab.look(1280, 760, "light")
	if _, err := chromedp.Call(tab.ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}); err != nil {
		b.Fatal(err)
	}
	for _, changes := range []int{0, 1, 20} {
		b.Run(fmt.Sprintf("changes=%d", changes), func(b *testing.B) {
			const count = 60.0
			main, all, parts := 0.0, 0.0, make(map[string]float64)
			profile := tab.profiled(func() {
				for b.Loop() {
					before, cpu := tab.work(), browser.cpu(b)
					eval[any](tab, fmt.Sprintf("%s(%v, %d)", pictures, count, changes))
					after := tab.work()
					for _, kind := range []string{"Script", "Layout", "RecalcStyle", "Task"} {
						parts[kind] += after[kind+"Duration"] - before[kind+"Duration"]
					}
					main, all = parts["Task"], all+browser.cpu(b)-cpu
				}
			})
			per := 1000 / float64(b.N) / count / 2
			b.ReportMetric(main*per, "main-ms/picture")
			b.ReportMetric(all*per, "all-ms/picture")
			b.ReportMetric(tab.work()["Nodes"], "DOM-nodes")
			for kind, took := range parts {
				b.ReportMetric(took*per, kind+"-ms")
			}
			b.Logf("\n%s", profile)
		})
	}
	for _, rate := range []int{0, 20, 200} {
		b.Run(fmt.Sprintf("rate=%d", rate), func(b *testing.B) {
			fps, none, worst := 0.0, 0.0, 0.0
			for b.Loop() {
				eval[any](bare, "window.nanoring = {}")
				none += eval[[]float64](bare, pace+"(0, 2)")[0]
				got := eval[[]float64](tab, fmt.Sprintf("%s(%d, 4)", pace, rate))
				fps, worst = fps+got[0], max(worst, got[1])
			}
			b.ReportMetric(fps/float64(b.N), "fps")
			b.ReportMetric(fps/none, "x/bare")
			b.ReportMetric(worst, "worst-ms")
		})
	}
	for _, scheme := range []string{"light", "dark"} {
		tab.look(1280, 760, scheme)
		if err := os.WriteFile(filepath.Join(b.ArtifactDir(), "large-"+scheme+".png"), tab.picture(), 0o666); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLargeRing is how smooth the page is of a node whose ring has 2,000 names, of which 20 a second are added and
// removed: with the engine in its Worker, and all that comes over its connection.
func BenchmarkLargeRing(b *testing.B) {
	node, err := native.Start(b.Context(), native.Config{Name: "dev1", Listen: "127.0.0.1:0", Data: b.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer node.Close()
	for i := range 2000 { // they never run
		if _, err := node.Add(b.Context(), fmt.Sprintf("node%d", i), fmt.Sprintf("127.0.0.1:%d", 1+i%9)); err != nil {
			b.Fatal(err)
		}
	}
	browser := startBrowser(b)
	bare := browser.open(b, browser.pages+"/empty")
	tab := browser.open(b, "http://"+node.Addr()+"/")
	tab.becomes("joined")
	tab.look(1280, 760, "light")
	tab.until("nanoring.all().length === 2002")
	if _, err := chromedp.Call(tab.ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}); err != nil {
		b.Fatal(err)
	}
	fps, none, main, changes, profile := 0.0, 0.0, 0.0, 0, ""
	for b.Loop() {
		none += eval[[]float64](bare, pace+"(0, 2)")[0]
		over, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for tick := time.NewTicker(50 * time.Millisecond); ; changes++ {
				select {
				case <-over:
					tick.Stop()
					return
				case <-tick.C:
				}
				name := fmt.Sprintf("other%d", changes/2)
				if changes%2 == 0 {
					node.Add(b.Context(), name, "127.0.0.1:1")
				} else {
					node.Del(b.Context(), name)
				}
			}
		}()
		before, pictures := tab.work()["TaskDuration"], 0.0
		profile = tab.profiled(func() { pictures = eval[[]float64](tab, pace+"(0, 6)")[0] })
		main += (tab.work()["TaskDuration"] - before) / (pictures * 6) * 1000
		fps += pictures
		close(over)
		<-done
	}
	b.Logf("\n%s", profile)
	b.ReportMetric(main/float64(b.N), "main-ms/picture")
	b.ReportMetric(fps/float64(b.N), "fps")
	b.ReportMetric(fps/none, "x/bare")
	b.ReportMetric(float64(changes)/float64(b.N)/6, "changes/s")
}
