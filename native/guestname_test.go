package native

import (
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// claim says hello by a name, as a process, and waits.
func (a *attacker) claim(name string, process wire.Instance) *websocket.Conn {
	a.Helper()
	ws, hello := a.open(), a.hello(name)
	hello.Hello.Instance = process
	a.send(ws, hello)
	return ws
}

// squat has a guest take a name, say that it is of the future, and answer whatever it is asked.
func (a *attacker) squat(name string, process wire.Instance) *websocket.Conn {
	a.Helper()
	ws := a.claim(name, process)
	soon := time.Now().Add(50 * time.Second)
	a.send(ws, &wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{
		{Set: wire.Nodes, Name: name, Stamp: soon.UnixMicro(), Value: wire.Member{Ephemeral: true}.Value()},
		a.presence(name, 0, soon, wire.Presence{Ephemeral: true, Via: a.n.Name(), Instance: process}),
	}})
	return ws
}

// answer answers probes, directly or by others, until the connection ends, and says how it does.
func (a *attacker) answer(ws *websocket.Conn, name string, process wire.Instance) <-chan wire.Code {
	over := make(chan wire.Code, 1)
	go func() {
		for {
			_, b, err := ws.Read(a.Context())
			if err != nil {
				over <- wire.Code(websocket.CloseStatus(err))
				return
			}
			var f, inner wire.Frame
			if f.Decode(b) != nil {
				continue
			}
			switch {
			case f.Kind == wire.KindProbe:
				a.send(ws, &wire.Frame{Kind: wire.KindAlive, Seq: f.Seq, Instance: process})
			case f.Kind == wire.KindRelay && inner.Decode([]byte(f.Inner)) == nil && inner.Kind == wire.KindProbe:
				alive := wire.Frame{Kind: wire.KindAlive, Seq: inner.Seq, Instance: process}
				a.send(ws, &wire.Frame{Kind: wire.KindRelay, From: name, To: f.From, Inner: string(alive.Append(nil))})
			}
		}
	}()
	return over
}

// TestGuestTakesNameOfNode: guests whose token says any name take the one of a node that is
// to come, as processes from before and after it, at each gateway. When it comes the name is
// its own, and it is durable for all; while it is down nobody gets it.
func TestGuestTakesNameOfNode(t *testing.T) {
	secret := trust.NewSecret()
	s, lock := secretOf(t, secret), locked(secretFile(t, secret))
	for what, process := range map[string]wire.Instance{
		"from before": {Start: 1, Nonce: 666},
		"from after":  {Start: time.Now().Add(time.Hour).UnixMicro(), Nonce: 666},
	} {
		t.Run(what, func(t *testing.T) {
			one := real(t, "dev1", lock)
			two := real(t, "dev2", lock, join(one.Addr()))
			agree(t, "dev1 dev2", one, two)
			a := &attacker{TB: t, n: one.Node, token: token(t, s, trust.Token{Role: trust.RoleGuest, Name: "*"})}
			over := a.answer(a.squat("dev3", process), "dev3", process)
			sees(t, two, "dev3", core.Alive)

			three := real(t, "dev3", lock, join(two.Addr()))
			if got := receive(t, "the guest's end", over); got != wire.CodeNameTaken {
				t.Errorf("the guest is closed with %s", got)
			}
			agree(t, "dev1 dev2 dev3", one, two, three)
			for _, n := range []*mortal{one, two, three} {
				if got, _ := n.Get("dev3"); got.Ephemeral || got.Address != three.Addr() {
					t.Errorf("%s has %+v", n.Name(), got)
				}
			}

			three.kill(t)
			for _, n := range []*mortal{one, two} {
				sees(t, n, "dev3", core.Down)
				b := &attacker{TB: t, n: n.Node, token: a.token}
				b.punished("a guest by the name of a node that is down", b.squat("dev3", process), wire.CodeForbidden)
			}
			three = again(t, three.cfg)
			agree(t, "dev1 dev2 dev3", one, two, three)
		})
	}
}

// TestGuestTakesInstance: a guest that says it is the process of another one, which all can
// read, is refused while that one lives, here or at another gateway; one whose connection is half
// open, and who comes back by a new token, is let in.
func TestGuestTakesInstance(t *testing.T) {
	secret := trust.NewSecret()
	s, lock := secretOf(t, secret), locked(secretFile(t, secret))
	one := real(t, "dev1", lock)
	two := real(t, "dev2", lock, join(one.Addr()))
	agree(t, "dev1 dev2", one, two)
	any := func() string { return token(t, s, trust.Token{Role: trust.RoleGuest, Name: "*"}) }
	tab := newTab(t, "tab", any())
	tab.join(one.Node)
	sees(t, two, "tab", core.Alive)
	is, _ := two.Get("tab")
	for _, n := range []*mortal{one, two} {
		a := &attacker{TB: t, n: n.Node, token: any()}
		a.punished("the instance of a guest that lives, at "+n.Name(), a.claim("tab", is.Instance), wire.CodeNameTaken)
	}
	sees(t, two, "tab", core.Alive)

	silent := &attacker{TB: t, n: one.Node, token: any()}
	process := wire.Instance{Start: time.Now().UnixMicro(), Nonce: 9}
	defer silent.squat("half-open", process).CloseNow() // it reads nothing any more
	sees(t, two, "half-open", core.Alive)
	silent.token = any()
	back := silent.claim("half-open", process)
	defer back.CloseNow()
	_, b, err := back.Read(soon(t))
	var f wire.Frame
	if err != nil || f.Decode(b) != nil || f.Kind != wire.KindHello {
		t.Errorf("who comes back is not let in: %v %+v", err, f)
	}
}
