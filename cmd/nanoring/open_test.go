package main

import (
	"encoding/json"
	"html"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/native/trust"
)

// opens runs nanoring open where there is a display, and returns what it says, and the file that the
// browser is to open; "" for none.
func opens(t *testing.T, args ...string) (says, file string, err error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"xdg-open": "#!/bin/sh\nln -s \"$1\" " + dir + "/opened\n", "sleep": "#!/bin/sh\nuntil [ -e " + dir + "/over ]; do /bin/sleep 0.1; done\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { os.WriteFile(filepath.Join(dir, "over"), nil, 0o600) })
	cmd := exec.Command("nanoring", append(args, "open")...)
	cmd.Env = append(os.Environ(), "DISPLAY=:9", "HOME="+dir, "XDG_CACHE_HOME="+dir, "PATH="+dir+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if left, _ := filepath.Glob(filepath.Join(dir, "nanoring", "*")); len(left) > 0 {
		eventually(t, "the browser is told", func() bool { file, _ = os.Readlink(filepath.Join(dir, "opened")); return file != "" })
	}
	return string(out), file, err
}

// TestHostileLink: what a node, or whoever is in its place, answers goes into no link, and no file that a
// browser opens, but as what it is.
func TestHostileLink(t *testing.T) {
	t.Parallel()
	good := strings.Repeat("a", 43)
	for name, test := range map[string]struct {
		page, code string
		seconds    int64
		opens      bool
	}{
		"good":                    {"http://127.0.0.1:1/", good, 300, true},
		"a code that is HTML":     {"http://127.0.0.1:1/", `"><script>alert(1)</script>` + good, 300, false},
		"a code of another token": {"http://127.0.0.1:1/", good + "&token=a.b.c", 300, false},
		"a code with a line":      {"http://127.0.0.1:1/", good + "\n", 300, false},
		"a short code":            {"http://127.0.0.1:1/", "a", 300, false},
		"a long time":             {"http://127.0.0.1:1/", good, 1 << 62, false},
		"a page that is HTML":     {`http://127.0.0.1:1/"><script>alert(1)</script>`, good, 300, true},
		"a host that is HTML":     {`https://a"><script>alert(1)<!--.localhost/`, good, 300, true},
		"a page that is a script": {"javascript:alert(1)//http://127.0.0.1/", good, 300, false},
		"a page that is data":     {"data:text/html,x", good, 300, false},
		"a page with another URL": {"http://127.0.0.1:1/;url=javascript:alert(1)", good, 300, true},
	} {
		h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusCreated)
			json.NewEncoder(w).Encode(map[string]any{"page": test.page, "code": test.code, "seconds": test.seconds})
		})
		data := t.TempDir()
		l, err := net.Listen("unix", filepath.Join(data, "api.sock"))
		if err != nil {
			t.Fatal(err)
		}
		s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h}}
		s.Start()
		says, file, err := opens(t, "--data", data)
		s.Close()
		if (file != "") != test.opens || (err == nil) != test.opens {
			t.Errorf("%s: %v, %s", name, err, says)
		}
		if file == "" {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		href := regexp.MustCompile(`<a href="([^"]*)">The page</a>\n$`).FindSubmatch(b)
		if strings.Count(string(b), "<") != 7 || href == nil || !strings.HasPrefix(string(href[1]), "http") || !strings.HasSuffix(html.UnescapeString(string(href[1])), "#open="+good) {
			t.Errorf("%s:\n%s", name, b)
		}
	}
}

// TestOpenedFile: the file brings a browser to the page, and its operator in.
func TestOpenedFile(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	ns := newNodes(t)
	key := filepath.Join(ns.dir, "ring.key")
	if err := os.WriteFile(key, []byte(trust.NewSecret()), 0o600); err != nil {
		t.Fatal(err)
	}
	node := ns.mustStart(t, "dev1", "", "--secret-file", key)
	says, file, err := opens(t, "--data", node.client.data)
	if err != nil || file == "" {
		t.Fatal(says, err)
	}
	tab := b.open(t, "file://"+file)
	tab.until(`"operator" in (document.documentElement?.dataset ?? {})`)
}
