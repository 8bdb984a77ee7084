package native

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// over reads until the connection ends: by then the node has done what it does.
func (a *attacker) over(ws *websocket.Conn) {
	a.Helper()
	ctx, cancel := context.WithTimeout(a.Context(), patience)
	defer cancel()
	defer ws.CloseNow()
	for {
		if _, _, err := ws.Read(ctx); ctx.Err() != nil {
			a.Fatal("it goes on")
		} else if err != nil {
			return
		}
	}
}

// TestGuestSaysWhatIsWrong: of clocks and other rings a node believes no guest, and of nodes no evidence
// comes from one that says their names.
func TestGuestSaysWhatIsWrong(t *testing.T) {
	secret := trust.NewSecret()
	s := secretOf(t, secret)
	lock := locked(secretFile(t, secret))
	n := real(t, "dev1", lock)
	dev2 := real(t, "dev2", lock, join(n.Addr()))
	agree(t, "", n, dev2)
	a := &attacker{TB: t, n: n.Node, token: token(t, s, trust.Token{Role: trust.RoleGuest, Name: "*"})}
	for i, code := range []wire.Code{wire.CodeSkew, wire.CodeRing, wire.CodeSkew, wire.CodeRing} {
		frame := &wire.Frame{Kind: wire.KindError, Code: code, Text: "your clock is wrong, and your ring"}
		if i < 2 {
			ws := a.enter(fmt.Sprint("evil", i))
			a.send(ws, frame)
			a.over(ws)
			continue
		}
		ws := a.open()
		a.send(ws, frame) // without a name
		a.over(ws)
	}
	blue := a.hello("dev2")
	blue.Hello.Ring = "blue"
	older := a.hello("dev2")
	older.Hello.Min, older.Hello.Max = 9, 9
	for _, hello := range []*wire.Frame{blue, older, a.hello("dev2")} {
		ws := a.open()
		a.send(ws, hello)
		a.over(ws)
	}
	n.costs.open("gone").take(costGuests, 100) // guests whose connections are over, and who do not read that
	f := n.health()
	if all, unready := conditionsOf(&f); len(all) > 0 || unready != nil {
		t.Errorf("it is in %+v", all)
	}
	if status := n.Status(); len(status.Clocks) > 0 || len(n.rings.list(time.Now())) > 0 {
		t.Errorf("clocks that are wrong: %+v; other rings: %+v", status.Clocks, n.rings.list(time.Now()))
	}
	for _, e := range n.evidence.about("dev2") {
		if e.What == "turned-away" {
			t.Errorf("evidence of dev2: %+v", e)
		}
	}
	if len(n.evidence.about("evil0")) == 0 {
		t.Error("there is no evidence of guests")
	}
}

// TestGuestAnswersForNoNode: what a guest answers to the questions that nodes answer by themselves is made
// up, and that it does not answer is no fault.
func TestGuestAnswersForNoNode(t *testing.T) {
	secret := trust.NewSecret()
	s := secretOf(t, secret)
	lock := locked(secretFile(t, secret))
	n := real(t, "dev1", lock)
	dev2 := real(t, "dev2", lock, join(n.Addr()))
	agree(t, "", n, dev2)
	evil := newTab(t, "evil", token(t, s, trust.Token{Role: trust.RoleGuest, Name: "evil", Hear: []string{"*"}}))
	evil.join(n.Node)
	sees(t, dev2, "evil", core.Alive)
	evil.commands <- core.Command{ID: 1, Op: core.Hear, Hear: core.Subscription{Messages: []string{"*"}, Questions: []string{"*"}}}
	evil.next(core.EventResult)
	ctx := soon(t)
	eventually(t, "that its gateway knows", func() bool { return dev2.Tell(ctx, "evil", "x", nil) == nil })

	asked := func(topic string, wait time.Duration, answers bool) (from, silent []string) {
		all, err := dev2.Ask(ctx, topic, []byte("dev1"), Within(wait))
		must(t, err)
		for {
			if e := evil.next(core.EventHeard); e.Question != 0 {
				if answers {
					evil.commands <- core.Command{ID: 2, Op: core.Answer, Question: e.Question, Payload: `{"name":"dev1","by":"dev1","state":"down"}`}
				}
				break
			}
		}
		for one := range all.All() {
			from = append(from, one.From)
		}
		slices.Sort(from)
		return from, all.Silent()
	}
	for _, topic := range []string{"nanoring.node", "nanoring.why"} {
		if from, silent := asked(topic, patience, true); !slices.Equal(from, []string{"dev1", "dev2"}) || len(silent) > 0 {
			t.Errorf("to %s %q answer, %q do not", topic, from, silent)
		}
	}
	if from, silent := asked("nanoring.node", 5*time.Second, false); !slices.Equal(from, []string{"dev1", "dev2"}) || len(silent) > 0 {
		t.Errorf("if it is silent %q answer, %q do not", from, silent)
	}
	if from, _ := asked("anything", patience, true); !slices.Equal(from, []string{"evil"}) {
		t.Errorf("to what is anybody's %q answer", from)
	}
}

// TestAheadIsSaidOnce: guests from one address that say something of the future have one line in the log,
// whatever they are called.
func TestAheadIsSaidOnce(t *testing.T) {
	secret := trust.NewSecret()
	s := secretOf(t, secret)
	log := new(logged)
	n := real(t, "dev1", locked(secretFile(t, secret)), func(cfg *Config) { cfg.Log = log.logger() })
	a := &attacker{TB: t, n: n.Node, token: token(t, s, trust.Token{Role: trust.RoleGuest, Name: "*"})}
	for i := range 5 {
		name := fmt.Sprint("evil", i)
		ws := a.enter(name)
		a.send(ws, &wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{
			{Set: wire.Nodes, Name: name, Stamp: time.Now().Add(time.Hour).UnixMicro(), Value: wire.Member{Ephemeral: true}.Value()},
		}}, a.hello(name)) // a second hello ends it
		a.over(ws)
	}
	if got := log.count("ahead of this node's clock"); got != 1 {
		t.Errorf("%d lines", got)
	}
}

// TestStrangersClocks: who dials under many names with a wrong clock has one line in the log; each is known all the same.
func TestStrangersClocks(t *testing.T) {
	log := new(logged)
	n := real(t, "dev1", func(cfg *Config) { cfg.Log = log.logger() })
	a := &attacker{TB: t, n: n.Node}
	for i := range 30 {
		hello := a.hello(fmt.Sprint("evil", i))
		hello.Hello.Ephemeral, hello.Hello.Address, hello.Hello.Wall = false, "127.0.0.1:1", time.Now().Add(time.Hour).UnixMicro()
		ws := a.open()
		a.send(ws, hello)
		a.over(ws)
	}
	if got := log.count("a clock is wrong"); got != 1 {
		t.Errorf("%d lines", got)
	}
	if all := n.Status().Clocks; len(all) != 30 {
		t.Errorf("%d clocks are known to be wrong", len(all))
	}
}
