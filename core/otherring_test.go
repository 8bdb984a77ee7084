package core_test

import (
	"slices"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// anID is of another ring than that of me, or of the same, as the number says. It is old.
func anID(number uint64) []wire.RingID {
	return []wire.RingID{{Start: epoch - 30*core.Day, Nonce: number}}
}

// inRing starts me with a ring file of a ring.
func inRing(t *testing.T, id uint64, join ...string) *rig {
	t.Helper()
	cfg := me()
	cfg.Join = join
	cfg.Snapshot = (&wire.Snapshot{Ring: "ring", Name: "me", IDs: anID(id)}).Append(nil)
	return start(t, cfg)
}

// ids are those that me keeps.
func (g *rig) ids() []wire.RingID {
	g.Helper()
	b, err := g.ring.Snapshot()
	var s wire.Snapshot
	if err == nil {
		err = s.Decode(b)
	}
	if err != nil {
		g.Fatal(err)
	}
	return s.IDs
}

func (g *rig) has(ids ...wire.RingID) {
	g.Helper()
	if got := g.ids(); !slices.Equal(got, ids) {
		g.Errorf("its ids are %v, want %v", got, ids)
	}
}

// A node of another ring is refused, as peer and as guest, whatever else it is: me goes on,
// though the other has its name and is older.
func TestOtherRing(t *testing.T) {
	for _, role := range []core.Role{core.Peer, core.Guest} {
		for _, name := range []string{"dev", "me"} {
			g := inRing(t, 1)
			h := g.hello(name)
			if h.IDs = anID(2); role == core.Guest {
				h.Ephemeral, h.Address = true, ""
			}
			id := g.accept(role)
			g.sayHello(id, h)
			g.refused(id, wire.CodeRing)
			g.has(anID(1)...)
		}
	}
}

// Who dials has the last word: until it is heard, nothing is taken of a ring, nor of a
// node that was looking for another.
func TestDiallerHasTheLastWord(t *testing.T) {
	g := start(t, me())
	id := g.accept(core.Peer)
	h := g.hello("dev")
	h.IDs = anID(1)
	g.sayHello(id, h)
	g.has()
	g.receive(id, &wire.Frame{Kind: wire.KindError, Code: wire.CodeWrongNode, Text: "it is another that was meant"})
	g.has()

	one, other := g.accept(core.Peer), g.accept(core.Peer)
	g.sayHello(one, h)
	h = g.hello("ved")
	h.IDs = anID(2)
	g.sayHello(other, h)
	g.has()
	g.receive(one, &wire.Frame{Kind: wire.KindProbe, Seq: 1})
	g.has(anID(1)...)
	if len(of(g.effects, core.Dirty)) == 0 {
		t.Error("the ids are not to be kept")
	}
	g.receive(other, rumor(g.member("ved", wire.Member{Address: "ved:7946"})))
	g.refused(other, wire.CodeRing)
	g.has(anID(1)...)
	if _, ok := g.view.Get("ved"); ok {
		t.Error("it has taken a record of another ring")
	}
}

// An operator's add makes one ring of two, which all are told before they hear of its
// nodes; what comes from an add elsewhere likewise. But the one that was meant has to be there.
func TestAddUnites(t *testing.T) {
	g := inRing(t, 1)
	h := g.hello("old")
	h.IDs = anID(1)
	old := g.accept(core.Peer)
	g.sayHello(old, h)
	g.receive(old, &wire.Frame{Kind: wire.KindProbe, Seq: 1})

	add := func(addr string) core.ConnID {
		g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Add, Name: "dev", Addr: addr}})
		id := of(g.effects, core.Dial)[0].Conn
		said := sent(t, g.step(core.Input{Kind: core.Opened, Conn: id}), id)
		if len(said) != 1 || said[0].Hello.Unite != wire.UniteAdd || !slices.Equal(said[0].Hello.IDs, anID(1)) {
			t.Fatalf("it says %+v", said)
		}
		return id
	}
	id := add("1.dev:7946")
	h = g.hello("ved")
	h.IDs = anID(2)
	g.sayHello(id, h)
	g.refused(id, wire.CodeRing)
	g.has(anID(1)...)

	id = add("2.dev:7946")
	h = g.hello("dev")
	h.IDs = anID(2)
	effects := slices.Clone(g.sayHello(id, h))
	g.has(anID(1)[0], anID(2)[0])
	if told := sent(t, effects, old); len(told) == 0 || told[0].Kind != wire.KindIDs || !slices.Equal(told[0].IDs, g.ids()) {
		t.Errorf("its peer is told %+v", told)
	}
	for _, f := range sent(t, effects, id) {
		if f.Kind == wire.KindIDs {
			t.Error("who has the hello of each knows the ids of both")
		}
	}
	effects = slices.Clone(g.receive(id, &wire.Frame{Kind: wire.KindIDs, IDs: anID(3)}))
	g.has(anID(1)[0], anID(2)[0], anID(3)[0])
	if told := sent(t, effects, old); len(told) == 0 || !slices.Equal(told[0].IDs, g.ids()) {
		t.Errorf("its peer is told %+v", told)
	}
}

// A guest brings no rings together.
func TestGuestSaysIDs(t *testing.T) {
	g := inRing(t, 1)
	tab := g.guest("tab")
	g.receive(tab, &wire.Frame{Kind: wire.KindIDs, IDs: anID(2)})
	g.refused(tab, wire.CodeForbidden)
	g.has(anID(1)...)
}

// Who was told whom to join waits for that, whoever else comes by; an address of its
// own ring that is another's by now is none.
func TestJoinsItsOwn(t *testing.T) {
	cfg := me()
	cfg.Join = []string{"dev:7946"}
	g := start(t, cfg)
	h := g.hello("prod")
	h.IDs = anID(1)
	id := g.accept(core.Peer)
	g.sayHello(id, h)
	g.refused(id, wire.CodeRing)

	dial := core.ConnID(2)
	g.step(core.Input{Kind: core.Opened, Conn: dial})
	h = g.hello("dev")
	h.IDs = anID(2)
	g.sayHello(dial, h)
	g.has(anID(2)...)

	g = inRing(t, 1, "dev:7946")
	if said := sent(t, g.step(core.Input{Kind: core.Opened, Conn: dial}), dial); said[0].Hello.Unite != wire.UniteYoung {
		t.Errorf("it says %+v", said[0].Hello)
	}
	g.sayHello(dial, h)
	g.refused(dial, wire.CodeRing)
	g.has(anID(1)...)
}
