package core_test

import (
	"slices"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestGuestDeleted: a guest that an operator deleted is told so, gone after the
// grace, and not let in again for as long as its tombstone lives. It cannot add
// itself anew, with whatever stamp it may have.
func TestGuestDeleted(t *testing.T) {
	g := start(t, me())
	id := g.guest("tab")
	ahead := func(f *wire.Frame) *wire.Frame {
		f.Records[0].Stamp += core.MaxSkew
		return f
	}
	add := func() { g.receive(id, ahead(rumor(g.member("tab", wire.Member{Ephemeral: true})))) }
	add()
	g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Del, Name: "tab"}})
	g.is("tab", core.Unknown) // it is not there
	var told []*wire.Frame
	for range 30 {
		told = append(told, sent(t, g.tick(core.Second), id)...)
		g.is("tab", core.Unknown) // it is not there
		if g.conns[id] == open {
			add()
			g.is("tab", core.Unknown) // it is not there
		}
	}
	isTombstone := func(w wire.Record) bool { return w.Set == wire.Nodes && w.Name == "tab" && w.Rank == 2 }
	if i := slices.IndexFunc(told, func(f *wire.Frame) bool { return slices.ContainsFunc(f.Records, isTombstone) }); i < 0 {
		t.Error("it is not told that it was deleted")
	}
	if last := told[len(told)-1]; g.conns[id] != over || last.Kind != wire.KindError || last.Code != wire.CodeRemoved {
		t.Errorf("its connection is not ended with removed: %+v", last)
	}
	for range 58 {
		g.tick(core.Minute)
		id := g.accept(core.Guest)
		g.sayHello(id, g.guestHello("tab"))
		g.refused(id, wire.CodeRemoved)
	}
	g.tick(3 * core.Minute)
	g.guest("tab")
}

// TestGuestAddsItselfOnce: a guest that is a member does not add itself again where
// its deletion is not known yet: that would be later than the deletion.
func TestGuestAddsItselfOnce(t *testing.T) {
	g := start(t, me())
	dev := g.peer("dev")
	id := g.guest("tab")
	del := g.member("tab", wire.Member{Ephemeral: true})
	del.Rank, del.Stamp = 2, del.Stamp+1
	g.tick(core.Second / 10)
	g.receive(id, rumor(g.member("tab", wire.Member{Ephemeral: true})))
	if frames := sent(t, g.tick(core.Second/10), id); len(frames) == 0 || frames[0].Records[0].Stamp != del.Stamp-1 {
		t.Errorf("it is not told what it is: %+v", frames)
	}
	g.receive(dev, rumor(del))
	g.is("tab", core.Unknown) // it is not there
}

// TestGuestIsWhatItsGatewayHas: a guest takes what its gateway has of it in nodes,
// older or not, and goes if that is that it was deleted.
func TestGuestIsWhatItsGatewayHas(t *testing.T) {
	for _, rank := range []uint8{0, 2} {
		cfg := me()
		cfg.Address, cfg.Ephemeral, cfg.Join = "", true, []string{"dev:7946"}
		g := start(t, cfg)
		id := of(g.effects, core.Dial)[0].Conn
		g.step(core.Input{Kind: core.Opened, Conn: id})
		g.sayHello(id, g.hello("dev"))
		has := g.member("me", wire.Member{Ephemeral: true})
		has.Stamp, has.Rank = has.Stamp-core.Second, rank
		g.receive(id, rumor(has))
		for _, w := range records(t, g.ring) {
			if w.Set == wire.Nodes && w.Name == "me" && (w.Stamp != has.Stamp || w.Rank != rank) {
				t.Errorf("its gateway has %+v, and it %+v", has, w)
			}
		}
		g.tick(15 * core.Second)
		if (g.halted == core.HaltRemoved) != (rank == 2) {
			t.Errorf("of rank %d: halted %v", rank, g.halted)
		}
	}
}
