package every

import (
	"encoding/binary"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// world is a small ring at one point of a schedule. Nodes and links belong to the
// worlds that share them until one of these changes them: see own.
type world struct {
	scene *Scene
	owner *owner
	now   int64
	nodes []*node
	links []*link // by who dialled, and its number: what was made when does not matter
	first *first  // what comes before all else, if it is on its way; nil for nothing
	used  [kinds]uint8
	ops   []op   // replaced when it changes
	wrong string // what must not be and is, of the step before
	tell  func(string)
}

// owner says in which world something may be changed where it is.
type owner struct{ _ byte }

// clone returns a world that goes on from here by itself.
func (w *world) clone() *world {
	c := *w
	c.nodes, c.links = slices.Clone(w.nodes), slices.Clone(w.links)
	w.owner, c.owner = new(owner), new(owner)
	return &c
}

// own returns a node that may be changed here.
func (w *world) own(i int) *node {
	n := w.nodes[i]
	if n.owner != w.owner {
		c := *n
		c.owner = w.owner
		if n.engine != nil {
			c.engine = copyEngine(n.engine)
		}
		n = &c
		w.nodes[i] = n
	}
	return n
}

// copies is an engine of a test's, around a Ring, that can be copied.
type copies interface{ Copy() core.Engine }

func copyEngine(e core.Engine) core.Engine {
	if c, ok := e.(copies); ok {
		return c.Copy()
	}
	return Copy(e.(*core.Ring))
}

// sums is an engine of a test's that knows its sum.
type sums interface{ Sum() uint64 }

// sum says in what state a world is: two with the same go on alike.
func (w *world) sum() uint64 {
	b := make([]byte, 0, 1024)
	u := func(vs ...uint64) {
		for _, v := range vs {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
	}
	u(uint64(w.now))
	if f := w.first; f != nil {
		u(uint64(f.from), uint64(f.starts), uint64(f.conn), uint64(f.of))
	}
	b = append(b, w.used[:]...)
	for _, n := range w.nodes {
		u(n.total())
	}
	for _, l := range w.links {
		u(uint64(l.from), uint64(l.starts), uint64(l.conn), bit(l.lost))
		for i := range l.end {
			e := &l.end[i]
			u(uint64(e.node), uint64(e.starts), uint64(e.id), uint64(e.state), uint64(len(e.queue)))
			for j := range e.queue {
				u(uint64(e.queue[j].kind), uint64(e.queue[j].code), e.queue[j].sum)
			}
		}
	}
	for i := range w.ops {
		o := &w.ops[i]
		u(xxhash.Sum64String(o.name), bit(o.add), uint64(o.by), uint64(o.stamp), uint64(o.state), o.command, o.holders)
	}
	return xxhash.Sum64(b)
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// node is a machine, with its disk and its clock, and the process that it runs, if any.
type node struct {
	owner    *owner
	index    int
	name     string
	addr     string // "" of a guest
	guest    bool
	join     []string
	disk     []byte // the ring file
	removed  bool   // the marker of a removal
	clock    int64  // what its wall clock is ahead
	off      bool   // it does not answer at all
	paused   bool   // its process is suspended,
	until    int64  // in virtual time
	ousted   bool   // another machine has its name: its process has to end
	starts   int    // how many processes it had
	halt     core.Reason
	known    bool // sumNow is of what is now
	sumNow   uint64
	period   int64
	engine   core.Engine // nil when no process runs
	instance wire.Instance
	origin   int64
	wake     int64 // in virtual time; 0 for never
	accepted core.ConnID
	dirty    uint64
	taken    uint64 // what of it is in writing, or on the disk
	onDisk   uint64
	writing  []byte      // nil when no write is under way
	stale    bool        // it has said so
	shown    []core.Node // by name; replaced when it changes
}

// total is the sum of all of a node.
func (n *node) total() uint64 {
	if n.known {
		return n.sumNow
	}
	b := make([]byte, 0, 512)
	u := func(vs ...uint64) {
		for _, v := range vs {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
	}
	u(xxhash.Sum64(n.disk), bit(n.removed), uint64(n.clock), bit(n.off), bit(n.paused), uint64(n.until), uint64(n.starts), uint64(n.halt))
	if n.engine != nil {
		if s, ok := n.engine.(sums); ok {
			u(s.Sum())
		} else {
			u(Sum(n.engine.(*core.Ring)))
		}
		u(uint64(n.wake), uint64(n.accepted), n.dirty, n.taken, n.onDisk, bit(n.stale), bit(n.writing != nil), xxhash.Sum64(n.writing))
		for i := range n.shown {
			s := &n.shown[i]
			u(xxhash.Sum64String(s.Name), uint64(s.State), uint64(s.Incarnation))
		}
	}
	n.known, n.sumNow = true, xxhash.Sum64(b)
	return n.sumNow
}

func (n *node) find(name string) (int, bool) {
	return slices.BinarySearchFunc(n.shown, name, func(s core.Node, name string) int {
		switch {
		case s.Name < name:
			return -1
		case s.Name > name:
			return 1
		}
		return 0
	})
}

// shows returns what a node shows of a name.
func (n *node) shows(name string) (core.Node, bool) {
	if i, ok := n.find(name); ok {
		return n.shown[i], true
	}
	return core.Node{}, false
}

func (n *node) show(s core.Node) {
	i, ok := n.find(s.Name)
	all := slices.Clone(n.shown)
	switch {
	case ok && s.State == core.Removed:
		all = slices.Delete(all, i, i+1)
	case ok:
		all[i] = s
	case s.State != core.Removed:
		all = slices.Insert(all, i, s)
	}
	n.shown = all
}

func (w *world) wall(n *node) int64 { return sim.Epoch + w.now + n.clock }

func (w *world) byName(name string) int {
	return slices.IndexFunc(w.nodes, func(n *node) bool { return n.name == name })
}

func (w *world) note(i int, words ...string) {
	if w.tell != nil {
		line := "  " + w.nodes[i].name
		for _, s := range words {
			line += s
		}
		w.tell(line)
	}
}

// fail keeps the first thing that is wrong.
func (w *world) fail(what string) {
	if w.wrong == "" {
		w.wrong = what
	}
}
