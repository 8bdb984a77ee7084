package native

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/andybalholm/brotli"

	"github.com/nanoring/nanoring/native/trust"
	"github.com/nanoring/nanoring/wasm/module"
)

func TestPage(t *testing.T) {
	n := startFake(t, newFake(nil))
	base, c := "http://"+n.Addr(), httpClient(t)

	const asks, stays = "no-cache", "public, max-age=31536000, immutable"
	for path, want := range map[string]struct{ typ, has, cors, cached, policy string }{
		"/":                                   {"text/html; charset=utf-8", "<!doctype html>", "", asks, pagePolicy},
		"/nanoring.js":                        {"text/javascript; charset=utf-8", "export function join(", "*", asks, ""},
		"/worker.js":                          {"text/javascript; charset=utf-8", "import", "*", asks, pagePolicy},
		"/nanoring.wasm":                      {"application/wasm", "\x00asm", "*", asks, ""},
		"/" + pageLink(t, n, "page/page.css"): {"text/css; charset=utf-8", "{", "", stays, ""},
		"/" + pageLink(t, n, "lib/nanoring.wasm"): {"application/wasm", "\x00asm", "*", stays, ""},
	} {
		t.Run(path, func(t *testing.T) {
			plain := ask(t, c, "GET", base+path, "", "Accept-Encoding", "zstd, gzip;q=0")
			if plain.status != 200 || plain.typ != want.typ || !strings.Contains(plain.body, want.has) {
				t.Fatalf("%d %s %.100s", plain.status, plain.typ, plain.body)
			}
			for name, value := range map[string]string{
				"Content-Encoding": "", "Vary": "Accept-Encoding", "Cache-Control": want.cached,
				"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Access-Control-Allow-Origin": want.cors,
				"Content-Security-Policy": want.policy,
			} {
				if got := plain.header.Get(name); got != value {
					t.Errorf("%s: %q, not %q", name, got, value)
				}
			}

			small := ask(t, c, "GET", base+path, "", "Accept-Encoding", "deflate, GZIP;q=0.5")
			if small.header.Get("Content-Encoding") != "gzip" || small.header.Get("ETag") == plain.header.Get("ETag") || len(small.body) >= len(plain.body) {
				t.Fatalf("it is not compressed: %v, %d bytes", small.header, len(small.body))
			}
			z, err := gzip.NewReader(strings.NewReader(small.body))
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(z); err != nil || string(b) != plain.body {
				t.Errorf("it is something else when compressed: %v", err)
			}

			most := ask(t, c, "GET", base+path, "", "Accept-Encoding", chromiumTakes)
			if want.typ == "application/wasm" {
				b, err := io.ReadAll(brotli.NewReader(strings.NewReader(most.body)))
				if err != nil || string(b) != plain.body || most.header.Get("Content-Encoding") != "br" || len(most.body) >= len(small.body) {
					t.Errorf("%v, %d bytes: %v", most.header, len(most.body), err)
				}
			}
			part := ask(t, c, "GET", base+path, "", "Accept-Encoding", chromiumTakes, "Range", "bytes=0-9")
			if part.status != 200 || part.body != most.body || part.header.Get("Accept-Ranges") != "" {
				t.Errorf("a part of it: %d %v", part.status, part.header)
			}

			for _, first := range []answer{plain, small, most} {
				encoding := cmp.Or(first.header.Get("Content-Encoding"), "identity")
				again := ask(t, c, "GET", base+path, "", "Accept-Encoding", encoding, "If-None-Match", `"x", W/`+first.header.Get("ETag"))
				if again.header.Get("Vary") != "Accept-Encoding" || again.header.Get("Content-Encoding") != "" {
					t.Errorf("%v", again.header)
				}
				if again.status != 304 || again.body != "" || again.header.Get("ETag") != first.header.Get("ETag") {
					t.Errorf("a browser that has it, %q, is told %d, %d bytes", encoding, again.status, len(again.body))
				}
				changed := ask(t, c, "GET", base+path, "", "Accept-Encoding", encoding, "If-None-Match", `"x"`)
				if changed.status != 200 || changed.body != first.body {
					t.Errorf("a browser that has an older one, %q, is told %d", encoding, changed.status)
				}
				head := ask(t, c, "HEAD", base+path, "", "Accept-Encoding", encoding)
				if head.status != 200 || head.body != "" || head.header.Get("Content-Length") != first.header.Get("Content-Length") {
					t.Errorf("HEAD, %q: %d %v", encoding, head.status, head.header)
				}
			}
		})
	}
	if wasm := ask(t, c, "GET", base+"/nanoring.wasm", "", "Accept-Encoding", "identity"); !bytes.Equal([]byte(wasm.body), module.Wasm) {
		t.Error("the module is another one")
	}
	for _, path := range []string{"/index.html", "/page.css", "/page/page.css", "/lib/nanoring.js", "/web.go", "/package.json", "/node_modules/", "/page"} {
		if got := ask(t, c, "GET", base+path, ""); got.status != 404 || got.typ != "application/problem+json" {
			t.Errorf("%s: %d %s", path, got.status, got.typ)
		}
	}
	if got := ask(t, c, "GET", base+"/", "", "Host", "evil.example"); got.status != 403 {
		t.Errorf("a page of another name is served: %d", got.status)
	}
}

// pageLink is where the page of a node has one of its files from.
func pageLink(t *testing.T, n *Node, name string) string {
	t.Helper()
	page := ask(t, httpClient(t), "GET", "http://"+n.Addr()+"/", "").body
	link := regexp.MustCompile(`"(-/[0-9a-f]{16}/` + regexp.QuoteMeta(name) + `)"`).FindStringSubmatch(page)
	if link == nil {
		t.Fatalf("the page loads no %s", name)
	}
	return link[1]
}

// TestLockedPage: the page of a node with a secret knows that it needs a token.
func TestLockedPage(t *testing.T) {
	cfg := config(t, "dev1")
	cfg.Engine = newFake(nil).engine
	open, c := start(t, cfg), httpClient(t)
	cfg = config(t, "dev2")
	cfg.Engine = newFake(nil).engine
	cfg.SecretFile = secretFile(t, trust.NewSecret())
	locked := start(t, cfg)
	for n, want := range map[*Node]bool{open: false, locked: true} {
		if got := ask(t, c, "GET", "http://"+n.Addr()+"/", ""); got.status != 200 || strings.Contains(got.body, "<html data-locked ") != want {
			t.Errorf("%d %.100s", got.status, got.body)
		}
	}
}

func TestNoPage(t *testing.T) {
	cfg := config(t, "dev1")
	cfg.Engine = newFake(nil).engine
	cfg.NoPage = true
	n := start(t, cfg)
	c := httpClient(t)
	for _, path := range []string{"/", "/nanoring.js", "/nanoring.wasm", "/worker.js"} {
		if got := ask(t, c, "GET", "http://"+n.Addr()+path, ""); got.status != 404 || got.typ != "application/problem+json" {
			t.Errorf("%s: %d %s", path, got.status, got.typ)
		}
	}
}

// TestPageIsImmutable: what the page loads it loads once.
func TestPageIsImmutable(t *testing.T) {
	n := startFake(t, newFake(nil))
	base, c := "http://"+n.Addr(), httpClient(t)
	page := ask(t, c, "GET", base+"/", "").body
	links := regexp.MustCompile(`(?:href|src)="(-/[0-9a-f]{16}/)?([^"#:]*)"`).FindAllStringSubmatch(page, -1)
	if len(links) < 5 {
		t.Fatalf("it loads %d files", len(links))
	}
	for _, link := range links {
		if link[1] == "" {
			t.Errorf("%s may change", link[2])
			continue
		}
		stays := ask(t, c, "GET", base+"/"+link[1]+link[2], "")
		if stays.status != 200 {
			t.Errorf("%s: %d", link[0], stays.status)
		}
		if name, is := strings.CutPrefix(link[2], "lib/"); is {
			if changes := ask(t, c, "GET", base+"/"+name, ""); stays.body != changes.body || stays.header.Get("ETag") != changes.header.Get("ETag") {
				t.Errorf("%s is another one than /%s", link[0], name)
			}
		}
		if got := stays.header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("%s: Cache-Control: %s", link[0], got)
		}
	}
	if got := ask(t, c, "GET", base+"/-/0123456789abcdef/page/page.js", ""); got.status != 404 {
		t.Errorf("another version of a file: %d", got.status)
	}
}

// chromiumTakes is what Chromium and Firefox accept by https, and of 127.0.0.1 and localhost; of
// others by http they take gzip.
const chromiumTakes = "gzip, deflate, br, zstd"

// TestPageIsSmall: page, library and module, as they go over the wire, headers and all.
func TestPageIsSmall(t *testing.T) {
	sizes := pageSizes(t, chromiumTakes)
	if t.Log(sizes); sizes["all"] > 794<<10 || sizes["all"] < sizes["module"] {
		t.Errorf("bytes over the wire: %v", sizes)
	}
}

// BenchmarkPageBytes says how many bytes go over the wire for the page of a
// node, and how many of them are the module and how many the library.
func BenchmarkPageBytes(b *testing.B) {
	for b.Loop() {
		for coding, takes := range map[string]string{"br": chromiumTakes, "gzip": "gzip"} {
			for what, bytes := range pageSizes(b, takes) {
				b.ReportMetric(float64(bytes), what+"-"+coding+"-B")
			}
		}
	}
}

// pageSizes asks for all that a node's page is of, as the node serves it, and counts what comes.
func pageSizes(t testing.TB, takes string) map[string]int {
	t.Helper()
	mux := http.NewServeMux()
	servePage(mux, false)
	node := httptest.NewServer(mux)
	defer node.Close()
	var got atomic.Int64
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		return countedConn{c, &got}, err
	}}
	defer transport.CloseIdleConnections()
	sizes := make(map[string]int)
	for path, file := range pageFiles() {
		if !file.immutable && path != pagePath {
			continue
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, node.URL+strings.TrimSuffix(path, "{$}"), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", takes)
		before := got.Load()
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(path, resp.Status, err)
		}
		resp.Body.Close()
		what := "page"
		if strings.HasSuffix(path, "/lib/nanoring.wasm") {
			what = "module"
		} else if strings.Contains(path, "/lib/") {
			what = "library"
		}
		sizes[what] += int(got.Load() - before)
		sizes["all"] += int(got.Load() - before)
	}
	return sizes
}

// countedConn counts what is read.
type countedConn struct {
	net.Conn
	got *atomic.Int64
}

func (c countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.got.Add(int64(n))
	return n, err
}
