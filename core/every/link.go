package every

import (
	"bytes"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// link is a connection between two nodes, or the attempt at one: two queues, each
// of which keeps its order. End 0 dialled.
type link struct {
	owner  *owner
	from   int
	starts int
	conn   core.ConnID
	addr   string
	end    [2]end
	lost   bool // what is sent never arrives, and nobody is told
}

type end struct {
	node   int
	starts int // the process
	id     core.ConnID
	state  endState
	queue  []item // what this end has sent; replaced when it changes
}

// first is an end of a connection that goes before all others.
type first struct {
	from, starts int
	conn         core.ConnID
	of           int
}

func (f *first) is(l *link) bool { return f.from == l.from && f.starts == l.starts && f.conn == l.conn }

type endState uint8

const (
	dialling endState = iota
	open
	closed
)

// item is one thing on its way.
type item struct {
	kind  itemKind
	code  wire.Code
	frame []byte
	sum   uint64
}

type itemKind uint8

const (
	dial itemKind = iota
	opening
	frame
	ending
)

// ownLink returns a link that may be changed here.
func (w *world) ownLink(at int) *link {
	l := w.links[at]
	if l.owner != w.owner {
		c := *l
		c.owner = w.owner
		l = &c
		w.links[at] = l
	}
	return l
}

// linkOf finds a process's connection; -1 if there is none.
func (w *world) linkOf(n *node, id core.ConnID) (at, of int) {
	for at, l := range w.links {
		for of := range l.end {
			if e := &l.end[of]; e.node == n.index && e.starts == n.starts && e.id == id && e.state != closed {
				return at, of
			}
		}
	}
	return -1, 0
}

func (l *link) before(o *link) bool {
	switch {
	case l.from != o.from:
		return l.from < o.from
	case l.starts != o.starts:
		return l.starts < o.starts
	}
	return l.conn < o.conn
}

func (w *world) dial(n *node, id core.ConnID, addr string) {
	l := &link{owner: w.owner, from: n.index, starts: n.starts, conn: id, addr: addr}
	to := slices.IndexFunc(w.nodes, func(n *node) bool { return n.addr == addr })
	l.end[0] = end{node: n.index, starts: n.starts, id: id, state: dialling, queue: []item{{kind: dial}}}
	l.end[1] = end{node: to, state: dialling}
	at := 0
	for at < len(w.links) && w.links[at].before(l) {
		at++
	}
	w.links = slices.Insert(w.links, at, l)
}

// push sends an item from an end.
func (w *world) push(at, of int, it item) {
	if w.links[at].lost {
		return
	}
	it.sum = xxhash.Sum64(it.frame)
	e := &w.ownLink(at).end[of]
	e.queue = append(slices.Clip(e.queue), it)
}

func (w *world) send(n *node, id core.ConnID, f []byte) {
	at, of := w.linkOf(n, id)
	if at < 0 || w.links[at].end[of].state != open {
		w.fail(n.name + " sends on a connection that is not open")
		return
	}
	w.push(at, of, item{kind: frame, frame: bytes.Clone(f)})
}

func (w *world) hangUp(n *node, id core.ConnID, code wire.Code) {
	if at, of := w.linkOf(n, id); at >= 0 {
		w.shut(at, of, code)
	}
}

// shut closes an end, in order, after what it has sent.
func (w *world) shut(at, of int, code wire.Code) {
	l := w.ownLink(at)
	e := &l.end[of]
	e.state = closed
	if len(e.queue) > 0 && e.queue[0].kind == dial {
		e.queue = nil
		l.end[1-of].state = closed
		return
	}
	w.push(at, of, item{kind: ending, code: code})
}

// sweep forgets the links on which nothing can happen any more.
func (w *world) sweep() {
	w.links = slices.DeleteFunc(w.links, func(l *link) bool {
		a, b := &l.end[0], &l.end[1]
		return a.state == closed && b.state == closed || a.state == closed && b.node < 0
	})
	if f := w.first; f != nil && !slices.ContainsFunc(w.links, f.is) {
		w.first = nil
	}
}

// deliver brings the head of an end's queue to the other.
func (w *world) deliver(at, of int) {
	l := w.ownLink(at)
	src, dst := &l.end[of], &l.end[1-of]
	it := src.queue[0]
	src.queue = src.queue[1:]
	to := w.nodes[dst.node]
	lives := to.engine != nil && to.starts == dst.starts
	switch it.kind {
	case dial:
		switch {
		case to.off: // nobody answers
			dst.state = closed
		case to.engine == nil:
			w.push(at, 1, item{kind: ending, code: wire.CodeRefused})
			dst.state = closed
		default:
			to = w.own(dst.node)
			to.accepted += 2
			dst.starts, dst.id, dst.state = to.starts, to.accepted, open
			w.push(at, 1, item{kind: opening})
			role := core.Peer
			if w.nodes[src.node].guest {
				role = core.Guest
			}
			w.step(to.index, core.Input{Kind: core.Opened, Conn: dst.id, Role: role, Addr: w.nodes[src.node].name + ":0"})
		}
	case opening:
		if dst.state == dialling && lives {
			dst.state = open
			w.step(to.index, core.Input{Kind: core.Opened, Conn: dst.id})
		}
	case frame:
		switch {
		case dst.state == open && lives:
			w.step(to.index, core.Input{Kind: core.Received, Conn: dst.id, Frame: it.frame})
		case !lives && !to.off && src.state == open: // its kernel does not know the connection
			src.queue = nil
			w.push(at, 1-of, item{kind: ending, code: wire.CodeLost})
		}
	case ending:
		if dst.state != closed {
			dst.state = closed
			if lives {
				w.step(to.index, core.Input{Kind: core.Closed, Conn: dst.id, Code: it.code})
			}
		}
	}
}

// part takes a process's ends away: with a last word of its kernel, or silently.
func (w *world) part(n *node, code wire.Code, silent bool) {
	for at, l := range w.links {
		for of := range l.end {
			if e := &l.end[of]; e.node != n.index || e.starts != n.starts || e.state == closed {
				continue
			}
			if silent {
				e := &w.ownLink(at).end[of]
				if e.state, e.queue = closed, nil; l.end[1-of].state == dialling {
					w.links[at].end[1-of].state = closed
				}
			} else {
				w.shut(at, of, code)
			}
		}
	}
}
