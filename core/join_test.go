package core_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// dialledIn are the addresses that a step dials.
func dialledIn(effects []core.Effect) (all []string) {
	for _, e := range of(effects, core.Dial) {
		all = append(all, e.Addr)
	}
	return all
}

// TestOtherAddresses: addresses to join may change while a node runs: it dials the new ones at once,
// and none of them is kept waiting for ever by those before it.
func TestOtherAddresses(t *testing.T) {
	cfg := me()
	cfg.Join = []string{"before:1"}
	g := start(t, cfg)
	if got := dialledIn(g.effects); !slices.Equal(got, cfg.Join) {
		t.Fatalf("dials %v", got)
	}
	var many []string
	for i := range 25 {
		many = append(many, "seed"+strconv.Itoa(i)+":1")
	}
	seen := make(map[string]bool)
	g.step(core.Input{Kind: core.Closed, Conn: of(g.effects, core.Dial)[0].Conn, Code: wire.CodeRefused})
	g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Join, Join: many}})
	if result := events(g.effects, core.EventResult); len(result) != 1 || result[0].Code != 0 || len(of(g.effects, core.Dial)) == 0 {
		t.Errorf("result %+v, effects %+v", result, g.effects)
	}
	for effects := slices.Clone(g.effects); len(seen) < len(many) && g.mono < 10*core.Second; effects = g.tick(core.Second) {
		for _, e := range of(effects, core.Dial) {
			seen[e.Addr] = true
			g.step(core.Input{Kind: core.Closed, Conn: e.Conn, Code: wire.CodeRefused})
		}
	}
	if len(seen) != len(many) {
		t.Errorf("%d of %d were dialled: %v", len(seen), len(many), seen)
	}
	g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 2, Op: core.Join, Join: []string{"a:1", "no address"}}})
	if result := events(g.effects, core.EventResult); len(result) != 1 || result[0].Code != wire.CodeInvalid {
		t.Errorf("result %+v", result)
	}
	g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 3, Op: core.Join}})
	if again := of(g.tick(10*core.Second), core.Dial); len(again) > 0 {
		t.Errorf("it dials on: %+v", again)
	}
}

// TestTellsThatItJoined: once that somebody, who is no guest, has let it in; and once that it
// knows who is there. Then it looks for islands.
func TestTellsThatItJoined(t *testing.T) {
	cfg := me()
	cfg.Join = []string{"a:7946", "b:7946"}
	g := start(t, cfg)
	for i, e := range of(g.effects, core.Dial) {
		g.step(core.Input{Kind: core.Opened, Conn: e.Conn})
		g.sayHello(e.Conn, g.hello([]string{"a", "b"}[i]))
		let := events(g.effects, core.EventLetIn)
		if i == 0 && (len(let) != 1 || let[0].Name != "a" || let[0].Addr != "a:7946") || i > 0 && len(let) > 0 {
			t.Errorf("%d: %+v", i, let)
		}
		if joined := events(g.effects, core.EventJoined); len(joined) > 0 {
			t.Errorf("%d: it knows nobody yet: %+v", i, joined)
		}
	}

	// It is of a ring now: addresses of which it was not told before are dialled all the same.
	g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Join, Join: []string{"c:7946", "a:7946"}}})
	if got := dialledIn(g.effects); !slices.Equal(got, []string{"c:7946"}) {
		t.Errorf("dials %v", got)
	}
}

// TestLetInInVain: who let this node in is gone before the two knew the same. It is to join as
// before: all addresses are dialled each round, and the next one that lets it in is told.
func TestLetInInVain(t *testing.T) {
	cfg := me()
	cfg.Join = []string{"b:7946"}
	g := start(t, cfg)
	g.refuseDials(g.effects)
	a := g.peer("a")
	g.guest("tab")
	g.refuseDials(g.step(core.Input{Kind: core.Closed, Conn: a, Code: wire.CodeLost}))
	for range 10 {
		g.refuseDials(g.tick(core.Second))
	}
	if n, _ := g.view.Get("a"); n.State != core.Down {
		t.Fatalf("a is %s", n.State)
	}
	var dial core.ConnID
	for range 5 {
		dial = 0
		for _, e := range of(g.tick(core.Second), core.Dial) {
			if e.Addr == "b:7946" {
				dial = e.Conn
			} else {
				g.step(core.Input{Kind: core.Closed, Conn: e.Conn, Code: wire.CodeRefused})
			}
		}
		if dial == 0 {
			t.Fatal("a round without a dial of its address to join")
		}
		g.step(core.Input{Kind: core.Closed, Conn: dial, Code: wire.CodeRefused})
	}
	for _, e := range of(g.tick(core.Second), core.Dial) {
		if e.Addr == "b:7946" {
			g.step(core.Input{Kind: core.Opened, Conn: e.Conn})
			g.sayHello(e.Conn, g.hello("b"))
			if let := events(g.effects, core.EventLetIn); len(let) != 1 || let[0].Name != "b" {
				t.Errorf("%+v", let)
			}
		}
	}
}

// TestToldOfEachAddress: of two addresses where nobody says who it is, both refusals are told.
func TestToldOfEachAddress(t *testing.T) {
	cfg := me()
	cfg.Join = []string{"a:7946", "b:7946"}
	g := start(t, cfg)
	for _, e := range of(g.effects, core.Dial) {
		g.step(core.Input{Kind: core.Opened, Conn: e.Conn})
		g.receive(e.Conn, &wire.Frame{Kind: wire.KindError, Code: wire.CodeRing, Text: "another ring"})
		if told := events(g.effects, core.EventRefused); len(told) != 1 || told[0].Addr != e.Addr {
			t.Errorf("%+v", told)
		}
	}
}
