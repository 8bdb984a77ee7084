package sim

import (
	"slices"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// op is one thing that was done to a name's membership, and what is known of
// the stamp it was given.
type op struct {
	name    string
	ring    string
	add     bool
	by      *Machine
	proc    *process
	command int   // its number, or 0: a start
	lo, hi  int64 // its stamp is between the two
	unsure  bool  // it may have been lost with its machine, or never have had an effect
	settled bool  // everybody had seen it when the World was settled
}

// started takes down that a machine's node may have added itself.
func (w *World) started(m *Machine, rejoin bool) {
	if m.opt.Guest || m.disk.Ring != nil && !rejoin {
		return
	}
	w.addOp(op{name: m.opt.Node, ring: m.opt.Ring, add: true, by: m, unsure: true})
}

// commanded takes down that a machine was told to change the membership.
func (w *World) commanded(m *Machine, c core.Command) {
	o := op{name: c.Name, ring: m.opt.Ring, add: c.Op == core.Add, by: m, command: int(c.ID)}
	switch c.Op {
	case core.Leave:
		o.name = m.opt.Node
	case core.Stop:
		return
	}
	w.addOp(o)
}

func (w *World) addOp(o op) {
	o.proc = o.by.proc
	w.stamp(&o)
	if o.command != 0 {
		o.hi += core.Minute // until it is answered: it may wait for a hello
	}
	w.ops = append(w.ops, o)
}

// stamp works out between what the stamp of an operation that is done now is.
func (w *World) stamp(o *op) {
	o.lo = o.by.Wall()
	o.hi = o.lo
	for i := range w.ops { // it may follow, and beat, any other
		if w.ops[i].name == o.name && w.ops[i].command != o.command {
			o.hi = max(o.hi, w.ops[i].hi+1)
		}
	}
}

// done takes down that a command was carried out now, and on which name.
func (w *World) done(id int, name string) {
	i := slices.IndexFunc(w.ops, func(o op) bool { return o.command == id })
	if i < 0 {
		return
	}
	o := w.ops[i]
	if o.name == "" {
		o.name = name
	}
	w.stamp(&o)
	w.ops = append(slices.Delete(w.ops, i, i+1), o)
}

// disowned takes down that what a machine has told nobody is gone with its disk.
func (w *World) disowned(m *Machine) {
	for i := range w.ops {
		if o := &w.ops[i]; o.by == m && !o.settled {
			o.unsure = true
		}
	}
}

// Settled takes down that everybody agrees: what was done before is known to
// all, and what is done from now on beats it. Call it after Check has passed.
func (w *World) Settled() {
	for i := range w.ops {
		w.ops[i].settled = true
	}
}

// fate says what may have become of a name by all that was done to it.
type fate struct{ in, out bool }

// fate works out who may have won: every operation that no certain one has
// beaten. Nothing is known of a name to which nothing was done.
func (w *World) fate(ring, name string) fate {
	var f fate
	var best int64 // the highest stamp that an operation certainly had
	for i := range w.ops {
		if o := &w.ops[i]; o.name == name && o.ring == ring && w.certain(o) {
			best = max(best, o.lo)
		}
	}
	for i := range w.ops {
		o := &w.ops[i]
		if o.name != name || o.ring != ring || o.hi < best || w.overruled(i) {
			continue
		}
		if o.add {
			f.in = true
		} else {
			f.out = true
		}
	}
	f.out = f.out || best == 0 // a start of which nobody may have heard
	return f
}

// overruled tells whether a certain operation knew operation i, and so beats it:
// one of the same process, or one after the World was settled.
func (w *World) overruled(i int) bool {
	o := &w.ops[i]
	for j := i + 1; j < len(w.ops); j++ {
		later := &w.ops[j]
		if later.name == o.name && later.ring == o.ring && w.certain(later) &&
			(o.settled && !later.settled || o.proc != nil && o.proc == later.proc) {
			return true
		}
	}
	return false
}

// certain tells whether an operation had its effect for good: it was
// acknowledged, and the disk that it was on is there and in use.
func (w *World) certain(o *op) bool {
	if o.command == 0 || o.unsure {
		return false
	}
	c := &w.commands[o.command-1]
	return c.Acked && (o.settled || o.by.Running() || o.by.halt == core.HaltLeft)
}

// recordsOf counts the records of a machine's snapshot, by set.
func recordsOf(b []byte) (nodes, up int, err error) {
	var s wire.Snapshot
	if err := s.Decode(b); err != nil {
		return 0, 0, err
	}
	for i := range s.Records {
		if s.Records[i].Set == wire.Nodes {
			nodes++
		} else {
			up++
		}
	}
	return nodes, up, nil
}
