package sim

import (
	"math"
	"slices"
	"strconv"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// op is one thing that was done to a name's membership. Its stamp is between lo
// and hi: of what was answered it is known.
type op struct {
	name    string
	ring    string
	add     bool
	by      *Machine
	command int // its number; 0 for a start
	lo, hi  int64
	seen    int64 // the stamp of what its node had of the name before
	unsure  bool  // it may have had no effect, or have been lost with its machine
	settled bool  // no operation: what had become of the name when all agreed
}

// started takes down that a machine's node may have added itself.
func (w *World) started(m *Machine, rejoin bool) {
	if w.lean || m.opt.Guest || m.disk.Ring != nil && !rejoin {
		return
	}
	w.addOp(op{name: m.opt.Node, ring: m.opt.Ring, add: true, by: m, unsure: true})
}

// commanded takes down that a machine was told to change the membership.
func (w *World) commanded(m *Machine, c core.Command) {
	o := op{name: c.Name, ring: m.opt.Ring, add: c.Op == core.Add, by: m, command: int(c.ID), unsure: true}
	switch c.Op {
	case core.Leave:
		o.name = m.opt.Node
	case core.Add, core.Del:
	default:
		return
	}
	if o.name != "" {
		o.seen = w.stampOf(m, o.name)
	}
	w.addOp(o)
}

func (w *World) addOp(o op) {
	o.lo = o.by.Wall()
	o.hi = o.lo
	for i := range w.ops { // it may have seen any other
		if w.ops[i].name == o.name && w.ops[i].ring == o.ring {
			o.hi = max(o.hi, w.ops[i].hi+1)
		}
	}
	w.ops = append(w.ops, o)
}

// done takes down that a command was carried out just now, and on which name.
// What it did must beat what its node had seen.
func (w *World) done(id int, name string) {
	i := slices.IndexFunc(w.ops, func(o op) bool { return o.command == id })
	if i < 0 {
		return
	}
	o := &w.ops[i]
	if o.name == "" {
		o.name = name
	}
	stamp := w.stampOf(o.by, o.name)
	if w.commands[id-1].Op == core.Leave && stamp <= o.seen {
		return // a node alone has nobody to leave
	}
	o.lo, o.hi, o.unsure = stamp, stamp, false
	if stamp <= o.seen {
		w.fail(o.by, wrong("command "+strconv.Itoa(id)+" on "+o.name+" does not beat what its node had seen"))
	}
	if clock := o.by.Offset(); clock > core.MaxSkew || clock < -core.MaxSkew { // it may be stamped anew
		o.unsure, o.hi = true, max(o.hi, Epoch+w.now+w.skipped+core.Day)
	}
}

type wrong string

func (e wrong) Error() string { return string(e) }

// stampOf returns the stamp of what a machine's node has of a name in nodes, or 0.
func (w *World) stampOf(m *Machine, name string) int64 {
	for _, r := range w.snapshot(m) {
		if r.Set == wire.Nodes && r.Name == name {
			return r.Stamp
		}
	}
	return 0
}

// snapshot returns what a machine's engine holds.
func (w *World) snapshot(m *Machine) []wire.Record {
	b, err := m.Snapshot()
	if err == nil {
		err = w.snap.Decode(b)
	}
	if err != nil {
		w.fail(m, err)
		return nil
	}
	return w.snap.Records
}

// disowned takes down that what a machine has told nobody is gone with its disk.
func (w *World) disowned(m *Machine) {
	for i := range w.ops {
		if o := &w.ops[i]; o.by == m {
			o.unsure = true
		}
	}
}

// unspread takes down which commands not every node has heard of that will be away for
// so long, or was: none of them is certain then. An add that a stale node alone has
// it drops, if an authority lacks it, and a deletion that is past its time is none
// for those who never heard of it.
func (w *World) unspread(away int64) {
	for _, m := range w.machines {
		if !m.ever || m.opt.Guest || m.opt.Rogue != nil || m.disk.Removed {
			continue
		}
		knows := make(map[string]int64)
		for _, r := range w.memory(m) {
			if r.Set == wire.Nodes {
				knows[r.Name] = r.Stamp
			}
		}
		for i := range w.ops {
			o := &w.ops[i]
			if len(knows) > 0 && o.ring == m.opt.Ring && knows[o.name] < o.lo && (o.add && away > core.StaleAfter || !o.add && away > core.TombstoneMaxAge) {
				o.unsure = true
			}
		}
	}
}

// memory returns what a machine's node holds, or will when it starts again.
func (w *World) memory(m *Machine) []wire.Record {
	if m.proc != nil {
		return w.snapshot(m)
	}
	if m.disk.Ring == nil || w.snap.Decode(m.disk.Ring) != nil {
		return nil
	}
	return w.snap.Records
}

// Settled takes down that everybody agrees: of all that was done to a name only
// what became of it counts from now on. Call it after Check has passed.
func (w *World) Settled() {
	type key struct{ ring, name string }
	guests := make(map[key]bool)
	outcomes := make(map[key]op)
	for _, m := range w.machines {
		if m.opt.Guest {
			guests[key{m.opt.Ring, m.opt.Node}] = true
			continue
		}
		if m.proc == nil || m.paused || m.opt.Rogue != nil {
			continue
		}
		for _, r := range w.snapshot(m) {
			if r.Set == wire.Nodes {
				k := key{m.opt.Ring, r.Name}
				outcomes[k] = op{name: r.Name, ring: m.opt.Ring, add: r.Rank == 0, lo: r.Stamp, hi: r.Stamp, settled: true}
			}
		}
	}
	var kept []op
	seen := make(map[key]bool)
	for _, o := range w.ops {
		k := key{o.ring, o.name}
		switch out, known := outcomes[k]; {
		case guests[k] || !known || o.command != 0 && !w.commands[o.command-1].Done:
			kept = append(kept, o)
		case !seen[k]:
			seen[k] = true
			kept = append(kept, out)
		}
	}
	w.ops = kept
}

// truth is all that is known of one ring: its machines that run, and the names
// that they may know.
type truth struct {
	machines []*Machine
	names    []*known
}

// known is what is known of a name: where it runs, and what may have become of
// its membership by all that was done to it.
type known struct {
	name    string
	live    *Machine // one that runs it
	twice   bool     // and there is another
	rogue   bool     // of a machine of which nothing is expected
	ops     []*op
	in, out bool
	deleted bool // by anybody, ever
}

// truths works out what is known, ring by ring.
func (w *World) truths() []*truth {
	var all []*truth
	rings := make(map[string]*truth)
	names := make(map[[2]string]*known)
	get := func(ring, name string) (*truth, *known) {
		t := rings[ring]
		if t == nil {
			t = new(truth)
			rings[ring] = t
			all = append(all, t)
		}
		k := names[[2]string{ring, name}]
		if k == nil {
			k = &known{name: name}
			names[[2]string{ring, name}] = k
			t.names = append(t.names, k)
		}
		return t, k
	}
	for _, m := range w.machines {
		if !m.ever {
			continue
		}
		t, k := get(m.opt.Ring, m.opt.Node)
		if m.opt.Rogue != nil {
			k.rogue = true
			continue
		}
		if m.proc == nil || m.paused {
			continue
		}
		t.machines = append(t.machines, m)
		k.live, k.twice = m, k.live != nil
	}
	for i := range w.ops {
		if o := &w.ops[i]; o.name != "" {
			_, k := get(o.ring, o.name)
			k.ops = append(k.ops, o)
			k.deleted = k.deleted || !o.add
		}
	}
	for _, t := range all {
		for _, k := range t.names {
			w.judge(k)
		}
	}
	return all
}

// judge works out which operations on a name may have won: all that no certain
// one has beaten.
func (w *World) judge(k *known) {
	best := int64(-1)
	for _, o := range k.ops {
		if w.certain(o) {
			best = max(best, o.lo)
		}
	}
	for _, o := range k.ops {
		if w.latest(o) >= best {
			k.in = k.in || o.add
			k.out = k.out || !o.add
		}
	}
	k.out = k.out || best < 0 // at most a start of which nobody may have heard
}

// latest returns the latest stamp that an operation may have: of a command that is not
// answered yet any, since an add that dials is stamped when that is over.
func (w *World) latest(o *op) int64 {
	if o.command != 0 {
		if c := &w.commands[o.command-1]; !c.Done && !c.proc.dead {
			return math.MaxInt64
		}
	}
	return o.hi
}

// certain tells whether an operation had its effect for good: it was
// acknowledged, and the disk that it was on is there and in use.
func (w *World) certain(o *op) bool {
	if !o.add && o.hi < w.forgotten {
		return false
	}
	if o.settled {
		return true
	}
	if o.command == 0 || o.unsure {
		return false
	}
	return w.commands[o.command-1].Acked && (o.by.Running() || o.by.halt == core.HaltLeft)
}
