package main

import (
	"cmp"
	"fmt"
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

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/profiler"
	"github.com/chromedp/chromedp"

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
		if name == "v1/status" {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"name":"node0","conditions":[]}`)
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

// BenchmarkLargePage is how smooth the page of a ring of 2,000 nodes is of which 20 a second change, beside an
// empty page: pictures a second, and how much of the main thread's time it takes.
func BenchmarkLargePage(b *testing.B) {
	url := servePage(b)
	browser := startBrowser(b)
	bare := browser.open(b, browser.pages+"/empty")
	eval[any](bare, "window.nanoring = {}")
	none := eval[[]float64](bare, pace+"(0, 3)")
	bare.close()
	for _, rate := range []int{0, 20, 200} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			tab := browser.open(b, url+"?nodes=2000")
			tab.becomes("joined")
			tab.look(1280, 760, "light")
			if _, err := chromedp.Call(tab.ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}); err != nil {
				b.Fatal(err)
			}
			fps, worst, seconds := 0.0, 0.0, 4.0
			before := tab.work()
			profile := tab.profiled(func() {
				for b.Loop() {
					got := eval[[]float64](tab, fmt.Sprintf("%s(%d, %v)", pace, rate, seconds))
					fps, worst = fps+got[0], max(worst, got[1])
				}
			})
			after := tab.work()
			b.ReportMetric(fps/float64(b.N), "fps")
			b.ReportMetric(fps/float64(b.N)/none[0], "x/bare")
			b.ReportMetric(worst, "worst-ms")
			for _, kind := range []string{"TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration"} {
				b.ReportMetric((after[kind]-before[kind])/seconds/float64(b.N)*100, strings.TrimSuffix(kind, "Duration")+"-%")
			}
			b.ReportMetric(after["Nodes"], "DOM-nodes")
			b.Logf("\n%s", profile)
			for _, scheme := range []string{"light", "dark"} {
				tab.look(1280, 760, scheme)
				if err := os.WriteFile(filepath.Join(b.ArtifactDir(), "large-"+scheme+".png"), tab.picture(), 0o666); err != nil {
					b.Fatal(err)
				}
			}
			tab.close()
		})
	}
}
