package sim

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// Check holds the World against what must be true of it after some quiet time:
// all agree; nobody alive is down; nobody dead is up; nothing removed is back;
// nothing acknowledged is lost; state is bounded. Machines of one ring's name
// are taken for one ring. It returns all that is wrong, or nil.
func (w *World) Check() error {
	var c complaints
	w.checkViews(&c)
	w.checkSnapshots(&c)
	w.checkCommands(&c)
	return c.err()
}

// complaints collects what is wrong, a line each.
type complaints []string

func (c *complaints) add(words ...string) { *c = append(*c, strings.Join(words, "")) }

func (c complaints) err() error {
	if c == nil {
		return nil
	}
	return errors.New(strings.Join(c, "\n"))
}

// Settle lets time pass until Check has nothing to say, and returns what it
// still says after d microseconds.
func (w *World) Settle(d int64) error {
	w.RunUntil(d, func() bool {
		var c complaints
		w.checkViews(&c)
		return c == nil
	})
	return w.Check()
}

func (w *World) checkViews(c *complaints) {
	if w.err != nil {
		c.add(w.err.Error())
	}
	for _, t := range w.truths() {
		for _, k := range t.names {
			if k.twice {
				c.add("two processes live under the name ", k.name)
			}
		}
		for _, m := range t.machines {
			t.checkView(m, c.add)
		}
	}
}

func (w *World) checkSnapshots(c *complaints) {
	for _, t := range w.truths() {
		for _, m := range t.machines {
			w.checkSnapshot(m, len(t.names), c.add)
		}
	}
}

// checkCommands expects that every command was answered, unless its process is gone.
func (w *World) checkCommands(c *complaints) {
	for i := range w.commands {
		cmd := &w.commands[i]
		if cmd.proc == nil || cmd.proc.dead || cmd.Acked || cmd.Failed || cmd.Done && cmd.Code != 0 || w.now < cmd.At+core.Minute {
			continue
		}
		c.add(cmd.Machine.name, " has not answered: ", commandWords(cmd.Command))
	}
}

// checkView holds what a machine shows against the truth: who else runs, what
// was done, and what the others show.
func (t *truth) checkView(m *Machine, complain func(...string)) {
	view := m.View()
	shown := 0
	for _, k := range t.names {
		node, member := view.Get(k.name)
		if member {
			shown++
		}
		switch {
		case k.twice, k.rogue:
		case k.live == nil:
			t.checkDead(m, k, node, member, complain)
		case !member && k.live.opt.Guest && k.deleted: // it cannot come back under that name
		case !member:
			complain(m.name, " lacks ", k.name, ", which lives")
		case !k.in && !k.live.opt.Guest:
			complain(m.name, " shows ", k.name, ", which was removed and still runs")
		case node.State != core.Alive:
			complain(m.name, " shows ", k.name, " ", node.State.String(), ", and it lives")
		case node.Instance != k.live.proc.instance:
			complain(m.name, " shows an instance of ", k.name, " that is gone")
		case node.Address != k.live.proc.addr:
			complain(m.name, " shows ", k.name, " at ", node.Address, ", and it is at ", k.live.proc.addr)
		default:
			own, _ := k.live.View().Get(k.name)
			if own.Incarnation != node.Incarnation {
				complain(m.name, " and ", k.name, " do not agree on its incarnation")
			}
			if own.Cordoned != node.Cordoned {
				complain(m.name, " and ", k.name, " do not agree on whether it is cordoned")
			}
			if own.Cordoned && owns(view, k.name) {
				complain(m.name, " gives keys to ", k.name, ", which is cordoned")
			}
		}
	}
	if shown != view.Len() {
		complain(m.name, " shows ", strconv.Itoa(view.Len()-shown), " names that nobody has ever heard of")
	}
}

// owns tells whether a view gives anything to a name.
func owns(view *core.View, name string) bool {
	return slices.ContainsFunc(view.Owners("key", view.Len()), func(n core.Node) bool { return n.Name == name })
}

// checkDead is checkView for a name that nobody runs.
func (t *truth) checkDead(m *Machine, k *known, node core.Node, member bool, complain func(...string)) {
	_, other := t.machines[0].View().Get(k.name)
	switch {
	case member && node.Ephemeral:
		complain(m.name, " shows ", k.name, " (", node.State.String(), "), a guest that is gone")
	case member && (node.State == core.Alive || node.State == core.Suspect):
		complain(m.name, " shows ", k.name, " ", node.State.String(), ", and it is dead")
	case member && !k.in:
		complain(m.name, " shows ", k.name, ", which was removed")
	case !member && k.in && !k.out:
		complain(m.name, " lacks ", k.name, ", which was added")
	case member != other:
		complain(m.name, " and ", t.machines[0].name, " do not agree whether ", k.name, " belongs")
	}
}

// checkSnapshot holds what a machine would write to its ring file against the
// number of names there ever were, and against what it shows.
func (w *World) checkSnapshot(m *Machine, names int, complain func(...string)) {
	var records [2]int
	members := 0
	for _, r := range w.snapshot(m) {
		records[r.Set]++
		if r.Set != wire.Nodes || r.Rank != 0 {
			continue
		}
		members++
		if _, shown := m.proc.view.Get(r.Name); !shown {
			complain(m.name, " holds ", r.Name, " and does not show it")
		}
	}
	if members != m.proc.view.Len() {
		complain(m.name, " holds ", strconv.Itoa(members), " members and shows ", strconv.Itoa(m.proc.view.Len()))
	}
	w.checkFile(m, complain)
	if records[wire.Nodes] > names || records[wire.Up] > names {
		complain(m.name, " holds ", strconv.Itoa(records[wire.Nodes]), " records of nodes and ",
			strconv.Itoa(records[wire.Up]), " presences for ", strconv.Itoa(names), " names")
	}
}

// checkFile expects no guest in a machine's ring file that was not deleted: what a
// guest says is not to fill a disk.
func (w *World) checkFile(m *Machine, complain func(...string)) {
	if m.opt.Guest {
		return // it has none
	}
	b, err := m.proc.eng.Snapshot()
	if err == nil {
		err = w.snap.Decode(b)
	}
	if err != nil {
		w.fail(m, err)
		return
	}
	for _, r := range w.snap.Records {
		if n, err := wire.ParseMember(r.Value); r.Set == wire.Nodes && r.Rank != deleted && (err != nil || n.Ephemeral) {
			complain(m.name, " has ", r.Name, " in its ring file, a guest that nobody has deleted")
		}
	}
}

// deleted is the rank of a member that an operator has deleted.
const deleted = 2
