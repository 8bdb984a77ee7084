package sim

import (
	"errors"
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
	names := w.names()
	for _, m := range w.machines {
		if m.proc != nil && !m.paused {
			w.checkView(m, names[m.opt.Ring], c.add)
		}
	}
}

func (w *World) checkSnapshots(c *complaints) {
	names := w.names()
	for _, m := range w.machines {
		if m.proc != nil && !m.paused {
			w.checkSnapshot(m, len(names[m.opt.Ring]), c.add)
		}
	}
}

// checkCommands expects that every command was answered, unless its process is gone.
func (w *World) checkCommands(c *complaints) {
	for i := range w.commands {
		cmd := &w.commands[i]
		if cmd.proc == nil || cmd.proc.dead || cmd.Acked || cmd.Done && cmd.Code != 0 || w.now < cmd.At+core.Minute {
			continue
		}
		c.add(cmd.Machine.name, " has not answered: ", commandWords(cmd.Command))
	}
}

// names collects all names that a ring's machines may know, by ring.
func (w *World) names() map[string][]string {
	names := make(map[string][]string)
	seen := make(map[[2]string]bool)
	note := func(ring, name string) {
		if k := [2]string{ring, name}; name != "" && !seen[k] {
			seen[k] = true
			names[ring] = append(names[ring], name)
		}
	}
	for _, m := range w.machines {
		if m.ever {
			note(m.opt.Ring, m.opt.Node)
		}
	}
	for i := range w.ops {
		note(w.ops[i].ring, w.ops[i].name)
	}
	return names
}

// liveAs returns the machine on which a node runs; two is one too many.
func (w *World) liveAs(ring, name string) (m *Machine, two bool) {
	for _, o := range w.machines {
		if o.opt.Ring == ring && o.opt.Node == name && o.proc != nil && !o.paused {
			if m != nil {
				return m, true
			}
			m = o
		}
	}
	return m, false
}

// checkView holds what a machine shows against the truth: who else runs, what
// was done, and what the others show.
func (w *World) checkView(m *Machine, names []string, complain func(...string)) {
	view := m.View()
	known := 0
	for _, name := range names {
		node, member := view.Get(name)
		if member {
			known++
		}
		live, two := w.liveAs(m.opt.Ring, name)
		if two {
			complain("two processes live under the name ", name)
			continue
		}
		f := w.fate(m.opt.Ring, name)
		switch {
		case member && live == nil && node.Ephemeral:
			complain(m.name, " shows ", name, " (", node.State.String(), "), a guest that is gone")
		case member && live == nil && node.State != core.Down && node.State != core.Left && node.State != core.Unknown:
			complain(m.name, " shows ", name, " ", node.State.String(), ", and it is dead")
		case member && live == nil && !f.in:
			complain(m.name, " shows ", name, ", which was removed")
		case !member && live == nil && f.in && !f.out:
			complain(m.name, " lacks ", name, ", which was added")
		case live == nil:
			w.compareMembership(m, name, member, complain)
		case !member && live.opt.Guest && f.out: // it cannot come back under that name
		case !member:
			complain(m.name, " lacks ", name, ", which lives")
		case !f.in && !live.opt.Guest:
			complain(m.name, " shows ", name, ", which was removed and still runs")
		case node.State != core.Alive:
			complain(m.name, " shows ", name, " ", node.State.String(), ", and it lives")
		case node.Instance != live.proc.instance:
			complain(m.name, " shows an instance of ", name, " that is gone")
		case node.Address != live.addr:
			complain(m.name, " shows ", name, " at ", node.Address, ", and it is at ", live.addr)
		case live != m:
			own, _ := live.View().Get(name)
			if own.Incarnation != node.Incarnation {
				complain(m.name, " and ", name, " do not agree on its incarnation")
			}
		}
	}
	if known != view.Len() {
		complain(m.name, " shows ", strconv.Itoa(view.Len()-known), " names that nobody has ever heard of")
	}
}

// compareMembership compares with the first running machine of the ring.
func (w *World) compareMembership(m *Machine, name string, member bool, complain func(...string)) {
	for _, o := range w.machines {
		if o.opt.Ring == m.opt.Ring && o.proc != nil && !o.paused {
			if _, other := o.View().Get(name); other != member {
				complain(o.name, " and ", m.name, " do not agree whether ", name, " belongs")
			}
			return
		}
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
	if records[wire.Nodes] > names || records[wire.Up] > names {
		complain(m.name, " holds ", strconv.Itoa(records[wire.Nodes]), " records of nodes and ",
			strconv.Itoa(records[wire.Up]), " presences for ", strconv.Itoa(names), " names")
	}
}
