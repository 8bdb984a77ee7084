package native

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/native/trust"
)

const someExtension = "chrome-extension://abcdefghijklmnopabcdefghijklmnop"

// TestAllowedOrigins: what apps and extensions send as their Origin can be listed, and lets them
// in, and none that is only like it.
func TestAllowedOrigins(t *testing.T) {
	for _, test := range []struct{ entry, origin, other string }{
		{"https://example.org", "https://example.org", "http://example.org"},
		{"https://example.org:8443", "https://example.org:8443", "https://example.org"},
		{"http://[::1]:3000", "http://[::1]:3000", "http://[::1]:3001"},
		{"https://xn--bcher-kva.example", "https://xn--bcher-kva.example", "https://bucher.example"},
		{someExtension, someExtension, "chrome-extension://ponmlkjihgfedcbaponmlkjihgfedcba"},
		{"moz-extension://*", "moz-extension://0b1fcf0a-5d0d-4c4e-9f3e-2c1d7a8a3a10", "https://moz-extension"},
		{"moz-extension://0b1fcf0a-5d0d-4c4e-9f3e-2c1d7a8a3a10", "moz-extension://0b1fcf0a-5d0d-4c4e-9f3e-2c1d7a8a3a10", "moz-extension://1"},
		{"safari-web-extension://*", "safari-web-extension://2F0C1D9E-3B1A-4B52-8F6D-0A1B2C3D4E5F", "safari-web-extension://"},
		{"capacitor://localhost", "capacitor://localhost", "capacitor://localhost.evil.example"},
		{"ionic://localhost", "ionic://localhost", "ionic://local"},
		{"http://localhost", "http://localhost", "http://localhost:1"},
		{"tauri://localhost", "tauri://localhost", "tauri://localhost:1"},
		{"https://tauri.localhost", "https://tauri.localhost", "https://evil.localhost"},
		{"app://bundle", "app://bundle", "app://other"},
		{"app://.", "app://.", "app://"},
		{"file://", "file://", "null"},
		{"null", "null", "file://"},
		{"*", "null", ""},
	} {
		cfg := config(t, "dev1")
		cfg.SecretFile, cfg.AllowOrigins = "a file", []string{"https://another.example", test.entry}
		if err := cfg.setDefaults(); err != nil {
			t.Errorf("%s: %v", test.entry, err)
		}
		n := new(Node)
		n.cfg = cfg
		n.live.Store(cfg.live())
		for origin, want := range map[string]bool{test.origin: true, test.other: test.entry == "*"} {
			r := &http.Request{Host: "dev1:1", Header: http.Header{"Origin": {origin}}}
			if got := n.originAllowed(r); got != want {
				t.Errorf("%s: a page of %q is let in: %t", test.entry, origin, got)
			}
		}
	}
}

// TestOriginsThatNeverMatch: an entry that no browser sends is an error, which says what to write.
func TestOriginsThatNeverMatch(t *testing.T) {
	for entry, says := range map[string]string{
		"https://example.org/":            "write https://example.org",
		"https://example.org/shop?a=b#c":  "write https://example.org",
		"https://Example.org":             "write https://example.org",
		"HTTPS://example.org":             "write https://example.org",
		"https://example.org:443":         "write https://example.org",
		"http://example.org:80/":          "write http://example.org",
		"http://example.org:0080":         "write http://example.org",
		"https://example.org:70000":       "70000 is no port",
		"https://user@example.org":        "write https://example.org",
		"https://bücher.example":          "write https://xn--bcher-kva.example",
		"https://BÜCHER.example:8443":     "write https://xn--bcher-kva.example:8443",
		"http://[0:0:0:0:0:0:0:1]:3000":   "write http://[::1]:3000",
		"http://[fe80::1%25eth0]":         "zone",
		"http://127.1:3000":               "four numbers",
		"http://0x7f000001":               "four numbers",
		"wss://example.org/ring":          "write https://example.org",
		"ws://localhost:3000":             "write http://localhost:3000",
		"example.org":                     "write https://example.org",
		"localhost:3000":                  "write http://localhost:3000",
		"127.0.0.1:3000/":                 "write http://127.0.0.1:3000",
		"example":                         "no origin like https://example.org",
		"*.example.org":                   "no origin like https://example.org",
		"https://*.example.org":           "list the others one by one",
		"https://*":                       "list the others one by one",
		"https://example.org:*":           "list the others one by one",
		"chrome-extension://*":            "list the others one by one",
		"*://example.org":                 "is no scheme",
		"https:/example.org":              "two slashes",
		"https://":                        "no host",
		"NULL":                            "write null",
		"null://":                         "no host",
		"file:///home/me/index.html":      "null is also that of anybody's sandboxed iframe",
		"data://text":                     "have the origin null",
		"":                                "it is empty",
		"https://a.example https://b.org": "with commas",
		"chrome-extension://tooshort":     "chrome://extensions",
		"capacitor://localhost/":          "write capacitor://localhost",
		"Capacitor://localhost":           "write capacitor://localhost",
		strings.ToUpper(someExtension):    "write " + someExtension,
	} {
		cfg := config(t, "dev1")
		cfg.SecretFile, cfg.AllowOrigins = "a file", []string{entry}
		err := cfg.setDefaults()
		var wrong *ConfigError
		if !errors.As(err, &wrong) || wrong.Field != "AllowOrigins" || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, which does not say: %s", entry, err, says)
		}
	}
}

// TestAppsOnThisMachine: without a secret a program of this machine is a guest whatever serves its
// page, a browser's extension not.
func TestAppsOnThisMachine(t *testing.T) {
	n := startFake(t, newFake(nil))
	for origin, want := range map[string]bool{
		"http://localhost:3000": true, "https://tauri.localhost": true, "tauri://localhost": true, "capacitor://localhost": true, "ionic://localhost": true,
		"null": false, "file://": false, someExtension: false, "app://bundle": false, "https://localhost.evil.example": false, "javascript://localhost": false,
	} {
		r := &http.Request{Host: n.Addr(), Header: http.Header{"Origin": {origin}}}
		if got := n.originAllowed(r); got != want {
			t.Errorf("a page of %s is let in: %t", origin, got)
		}
	}
}

// TestOwnOrigin: a proxy may say the port that an origin leaves out.
func TestOwnOrigin(t *testing.T) {
	cfg := config(t, "dev1")
	cfg.Engine, cfg.SecretFile = newFake(nil).engine, secretFile(t, trust.NewSecret())
	n := start(t, cfg)
	for _, test := range []struct {
		origin, host string
		want         bool
	}{
		{"https://ring.example.com", "ring.example.com", true},
		{"https://ring.example.com", "Ring.example.com:443", true},
		{"http://ring.example.com", "ring.example.com:80", true},
		{"https://ring.example.com", "ring.example.com:80", false},
		{"https://ring.example.com:8443", "ring.example.com:8443", true},
		{"https://ring.example.com:8443", "ring.example.com", false},
		{"tauri://localhost", "localhost", false},
	} {
		r := &http.Request{Host: test.host, Header: http.Header{"Origin": {test.origin}}}
		if got := n.originAllowed(r); got != test.want {
			t.Errorf("a page of %s is let in by %s: %t", test.origin, test.host, got)
		}
	}
}
