package native

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/native/trust"
)

// FuzzSession: a session begins by a link's code or an operator's token alone, in JSON, from this
// machine, and by no page of another origin; whatever else is sent is answered with a problem, and
// leaves the link as it was.
func FuzzSession(f *testing.F) {
	for _, seed := range []struct{ body, typ, origin, site, auth string }{
		{`{"code":"CODE"}`, "application/json", "", "", ""},
		{`{"code":"CODE"}`, "application/json; charset=utf-8", "http://HOST", "same-origin", ""},
		{`{"code":"CODE"}`, "text/plain", "", "", ""},
		{`{"code":"CODE"}`, "application/x-www-form-urlencoded", "http://HOST", "", ""},
		{`code=CODE`, "application/x-www-form-urlencoded", "http://127.0.0.1:1", "same-site", ""},
		{`{"code":"CODE"}`, "application/json", "https://evil.example", "cross-site", ""},
		{`{"code":"CODE"}`, "application/json", "null", "", ""},
		{`{"code":"CODE","code":""}`, "application/json", "", "none", "Bearer a.b.c"},
		{`{"Code":"CODE"}{}`, "application/json", "", "", "bearer OPERATOR"},
		{`{}`, "application/json", "", "", "Bearer OPERATOR"},
		{`{}`, "application/json", "", "", "Bearer GUEST"},
		{`{}`, "application/json", "", "", "Bearer SESSION"},
		{`{"code":null}`, "application/json", "", "", "Basic OPERATOR"},
		{`[]`, "application/json", "", "", ""},
		{"{\"code\":\"\xff\"}", "application/json", "", "", ""},
		{``, "", "", "", ""},
	} {
		f.Add([]byte(seed.body), seed.typ, seed.origin, seed.site, seed.auth, true)
		f.Add([]byte(seed.body), seed.typ, seed.origin, seed.site, seed.auth, false)
	}
	secret := trust.NewSecret()
	s := secretOf(f, secret)
	cfg := Config{Name: "dev1", Ring: testRing, Data: f.TempDir(), Listen: "127.0.0.1:0", Engine: serving().engine, Log: new(logged).logger()}
	cfg.SecretFile = secretFile(f, secret)
	n, err := Start(f.Context(), cfg)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { n.Close() })
	sign := func(role, name string) string {
		return token(f, s, trust.Token{Role: role, Name: name, Expires: time.Now().Add(100 * time.Hour)})
	}
	operator, guest := sign(trust.RoleOperator, ""), sign(trust.RoleGuest, "*")
	f.Fuzz(func(t *testing.T, body []byte, typ, origin, site, auth string, near bool) {
		code := n.sessions.link(vouched{by: "the socket"})
		session, _ := n.sessions.start(vouched{by: "the socket"})
		body = bytes.ReplaceAll(body, []byte("CODE"), []byte(code))
		origin = strings.ReplaceAll(origin, "HOST", n.Addr())
		auth = strings.NewReplacer("OPERATOR", operator, "GUEST", guest, "SESSION", session).Replace(auth)
		n.codes, n.guesses = guesses{}, guesses{}
		r := httptest.NewRequest("POST", "http://"+n.Addr()+"/v1/session", bytes.NewReader(body))
		r.RemoteAddr = "192.0.2.1:1"
		if near {
			r.RemoteAddr = "127.0.0.1:1"
		}
		for name, value := range map[string]string{"Content-Type": typ, "Origin": origin, "Sec-Fetch-Site": site, "Authorization": auth} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		w := httptest.NewRecorder()
		n.Handler().ServeHTTP(w, r)
		if w.Header().Get("Access-Control-Allow-Origin") != "" || w.Header().Get("Cache-Control") != "no-store" {
			t.Fatalf("%v", w.Header())
		}
		if w.Code != http.StatusCreated {
			var p Problem
			if json.Unmarshal(w.Body.Bytes(), &p) != nil || p.Status != w.Code || w.Code < 400 || w.Code >= 500 || p.Code == "" {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if _, _, err := n.sessions.exchange(code, "", n.keeper.Now().Believes); err != nil {
				t.Fatalf("who was refused has used the link: %v", err)
			}
			return
		}
		var sent struct{ Code string }
		media, _, _ := mime.ParseMediaType(typ)
		page, err := url.Parse(origin)
		same := site == "same-origin" || site == "none" || site == "" && (origin == "" || err == nil && page.Host == n.Addr())
		switch {
		case !near || media != "application/json" || !same || json.Unmarshal(body, &sent) != nil:
			t.Fatalf("%q by %q of %q, %q: %s", body, typ, origin, site, w.Body)
		case sent.Code != code && (sent.Code != "" || bearer(r) != operator):
			t.Fatalf("%q by %q begins a session", body, auth)
		}
	})
}
