package main

import (
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

var allBundlers = flag.Bool("bundlers", false, "TestBundlers tries all bundlers, not the two fastest alone: make bundlers")

// TestBundlers installs the package as it would be published, bundles the README's program by the
// README's lines with each of the fixtures in web/bundlers, and opens what comes of it.
func TestBundlers(t *testing.T) {
	t.Parallel()
	folder, _ := packed(t)
	b := startBrowser(t)
	dev1 := unwatchedNodes(t).mustStart(t, "dev1", "")
	for _, fixture := range []struct {
		name string
		fast bool
		runs []string // by npm run
	}{
		{"esbuild", true, []string{"build"}},
		{"vite8", true, []string{"build", "dev"}},
		{"vite7", false, []string{"build", "dev"}},
		{"vite6", false, []string{"build", "dev"}},
		{"webpack", false, []string{"build"}},
		{"rollup", false, []string{"build"}},
		{"parcel", false, []string{"build"}},
		{"next", false, []string{"dev", "build", "build --webpack"}},
	} {
		if !fixture.fast && !*allBundlers {
			continue
		}
		t.Run(fixture.name, func(t *testing.T) {
			p := newProject(t, fixture.name, folder, dev1)
			for _, run := range fixture.runs {
				t.Run(run, func(t *testing.T) {
					url := ""
					switch {
					case run == "dev":
						url = p.serves(t, "dev")
					case fixture.name == "next":
						p.npm(t, append([]string{"run", "build", "--"}, strings.Fields(run)[1:]...)...)
						url = p.serves(t, "start")
					default:
						p.npm(t, "run", run)
						url = p.served(t)
					}
					p.opens(t, b, url).hasWorker()
				})
			}
			if fixture.name == "esbuild" || *allBundlers && fixture.name != "next" {
				testBundledShared(t, b, p)
			}
			if fixture.name == "esbuild" {
				testCDN(t, b, p)
				testWorkerLost(t, b, p)
			}
		})
	}
}

// TestTypes has the package's types checked by the oldest TypeScript that they are for and by the newest.
func TestTypes(t *testing.T) {
	if !*allBundlers {
		t.Skip("it takes -bundlers: make bundlers runs it; TestPackage has one TypeScript check them")
	}
	folder, _ := packed(t)
	for _, name := range []string{"typescript5", "typescript7"} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, name, folder, &process{})
			must(t, os.WriteFile(filepath.Join(p.dir, "typed.mts"), []byte(typed), 0o666))
			p.npm(t, "run", "node16")
			p.npm(t, "run", "bundler")
		})
	}
}

// testBundledShared: the same program is a node that tabs share.
func testBundledShared(t *testing.T, b *browser, p *project) {
	app := filepath.Join(p.dir, "app.js")
	alone, err := os.ReadFile(app)
	must(t, err)
	must(t, os.WriteFile(app, []byte(strings.Replace(string(alone), "join({", "join({ shared: true,", 1)), 0o666))
	p.npm(t, "run", "build")
	url := p.served(t)
	for _, s := range []*glimpse{p.opens(t, b, url), p.opens(t, b, url)} {
		if s.onPage() || len(s.workers) > 0 || len(s.said()) > 0 {
			t.Errorf("it shares none: there are the Workers %q; it says %q", s.workers, s.said())
		}
		s.tab.until(`document.body.innerText.split(", ").length === 2`) // dev1, and the one of both
	}
	must(t, os.WriteFile(app, alone, 0o666))
	p.npm(t, "run", "build")
}

// testCDN: a page whose program comes from another origin makes its Worker as well.
func testCDN(t *testing.T, b *browser, p *project) {
	cdn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		http.FileServer(http.Dir(filepath.Join(p.dir, "dist"))).ServeHTTP(w, r)
	}))
	t.Cleanup(cdn.Close)
	policy := strings.ReplaceAll(policies(t)[1], "http://127.0.0.1:7001", cdn.URL)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Content-Security-Policy", p.here(policy))
		w.Header().Add("Content-Security-Policy", policies(t)[2])
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><link rel="icon" href="data:,"><body></body><script type="module" src="%s/app.js"></script>`, cdn.URL)
	}))
	t.Cleanup(page.Close)
	p.opens(t, b, page.URL).hasWorker()
}

// testWorkerLost: who has forgotten to bundle the Worker is told so.
func testWorkerLost(t *testing.T, b *browser, p *project) {
	must(t, os.Remove(filepath.Join(p.dir, "dist", "worker.js")))
	url := p.served(t)
	s := p.opens(t, b, url)
	eventually(t, "it says why it has no Worker", func() bool {
		return regexp.MustCompile(`This node lives on the page itself, .*: its Worker, ` + url + `/worker.js: it cannot be loaded`).MatchString(strings.Join(s.said(), "\n"))
	})
	s.tab.expect("404")
	if !s.onPage() {
		t.Error("but it has one: what does the test look at?")
	}
}

// project is a fixture in a folder of its own, with the package and the README's program, for
// the ring of a node.
type project struct {
	dir  string
	node *process
}

func newProject(t *testing.T, name, packed string, node *process) *project {
	t.Helper()
	p := &project{t.TempDir(), node}
	fixture := filepath.Join("../../web/bundlers", name)
	must(t, os.CopyFS(p.dir, os.DirFS(fixture)))
	files := []string{"app.js", "index.html"}
	if name == "next" {
		files = []string{"app/page.tsx"}
		for _, file := range []string{"use-ring.jsx", "who-is-here.jsx"} {
			must(t, os.WriteFile(filepath.Join(p.dir, "app", file), []byte(written(t, file)), 0o666))
		}
	}
	for _, file := range files {
		must(t, os.WriteFile(filepath.Join(p.dir, file), []byte(p.here(written(t, file))), 0o666))
	}
	json, err := os.ReadFile(filepath.Join(fixture, "package.json"))
	must(t, err)
	for _, script := range regexp.MustCompile(`"(?:dev|build)": "(.*)"`).FindAllSubmatch(json, -1) {
		if !strings.Contains(webReadme(t), "`"+string(script[1])+"`") && name != "next" {
			t.Errorf("the README does not say: %s", script[1])
		}
	}
	tarballs, _ := filepath.Glob(filepath.Join(packed, "nanoring-*.tgz"))
	p.npm(t, "install", "--no-audit", "--no-fund", "--prefer-offline", tarballs[0])
	return p
}

// written returns a file that the README shows, with its name in the first line.
func written(t *testing.T, name string) string {
	t.Helper()
	found := regexp.MustCompile("(?s)```\\w+\n(?:// |<!-- )" + regexp.QuoteMeta(name) + "(?: -->)?\n(.*?)```").FindStringSubmatch(webReadme(t))
	if found == nil {
		t.Fatalf("the README shows no %s", name)
	}
	return found[1]
}

// here is a text of the README for the project's ring.
func (p *project) here(text string) string {
	return strings.ReplaceAll(text, "127.0.0.1:7001", p.node.addr)
}

func (p *project) command(args ...string) *exec.Cmd {
	cmd := exec.Command("npm", args...)
	cmd.Dir, cmd.SysProcAttr = p.dir, childAttr()
	cmd.Env = append(os.Environ(), "NEXT_TELEMETRY_DISABLED=1")
	return cmd
}

func (p *project) npm(t *testing.T, args ...string) {
	t.Helper()
	if out, err := p.command(args...).CombinedOutput(); err != nil {
		t.Fatalf("npm %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// serves starts the bundler's own server, until the test ends.
func (p *project) serves(t *testing.T, script string) string {
	t.Helper()
	port, err := freePorts(1)
	must(t, err)
	cmd := p.command("run", script, "--", "--port", fmt.Sprint(port))
	var out lockedBuffer
	cmd.Stdout, cmd.Stderr = &out, &out
	must(t, cmd.Start())
	t.Cleanup(func() {
		sendTo(-cmd.Process.Pid, syscall.SIGKILL) // and all that it has started
		cmd.Wait()
	})
	url := fmt.Sprintf("http://localhost:%d", port)
	eventually(t, url+" serves", func() bool {
		response, err := http.Get(url)
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return url
}

// served serves what was built, by the README's Content-Security-Policy.
func (p *project) served(t *testing.T) string {
	t.Helper()
	dist, policy := filepath.Join(p.dir, "dist"), p.here(policies(t)[0])
	html, err := os.ReadFile(filepath.Join(dist, "index.html"))
	if err != nil {
		must(t, os.WriteFile(filepath.Join(dist, "index.html"), []byte(written(t, "index.html")), 0o666))
	}
	if inline := regexp.MustCompile(`<script type="?importmap"?>(.*?)</script>`).FindSubmatch(html); inline != nil { // Parcel's
		sum := sha256.Sum256(inline[1])
		policy = strings.Replace(policy, "script-src", "script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'", 1)
	}
	files := http.FileServer(http.Dir(dist))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/favicon.ico" {
			return
		}
		w.Header().Add("Content-Security-Policy", policy)
		w.Header().Add("Content-Security-Policy", policies(t)[2])
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// glimpse is what is seen of a page from outside.
type glimpse struct {
	*testing.T
	tab     *tab
	gateway string

	mu      sync.Mutex
	sockets []string // of the page itself
	workers []string
	texts   []string // of its console
}

// opens opens a page, which shows who is up.
func (p *project) opens(t *testing.T, b *browser, url string) *glimpse {
	t.Helper()
	s := &glimpse{T: t, tab: b.newTab(t), gateway: gateways(p.node)[0]}
	s.tab.expect("favicon")
	must(t, chromedp.Listen(s.tab.ctx, func(event any) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch e := event.(type) {
		case *network.EventWebSocketCreated:
			s.sockets = append(s.sockets, e.URL)
		case *target.EventAttachedToTarget:
			if e.TargetInfo.Type == "worker" {
				s.workers = append(s.workers, e.TargetInfo.URL)
			}
		case *runtime.EventConsoleAPICalled:
			for _, arg := range e.Args {
				s.texts = append(s.texts, string(arg.Value))
			}
		}
	}))
	s.tab.navigate(url)
	s.tab.until(`/\bdev1\b[^]*\btab-\w+/.test(document.body.innerText)`)
	return s
}

func (s *glimpse) said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.texts...)
}

// onPage says whether the node lives on the page itself.
func (s *glimpse) onPage() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, url := range s.sockets {
		if url == s.gateway {
			return true
		}
	}
	return false
}

func (s *glimpse) hasWorker() {
	s.Helper()
	if s.onPage() || len(s.workers) != 1 {
		s.Errorf("its node lives on the page; there are the Workers %q; it says %q", s.workers, s.said())
	}
}
