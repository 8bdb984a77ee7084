package native

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nanoring/nanoring/native/trust"
)

// operated is a locked node, and what its operator and others ask of it.
type operated struct {
	*Node
	t      *testing.T
	secret string
	log    logged
	awake  atomic.Int64 // nanoseconds that have passed for the monotonic clock of sessions beyond those that have
	wall   atomic.Int64 // likewise, for the other
}

func startOperated(t *testing.T) *operated {
	o := &operated{t: t, secret: trust.NewSecret()}
	cfg := config(t, "dev1")
	cfg.Engine, cfg.SecretFile, cfg.Log = serving().engine, secretFile(t, o.secret), o.log.logger()
	o.Node = start(t, cfg)
	o.sessions.mu.Lock()
	defer o.sessions.mu.Unlock()
	real := o.sessions.clock
	o.sessions.clock = func() (time.Duration, time.Time) {
		awake, wall := real()
		return awake + time.Duration(o.awake.Load()), wall.Add(time.Duration(o.wall.Load()))
	}
	return o
}

func (o *operated) later(d time.Duration) {
	o.awake.Add(int64(d))
	o.wall.Add(int64(d))
}

// sleeps has the machine do so: the monotonic clock does not count that.
func (o *operated) sleeps(d time.Duration) { o.wall.Add(int64(d)) }

// asks asks over loopback, with a token unless it is "".
func (o *operated) asks(method, path, body, token string) answer {
	o.t.Helper()
	var header []string
	if token != "" {
		header = []string{"Authorization", "Bearer " + token}
	}
	return ask(o.t, httpClient(o.t), method, "http://"+o.Addr()+path, body, header...)
}

// link makes one by the socket, and returns the body that exchanges it.
func (o *operated) link() (exchange string) {
	o.t.Helper()
	got := ask(o.t, socketClient(o.t, o.Node), "POST", "http://localhost/v1/links", "")
	var l PageLinkJSON
	if err := json.Unmarshal([]byte(got.body), &l); err != nil || got.status != 201 || l.Page != "http://"+o.Addr()+"/" || l.Seconds != 300 || len(l.Code) < 43 {
		o.t.Fatalf("a link: %d %s", got.status, got.body)
	}
	return `{"code":"` + l.Code + `"}`
}

// begun is the session that an answer has.
func begun(t *testing.T, a answer) (s SessionJSON) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), &s); err != nil || a.status != 201 || !isSession(s.Token) {
		t.Fatalf("a session: %d %s", a.status, a.body)
	}
	return s
}

// TestPageLink: a link works once, soon, and makes whoever has it an operator, and a guest.
func TestPageLink(t *testing.T) {
	o := startOperated(t)
	link := o.link()
	s := begun(t, o.asks("POST", "/v1/session", link, ""))
	if s.Seconds != 8*3600 && s.Seconds != 8*3600-1 {
		t.Errorf("it is good for %d s", s.Seconds)
	}
	again := o.asks("POST", "/v1/session", link, "")
	if again.status != http.StatusGone || !strings.Contains(again.body, `"link-used"`) || !strings.Contains(again.body, "from 127.0.0.1, and works once") {
		t.Errorf("a link that was used: %d %s", again.status, again.body)
	}
	for range 3 { // it is told rarely: see what is counted below
		o.asks("POST", "/v1/session", link, "")
	}
	for path, want := range map[string]int{"GET /v1/status": 200, "POST /v1/nodes": 201, "DELETE /v1/nodes/dev2": 204, "GET /v1/session": 200} {
		method, path, _ := strings.Cut(path, " ")
		body := ""
		if method == "POST" {
			body = `{"name":"dev2","address":"127.0.0.1:1"}`
		}
		if got := o.asks(method, path, body, s.Token); got.status != want {
			t.Errorf("%s %s by a session: %d %s", method, path, got.status, got.body)
		}
	}
	token, _, err := o.keeper.Now().Admit(s.Guest, testRing, time.Now())
	if err != nil || token.Role != trust.RoleGuest || token.Name != "tab-*" || time.Until(token.Expires) > guestTime {
		t.Errorf("its guest's token: %+v, %v", token, err)
	}
	o.asks("DELETE", "/v1/session", "", s.Token)
	if got := o.asks("GET", "/v1/status", "", s.Token); got.status != 401 {
		t.Errorf("a session that was ended: %d", got.status)
	}
	for text, want := range map[string]int{"a link to the page was made": 1, "a link to the page was used": 1, "a link to the page was refused": 1, "was ended by its page": 1} {
		if got := o.log.count(text); got != want {
			t.Errorf("the log has %d lines %q", got, text)
		}
	}
	var c struct{ Code string }
	json.Unmarshal([]byte(link), &c)
	for _, hidden := range []string{c.Code, s.Token, s.Guest} {
		if o.log.count(hidden) > 0 {
			t.Error("the log has a secret in it")
		}
	}
}

// TestSessionsGuest: the token of a session's guest lasts no longer than the session, nor does
// one begin by what is over.
func TestSessionsGuest(t *testing.T) {
	o := startOperated(t)
	s := begun(t, o.asks("POST", "/v1/session", o.link(), ""))
	o.later(sessionTime - 30*time.Second)
	var left SessionJSON
	if got := o.asks("GET", "/v1/session", "", s.Token); json.Unmarshal([]byte(got.body), &left) != nil || got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	token, _, err := o.keeper.Now().Admit(left.Guest, testRing, time.Now())
	if err != nil || time.Until(token.Expires) > 30*time.Second {
		t.Errorf("the guest of a session with 30 s left: %+v, %v", token, err)
	}
	over, err := o.keeper.Now().Sign(trust.Token{Ring: testRing, Role: trust.RoleOperator, Expires: time.Now().Add(-5 * time.Second)}, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := o.asks("POST", "/v1/session", "{}", over); got.status != 401 {
		t.Errorf("a token that is forgiven its age begins a session: %d %s", got.status, got.body)
	}
}

// TestSessionsSecret: what a session begets is by the secret by which its operator came, and is
// withdrawn with it.
func TestSessionsSecret(t *testing.T) {
	lines := []string{trust.NewSecret(), trust.NewSecret()}
	cfg := config(t, "dev1")
	cfg.Engine, cfg.SecretFile = serving().engine, secretFile(t, lines...)
	n := start(t, cfg)
	id := n.keeper.Now().IDs()[1]
	operator, err := n.keeper.Now().Sign(trust.Token{Ring: testRing, Role: trust.RoleOperator, Expires: time.Now().Add(time.Hour)}, id)
	if err != nil {
		t.Fatal(err)
	}
	s := begun(t, ask(t, httpClient(t), "POST", "http://"+n.Addr()+"/v1/session", "{}", "Authorization", "Bearer "+operator))
	if _, key, err := n.keeper.Now().Admit(s.Guest, testRing, time.Now()); err != nil || key != id {
		t.Errorf("its guest is by the secret %s, not by %s: %v", key, id, err)
	}
}

// TestSocketOutlivesSecret: a session that came by the socket came by no secret: it goes on when that is
// rotated, and its guest is by the new one. What came by a token ends.
func TestSocketOutlivesSecret(t *testing.T) {
	o := startOperated(t)
	bySocket := begun(t, o.asks("POST", "/v1/session", o.link(), ""))
	operator := token(t, secretOf(t, o.secret), trust.Token{Role: trust.RoleOperator})
	byToken := begun(t, o.asks("POST", "/v1/session", "{}", operator))
	next := trust.NewSecret()
	if err := os.WriteFile(o.cfg.SecretFile, []byte(next), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := o.Reload(); err != nil {
		t.Fatal(err)
	}
	var s SessionJSON
	got := o.asks("GET", "/v1/session", "", bySocket.Token)
	if err := json.Unmarshal([]byte(got.body), &s); err != nil || got.status != 200 {
		t.Fatalf("the socket's session: %d %s", got.status, got.body)
	}
	if _, key, err := o.keeper.Now().Admit(s.Guest, testRing, time.Now()); err != nil || key != secretOf(t, next).ID() {
		t.Errorf("its guest is by %q: %v", key, err)
	}
	if got := o.asks("GET", "/v1/session", "", byToken.Token); got.status != 401 {
		t.Errorf("the session of a token whose secret is gone: %d", got.status)
	}
}

// TestPageLinkRace: of many who have a link one is let in.
func TestPageLinkRace(t *testing.T) {
	o := startOperated(t)
	link := o.link()
	var in atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			r := httptest.NewRequest("POST", "http://"+o.Addr()+"/v1/session", strings.NewReader(link))
			r.Header.Set("Content-Type", "application/json")
			r.RemoteAddr = "127.0.0.1:1"
			w := httptest.NewRecorder()
			o.Handler().ServeHTTP(w, r)
			if w.Code == http.StatusCreated {
				in.Add(1)
			}
		})
	}
	wg.Wait()
	if in.Load() != 1 {
		t.Errorf("%d were let in", in.Load())
	}
}

// TestPageLinkEnds: what is too old, unknown, or of a secret that was taken out is good no more.
func TestPageLinkEnds(t *testing.T) {
	o := startOperated(t)
	link := o.link()
	o.later(linkTime)
	if got := o.asks("POST", "/v1/session", link, ""); got.status != http.StatusGone || !strings.Contains(got.body, `"link-expired"`) {
		t.Errorf("an old link: %d %s", got.status, got.body)
	}
	s := begun(t, o.asks("POST", "/v1/session", o.link(), ""))
	o.later(sessionTime - time.Second)
	if got := o.asks("GET", "/v1/session", "", s.Token); got.status != 200 {
		t.Errorf("a session near its end: %d", got.status)
	}
	o.later(time.Second)
	if got := o.asks("GET", "/v1/session", "", s.Token); got.status != 401 {
		t.Errorf("an old session: %d", got.status)
	}

	// By a token: not beyond it, and not beyond its secret.
	operator := token(t, secretOf(t, o.secret), trust.Token{Role: trust.RoleOperator, Expires: time.Now().Add(time.Hour)})
	for _, body := range []string{`{}`, ""} {
		if body == "" { // by way of a link
			var l PageLinkJSON
			json.Unmarshal([]byte(o.asks("POST", "/v1/links", "", operator).body), &l)
			body = `{"code":"` + l.Code + `"}`
		}
		s := begun(t, o.asks("POST", "/v1/session", body, operator))
		if s.Seconds > 3600 || s.Seconds < 3500 {
			t.Errorf("a session of a token of an hour is good for %d s", s.Seconds)
		}
		if _, err := o.sessions.find(s.Token, func(key string) bool { return key == "" }); err == nil {
			t.Error("it outlives its secret")
		}
	}
	kept, waiting := begun(t, o.asks("POST", "/v1/session", o.link(), "")), o.link()
	if got := o.asks("DELETE", "/v1/links", "", kept.Token); got.status != 403 {
		t.Errorf("a session ends others: %d", got.status)
	}
	if got := o.asks("DELETE", "/v1/links", "", operator); got.status != 200 || got.body != `{"links":1,"sessions":1}`+"\n" {
		t.Errorf("all are ended: %d %s", got.status, got.body)
	}
	if got := o.asks("GET", "/v1/session", "", kept.Token); got.status != 401 {
		t.Errorf("a session that an operator ended: %d", got.status)
	}
	if got := o.asks("POST", "/v1/session", waiting, ""); got.status != http.StatusGone || !strings.Contains(got.body, `"link-unknown"`) {
		t.Errorf("a link that an operator ended: %d %s", got.status, got.body)
	}
}

// TestWhoMakesLinks: operators, and not their sessions, and nobody whom others can read.
func TestWhoMakesLinks(t *testing.T) {
	o := startOperated(t)
	s := begun(t, o.asks("POST", "/v1/session", o.link(), ""))
	secret := secretOf(t, o.secret)
	for who, want := range map[string]int{
		"": 401, "nanoring-session-made-up": 401, s.Token: 403, s.Guest: 403,
		token(t, secret, trust.Token{Role: trust.RoleReader}): 403, token(t, secret, trust.Token{Role: trust.RoleOperator}): 201,
	} {
		if got := o.asks("POST", "/v1/links", "", who); got.status != want {
			t.Errorf("%.20s makes a link: %d %s", who, got.status, got.body)
		}
		if got := o.asks("POST", "/v1/session", "{}", who); got.status != want {
			t.Errorf("%.20s begins a session: %d %s", who, got.status, got.body)
		}
		if got := o.asks("GET", "/v1/session", "", who); (got.status == 200) != (who == s.Token) {
			t.Errorf("%.20s asks for a guest's token: %d %s", who, got.status, got.body)
		}
	}

	link := o.link()
	for _, origin := range []string{"", "http://evil.example"} {
		r := httptest.NewRequest("POST", "http://"+o.Addr()+"/v1/session", strings.NewReader(link))
		r.Header.Set("Content-Type", "application/json")
		r.RemoteAddr = "192.0.2.1:1"
		if origin != "" {
			r.RemoteAddr = "127.0.0.1:1"
			r.Header.Set("Origin", origin)
		}
		w := httptest.NewRecorder()
		o.Handler().ServeHTTP(w, r)
		if want := map[string]string{"": "tls-required"}[origin]; w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), want) {
			t.Errorf("from elsewhere, of %q: %d %s", origin, w.Code, w.Body)
		}
	}
	begun(t, o.asks("POST", "/v1/session", link, "")) // nobody has used it by that

	for range guessesAMinute + 5 {
		o.asks("POST", "/v1/session", `{"code":"guess"}`, "")
	}
	if got := o.asks("POST", "/v1/session", `{"code":"guess"}`, ""); got.status != http.StatusTooManyRequests {
		t.Errorf("a guess: %d %s", got.status, got.body)
	}
	begun(t, o.asks("POST", "/v1/session", o.link(), "")) // nobody is locked out by that
}

// TestSleepEndsLinks: what is over after a time is so, too, if the machine slept meanwhile, or somebody
// set its clock back.
func TestSleepEndsLinks(t *testing.T) {
	o := startOperated(t)
	link := o.link()
	o.sleeps(linkTime)
	if got := o.asks("POST", "/v1/session", link, ""); !strings.Contains(got.body, `"link-expired"`) {
		t.Errorf("a link, after the machine slept: %d %s", got.status, got.body)
	}
	s := begun(t, o.asks("POST", "/v1/session", o.link(), ""))
	o.wall.Add(-int64(24 * time.Hour)) // the clock is set back
	before := o.sessions.tick()
	if got := o.asks("GET", "/v1/session", "", s.Token); got.status != 200 {
		t.Errorf("a session, after the clock was set back: %d", got.status)
	}
	o.sleeps(sessionTime / 2)
	if passed := o.sessions.tick().Sub(before); passed < sessionTime/2 {
		t.Errorf("by a clock that was set back, %s passed in a sleep of %s", passed, sessionTime/2)
	}
	o.later(sessionTime / 2)
	if got := o.asks("GET", "/v1/session", "", s.Token); got.status != 401 {
		t.Errorf("a session of more than its time, asleep and awake: %d %s", got.status, got.body)
	}
	link = o.link()
	o.wall.Add(-int64(time.Hour))
	o.awake.Add(int64(linkTime))
	if got := o.asks("POST", "/v1/session", link, ""); !strings.Contains(got.body, `"link-expired"`) {
		t.Errorf("a link, by a clock that was set back: %d %s", got.status, got.body)
	}
}

// TestSessionsOfOne: who makes many links and sessions drops its own, what is over first, and nobody else's.
func TestSessionsOfOne(t *testing.T) {
	o := startOperated(t)
	sign := func(life time.Duration) string {
		return token(t, secretOf(t, o.secret), trust.Token{Role: trust.RoleOperator, Expires: time.Now().Add(life)})
	}
	lives := func(s SessionJSON) bool { return o.asks("GET", "/v1/session", "", s.Token).status == 200 }
	begins := func(operator string) SessionJSON { return begun(t, o.asks("POST", "/v1/session", "{}", operator)) }

	first, waits := begun(t, o.asks("POST", "/v1/session", o.link(), "")), o.link()
	greedy := sign(time.Hour)
	mine := begins(greedy)
	for range 2 * mostOfOne {
		begins(greedy)
		o.asks("POST", "/v1/links", "", greedy)
	}
	if !lives(first) || lives(mine) {
		t.Errorf("the socket's session lives: %t, the first of the token that begins many: %t", lives(first), lives(mine))
	}
	second := begun(t, o.asks("POST", "/v1/session", waits, ""))

	// Many tokens: who has most makes room.
	for i := range mostKept {
		begins(sign(2*time.Hour + time.Duration(i)*time.Second))
	}
	if !lives(first) || !lives(second) {
		t.Error("many tokens have ended the socket's sessions")
	}
	if n := len(o.sessions.open); n > mostKept+2 {
		t.Errorf("it keeps %d sessions", n)
	}

	// What is over goes before what lives, though it began later.
	o.asks("DELETE", "/v1/links", "", greedy)
	unused := o.link()
	for range mostOfOne + 4 {
		if got := o.asks("POST", "/v1/session", o.link(), ""); got.status != 201 {
			t.Fatalf("%d %s", got.status, got.body)
		} else {
			o.asks("DELETE", "/v1/session", "", begun(t, got).Token)
		}
	}
	begun(t, o.asks("POST", "/v1/session", unused, "")) // links that were used went before it
	o.asks("DELETE", "/v1/links", "", greedy)
	old := begins(sign(7 * time.Hour))
	var brief []SessionJSON
	for i := range mostKept - 1 {
		brief = append(brief, begins(sign(time.Minute+time.Duration(i)*time.Second)))
	}
	o.later(5 * time.Minute)
	for i := range mostKept - 1 {
		begins(sign(time.Hour + time.Duration(i)*time.Second))
	}
	if !lives(old) || lives(brief[0]) {
		t.Error("a session that lives went before those that are over")
	}
}

// TestPageOfOpenRing: it takes no link, and where there is no page there is none.
func TestPageOfOpenRing(t *testing.T) {
	for _, test := range []struct {
		url  string
		none bool
		want string
	}{{"", false, ""}, {"wss://ring.example.com/a/ring", false, "https://ring.example.com/a/"}, {"ws://ring.example.com/ring", false, "http://ring.example.com/"}, {"", true, ""}} {
		cfg := config(t, "dev1")
		cfg.Engine, cfg.PublicURL, cfg.NoPage = serving().engine, test.url, test.none
		n := start(t, cfg)
		if test.want == "" {
			test.want = "http://" + n.Addr() + "/"
		}
		got := ask(t, httpClient(t), "POST", "http://"+n.Addr()+"/v1/links", "")
		if test.none && (got.status != 409 || !strings.Contains(got.body, `"no-page"`)) || !test.none && (got.status != 201 || got.body != `{"page":"`+test.want+`"}`+"\n") {
			t.Errorf("%+v: %d %s", test, got.status, got.body)
		}
		if got := ask(t, httpClient(t), "POST", "http://"+n.Addr()+"/v1/session", `{"code":"x"}`); got.status != 409 {
			t.Errorf("a session: %d %s", got.status, got.body)
		}
	}
}
