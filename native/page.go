package native

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/nanoring/nanoring/wasm/module"
	"github.com/nanoring/nanoring/web"
)

// pagePolicy is the Content-Security-Policy: nothing but what the node serves,
// the module among it, and gateways: their WebSockets, and why there is none.
const pagePolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws: wss: http: https:; " +
	"style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types nanoring"

const pagePath = "/{$}" // of the page itself, as a mux has it

var pageTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".wasm": "application/wasm",
}

// pageFiles are what browsers are served, by pattern of a mux. They are the
// process's: what is compressed once is so for all of its nodes.
//
// At /-/VERSION/lib/NAME and /-/VERSION/page/NAME, where the page has its own from, a
// file is what it is for ever, and a browser that has it asks no more. The library is at
// /NAME, too, for the pages of others: there it changes with the node.
var pageFiles = sync.OnceValue(func() map[string]*pageFile {
	sources := map[string][]byte{"lib/nanoring.wasm": module.Wasm}
	names, _ := fs.Glob(web.Files, "*/*") // an error would be the pattern's
	for _, name := range names {
		b, err := web.Files.ReadFile(name)
		if err != nil {
			panic(err) // it is in this binary
		}
		sources[name] = b
	}
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		one := sha256.Sum256(sources[name])
		sum.Write(one[:])
	}
	folder := "-/" + hex.EncodeToString(sum.Sum(nil)[:8]) + "/"

	page := pageLinks.ReplaceAll(sources["page/index.html"], []byte(`$1="`+folder+`$2"`))
	delete(sources, "page/index.html")
	files := map[string]*pageFile{pagePath: newPageFile("index.html", page)}
	for name, b := range sources {
		changes := newPageFile(name, b)
		if name == "lib/nanoring.wasm" {
			changes.brotli = module.Brotli
		}
		stays := *changes
		stays.immutable = true
		files["/"+folder+name] = &stays
		if name, is := strings.CutPrefix(name, "lib/"); is {
			files["/"+name] = changes
		}
	}
	return files
})

// pageLinks are what the page loads.
var pageLinks = regexp.MustCompile(`(href|src)="((?:lib|page)/[a-z]+\.(?:css|js|wasm))"`)

// pageEarly is what the page loads before its program asks for it.
var pageEarly = regexp.MustCompile(`<link rel="preload"[^\n]*\n`)

// pageFile is a file that is served as it is, or compressed.
type pageFile struct {
	typ   string
	plain []byte
	etag  func() string // of plain, without quotes
	small func() []byte // plain compressed, by gzip

	brotli []byte // plain compressed better, if it is; browsers take it by https, and on this machine

	immutable bool // at the path where it is served
}

func newPageFile(name string, b []byte) *pageFile {
	return &pageFile{
		typ:   pageTypes[path.Ext(name)],
		plain: b,
		etag: sync.OnceValue(func() string {
			sum := sha256.Sum256(b)
			return hex.EncodeToString(sum[:16])
		}),
		small: sync.OnceValue(func() []byte {
			var out bytes.Buffer
			z, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // which there is
			z.Write(b)                                              // a Buffer takes all
			z.Close()
			return out.Bytes()
		}),
	}
}

// lockedPage is the page of a node with a secret: it knows that it needs a token
// without asking, and being refused. Until it has one it needs no module.
var lockedPage = sync.OnceValue(func() *pageFile {
	page := pageEarly.ReplaceAll(pageFiles()[pagePath].plain, nil)
	return newPageFile("index.html", bytes.Replace(page, []byte("<html "), []byte("<html data-locked "), 1))
})

// servePage adds the page and nanoring.js, so that a browser can be a node.
func servePage(mux *http.ServeMux, locked bool) {
	for path, file := range pageFiles() {
		if path == pagePath && locked {
			file = lockedPage()
		}
		mux.Handle("GET "+path, file)
	}
}

// ServeHTTP serves the file. If it is not immutable a browser asks again each
// time, and is told at once that it has it: so a page is never older than its node.
func (f *pageFile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, etag := f.plain, f.etag()
	h := w.Header()
	codings := []string{"br", "gzip"}
	if f.brotli == nil {
		codings = codings[1:]
	}
	if coding := coding(r, codings...); coding != "" {
		h.Set("Content-Encoding", coding)
		etag += "-" + coding
		if body = f.brotli; coding == "gzip" {
			body = f.small()
		}
	}
	etag = `"` + etag + `"`
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", etag)
	h.Set("Cache-Control", "no-cache")
	if f.immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	if strings.HasPrefix(f.typ, "text/javascript") || f.typ == "application/wasm" {
		h.Set("Access-Control-Allow-Origin", "*") // no secrets: a page of anybody's may be a node by them
	}
	if match := r.Header.Get("If-None-Match"); match == "*" || strings.Contains(match, etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.typ)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body) // an error is the client's, which is gone
}
