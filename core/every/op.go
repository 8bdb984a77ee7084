package every

import (
	"slices"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// op is one thing that was done to a name's membership.
type op struct {
	name    string
	add     bool
	by      int
	command uint64 // its number; 0 for a start without a disk
	state   opState
	seen    int64 // the stamp of what the node knew of the name before
	stamp   int64 // of what was done, once that is known
	seq     uint64
	holders uint64 // who had the tombstone when its node left, a bit each
}

type opState uint8

const (
	asked  opState = iota // not answered
	done                  // answered, and not on the disk yet
	acked                 // it is on the disk: it may not be lost
	unsure                // it may have had its effect, or not
	failed
)

func (w *world) addOp(o op) { w.ops = append(slices.Clip(w.ops), o) }

// each lets ops change what was done; they are replaced when it does.
func (w *world) each(change func(*op) bool) {
	all := slices.Clone(w.ops)
	changed := false
	for i := range all {
		changed = change(&all[i]) || changed
	}
	if changed {
		w.ops = all
	}
}

// command has an operator give a node a command.
func (w *world) command(i int, c core.Command) {
	c.ID = uint64(len(w.ops) + 1)
	if c.Op != core.Stop {
		name := c.Name
		if c.Op == core.Leave {
			name = w.nodes[i].name
		}
		r, _ := recordOf(w.held(w.nodes[i]), name)
		w.addOp(op{name: name, add: c.Op == core.Add, by: i, command: c.ID, seen: r.Stamp})
	}
	w.step(i, core.Input{Kind: core.Do, Command: c})
}

// held returns what a node holds, guests too.
func (w *world) held(n *node) []byte {
	b, err := n.engine.Handover()
	if err != nil {
		w.fail(n.name + ": " + err.Error())
	}
	return b
}

// recordOf finds the record of a name's membership.
func recordOf(file []byte, name string) (wire.Record, bool) {
	var s wire.Snapshot
	if s.Decode(file) != nil {
		return wire.Record{}, false
	}
	for _, r := range s.Records {
		if r.Set == wire.Nodes && r.Name == name {
			return r, true
		}
	}
	return wire.Record{}, false
}

// answered takes down what came of a command.
func (w *world) answered(n *node, e *core.Event) {
	w.each(func(o *op) bool {
		if o.command != e.ID || o.by != n.index {
			return false
		}
		if o.state != asked {
			w.fail(n.name + " answers a command twice")
		}
		if e.Code != 0 {
			if o.state = failed; !o.add && o.name == n.name {
				o.state = unsure // a leave that nobody confirmed goes on
			}
			return true
		}
		r, ok := recordOf(w.held(n), o.name)
		o.state, o.stamp, o.seq = done, r.Stamp, e.Seq
		switch {
		case o.add == (ok && r.Rank == 0) && r.Stamp > o.seen:
		case !o.add && o.name == n.name: // it was alone
			o.state = unsure
		default:
			w.fail(n.name + " acknowledges what it has not done: " + o.words())
		}
		return true
	})
	w.acknowledge(n)
}

// acknowledge takes down that the disk has what was answered.
func (w *world) acknowledge(n *node) {
	w.each(func(o *op) bool {
		if o.by != n.index || o.state != done || o.seq > n.onDisk {
			return false
		}
		if r, _ := recordOf(n.disk, o.name); r.Stamp < o.stamp {
			w.fail(n.name + " acknowledges what is not on its disk: " + o.words())
		}
		o.state = acked
		return true
	})
}

// left takes down that a node's leave is acknowledged, and that its disk is gone.
func (w *world) left(n *node) {
	w.each(func(o *op) bool {
		switch {
		case o.by != n.index || o.state == failed:
			return false
		case o.name == n.name && !o.add && (o.state == done || o.state == acked):
			o.state, o.holders = acked, w.holders(n)
		case o.name != n.name || o.add:
			o.state = unsure
		}
		return true
	})
}

// forgetAnswers takes down that a process is gone, and will answer no more.
func (w *world) forgetAnswers(n *node) {
	w.each(func(o *op) bool {
		if o.by != n.index || o.state != asked && o.state != done {
			return false
		}
		o.state = unsure
		return true
	})
}

// disowned takes down that a disk is lost: what was acknowledged there alone may be, too.
func (w *world) disowned(n *node) {
	w.each(func(o *op) bool {
		if o.by != n.index || o.state == failed {
			return false
		}
		o.state = unsure
		return true
	})
}

// again has a guest that is not honest send its add once more, newer than all that it
// heard.
func (w *world) again(at int) {
	n := w.nodes[w.links[at].from]
	rec, ok := recordOf(w.held(n), n.name)
	if !ok || rec.Rank != 0 {
		return
	}
	rec.Stamp = max(w.wall(n), rec.Stamp) + core.Second
	f := wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{rec}}
	w.push(at, 0, item{kind: frame, frame: f.Append(nil)})
}

func (o *op) words() string {
	if o.add {
		return "add " + o.name
	}
	return "del " + o.name
}

// holders returns who has the tombstone of a node that leaves.
func (w *world) holders(n *node) (bits uint64) {
	for i, o := range w.nodes {
		if o != n && o.engine != nil && !o.guest {
			if r, ok := recordOf(w.held(o), n.name); ok && r.Rank != 0 {
				bits |= 1 << i
			}
		}
	}
	return bits
}

// certain says whether something was done for good: acknowledged, and who had it then
// is there still, or has left in order.
func (w *world) certain(o *op) bool {
	if o.state != acked {
		return false
	}
	if o.holders == 0 {
		return w.keeps(o.by)
	}
	for i := range w.nodes {
		if o.holders>>i&1 != 0 && w.keeps(i) {
			return true
		}
	}
	return false
}

// keeps says whether a node has what it had, and is believed: not one that another
// has deleted, from which nobody takes anything.
func (w *world) keeps(i int) bool {
	n := w.nodes[i]
	for j := range w.ops {
		if o := &w.ops[j]; o.name == n.name && !o.add && o.by != i && o.state != failed {
			return false
		}
	}
	return n.engine != nil || n.halt == core.HaltLeft
}

// may says whether a name may belong to the ring, and whether it may not, by all
// that was done to it and that nothing certain has beaten.
func (w *world) may(name string) (in, out bool) {
	best := int64(-1)
	for i := range w.ops {
		if o := &w.ops[i]; o.name == name && w.certain(o) {
			best = max(best, o.stamp)
		}
	}
	for i := range w.ops {
		o := &w.ops[i]
		if o.name != name || o.state == failed || o.stamp != 0 && o.stamp < best {
			continue
		}
		in, out = in || o.add, out || !o.add
	}
	return in, out || best < 0
}
