package native

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestFlapping: a name that changes again and again has some lines in the log, and one that
// says how many more there were; others have theirs.
func TestFlapping(t *testing.T) {
	const changes = 300
	f := newFake(func(in core.Input) []core.Effect {
		if in.Kind != core.Do || in.Command.Op != core.Add {
			return nil
		}
		var all []core.Effect
		for i := range changes {
			all = append(all, nodeEvent("flaps", []core.State{core.Alive, core.Down}[i%2]))
		}
		return append(all, nodeEvent("dev2", core.Alive), emit(core.Event{Kind: core.EventResult, ID: in.Command.ID}))
	})
	log := new(logged)
	cfg := config(t, "dev1")
	cfg.Engine, cfg.Log = f.engine, log.logger()
	n := start(t, cfg)
	if _, err := n.Add(t.Context(), "any", "127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the last line", func() bool { return log.count("name=dev2") == 1 })
	if got := log.count("name=flaps"); got != mostLines {
		t.Errorf("%d lines", got)
	}
	n.flaps.end(n.logFlaps) // as after a minute
	eventually(t, "the sum", func() bool { return log.count(fmt.Sprintf("name=flaps state=down more=%d", changes-mostLines)) == 1 })
	n.Close()
	if got := log.count("name=flaps"); got != mostLines+1 {
		t.Errorf("%d lines in the end", got)
	}
}

// TestFlappingGuests: guests have some lines in all, whatever their names, and one that says
// how many more there were; nodes have theirs.
func TestFlappingGuests(t *testing.T) {
	const changes = 300
	f := newFake(func(in core.Input) []core.Effect {
		if in.Kind != core.Do || in.Command.Op != core.Add {
			return nil
		}
		var all []core.Effect
		for i := range changes {
			e := nodeEvent(fmt.Sprint("tab", i), core.Alive)
			e.Event.Node.Ephemeral = true
			all = append(all, e, nodeEvent(e.Event.Node.Name, core.Removed), emit(core.Event{Kind: core.EventRefused, Code: wire.CodeBusy, Name: fmt.Sprint("evil", i), Addr: fmt.Sprint("192.0.2.9:", 1000+i)}))
		}
		return append(all, nodeEvent("dev2", core.Alive), emit(core.Event{Kind: core.EventResult, ID: in.Command.ID}))
	})
	log := new(logged)
	cfg := config(t, "dev1")
	cfg.Engine, cfg.Log = f.engine, log.logger()
	n := start(t, cfg)
	if _, err := n.Add(t.Context(), "any", "127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the last line", func() bool { return log.count("name=dev2") == 1 })
	if got := log.count("name=tab"); got != guestLines {
		t.Errorf("%d lines of guests", got)
	}
	if got := log.count("name=evil"); got != 1 {
		t.Errorf("%d lines of who was turned away", got)
	}
	n.flaps.end(n.logFlaps) // as after a minute
	eventually(t, "the sum", func() bool { return log.count(fmt.Sprintf("more=%d", 2*changes-guestLines)) == 1 })
}

// TestManyNodes: who hears of thousands of nodes at once has some lines about them, and one that says how many
// more there were; of each that is down there is a line all the same.
func TestManyNodes(t *testing.T) {
	const more = 100
	f := newFake(func(in core.Input) []core.Effect {
		if in.Kind != core.Do || in.Command.Op != core.Add {
			return nil
		}
		var all []core.Effect
		for i := range nodeLines + more {
			all = append(all, nodeEvent(fmt.Sprint("dev", i), core.Alive))
		}
		return append(all, nodeEvent("dev0", core.Down), nodeEvent("dev399", core.Down), emit(core.Event{Kind: core.EventResult, ID: in.Command.ID}))
	})
	log := new(logged)
	cfg := config(t, "me")
	cfg.Engine, cfg.Log = f.engine, log.logger()
	n := start(t, cfg)
	if _, err := n.Add(t.Context(), "any", "127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both are said to be down", func() bool { return log.count("state=down") == 2 })
	if got := log.count("node added"); got != nodeLines+1 { // and who was not known, and is down
		t.Errorf("%d lines", got)
	}
	n.Close()
	eventually(t, "the sum", func() bool { return log.count(fmt.Sprintf("more=%d", more)) == 1 })
}
