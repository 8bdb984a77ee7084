package every

import (
	"slices"
	"strconv"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// Kind is what a choice does.
type Kind uint8

// The kinds of choices. A fair schedule has only Write, Deliver, Tick and Resume.
const (
	Write   Kind = iota // a ring file is on the disk
	Deliver             // what is first on a connection arrives
	Tick                // a node's timer is due; what is on its way stays there meanwhile
	Prefer              // what is first on a connection arrives, and from then on that connection is before all others
	Resume              // a process goes on that was suspended
	Return              // a node starts from its disk
	Crash               // its process is killed
	Off                 // its machine loses its power: nobody is told
	Pause               // its process is suspended, for a minute if it is fair
	Fresh               // it starts, and its disk is lost
	Stop                // it is told to stop
	Clock               // its clock is set forward or back, by half of what is tolerated
	Do                  // an operator's command
	Again               // a guest adds itself anew, whatever became of it
	Break               // a connection breaks, with what is on it
	Hang                // a dial hangs, or a connection is forgotten: nobody is told
	kinds
)

// choice is one thing that can happen next.
type choice struct {
	kind     Kind
	node, at int // at: a link, a command, a direction
	of       int
}

// How far a clock is set, and how long a process is suspended.
const (
	leap  = core.MaxSkew / 2
	pause = core.Minute
)

// fairly returns the fair choice.
func (w *world) fairly() (choice, bool) {
	for i, n := range w.nodes {
		if n.writing != nil && !n.paused {
			return choice{kind: Write, node: i}, true
		}
	}
	if f := w.first; f != nil {
		at := slices.IndexFunc(w.links, f.is)
		for _, of := range []int{f.of, 1 - f.of} {
			if w.moves(w.links[at], of) {
				return choice{kind: Deliver, at: at, of: of}, true
			}
		}
	}
	for at, l := range w.links {
		for of := range l.end {
			if w.moves(l, of) {
				return choice{kind: Deliver, at: at, of: of}, true
			}
		}
	}
	return w.timer()
}

// timer returns the node whose timer is due next.
func (w *world) timer() (choice, bool) {
	first := -1
	for i, n := range w.nodes {
		if n.engine != nil && n.wake != 0 && (first < 0 || n.due() < w.nodes[first].due()) {
			first = i
		}
	}
	if first >= 0 && w.nodes[first].paused {
		return choice{kind: Resume, node: first}, true
	}
	return choice{kind: Tick, node: first}, first >= 0
}

// due is when a process goes on by itself.
func (n *node) due() int64 {
	if n.paused {
		return n.until
	}
	return n.wake
}

// moves says whether something is on its way from an end that the other takes now.
func (w *world) moves(l *link, of int) bool {
	to := &l.end[1-of]
	if len(l.end[of].queue) == 0 || to.node < 0 {
		return false
	}
	n := w.nodes[to.node]
	return !n.paused || to.starts != 0 && to.starts != n.starts
}

// quiet says whether nothing is on its way.
func (w *world) quiet() bool {
	c, ok := w.fairly()
	return !ok || c.kind == Tick || c.kind == Resume
}

// fair makes the fair choice, and says whether there was one.
func (w *world) fair() bool {
	c, ok := w.fairly()
	if ok {
		w.apply(c)
	}
	return ok
}

// choices returns all that can happen next, the fair one first.
func (w *world) choices() (all []choice) {
	first, ok := w.fairly()
	add := func(kind Kind, node, at, of int) {
		if c := (choice{kind, node, at, of}); !ok || c != first {
			all = append(all, c)
		}
	}
	if ok {
		all = append(all, first)
	}
	for i, n := range w.nodes {
		if n.writing != nil && !n.paused {
			add(Write, i, 0, 0)
		}
	}
	for at, l := range w.links {
		for of := range l.end {
			if w.moves(l, of) {
				add(Deliver, 0, at, of)
			}
		}
	}
	for at, l := range w.links {
		for of := range l.end {
			if w.moves(l, of) && (w.first == nil || !w.first.is(l) || w.first.of != of) {
				add(Prefer, 0, at, of)
			}
		}
	}
	if c, due := w.timer(); due {
		add(c.kind, c.node, 0, 0)
	}
	for i, n := range w.nodes {
		switch {
		case n.paused:
			add(Resume, i, 1, 0) // now
			add(Crash, i, 0, 0)
			add(Off, i, 0, 0)
			continue
		case n.ousted:
			continue
		case n.engine == nil:
			if !n.removed && n.halt != core.HaltLeft && n.halt != core.HaltRemoved {
				add(Return, i, 0, 0)
			}
			if !n.guest && n.disk != nil {
				add(Fresh, i, 0, 0)
			}
			continue
		}
		add(Crash, i, 0, 0)
		add(Off, i, 0, 0)
		add(Stop, i, 0, 0)
		add(Pause, i, 0, 0)
		add(Clock, i, 0, 0)
		add(Clock, i, 1, 0)
		for j, c := range w.scene.Commands {
			if !n.guest && c.Name != n.name {
				add(Do, i, j, 0)
			}
		}
	}
	for at, l := range w.links {
		if w.nodes[l.from].guest && w.scene.Stubborn && l.end[0].state == open && l.end[1].state == open {
			add(Again, l.from, at, 0)
		}
		if both := l.end[0].state == open && l.end[1].state == open && !l.lost; both {
			add(Break, 0, at, 0)
			add(Hang, 0, at, 0)
		} else if len(l.end[0].queue) > 0 && l.end[0].queue[0].kind == dial {
			add(Hang, 0, at, 0)
		}
	}
	return all
}

// apply does what was chosen.
func (w *world) apply(c choice) {
	if c.kind > Return {
		w.used[c.kind]++
	}
	if w.tell != nil {
		w.tell(w.words(c))
	}
	switch c.kind {
	case Write:
		w.written(w.own(c.node))
	case Prefer:
		l := w.links[c.at]
		w.first = &first{l.from, l.starts, l.conn, c.of}
		w.deliver(c.at, c.of)
	case Deliver:
		w.deliver(c.at, c.of)
	case Tick:
		n := w.own(c.node)
		w.now, n.wake = max(w.now, n.wake), 0
		w.step(c.node, core.Input{Kind: core.Tick})
	case Return:
		w.start(c.node)
	case Resume:
		n := w.own(c.node)
		if c.at == 0 { // it is due
			w.now = max(w.now, n.until)
		}
		n.paused, n.until, n.known = false, 0, false
	case Pause:
		w.suspend(c.node, pause)
	case Again:
		w.again(c.at)
	case Fresh:
		n := w.own(c.node)
		n.disk = nil
		w.disowned(n)
		w.start(c.node)
	case Crash:
		w.end(w.own(c.node), wire.CodeLost, false)
	case Off:
		w.end(w.own(c.node), 0, true)
	case Stop:
		w.command(c.node, core.Command{Op: core.Stop})
	case Clock:
		n := w.own(c.node)
		n.clock, n.known = n.clock+leap-2*leap*int64(c.at), false
	case Do:
		w.command(c.node, w.scene.Commands[c.at])
	case Break:
		l := w.ownLink(c.at)
		for of := range l.end {
			l.end[of].queue = nil
			w.push(c.at, of, item{kind: ending, code: wire.CodeLost})
		}
	case Hang:
		l := w.ownLink(c.at)
		l.lost = true
		l.end[0].queue, l.end[1].queue = nil, nil
	}
	w.sweep()
}

// words says what a choice does.
func (w *world) words(c choice) string {
	name := w.nodes[c.node].name
	switch c.kind {
	case Write:
		return name + " has written its ring file"
	case Deliver:
		return w.deliverWords(w.links[c.at], c.of)
	case Prefer:
		return w.deliverWords(w.links[c.at], c.of) + "; this connection goes first from now on"
	case Tick:
		return name + " is woken, " + strconv.FormatFloat(float64(max(w.nodes[c.node].wake, w.now)-w.scene.begun)/float64(core.Second), 'f', 3, 64) + " s after the beginning"
	case Resume:
		return name + " goes on"
	case Pause:
		return name + " is suspended"
	case Again:
		return name + " adds itself anew"
	case Return:
		return name + " starts"
	case Crash:
		return name + " is killed"
	case Off:
		return name + " loses its power"
	case Fresh:
		return name + " starts, its disk is lost"
	case Stop:
		return name + " is told to stop"
	case Clock:
		return name + "'s clock is set " + [2]string{"forward", "back"}[c.at] + " by " + strconv.FormatInt(leap/core.Second, 10) + " s"
	case Do:
		return name + " is told to " + commandWords(w.scene.Commands[c.at])
	case Break:
		return "the connection " + w.linkWords(w.links[c.at]) + " breaks"
	case Hang:
		if w.links[c.at].end[0].state == dialling {
			return "the dial " + w.linkWords(w.links[c.at]) + " hangs"
		}
		return "the connection " + w.linkWords(w.links[c.at]) + " is forgotten on its way"
	}
	return "?"
}

func commandWords(c core.Command) string {
	s := [...]string{core.Add: "add ", core.Del: "del ", core.Leave: "leave", core.Stop: "stop"}[c.Op] + c.Name
	if c.Addr != "" {
		s += " at " + c.Addr
	}
	return s
}

func (w *world) linkWords(l *link) string {
	return "from " + w.nodes[l.from].name + " to " + l.addr + " #" + strconv.FormatUint(uint64(l.conn), 10)
}

func (w *world) deliverWords(l *link, of int) string {
	it, from, to := &l.end[of].queue[0], w.nodes[l.end[of].node].name, w.nodes[l.end[1-of].node].name
	number := " #" + strconv.FormatUint(uint64(l.conn), 10)
	switch it.kind {
	case dial:
		return from + "'s dial arrives at " + to + number
	case opening:
		return to + " is connected with " + from + number
	case frame:
		return to + " gets from " + from + number + " " + sim.FrameWords(it.frame)
	}
	return to + " learns that " + from + " has closed" + number + ": " + it.code.String()
}
