package native

import (
	"fmt"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// TestManyProcessesOfAGuest: a guest that says something as one process after the other, by
// connections or in frames alone, leaves room for what others say, whom nobody has heard of before.
func TestManyProcessesOfAGuest(t *testing.T) {
	secret := trust.NewSecret()
	s, lock := secretOf(t, secret), locked(secretFile(t, secret))
	gate := real(t, "dev1", lock)
	other := real(t, "dev2", lock, join(gate.Addr()))
	agree(t, "dev1 dev2", gate, other)
	hears := ears(t, gate.Node, "*")
	go func() {
		for range ears(t, other.Node, "*") { // as it does what the attacker says
		}
	}()
	a := &attacker{TB: t, n: gate.Node, token: token(t, s, trust.Token{Role: trust.RoleGuest, Name: "tab-*", Send: []string{"*"}, Hear: []string{"*"}})}
	process := func(i int) wire.Instance { return wire.Instance{Start: time.Now().UnixMicro(), Nonce: uint64(i)} }

	tell := wire.Frame{Kind: wire.KindTell, Seq: 1, Instance: process(1), Tell: wire.Tell{Topic: "x"}}
	for to, f := range map[string]*wire.Frame{
		"dev1": &tell, "dev2": {Kind: wire.KindRelay, From: "tab-1", To: "dev2", Inner: string(tell.Append(nil))},
	} {
		ws := a.enter("tab-1")
		a.send(ws, f)
		a.punished(to+" is told as another process", ws, wire.CodeForbidden)
	}

	for i := range 250 { // more than there is room for, and as fast as a token lets guests in
		hello := a.hello("tab-2")
		me := process(i)
		hello.Hello.Instance = me
		ws := a.open()
		a.send(ws, hello, &wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{
			{Set: wire.Nodes, Name: "tab-2", Stamp: time.Now().UnixMicro(), Value: (&wire.Member{Ephemeral: true}).Value()},
			a.presence("tab-2", 0, time.Now(), wire.Presence{Ephemeral: true, Via: "dev1", Instance: me}),
		}}, &wire.Frame{Kind: wire.KindMessage, Messages: []wire.Message{
			{Name: "tab-2", Instance: me, Seq: 1, Step: 1, Since: wire.Window, Verb: wire.VerbSend, Topic: "x", Payload: fmt.Sprint(i)},
		}})
		a.saidOrOver(ws)
	}
	late := real(t, "dev3", lock, join(gate.Addr()))
	sees(t, gate, "dev3", core.Alive)
	ctx := soon(t)
	must(t, other.Send(ctx, "y", []byte("first")))
	must(t, late.Send(ctx, "y", []byte("late")))
	for want := map[string]bool{`dev2 y "first"`: true, `dev3 y "late"`: true}; len(want) > 0; {
		delete(want, receive(t, "what others say", hears))
	}
	must(t, late.Tell(ctx, "dev1", "y", []byte("told")))
}
