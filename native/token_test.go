package native

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// token signs a token of the tests' ring.
func token(t testing.TB, s *Secret, tok Token) string {
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

// raw makes a JWT of any header and claims, signed with HS256 and a key.
func raw(key []byte, header, body string) string {
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64([]byte(header)) + "." + b64([]byte(body))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return text + "." + b64(mac.Sum(nil))
}

// badTokens are tokens that nobody may come in by, and what the log says of each.
func badTokens(t testing.TB, s *Secret) map[string][2]string {
	now := time.Now()
	guest := Token{Role: RoleGuest, Name: "tab-*"}
	good := token(t, s, guest)
	parts := strings.Split(good, ".")
	kid, key := s.TokenKey(RoleGuest)
	_, apiKey := s.TokenKey(RoleOperator)
	b64 := base64.RawURLEncoding.EncodeToString
	body := fmt.Sprintf(`{"ring":%q,"role":"guest","name":"tab-*","exp":%d}`, testRing, now.Add(time.Hour).Unix())
	with := func(change func(*Token)) string {
		tok := guest
		change(&tok)
		return token(t, s, tok)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rs := jwt.NewWithClaims(jwt.SigningMethodRS256, claims{Ring: testRing, Role: RoleGuest, Name: "tab-*", RegisteredClaims: jwt.RegisteredClaims{ExpiresAt: jwt.NewNumericDate(now.Add(time.Hour))}})
	rs.Header["kid"] = kid
	rs256, err := rs.SignedString(rsaKey)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][2]string{
		"of another secret":              {token(t, secretOf(t, NewSecret()), guest), "signed by the key"},
		"expired":                        {with(func(t *Token) { t.Expires = now.Add(-2 * tokenLeeway) }), "expired at"},
		"not valid yet":                  {with(func(t *Token) { t.NotBefore = now.Add(2 * tokenLeeway) }), "not valid yet"},
		"of another ring":                {with(func(t *Token) { t.Ring = "red" }), "for the ring"},
		"of alg none":                    {b64([]byte(`{"alg":"none","typ":"JWT","kid":"`+kid+`"}`)) + "." + parts[1] + ".", "signature is not"},
		"of alg nOnE":                    {b64([]byte(`{"alg":"nOnE","kid":"`+kid+`"}`)) + "." + parts[1] + ".", "no JWT of a ring"},
		"of RS256":                       {rs256, "signature is not"},
		"HS256 called RS256":             {raw(key, `{"alg":"RS256","kid":"`+kid+`"}`, body), "signature is not"},
		"of HS512":                       {raw(key, `{"alg":"HS512","kid":"`+kid+`"}`, body), "signature is not"},
		"tampered":                       {parts[0] + "." + b64([]byte(strings.Replace(body, "tab-*", "dev1", 1))) + "." + parts[2], "signature is not"},
		"without signature":              {parts[0] + "." + parts[1] + ".", "signature is not"},
		"without expiry":                 {raw(key, `{"alg":"HS256","kid":"`+kid+`"}`, `{"ring":"`+testRing+`","role":"guest","name":"tab-*"}`), "no JWT of a ring"},
		"without kid":                    {raw(key, `{"alg":"HS256"}`, body), "signed by the key"},
		"by the API's key":               {raw(apiKey, `{"alg":"HS256","kid":"`+kid+`"}`, body), "signature is not"},
		"under the API's id":             {raw(apiKey, `{"alg":"HS256","kid":"`+s.ID()+`.api"}`, body), "signed by the key"},
		"operator's, by the guests' key": {raw(key, `{"alg":"HS256","kid":"`+kid+`"}`, strings.Replace(body, `"guest","name":"tab-*"`, `"operator"`, 1)), "signed by the key"},
		"of no name":                     {raw(key, `{"alg":"HS256","kid":"`+kid+`"}`, strings.Replace(body, "tab-*", "", 1)), "allows a guest no name"},
		"of a bad name":                  {raw(key, `{"alg":"HS256","kid":"`+kid+`"}`, strings.Replace(body, "tab-*", `a@b`, 1)), "the name that it allows"},
		"of no role":                     {raw(key, `{"alg":"HS256","kid":"`+kid+`"}`, strings.Replace(body, `"role":"guest",`, "", 1)), "signed by the key"},
		"with bad types":                 {raw(key, `{"alg":"HS256","kid":["`+kid+`"]}`, strings.Replace(body, `"tab-*"`, `{"$ne":""}`, 1)), "no JWT of a ring"},
		"junk":                           {"a.b.c", "no JWT of a ring"},
		"long":                           {strings.Repeat("a", maxToken+1), "a token of"},
	}
}

// TestBadTokens: they are refused before a frame is read, with the same answer for
// all of them; the log says why, and has nothing of the token.
func TestBadTokens(t *testing.T) {
	secret := NewSecret()
	s := secretOf(t, secret)
	f := newFake(nil)
	var log logged
	cfg := config(t, "dev1")
	cfg.Engine, cfg.SecretFile, cfg.Log = f.engine, secretFile(t, secret), log.logger()
	n := start(t, cfg)
	answers := make(map[string]bool)
	for name, bad := range badTokens(t, s) {
		n.guesses, n.keeper.rare = guesses{}, rarely{} // each is the first
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
	secret := NewSecret()
	f := newFake(nil)
	cfg := config(t, "dev1")
	cfg.Engine, cfg.SecretFile, cfg.AllowOrigins = f.engine, secretFile(t, NewSecret(), secret), []string{"https://app.example"}
	n := start(t, cfg)
	signed := token(t, secretOf(t, secret), Token{Role: RoleGuest, Name: "tab-*", Tags: map[string]string{"user": "alice", "a": "b"}})
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
	}
	for name, header := range map[string]http.Header{
		"another origin": origin("https://evil.example"), "its scheme": origin("http://app.example"), "a loopback one": origin("http://127.0.0.1:1"), "null": origin("null"),
	} {
		if ws, status, _ := dialTLS(t, n, nil, header, tokenProtocol+signed); ws != nil || status != http.StatusForbidden {
			t.Errorf("%s: %d", name, status)
		}
	}
	reader := token(t, secretOf(t, secret), Token{Role: RoleReader})
	if ws, status, _ := dialTLS(t, n, nil, http.Header{"Authorization": {"Bearer " + reader}}); ws != nil || status != http.StatusUnauthorized {
		t.Errorf("a reader as a guest: %d", status)
	}
}

// TestMaxGuestsByToken: one token takes no more than its share of the guests.
func TestMaxGuestsByToken(t *testing.T) {
	secret := NewSecret()
	cfg := config(t, "dev1")
	cfg.Engine, cfg.SecretFile, cfg.MaxGuests = newFake(nil).engine, secretFile(t, secret), 16
	n := start(t, cfg)
	expires := time.Now().Add(time.Hour)
	dial := func(name string) int {
		signed := token(t, secretOf(t, secret), Token{Role: RoleGuest, Name: name, Expires: expires})
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
	secret := NewSecret()
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
		{RoleGuest, 403, 403, 403, 200},
		{RoleReader, 200, 200, 403, 200},
		{RoleOperator, 200, 200, 201, 200},
	} {
		var header []string
		if test.role != "" {
			tok := Token{Role: test.role}
			if test.role == RoleGuest {
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
		req, _ := http.NewRequestWithContext(t.Context(), "GET", base+"/v1/events", nil)
		if header != nil {
			req.Header.Set(header[0], header[1])
		}
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != test.events {
			t.Errorf("%s: events: %d", test.role, resp.StatusCode)
		}
	}
	if got := ask(t, socketClient(t, n), "DELETE", "http://localhost/v1/nodes/dev2", ""); got.status != 204 {
		t.Errorf("the socket: %+v", got)
	}
	secure := &http.Client{Transport: &http.Transport{TLSClientConfig: clientTLS(t, secret)}}
	defer secure.CloseIdleConnections()
	if got := ask(t, secure, "GET", "https://"+n.Addr()+"/v1/up", "", "Authorization", "Bearer "+token(t, s, Token{Role: RoleReader})); got.status != 200 {
		t.Errorf("by TLS: %+v", got)
	}
}

// TestGuesses: who guesses is told so, and a good token is taken all the same.
func TestGuesses(t *testing.T) {
	secret := NewSecret()
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
	if got := ask(t, c, "GET", url, "", "Authorization", "Bearer "+token(t, secretOf(t, secret), Token{Role: RoleReader})); got.status != 200 {
		t.Errorf("a good token: %+v", got)
	}
}

// TestSign refuses what no node would take.
func TestSign(t *testing.T) {
	s := secretOf(t, NewSecret())
	long := make(map[string]string)
	for i := range 200 {
		long[fmt.Sprint("key", i)] = "a value"
	}
	for _, tok := range []Token{
		{}, {Ring: "r", Role: "admin"}, {Ring: "r", Role: RoleGuest}, {Ring: "r", Role: RoleGuest, Name: "a@b"}, {Ring: "", Role: RoleReader},
		{Ring: "r", Role: RoleReader, Name: "x"}, {Ring: "r", Role: RoleGuest, Name: "x", Tags: map[string]string{"": "x"}}, {Ring: "r", Role: RoleGuest, Name: "x", Tags: long},
	} {
		if signed, err := s.Sign(tok); err == nil {
			t.Errorf("%+v: %s", tok, signed)
		}
	}
	var jwk map[string]string
	b, _ := json.Marshal(s.TokenJWK(RoleGuest))
	if json.Unmarshal(b, &jwk) != nil || jwk["kty"] != "oct" || jwk["alg"] != "HS256" || jwk["kid"] != s.ID()+".guest" || len(jwk["k"]) != 43 {
		t.Errorf("%s", b)
	}
}

// FuzzToken: no token lets anybody in but by the key.
func FuzzToken(f *testing.F) {
	s := secretOf(f, secretPrefix+"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
	good := token(f, s, Token{Role: RoleGuest, Name: "tab-*", Expires: time.Unix(1<<33, 0)})
	for _, bad := range badTokens(f, s) {
		f.Add(bad[0], "")
	}
	f.Add(good, `{"ring":"r","role":"guest","name":"*","exp":1e300}`)
	f.Add(good, `{"ring":"r","role":"guest","exp":-1,"nbf":1e19,"tags":{"a":1}}`)
	tr := &trust{secrets: []Secret{*s}}
	kid, key := s.TokenKey(RoleGuest)
	f.Fuzz(func(t *testing.T, signed, body string) {
		now := time.Unix(1<<32, 0)
		if tok, by, err := tr.admit(signed, testRing, now); err == nil && (by != s.ID() || !strings.HasPrefix(good, signed[:strings.LastIndexByte(signed, '.')])) {
			t.Fatalf("%q lets in %+v", signed, tok)
		}
		tok, _, err := tr.admit(raw(key, `{"alg":"HS256","kid":"`+kid+`"}`, body), "r", now) // signed, whatever it is
		if err == nil && (tok.check() != nil || tok.Ring != "r" || tok.Role != RoleGuest || !tok.Expires.Add(tokenLeeway).After(now)) {
			t.Fatalf("%s: %+v", body, tok)
		}
	})
}
