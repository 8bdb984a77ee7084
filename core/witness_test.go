package core_test

import (
	"testing"

	"github.com/nanoring/nanoring/core"
)

// TestWitnesses: that another process has this node's name counts if a certificate vouches for
// who says so, or two hosts do, or nobody else is there. One address alone ends nobody.
func TestWitnesses(t *testing.T) {
	meet := func(g *rig, certificate string) { // an older process of this node's name
		h := g.hello("me")
		g.next += 2
		g.step(core.Input{Kind: core.Opened, Conn: g.next - 2, Role: core.Peer, Addr: "evil:4321", Name: certificate})
		g.sayHello(g.next-2, h)
	}
	for _, test := range []struct {
		what  string
		peers bool // there are others
		do    func(g *rig)
		halts bool
	}{
		{"the only other", false, func(g *rig) { g.refuse("evil", "") }, true},
		{"one of several", true, func(g *rig) { g.refuse("evil", "") }, false},
		{"one, again and again", true, func(g *rig) {
			for range 20 {
				g.refuse("evil", "")
				g.pass(5 * core.Second)
			}
		}, false},
		{"one, by several names", true, func(g *rig) {
			g.refuse("evil", "")
			meet(g, "")
			g.refuse("evil", "")
		}, false},
		{"two", true, func(g *rig) { g.refuse("evil", ""); g.refuse("other", "") }, true},
		{"two, long after each other", true, func(g *rig) { g.refuse("evil", ""); g.pass(2 * core.Minute); g.refuse("other", "") }, false},
		{"one with a certificate", true, func(g *rig) { g.refuse("b", "b") }, true},
		{"a process of its name", true, func(g *rig) { meet(g, "") }, false},
		{"a process of its name, with a certificate", true, func(g *rig) { meet(g, "me") }, true},
		{"a process of its name, that another knows", true, func(g *rig) { meet(g, ""); g.refuse("b", "") }, true},
	} {
		g := start(t, me())
		if test.peers {
			g.peer("a")
			g.peer("b")
		}
		test.do(g)
		if (g.halted == core.HaltNameTaken) != test.halts || g.halted != 0 && !test.halts {
			t.Errorf("%s: halted %q", test.what, g.halted)
		}
	}
}
