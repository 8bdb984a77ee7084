package trust

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const testRing = "red"

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
		"expired":                        {with(func(t *Token) { t.Expires = now.Add(-2 * Leeway) }), "expired at"},
		"not valid yet":                  {with(func(t *Token) { t.NotBefore = now.Add(2 * Leeway) }), "not valid yet"},
		"not valid for ages":             {raw(key, `{"alg":"HS256","kid":"`+kid+`"}`, strings.Replace(body, `"exp"`, `"nbf":1e300,"exp"`, 1)), "after the year 9999"},
		"not valid for ages, by case":    {raw(key, `{"alg":"HS256","kid":"`+kid+`"}`, strings.Replace(body, `"exp"`, `"NBF":"1e300","exp"`, 1)), "after the year 9999"},
		"valid for ages":                 {raw(key, `{"alg":"HS256","kid":"`+kid+`"}`, strings.Replace(body, `"exp":`, `"exp":1000`, 1)), "after the year 9999"},
		"of another ring":                {with(func(t *Token) { t.Ring = "blue" }), "for the ring"},
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
		"with crit":                      {raw(key, `{"alg":"HS256","kid":"`+kid+`","crit":["exp"],"exp":1}`, body), "header crit"},
		"with an empty crit":             {raw(key, `{"alg":"HS256","kid":"`+kid+`","crit":null}`, body), "header crit"},
		"of a bad topic":                 {raw(key, `{"alg":"HS256","kid":"`+kid+`"}`, strings.Replace(body, `"exp"`, `"send":["a b"],"exp"`, 1)), "what it may send"},
		"of topics that are none":        {raw(key, `{"alg":"HS256","kid":"`+kid+`"}`, strings.Replace(body, `"exp"`, `"hear":"chat.*","exp"`, 1)), "no JWT of a ring"},
		"junk":                           {"a.b.c", "no JWT of a ring"},
		"long":                           {strings.Repeat("a", maxToken+1), "a token of"},
	}
}

// TestAdmitRefuses: nobody comes in by these, whoever is told why gets nothing of them.
func TestAdmitRefuses(t *testing.T) {
	s := secretOf(t, NewSecret())
	tr := &Trust{secrets: []Secret{*s}}
	for name, bad := range badTokens(t, s) {
		tok, key, err := tr.Admit(bad[0], testRing, time.Now())
		if err == nil || key != "" || tok.Ring != "" || !strings.Contains(err.Error(), bad[1]) {
			t.Errorf("a token %s: %+v by %q, %v", name, tok, key, err)
		}
		if last := bad[0][max(len(bad[0])-40, 0):]; err != nil && len(last) == 40 && strings.Contains(err.Error(), last) {
			t.Errorf("a token %s is in the error", name)
		}
	}
	want := Token{Role: RoleGuest, Name: "tab-*", Tags: map[string]string{"user": "alice"}, Send: []string{"chat.*"}, Hear: []string{"chat.*", "news"}}
	tok, key, err := tr.Admit(token(t, s, want), testRing, time.Now())
	if err != nil || key != s.ID() || tok.Name != want.Name || tok.Demands()[0].Value != "alice" || !slices.Equal(tok.Topics().Send, want.Send) || !slices.Equal(tok.Topics().Hear, want.Hear) {
		t.Errorf("a good one: %+v by %q, %v", tok, key, err)
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
		{Ring: "r", Role: RoleReader, Expires: time.UnixMilli(endOfTime * 1000)}, {Ring: "r", Role: RoleReader, Name: "x"}, {Ring: "r", Role: RoleOperator, Send: []string{"x"}}, {Ring: "r", Role: RoleReader, Hear: []string{"x"}},
		{Ring: "r", Role: RoleGuest, Name: "x", Send: []string{"a b"}}, {Ring: "r", Role: RoleGuest, Name: "x", Hear: []string{""}}, {Ring: "r", Role: RoleGuest, Name: "x", Hear: make([]string, 65)},
		{Ring: "r", Role: RoleGuest, Name: "x", Tags: map[string]string{"": "x"}}, {Ring: "r", Role: RoleGuest, Name: "x", Tags: long},
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
	tr := &Trust{secrets: []Secret{*s}}
	kid, key := s.TokenKey(RoleGuest)
	f.Fuzz(func(t *testing.T, signed, body string) {
		now := time.Unix(1<<32, 0)
		if tok, by, err := tr.Admit(signed, testRing, now); err == nil && (by != s.ID() || !strings.HasPrefix(good, signed[:strings.LastIndexByte(signed, '.')])) {
			t.Fatalf("%q lets in %+v", signed, tok)
		}
		tok, _, err := tr.Admit(raw(key, `{"alg":"HS256","kid":"`+kid+`"}`, body), "r", now) // signed, whatever it is
		if err == nil && (tok.check() != nil || tok.Ring != "r" || tok.Role != RoleGuest || !tok.Expires.Add(Leeway).After(now)) {
			t.Fatalf("%s: %+v", body, tok)
		}
	})
}
