package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/nanoring/nanoring/wasm/module"
)

// securePages serves the pages by https, too, with a certificate that a browser with these flags
// trusts, as it trusts no other; and it finds what is called *.test here.
func securePages(t *testing.T) (pages string, flags []chromedp.ExecAllocatorOption) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(servePages))
	t.Cleanup(server.Close)
	key := sha256.Sum256(server.Certificate().RawSubjectPublicKeyInfo)
	return server.URL, []chromedp.ExecAllocatorOption{
		chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(key[:])),
		chromedp.Flag("host-resolver-rules", "MAP *.test 127.0.0.1"),
	}
}

// proxyOf is a proxy before a node that passes no Upgrade on, as many do by default, and the
// Host that a browser said or its own.
func proxyOf(t *testing.T, p *process, passesHost bool) string {
	t.Helper()
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: p.addr})
		if passesHost {
			r.Out.Host = r.In.Host
		}
		r.Out.Header.Del("Upgrade")
		r.Out.Header.Del("Connection")
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Upgrade")
		r.Header.Del("Connection")
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// testWhyNot: a page is told, in words, why it has no gateway, though its browser keeps that from it.
func testWhyNot(t *testing.T, b *browser, secure string) {
	ns := unwatchedNodes(t)
	key := filepath.Join(ns.dir, "ring.key")
	secret, err := exec.Command("nanoring", "keygen").Output()
	must(t, err)
	must(t, os.WriteFile(key, secret, 0o600))
	open := ns.mustStart(t, "open", "")
	locked := ns.mustStart(t, "locked", "", "--ring", "red", "--secret-file", key, "--allow-origin", b.pages)
	strict := ns.mustStart(t, "strict", "", "--ring", "red", "--secret-file", key)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("a site")) }))
	defer site.Close()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer broken.Close()
	first, err := freePorts(1)
	must(t, err)
	nobody := localhost(first, 1)[0]
	port := open.addr[strings.LastIndex(open.addr, ":"):]
	without := proxyOf(t, open, true)
	good := mint(t, key, "--name", "tab-*")
	unsigned := good[:strings.LastIndex(good, ".")+1] + "AAAA"
	other := mint(t, key, "--ring", "blue", "--name", "tab-*")

	tab := b.open(t, b.page(open, joinOptions{"gateways": gateways(open)}))
	tab.expect(".") // the browser complains of all of it
	tab.becomes("joined")
	try := func(at, token string) {
		t.Helper()
		o, err := json.Marshal(joinOptions{"gateways": []string{at}, "token": token, "ring": map[bool]string{true: "blue"}[token == other]})
		must(t, err)
		eval[any](tab, `start(Object.fromEntries(Object.entries(`+string(o)+`).filter(([, v]) => v)))`)
	}
	for _, test := range []struct {
		at, token, code, words string
		retryable              bool
	}{
		{"ws://" + nobody + "/ring", "", "unreachable", "No gateway answers at ws://" + nobody + "/ring: nobody is there.", true},
		{"ws://" + without + "/ring", "", "no-upgrade", "does not pass Upgrade and Connection on", true},
		{"ws" + strings.TrimPrefix(site.URL, "http") + "/ring", "", "unreachable", "is no gateway, or a proxy", true},
		{"ws" + strings.TrimPrefix(broken.URL, "http") + "/ring", "", "unreachable", "it says 502 Bad Gateway to GET /ring/why", true},
		{"ws://ring.test" + port + "/ring", "", "host-refused", "goes by no name ring.test, which", false},
		{"wss://" + locked.addr + "/ring", "", "unreachable", "or this browser does not trust the certificate", true},
		{"ws://" + strict.addr + "/ring", good, "cross-origin", "list it (--allow-origin " + b.pages + ")", false},
		{"ws://" + locked.addr + "/ring", "", "unauthorized", "there is no token, and this ring needs one", false},
		{"ws://" + locked.addr + "/ring", unsigned, "unauthorized", "the token is not good here", false},
		{"ws://" + locked.addr + "/ring", other, "wrong-ring", "the token is for the ring blue", false},
	} {
		try(test.at, test.token)
		tab.fails(test.code, test.words, test.retryable)
	}
	for p, line := range map[*process]string{
		open: `code="no WebSocket".*a proxy has to pass Upgrade and Connection on`, strict: "code=cross-origin.*" + b.pages, locked: "code=unauthorized",
	} {
		eventually(t, "the log has "+line, func() bool { return regexp.MustCompile(line).MatchString(p.printed()) })
	}

	// What a page is on, too: an iframe that is sandboxed, a proxy that says another Host, https.
	html := `<!doctype html><link rel=icon href=data:,><script>addEventListener("message", ({ data }) => { window.said = data })</script>` +
		`<iframe sandbox="allow-scripts" srcdoc='<script type=module>import { join } from "http://` + open.addr + `/nanoring.js";` +
		`join({ gateways: ["ws://` + strict.addr + `/ring"], token: "` + good + `" }).catch((error) => parent.postMessage(error.code + ": " + error.message, "*"))</script>'></iframe>`
	tab.navigate(b.pages + "/pasted?" + url.Values{"html": {html}}.Encode())
	tab.until(`window.said?.startsWith("cross-origin: ") && said.includes("a sandboxed iframe without allow-same-origin")`)

	behind := proxyOf(t, strict, false)
	tab.navigate("http://" + behind + "/#token=" + good)
	tab.until(`document.body.textContent.includes("the origin http://` + behind + ` may not be guests here, at ` + strict.addr + `")`)

	tab.navigate(strings.Replace(b.page(open, joinOptions{"gateways": []string{"ws://ring.test:7001/ring"}}), b.pages, secure, 1))
	tab.fails("mixed-content", "a URL with wss:", false)
}

// small holds what a browser has loaded of a node's own page against its bound: it takes the module as it is smallest.
func small(tab *tab) {
	tab.Helper()
	bytes := eval[map[string]int](tab, `performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
		.reduce((all, { name, transferSize, encodedBodySize }) => ({ all: all.all + transferSize, module: all.module + (name.endsWith(".wasm") ? encodedBodySize : 0) }), { all: 0, module: 0 })`)
	if bytes["all"] > 794<<10 || bytes["module"] != len(module.Brotli) {
		tab.Errorf("over the wire came %v bytes", bytes)
	}
}

// TestWhyNotInNode: a program is told what its system knows.
func TestWhyNotInNode(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	first, err := freePorts(1)
	must(t, err)
	nobody := localhost(first, 1)[0]
	lib, err := filepath.Abs("../../web/lib/why.js")
	must(t, err)
	out := string(command(t, t.TempDir(), "node", "--no-warnings", "--input-type=module", "-e", `
		const { whyNot } = await import(process.argv[1]);
		for (const url of process.argv.slice(2)) { const { code, text } = await whyNot(url, ""); console.log(code + ": " + text); }`,
		"file://"+lib, "ws://"+nobody+"/ring", "wss"+strings.TrimPrefix(secure.URL, "https")+"/ring", "ws://nowhere.invalid/ring"))
	for _, words := range []string{
		"unreachable: No gateway answers at ws://" + nobody + "/ring: nothing listens there.\n", "its certificate is not trusted (", "there is no such host.\n",
	} {
		if !strings.Contains(out, words) {
			t.Errorf("it does not say %q:\n%s", words, out)
		}
	}
}
