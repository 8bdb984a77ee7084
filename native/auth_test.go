package native

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/native/trust"
)

// FuzzHTTP: whatever is asked, a locked node answers, gives nothing of the ring
// to who has no token, and says of what it refuses that it is a problem.
func FuzzHTTP(f *testing.F) {
	secret := trust.NewSecret()
	for _, seed := range []string{
		"GET /v1/nodes HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /v1/nodes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token(f, secretOf(f, trust.NewSecret()), trust.Token{Role: trust.RoleReader}) + "\r\n\r\n",
		"GET //v1/../v1/up HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET http://x/v1/status HTTP/1.1\r\nHost: x\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
		"CONNECT /v1/nodes HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /%761/nodes?n=%00 HTTP/1.0\r\n\r\n",
		"POST /v1/nodes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
		"POST /v1/messages?tag=%21 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"topic\":\"x\"}",
		"GET /v1/messages?topic=*&since=1/2 HTTP/1.1\r\nHost: x\r\nLast-Event-ID: -1\r\n\r\n",
		"DELETE /v1/nodes/dev1 HTTP/1.1\r\nHost: x\r\nOrigin: null\r\nSec-Fetch-Site: same-origin\r\n\r\n",
		"GET /ring HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: nanoring.v1, nanoring.token.a.b.c\r\n\r\n",
		"GET /nanoring.js HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		f.Add([]byte(seed), true)
	}
	cfg := Config{Name: "dev1", Ring: testRing, Data: f.TempDir(), Listen: "127.0.0.1:0", Engine: serving().engine, Log: new(logged).logger()}
	cfg.SecretFile = secretFile(f, secret)
	n, err := Start(f.Context(), cfg)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { n.Close() })
	public := map[string]bool{"/": true, "/healthz": true, "/readyz": true}
	for path := range pageFiles() {
		public[strings.TrimSuffix(path, "{$}")] = true
	}
	f.Fuzz(func(t *testing.T, request []byte, near bool) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
		if err != nil {
			return
		}
		r.RemoteAddr = "192.0.2.1:1"
		if near {
			r.RemoteAddr = "127.0.0.1:1"
		}
		w := httptest.NewRecorder()
		n.Handler().ServeHTTP(w, r)
		switch {
		case public[r.URL.Path]:
		case w.Code < 300:
			t.Fatalf("%q: %d %s", request, w.Code, w.Body)
		case w.Code >= 400:
			var p Problem
			if json.Unmarshal(w.Body.Bytes(), &p) != nil || p.Status != w.Code || p.Code == "" || p.Detail == "" || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Fatalf("%q: %d %v %s", request, w.Code, w.Header(), w.Body)
			}
		}
	})
}

// TestPlainFromElsewhere: what others can read is not taken from another machine,
// unless a proxy is said to be there.
func TestPlainFromElsewhere(t *testing.T) {
	secret := trust.NewSecret()
	for _, insecure := range []bool{false, true} {
		cfg := config(t, "dev1")
		cfg.Engine, cfg.SecretFile, cfg.Insecure = newFake(nil).engine, secretFile(t, secret), insecure
		n := start(t, cfg)
		for role, path := range map[string]string{trust.RoleReader: "/v1/up", trust.RoleGuest: "/ring"} {
			tok := trust.Token{Role: role}
			if role == trust.RoleGuest {
				tok.Name = "*"
			}
			r := httptest.NewRequest("GET", "http://node.example"+path, nil)
			r.RemoteAddr = "192.0.2.1:1"
			r.Header.Set("Authorization", "Bearer "+token(t, secretOf(t, secret), tok))
			w := httptest.NewRecorder()
			n.Handler().ServeHTTP(w, r)
			if refused := w.Code == http.StatusForbidden && strings.Contains(w.Body.String(), `"code":"tls-required"`); refused == insecure {
				t.Errorf("insecure %t: %s: %d %s", insecure, path, w.Code, w.Body)
			}
		}
	}
}

// TestSecretFileForAll: a secret that is for all to read, or to change, is warned of, and so is a
// data folder.
func TestSecretFileForAll(t *testing.T) {
	for mode, want := range map[os.FileMode]int{0o600: 0, 0o644: 1, 0o602: 1, 0o666: 2} {
		var log logged
		cfg := config(t, "dev1")
		cfg.Engine, cfg.Log, cfg.SecretFile = newFake(nil).engine, log.logger(), secretFile(t, trust.NewSecret())
		if err := os.Chmod(cfg.SecretFile, mode); err != nil {
			t.Fatal(err)
		}
		start(t, cfg)
		if log.count("chmod 600") != want {
			t.Errorf("mode %o: %d warnings", mode, log.count("chmod 600"))
		}
	}
	for folder, modes := range map[string]map[os.FileMode]int{
		"the data": {0o700: 0, 0o755: 0, 0o777: 1, 0o777 | os.ModeSticky: 1},
		"a secret": {0o700: 0, 0o777: 1, 0o777 | os.ModeSticky: 0},
	} {
		for mode, want := range modes {
			var log logged
			cfg := config(t, "dev1")
			cfg.Engine, cfg.Log, cfg.SecretFile = newFake(nil).engine, log.logger(), secretFile(t, trust.NewSecret())
			of, says := cfg.Data, "chmod 700"
			if folder == "a secret" {
				of, says = filepath.Dir(cfg.SecretFile), "chmod o-w"
			}
			if err := os.Chmod(of, mode); err != nil {
				t.Fatal(err)
			}
			start(t, cfg)
			if log.count(says) != want {
				t.Errorf("the folder of %s has mode %s: %d warnings", folder, mode, log.count(says))
			}
		}
	}
}
