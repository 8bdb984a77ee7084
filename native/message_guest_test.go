package native

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// TestTopicsOfTokens: a guest hears and sends on the topics of its token alone, under its own
// name; by a token without any, on none.
func TestTopicsOfTokens(t *testing.T) {
	secret := trust.NewSecret()
	lock := locked(secretFile(t, secret))
	gate := real(t, "dev1", lock)
	other := real(t, "dev2", lock, join(gate.Addr()))
	agree(t, "", gate, other)
	heard := ears(t, other.Node, "*")
	guest := func(name string, tok trust.Token) *tab {
		tok.Role, tok.Name = trust.RoleGuest, name
		tab := newTab(t, name, token(t, secretOf(t, secret), tok))
		tab.join(gate.Node)
		eventually(t, name+" everywhere", func() bool {
			_, ok := other.Get(name)
			return ok && tab.sees("dev2") == core.Alive
		})
		tab.commands <- core.Command{ID: 1, Op: core.Hear, Hear: core.Subscription{Messages: []string{"*"}, Questions: []string{"chat.*"}}}
		tab.next(core.EventResult)
		return tab
	}
	may := guest("may", trust.Token{Send: []string{"chat.*"}, Hear: []string{"chat.*"}})
	mayNot := guest("may-not", trust.Token{})
	ctx := soon(t)

	// The gateway knows what they ask for when they have heard what they may, or not.
	eventually(t, "that it is told", func() bool { return other.Tell(ctx, "may", "chat.hi", nil) == nil })
	may.next(core.EventHeard)
	for _, tell := range []struct {
		to, topic string
		code      wire.Code
	}{{"may", "chat.hi", 0}, {"may", "secret", wire.CodeNobody}, {"may-not", "chat.hi", wire.CodeNobody}} {
		if got := codeOf(other.Tell(ctx, tell.to, tell.topic, nil)); got != tell.code {
			t.Errorf("%s is told %s: %s", tell.to, tell.topic, got)
		}
	}
	must(t, other.Send(ctx, "secret", []byte("x")))
	must(t, other.Send(ctx, "chat.room", []byte("y")))
	for {
		e := may.next(core.EventHeard)
		if e.Topic == "secret" {
			t.Error("it hears what it may not")
		}
		if e.Topic == "chat.room" {
			break
		}
	}

	for i, send := range []struct {
		tab   *tab
		topic string
		code  wire.Code
	}{{may, "chat.a", 0}, {may, "deploy", wire.CodeForbidden}, {mayNot, "chat.a", wire.CodeForbidden}, {may, "chat.b", 0}} {
		send.tab.commands <- core.Command{ID: uint64(10 + i), Op: core.SendMessage, Topic: send.topic}
		if e := send.tab.next(core.EventResult); e.Code != send.code || e.ID != uint64(10+i) {
			t.Errorf("%s sends %s: %+v", send.tab.name, send.topic, e)
		}
	}
	may.commands <- core.Command{ID: 19, Op: core.Ask, Topic: "nanoring.node"}
	if e := may.next(core.EventResult); e.Code != wire.CodeForbidden {
		t.Errorf("it asks nodes how they do: %+v", e)
	}
	reach := inquire[ReachJSON](t, other.Node, "dev1", "nanoring.reach", "") // by TLS
	guests := slices.DeleteFunc(reach.Links, func(l LinkJSON) bool { return !l.Guest })
	if len(reach.Dialed) != 1 || reach.Dialed[0].Why != "" || len(guests) != 2 || guests[0].Name != "may" {
		t.Errorf("a gateway reaches %+v", reach)
	}
	hears(t, heard, `dev2 secret "x"`, `dev2 chat.room "y"`, `may chat.a ""`, `may chat.b ""`)

	// It answers what it may hear, and is asked nothing else.
	_, err := other.Answer("*", func(context.Context, Question) ([]byte, error) { return []byte("yes"), nil })
	must(t, err)
	a, err := gate.Ask(ctx, "chat.who", nil, Within(10*time.Second))
	must(t, err)
	e := may.next(core.EventHeard)
	may.commands <- core.Command{ID: 20, Op: core.Answer, Question: e.Question, Payload: "me"}
	if got := collect(t, a); !slices.Equal(got, []string{"dev2 yes", "may me"}) || len(a.Silent()) > 0 {
		t.Errorf("%q, silent %q", got, a.Silent())
	}
	a, err = gate.Ask(ctx, "secret", nil, Within(10*time.Second))
	must(t, err)
	if got := collect(t, a); !slices.Equal(got, []string{"dev2 yes"}) || len(a.Silent()) > 0 {
		t.Errorf("%q, silent %q", got, a.Silent())
	}
	if len(mayNot.said) > 0 {
		t.Errorf("it hears %+v", <-mayNot.said)
	}
}
