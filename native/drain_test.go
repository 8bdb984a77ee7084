package native

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// house is a locked ring of two, whose guests are given tokens.
type house struct {
	secret *trust.Secret
	cfg    Config // of dev1
	a, b   *Node
}

func newHouse(t *testing.T, drain time.Duration) *house {
	t.Helper()
	line := trust.NewSecret()
	h := &house{secret: secretOf(t, line), cfg: config(t, "dev1")}
	h.cfg.SecretFile, h.cfg.DrainTimeout = secretFile(t, line), drain
	h.a = start(t, h.cfg)
	other := config(t, "dev2")
	other.SecretFile, other.Join = h.cfg.SecretFile, []string{h.a.Addr()}
	h.b = start(t, other)
	h.shows(t, h.a, "dev2", func(n core.Node) bool { return n.State == core.Alive })
	return h
}

func (h *house) shows(t *testing.T, on *Node, name string, is func(core.Node) bool) {
	t.Helper()
	eventually(t, on.Name()+" shows "+name+" as it is to be", func() bool {
		n, ok := on.Get(name)
		return ok && is(n)
	})
}

func (h *house) isCordoned(t *testing.T, want bool) {
	t.Helper()
	for _, on := range []*Node{h.a, h.b} {
		h.shows(t, on, "dev1", func(n core.Node) bool { return n.State == core.Alive && n.Cordoned == want })
	}
}

func isReady(t *testing.T, n *Node, status int, says string) {
	t.Helper()
	w := httptest.NewRecorder()
	n.handler.ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
	if w.Code != status || !strings.Contains(w.Body.String(), says) {
		t.Errorf("/readyz says %d %s", w.Code, w.Body)
	}
}

// guest has a tab join a node.
func (h *house) guest(t *testing.T, name string, at *Node) *tab {
	t.Helper()
	tab := newTab(t, name, token(t, h.secret, trust.Token{Role: trust.RoleGuest, Name: name}))
	tab.join(at)
	h.shows(t, h.b, name, func(n core.Node) bool { return n.State == core.Alive && n.Via == at.Name() })
	return tab
}

// moves expects that a tab is sent on, and has it go to the other node.
func (h *house) moves(t *testing.T, tab *tab) {
	t.Helper()
	receive(t, "its guest is sent on", tab.gone)
	if tab.closed != 4014 {
		t.Errorf("it is told %d", tab.closed)
	}
	h.guest(t, tab.name, h.b)
}

// TestDrain: a node that drains ends when its guests are elsewhere, and comes back cordoned.
func TestDrain(t *testing.T) {
	h := newHouse(t, 0)
	one, two := h.guest(t, "one", h.a), h.guest(t, "two", h.a)
	left := make(chan Work, 16)
	done := make(chan error)
	go func() { done <- h.a.Drain(t.Context(), func(w Work) { left <- w }) }()
	if w := receive(t, "progress", left); w.Guests != 2 {
		t.Errorf("%+v", w)
	}
	h.moves(t, one)
	h.moves(t, two)
	if err := receive(t, "its end", done); err != nil || h.a.Err() != nil {
		t.Error(err, h.a.Err())
	}
	for last := 2; last > 0; {
		w := receive(t, "progress", left)
		if w.Guests >= last {
			t.Errorf("%d guests are left, after %d", w.Guests, last)
		}
		last = w.Guests
	}
	h.shows(t, h.b, "dev1", func(n core.Node) bool { return n.State == core.Left && !n.Cordoned })
	<-h.a.Done()
	h.a = start(t, h.cfg)
	h.isCordoned(t, true)
	if owners := h.b.Owners("key", 9); len(owners) != 1 || owners[0].Name != "dev2" {
		t.Errorf("%+v", owners)
	}
	if err := h.b.Uncordon(t.Context(), "dev1"); err != nil {
		t.Error(err)
	}
	h.isCordoned(t, false)
}

// TestDrainAnswers: a node that drains ends when it has answered what it was asked.
func TestDrainAnswers(t *testing.T) {
	h := newHouse(t, 0)
	asked, let := make(chan struct{}), make(chan struct{})
	if _, err := h.a.Answer("who.*", func(context.Context, Question) ([]byte, error) {
		close(asked)
		<-let
		return []byte("me"), nil
	}); err != nil {
		t.Fatal(err)
	}
	answers, err := h.b.Ask(t.Context(), "who.is", nil)
	if err != nil {
		t.Fatal(err)
	}
	receive(t, "the question", asked)
	left, done := make(chan Work, 16), make(chan error)
	go func() { done <- h.a.Drain(t.Context(), func(w Work) { left <- w }) }()
	if w := receive(t, "progress", left); w != (Work{Questions: 1}) {
		t.Errorf("%+v", w)
	}
	isReady(t, h.a, 503, `"code":"draining"`)
	close(let)
	if w := receive(t, "progress", left); w != (Work{}) {
		t.Errorf("%+v", w)
	}
	if err := receive(t, "its end", done); err != nil {
		t.Error(err)
	}
	for a := range answers.All() {
		if a.From != "dev1" || string(a.Payload) != "me" {
			t.Errorf("%+v", a)
		}
	}
}

// TestDrainCalledOff: by who asked, by time, by an operator, and where there is nobody
// else: the node runs on, cordoned.
func TestDrainCalledOff(t *testing.T) {
	h := newHouse(t, 0)
	h.guest(t, "one", h.a)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	isReady(t, h.a, 200, "ok")
	if err := h.a.Drain(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	isReady(t, h.a, 200, "ok")
	h.isCordoned(t, true)

	h.guest(t, "two", h.b)
	done := make(chan error)
	go func() { done <- h.b.Drain(t.Context(), nil) }()
	var no *CommandError
	if err := receive(t, "no other takes guests", done); !errors.As(err, &no) || no.Code != wire.CodeNobody {
		t.Error(err)
	}
	h.shows(t, h.a, "dev2", func(n core.Node) bool { return n.State == core.Alive && n.Cordoned })
	for _, on := range []*Node{h.a, h.b} {
		if err := h.a.Uncordon(t.Context(), on.Name()); err != nil {
			t.Error(err)
		}
	}
	h.guest(t, "three", h.a)
	begun := make(chan Work, 16)
	go func() { done <- h.a.Drain(t.Context(), func(w Work) { begun <- w }) }()
	receive(t, "progress", begun)
	if err := h.b.Uncordon(t.Context(), "dev1"); err != nil {
		t.Error(err)
	}
	if err := receive(t, "it is called off", done); !errors.Is(err, ErrUncordoned) {
		t.Error(err)
	}
	h.isCordoned(t, false)
	if err := h.a.Err(); err != nil || len(h.a.Up()) < 2 {
		t.Error(err)
	}
}

// TestDrainTimeout: a node that is to end has its guests go before it does, for so long
// at most, and comes back as it was.
func TestDrainTimeout(t *testing.T) {
	h := newHouse(t, patience)
	one := h.guest(t, "one", h.a)
	go h.a.Close()
	h.isCordoned(t, true)
	h.moves(t, one)
	receive(t, "its end", h.a.Done())
	h.cfg.DrainTimeout = time.Second
	h.a = start(t, h.cfg)
	h.isCordoned(t, false)
	two := h.guest(t, "two", h.a) // which goes nowhere
	h.a.Close()
	receive(t, "its guest has to go", two.gone)
}

// TestDrainByAPI: it says how it goes, and is for operators.
func TestDrainByAPI(t *testing.T) {
	h := newHouse(t, 0)
	c, socket, base := httpClient(t), socketClient(t, h.a), "http://"+h.a.Addr()
	for role, status := range map[string]int{trust.RoleGuest: 403, trust.RoleReader: 403, "": 401} {
		var header []string
		if role != "" {
			header = []string{"Authorization", "Bearer " + token(t, h.secret, trust.Token{Role: role, Name: map[string]string{trust.RoleGuest: "*"}[role]})}
		}
		for path, method := range map[string]string{"/v1/drain": "POST", "/v1/nodes/dev1/cordon": "PUT", "/v1/nodes/dev2/cordon": "DELETE"} {
			if got := ask(t, c, method, base+path, "", header...); got.status != status {
				t.Errorf("%s of a %q: %d %s", path, role, got.status, got.body)
			}
		}
	}
	h.isCordoned(t, false)
	for _, test := range []struct {
		method, path string
		status       int
		has          string
	}{
		{"PUT", "/v1/nodes/dev2/cordon", 200, `"name":"dev2","state":"up","ephemeral":false,"cordoned":true`},
		{"PUT", "/v1/nodes/dev2/cordon", 200, `"cordoned":true`},
		{"DELETE", "/v1/nodes/dev2/cordon", 200, `"cordoned":false`},
		{"PUT", "/v1/nodes/dev9/cordon", 404, `"unknown-node"`},
		{"POST", "/v1/nodes/dev2/cordon", 405, `"method-not-allowed"`},
		{"GET", "/v1/drain", 405, `"method-not-allowed"`},
	} {
		if got := ask(t, socket, test.method, "http://socket"+test.path, ""); got.status != test.status || !strings.Contains(got.body, test.has) {
			t.Errorf("%s %s: %d %s", test.method, test.path, got.status, got.body)
		}
	}
	one := h.guest(t, "one", h.a)
	if got := ask(t, socket, "PUT", "http://socket/v1/nodes/one/cordon", ""); got.status != 400 || !strings.Contains(got.body, "guest") {
		t.Errorf("%+v", got)
	}
	h.b.Cordon(t.Context(), "dev2")
	h.shows(t, h.a, "dev2", func(n core.Node) bool { return n.Cordoned })
	if got := ask(t, socket, "POST", "http://socket/v1/drain", ""); got.status != 409 || !strings.Contains(got.body, `"code":"nobody"`) {
		t.Errorf("%+v", got)
	}
	h.b.Uncordon(t.Context(), "dev2")
	two := h.guest(t, "two", h.a)
	answered := make(chan answer)
	go func() { answered <- ask(t, socket, "POST", "http://socket/v1/drain", "") }()
	h.moves(t, one)
	h.moves(t, two)
	got := receive(t, "the answer", answered)
	lines := strings.Split(strings.TrimSpace(got.body), "\n")
	if got.status != 200 || got.typ != "application/x-ndjson" || lines[0] != `{"guests":2,"questions":0,"drained":false}` || lines[len(lines)-1] != `{"guests":0,"questions":0,"drained":true}` {
		t.Errorf("%d %s %s", got.status, got.typ, got.body)
	}
	receive(t, "its end", h.a.Done())
}
