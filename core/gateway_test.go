package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestGatewayAgain: a node that cannot be dialled finds its gateway at another's address,
// as after two have swapped theirs, again and again. That is no news of it.
func TestGatewayAgain(t *testing.T) {
	cfg := me()
	cfg.Address, cfg.Join = "", []string{"gw:7946"}
	g := start(t, cfg)
	answers := func(e core.Effect) core.ConnID {
		g.step(core.Input{Kind: core.Opened, Conn: e.Conn})
		g.sayHello(e.Conn, g.hello("gw"))
		return e.Conn
	}
	id := answers(of(g.effects, core.Dial)[0])
	h := g.hello("gw")
	g.receive(id, rumor(
		g.member("gw", wire.Member{Address: h.Address}), g.presence("gw", wire.Presence{Address: h.Address, Instance: h.Instance, Version: 1}),
		g.member("lost", wire.Member{Address: "lost:7946"}),
	))
	first, _ := g.view.Get("me")
	if first.Via != "gw" {
		t.Fatalf("%+v", first)
	}
	again := 0
	for range 100 {
		for _, e := range of(g.live(core.Second/10), core.Dial) {
			if e.Addr == "lost:7946" {
				again++
				answers(e)
			}
		}
	}
	if now, _ := g.view.Get("me"); now.Incarnation != first.Incarnation || again < 2 {
		t.Errorf("it found its gateway %d times, and says %+v, and said %+v", again, now, first)
	}
}

// TestGatewayNotCordoned: a node that cannot be dialled is reached through a node that is
// not cordoned, if it is connected with any.
func TestGatewayNotCordoned(t *testing.T) {
	cfg := me()
	cfg.Address, cfg.Join = "", []string{"a:7946", "b:7946", "c:7946"}
	g := start(t, cfg)
	ids := make(map[string]core.ConnID)
	for _, e := range of(g.effects, core.Dial) {
		ids[e.Addr[:1]] = e.Conn
	}
	meet := func(name string) {
		g.step(core.Input{Kind: core.Opened, Conn: ids[name]})
		g.sayHello(ids[name], g.hello(name))
		g.receive(ids[name], rumor(g.member(name, wire.Member{Address: g.hello(name).Address})))
	}
	via := func(when, want string) {
		t.Helper()
		if n, _ := g.view.Get("me"); n.Via != want {
			t.Errorf("%s it is reached through %q, not %q", when, n.Via, want)
		}
	}
	meet("a")
	g.says(ids["a"], "a", true)
	via("where there is no other", "a")
	meet("b")
	via("when there is another", "b")
	meet("c")
	g.says(ids["c"], "c", true)
	g.says(ids["a"], "a", false)
	via("when another is not cordoned any more", "b")
	g.says(ids["b"], "b", true)
	via("when it becomes cordoned", "a")
	g.says(ids["a"], "a", true)
	via("when all are cordoned", "a")
}
