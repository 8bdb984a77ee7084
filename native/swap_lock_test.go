package native

import (
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// TestSwapKeepsWhatTokensDemand: the engine that takes over knows who the others
// were found to be: a guest's tags are still those of its token, or it goes.
func TestSwapKeepsWhatTokensDemand(t *testing.T) {
	secret := trust.NewSecret()
	file := secretFile(t, secret)
	one := real(t, "dev1", locked(file))
	two := real(t, "dev2", locked(file), join(one.Addr()))
	agree(t, "dev1 dev2", one, two)
	a := &attacker{TB: t, n: one.Node, token: token(t, secretOf(t, secret), trust.Token{Role: trust.RoleGuest, Name: "evil", Tags: map[string]string{"user": "alice"}})}
	ws := a.enter("evil")
	defer ws.CloseNow()
	own := func(stamp time.Time, user string) *wire.Frame {
		p := wire.Presence{Ephemeral: true, Via: "dev1", Instance: a.instance(), Tags: []wire.Tag{{Key: "user", Value: user}}}
		return &wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{
			{Set: wire.Nodes, Name: "evil", Stamp: stamp.UnixMicro(), Value: wire.Member{Ephemeral: true}.Value()},
			a.presence("evil", 0, stamp, p),
		}}
	}
	a.send(ws, own(time.Now(), "alice"))
	sees(t, one, "evil", core.Alive)
	if err := one.SwapNative(soon(t)); err != nil {
		t.Fatal(err)
	}
	sees(t, one, "evil", core.Alive)
	a.send(ws, own(time.Now(), "bob"))
	a.punished("other tags, after the swap", ws, wire.CodeForbidden)
	if n, _ := one.Get("evil"); len(n.Tags) != 1 || n.Tags[0].Value != "alice" {
		t.Errorf("it is %+v", n)
	}
	sees(t, one, "dev2", core.Alive)
}
