package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/wire"
)

// What was seen of the window is compared with a peer now and then, so that a
// connection that breaks loses nothing. A stream is told of by two numbers, and those
// beyond a hole: it costs what there is that is news, and nothing when there is none.

// comparedFor is how far back it goes, in milliseconds: what is older is forgotten
// here and there already.
const comparedFor = wire.Window - 2000

// back is how far back this process wants to know: to its start, and a little more,
// since an age lacks the time under way. What was before decides what is waited for.
func (w *window) back() uint64 { return min(w.up()+2000, comparedFor) }

// seenBytes is how much is shown at once, a last stream over.
const seenBytes = 64 << 10

// seenStream is what was seen of a stream.
//
//go:noinline
func (w *window) seenStream(s *stream) wire.Stream {
	st := wire.Stream{Name: s.name, Instance: s.instance, Upto: s.last}
	for i := s.heard; i > 0 && st.Old == 0; i-- {
		if n := s.kept[i-1]; n.sent <= w.newsTime()-settled {
			st.Old = n.Seq
		}
	}
	for _, n := range s.kept[s.heard:] {
		push(&st.Seqs, n.Seq)
	}
	return st
}

// seen is what was seen of the stream of a process, if anything.
func (w *window) seen(name string, instance wire.Instance) wire.Stream {
	if s := w.find(name, instance); s != nil {
		return w.seenStream(s)
	}
	return wire.Stream{Name: name, Instance: instance}
}

// compare shows a peer what was seen here, if there is anything, or there was a time
// in which nothing could be seen.
func (sp *spread) compare(c *conn) {
	if len(sp.window.list) > 0 || sp.nap != 0 && sp.newsTime()-sp.woke < newsFor {
		sp.showSeen(c)
	}
}

func (sp *spread) showSeen(c *conn) {
	w := sp.window
	var all []wire.Stream
	back, size := w.back(), 0
	for i := range w.active {
		st := w.seenStream(w.active[(sp.shown+i)%len(w.active)])
		push(&all, st)
		if size += 32 + len(st.Name) + 9*len(st.Seqs); size > seenBytes { // the others have their turn
			sp.shown, back = (sp.shown+i+1)%len(w.active), 0
			break
		}
	}
	sp.show(c, wire.KindSeen, back, all...)
}

// seen takes in what a peer has seen: it is owed what it lacks, and asked for what
// this node lacks.
func (sp *spread) seen(c *conn, f *wire.Frame) {
	w := sp.window
	var lacks []wire.Stream
	back := f.Window
	if back == 0 {
		back = wire.Window
	}
	for i := range f.Streams {
		st := &f.Streams[i]
		s := w.find(st.Name, st.Instance)
		if s == nil || st.Old > s.last {
			push(&lacks, w.seen(st.Name, st.Instance))
		}
		if s != nil && len(s.kept) > 0 {
			s.marked = true
			sp.oweBehind(c, s, st, back)
		}
	}
	for _, s := range w.active {
		if !s.marked && f.Window > 0 {
			sp.oweBehind(c, s, &wire.Stream{}, back)
		}
	}
	for _, s := range w.active {
		s.marked = false
	}
	if len(lacks) == 0 || c.line.compared != 0 && sp.now-c.line.compared < settled {
		return
	}
	c.line.compared = sp.now
	if w.up() < wire.Window && !c.guest { // what was before it started it does not want
		sp.showSeen(c)
		return
	}
	sp.show(c, wire.KindSeen, 0, lacks...)
}

// oweBehind makes owed what a peer lacks of a stream, of what should be everywhere by
// now, and is younger than back milliseconds.
func (sp *spread) oweBehind(c *conn, s *stream, has *wire.Stream, back uint64) {
	for _, n := range s.kept {
		if n.Seq <= has.Upto || n.sent > sp.newsTime()-settled && !sp.cfg.Ephemeral || sp.window.age(n.sent) >= back {
			continue
		}
		if !slices.Contains(has.Seqs, n.Seq) {
			sp.owe(c, n)
		}
	}
}
