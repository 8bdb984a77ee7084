package native

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// lasting opens a stream by a token, and says when it ends; it has begun when it returns.
func lasting(t *testing.T, n *Node, method, path, body, token string) <-chan struct{} {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), method, "http://"+n.Addr()+path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	res, err := httpClient(t).Do(req)
	if err != nil || res.StatusCode != 200 {
		t.Fatal(path, res, err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer res.Body.Close()
		io.Copy(io.Discard, bufio.NewReader(res.Body))
	}()
	return over
}

var streams = []struct{ method, path, body string }{
	{"GET", "/v1/events", ""},
	{"GET", "/v1/messages?topic=x", ""},
	{"POST", "/v1/questions", `{"topic":"x","timeout_millis":30000}`},
}

// hesitates has a node answer what is asked on x as late as may be.
func hesitates(t *testing.T, n *mortal) {
	t.Helper()
	_, err := n.Answer("x", func(ctx context.Context, _ Question) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	must(t, err)
}

// TestNothingOutlastsItsToken: streams end with the token that opened them, and guests, who are
// sent for another, and come back by it without being seen down.
func TestNothingOutlastsItsToken(t *testing.T) {
	secret := trust.NewSecret()
	s, lock := secretOf(t, secret), locked(secretFile(t, secret))
	one := real(t, "dev1", lock)
	two := real(t, "dev2", lock, join(one.Addr()))
	agree(t, "dev1 dev2", one, two)
	hesitates(t, two)
	hear := func(over <-chan struct{}) bool {
		select {
		case <-over:
			return true
		default:
			return false
		}
	}
	nearly := time.Now().Add(3*time.Second - trust.Leeway) // good for three seconds more
	var brief, long []<-chan struct{}
	for _, st := range streams {
		brief = append(brief, lasting(t, one.Node, st.method, st.path, st.body, token(t, s, trust.Token{Role: trust.RoleOperator, Expires: nearly})))
		long = append(long, lasting(t, one.Node, st.method, st.path, st.body, token(t, s, trust.Token{Role: trust.RoleOperator})))
	}
	tab := newTab(t, "tab", token(t, s, trust.Token{Role: trust.RoleGuest, Name: "tab", Expires: nearly}))
	tab.join(one.Node)
	sees(t, two, "tab", core.Alive)
	var seen []core.State
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for e, err := range two.Watch(t.Context()) {
			if err != nil {
				return
			}
			if e.Kind == core.EventNode && e.Node.Name == "tab" {
				if seen = append(seen, e.Node.State); e.Node.Tags != nil {
					return
				}
			}
		}
	}()
	a := &attacker{TB: t, n: one.Node, token: tab.token}
	for i, over := range brief {
		receive(t, streams[i].path+" ends", over)
	}
	receive(t, "the guest's end", tab.gone)
	if tab.closed != websocket.StatusCode(wire.CodeRotated) {
		t.Errorf("the guest is closed with %d", tab.closed)
	}
	if status := tab.dial(one.Node); status != 401 {
		t.Errorf("it comes back by the same: %d", status)
	}
	tab = newTab(t, "tab", token(t, s, trust.Token{Role: trust.RoleGuest, Name: "tab", Tags: map[string]string{"back": "yes"}}))
	a.token = tab.token
	process := wire.Instance{Start: time.Now().UnixMicro(), Nonce: 7}
	hello := a.hello("tab")
	hello.Hello.Instance = process
	ws := a.open()
	a.send(ws, hello)
	if _, _, err := ws.Read(t.Context()); err != nil { // the one before may have to be asked first: until it is let in it says no more
		t.Fatal(err)
	}
	a.send(ws, &wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{
		a.presence("tab", 0, time.Now(), wire.Presence{Ephemeral: true, Via: "dev1", Instance: process, Tags: []wire.Tag{{Key: "back", Value: "yes"}}}),
	}})
	receive(t, "the guest is back", watched)
	for _, state := range seen {
		if state != core.Alive {
			t.Errorf("the guest was seen %s", state)
		}
	}
	for i, over := range long {
		if hear(over) {
			t.Errorf("%s has ended, whose token is good", streams[i].path)
		}
	}
}

// TestWithdrawnSecretEndsStreams: so does what came by a secret that is taken out of the file,
// and by a session.
func TestWithdrawnSecretEndsStreams(t *testing.T) {
	a, b := trust.NewSecret(), trust.NewSecret()
	n := real(t, "dev1", locked(secretFile(t, a, b)))
	hesitates(t, n)
	var over []<-chan struct{}
	for _, st := range streams {
		over = append(over, lasting(t, n.Node, st.method, st.path, st.body, token(t, secretOf(t, b), trust.Token{Role: trust.RoleOperator})))
	}
	session, _ := n.sessions.start(vouched{by: "a token", key: secretOf(t, b).ID()})
	over = append(over, lasting(t, n.Node, "GET", "/v1/events", "", session))
	writeSecrets(t, n.cfg.SecretFile, a)
	for _, end := range over {
		receive(t, "the stream's end", end)
	}
	session, _ = n.sessions.start(vouched{by: "the socket"})
	end := lasting(t, n.Node, "GET", "/v1/events", "", session)
	n.sessions.endAll()
	receive(t, "the stream of a session that was ended", end)
}
