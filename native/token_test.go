package native

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// token signs a token of the tests' ring.
func token(t testing.TB, s *trust.Secret, tok trust.Token) string {
	t.Helper()
	if tok.Ring == "" {
		tok.Ring = testRing
	}
	if tok.Expires.IsZero() {
		tok.Expires = time.Now().Add(time.Hour)
	}
	signed, err := s.Sign(tok)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// badTokens are some that nobody may come in by, and what the log says of each;
// the package trust has more.
func badTokens(t testing.TB, s *trust.Secret) map[string][2]string {
	now := time.Now()
	guest := trust.Token{Role: trust.RoleGuest, Name: "tab-*"}
	expired, foreign := guest, guest
	expired.Expires, foreign.Ring = now.Add(-24*time.Hour), "red"
	good := token(t, s, guest)
	return map[string][2]string{
		"of another secret": {token(t, secretOf(t, trust.NewSecret()), guest), "signed by the key"},
		"expired":           {token(t, s, expired), "expired at"},
		"of another ring":   {token(t, s, foreign), "for the ring"},
		"without signature": {good[:strings.LastIndexByte(good, '.')+1], "signature is not"},
		"junk":              {"a.b.c", "no JWT of a ring"},
		"long":              {strings.Repeat("a", 5000), "a token of"},
	}
}

// TestBadTokens: they are refused before a frame is read, with the same answer for
// all of them; the log says why, and has nothing of the token.
func TestBadTokens(t *testing.T) {
	secret := trust.NewSecret()
	s := secretOf(t, secret)
	f := newFake(nil)
	var log logged
	cfg := config(t, "dev1")
	cfg.Engine, cfg.SecretFile, cfg.Log = f.engine, secretFile(t, secret), log.logger()
	n := start(t, cfg)
	answers := make(map[string]bool)
	for name, bad := range badTokens(t, s) {
		n.guesses, n.rare = guesses{}, rarely{} // each is the first
		said := log.count(bad[1])
		for _, how := range []string{"page", "program", "API"} {
			var status int
			var says string
			switch how {
			case "page":
				_, status, says = dialTLS(t, n, nil, http.Header{"Origin": {"http://" + n.Addr()}}, tokenProtocol+bad[0])
			case "program":
				_, status, says = dialTLS(t, n, nil, http.Header{"Authorization": {"Bearer " + bad[0]}})
			case "API":
				a := ask(t, httpClient(t), "GET", "http://"+n.Addr()+"/v1/up", "", "Authorization", "Bearer "+bad[0])
				status, says = a.status, a.body
			}
			if status != http.StatusUnauthorized {
				t.Errorf("a token %s, of a %s: %d %s", name, how, status, says)
			}
			answers[says] = true
		}
		if log.count(bad[1]) == said {
			t.Errorf("a token %s: the log does not say %q", name, bad[1])
		}
		if last := bad[0][max(len(bad[0])-40, 0):]; len(last) == 40 && log.count(last) > 0 {
			t.Errorf("a token %s is in the log", name)
		}
	}
	if len(answers) != 1 {
		t.Errorf("the answers differ: %v", answers)
	}
	for len(f.inputs) > 0 {
		if in := <-f.inputs; in.Kind == core.Opened {
			t.Errorf("the engine was told of a connection: %+v", in)
		}
	}
	if log.count("there is no token") > 0 {
		t.Error("the log says that a token was not there")
	}
	for _, a := range []answer{
		ask(t, httpClient(t), "GET", "http://"+n.Addr()+"/v1/up", ""),
		ask(t, httpClient(t), "GET", "http://"+n.Addr()+"/v1/up", "", "Authorization", "Basic YTpi"),
	} {
		if a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("no token: %+v", a)
		}
	}
	if _, status, _ := dialTLS(t, n, nil, nil); status != http.StatusUnauthorized || log.count("there is no token") != 1 {
		t.Errorf("a WebSocket without a token: %d, and %d lines in the log", status, log.count("there is no token"))
	}
}

// TestGoodTokens: guests come in by a page's and a program's, with what it allows.
func TestGoodTokens(t *testing.T) {
	secret := trust.NewSecret()
	f := newFake(nil)
	cfg := config(t, "dev1")
	cfg.Engine, cfg.SecretFile, cfg.AllowOrigins = f.engine, secretFile(t, trust.NewSecret(), secret), []string{"https://app.example"}
	n := start(t, cfg)
	signed := token(t, secretOf(t, secret), trust.Token{Role: trust.RoleGuest, Name: "tab-*", Tags: map[string]string{"user": "alice", "a": "b"}, Hear: []string{"chat.*"}})
	origin := func(s string) http.Header { return http.Header{"Origin": {s}} }
	for _, header := range []http.Header{origin("http://" + n.Addr()), origin("https://app.example"), {"Authorization": {"bearer " + signed}}} {
		var protocols []string
		if header.Get("Origin") != "" {
			protocols = []string{tokenProtocol + signed}
		}
		ws, status, says := dialTLS(t, n, nil, header, protocols...)
		if ws == nil || ws.Subprotocol() != subprotocol {
			t.Fatalf("%v: %d %s", header, status, says)
		}
		in := f.next(t, core.Opened)
		if in.Role != core.Guest || in.Name != "tab-*" || !slices.Equal(in.Tags, []wire.Tag{{Key: "a", Value: "b"}, {Key: "user", Value: "alice"}}) {
			t.Errorf("%+v", in)
		}
		if in.Topics == nil || in.Topics.Send != nil || !slices.Equal(in.Topics.Hear, []string{"chat.*"}) {
			t.Errorf("its topics are %+v", in.Topics)
		}
	}
	for name, header := range map[string]http.Header{
		"another origin": origin("https://evil.example"), "its scheme": origin("http://app.example"), "a loopback one": origin("http://127.0.0.1:1"), "null": origin("null"),
	} {
		if ws, status, _ := dialTLS(t, n, nil, header, tokenProtocol+signed); ws != nil || status != http.StatusForbidden {
			t.Errorf("%s: %d", name, status)
		}
	}
	reader := token(t, secretOf(t, secret), trust.Token{Role: trust.RoleReader})
	if ws, status, _ := dialTLS(t, n, nil, http.Header{"Authorization": {"Bearer " + reader}}); ws != nil || status != http.StatusUnauthorized {
		t.Errorf("a reader as a guest: %d", status)
	}
}

// TestMaxGuestsByToken: one token takes no more than its share of the guests.
func TestMaxGuestsByToken(t *testing.T) {
	secret := trust.NewSecret()
	cfg := config(t, "dev1")
	cfg.Engine, cfg.SecretFile, cfg.MaxGuests = newFake(nil).engine, secretFile(t, secret), 16
	n := start(t, cfg)
	expires := time.Now().Add(time.Hour)
	dial := func(name string) int {
		signed := token(t, secretOf(t, secret), trust.Token{Role: trust.RoleGuest, Name: name, Expires: expires})
		_, status, _ := dialTLS(t, n, nil, http.Header{"Authorization": {"Bearer " + signed}})
		return status
	}
	for i := range 2 {
		if status := dial("a"); status != 101 {
			t.Fatal(i, status)
		}
	}
	if status := dial("a"); status != http.StatusServiceUnavailable {
		t.Errorf("a third: %d", status)
	}
	for i := range 14 {
		if status := dial(fmt.Sprint("b", i)); status != 101 {
			t.Fatal(i, status)
		}
	}
	if status := dial("c"); status != http.StatusServiceUnavailable {
		t.Errorf("one too many: %d", status)
	}
}

// TestAPIRoles: over TCP it takes a token, of the right role; the Unix socket is the operator's.
func TestAPIRoles(t *testing.T) {
	secret := trust.NewSecret()
	cfg := config(t, "dev1")
	cfg.Engine, cfg.SecretFile = serving().engine, secretFile(t, secret)
	n := start(t, cfg)
	eventually(t, "the nodes", func() bool { return len(n.All()) == 2 })
	base, c := "http://"+n.Addr(), httpClient(t)
	s := secretOf(t, secret)
	for _, test := range []struct {
		role                    string
		read, events, add, open int
	}{
		{"", 401, 401, 401, 200},
		{trust.RoleGuest, 403, 403, 403, 200},
		{trust.RoleReader, 200, 200, 403, 200},
		{trust.RoleOperator, 200, 200, 201, 200},
	} {
		var header []string
		if test.role != "" {
			tok := trust.Token{Role: test.role}
			if test.role == trust.RoleGuest {
				tok.Name = "*"
			}
			header = []string{"Authorization", "Bearer " + token(t, s, tok)}
		}
		for path, want := range map[string]int{
			"/v1/nodes": test.read, "/v1/up": test.read, "/v1/status": test.read, "/v1/owners/k": test.read, "/v1/nodes/dev1": test.read,
			"/healthz": test.open, "/readyz": test.open, "/": test.open, "/nanoring.js": test.open,
		} {
			if got := ask(t, c, "GET", base+path, "", header...); got.status != want {
				t.Errorf("%s: GET %s: %d %s", test.role, path, got.status, got.body)
			}
		}
		if got := ask(t, c, "POST", base+"/v1/nodes", `{"name":"dev2","address":"127.0.0.1:1"}`, header...); got.status != test.add {
			t.Errorf("%s: POST: %d %s", test.role, got.status, got.body)
		}
		if got := ask(t, c, "POST", base+"/v1/messages", `{"topic":"x"}`, header...); got.status != map[int]int{201: 202}[test.add] && got.status != test.add {
			t.Errorf("%s: POST a message: %d %s", test.role, got.status, got.body)
		}
		if got := ask(t, c, "POST", base+"/v1/questions", `{"topic":"a b","timeout_millis":0}`, header...); got.status != map[int]int{201: 400}[test.add] && got.status != test.add {
			t.Errorf("%s: POST a question: %d %s", test.role, got.status, got.body)
		}
		for _, path := range []string{"/v1/events", "/v1/messages"} {
			req, _ := http.NewRequestWithContext(t.Context(), "GET", base+path, nil)
			if header != nil {
				req.Header.Set(header[0], header[1])
			}
			resp, err := c.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != test.events {
				t.Errorf("%s: %s: %d", test.role, path, resp.StatusCode)
			}
		}
	}
	if got := ask(t, socketClient(t, n), "DELETE", "http://localhost/v1/nodes/dev2", ""); got.status != 204 {
		t.Errorf("the socket: %+v", got)
	}
	secure := &http.Client{Transport: &http.Transport{TLSClientConfig: clientTLS(t, secret)}}
	defer secure.CloseIdleConnections()
	if got := ask(t, secure, "GET", "https://"+n.Addr()+"/v1/up", "", "Authorization", "Bearer "+token(t, s, trust.Token{Role: trust.RoleReader})); got.status != 200 {
		t.Errorf("by TLS: %+v", got)
	}
}

// TestGuesses: who guesses is told so, and a good token is taken all the same.
func TestGuesses(t *testing.T) {
	secret := trust.NewSecret()
	var log logged
	cfg := config(t, "dev1")
	cfg.Engine, cfg.SecretFile, cfg.Log = newFake(nil).engine, secretFile(t, secret), log.logger()
	n := start(t, cfg)
	c, url := httpClient(t), "http://"+n.Addr()+"/v1/up"
	for i := range guessesAMinute + 5 {
		got := ask(t, c, "GET", url, "", "Authorization", fmt.Sprint("Bearer guess", i))
		if want := map[bool]int{true: 401, false: 429}[i < guessesAMinute]; got.status != want {
			t.Fatalf("guess %d: %+v", i, got)
		}
	}
	if log.count("a request was refused") != 1 || log.count("guess1") > 0 {
		t.Error("the log is flooded, or has a guess")
	}
	if got := ask(t, c, "GET", url, "", "Authorization", "Bearer "+token(t, secretOf(t, secret), trust.Token{Role: trust.RoleReader})); got.status != 200 {
		t.Errorf("a good token: %+v", got)
	}
}

// TestMetricsTakeReaders: metrics are for readers and operators, and through the socket for its owner.
func TestMetricsTakeReaders(t *testing.T) {
	secret := trust.NewSecret()
	s := secretOf(t, secret)
	cfg := config(t, "dev1")
	cfg.Engine, cfg.SecretFile = newFake(nil).engine, secretFile(t, secret)
	n := start(t, cfg)
	for _, path := range []string{"/metrics", "/v1/targets", "/v1/openapi.json"} {
		for role, status := range map[string]int{"": 401, trust.RoleGuest: 403, trust.RoleReader: 200, trust.RoleOperator: 200} {
			var header []string
			if role != "" {
				header = []string{"Authorization", "Bearer " + token(t, s, trust.Token{Role: role, Name: map[bool]string{true: "tab"}[role == trust.RoleGuest]})}
			}
			if got := ask(t, httpClient(t), "GET", "http://"+n.Addr()+path, "", header...); got.status != status {
				t.Errorf("%s of a %q: %d", path, role, got.status)
			}
		}
		if got := ask(t, socketClient(t, n), "GET", "http://localhost"+path, ""); got.status != 200 {
			t.Errorf("%s by the socket: %d", path, got.status)
		}
	}
}
