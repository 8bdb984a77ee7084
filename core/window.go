package core

import (
	"slices"
	"strings"

	"github.com/nanoring/nanoring/core/wire"
)

// What is kept of messages that are news.
const (
	newsFor     = wire.Window * Millisecond
	mostNews    = 32 << 10 // messages,
	mostBytes   = 16 << 20 // and bytes of them
	settled     = Second   // what is older should be everywhere
	newsCost    = 256      // bytes that a message takes beside its own
	moreStreams = 64       // streams beyond two for each name that is known
)

// window owns the messages that are younger than newsFor, and what was heard of
// each process that sends any: its stream. All times in it are of the monotonic
// clock: they become old while this process is not run, too.
type window struct {
	*clock
	since   int64     // this process is up
	streams []*stream // in the order of their coming
	byName  map[string][]*stream
	active  []*stream // those that have messages in it
	list    []*news   // in the order of their coming, their numbers ascending by one
	end     uint64    // the number of the next
	bytes   int
}

// stream is what one process sends, in order.
type stream struct {
	_        incomparable
	name     string
	instance wire.Instance
	last     uint64  // heard, or given up, with all before it
	told     uint64  // the last tell that was taken in
	kept     []*news // in the window, ascending
	heard    int     // of them: they are not behind last
	marked   bool    // in a comparison
	upto     uint64  // a guest heard of it, while that is told what it lacks
	left     int64   // the monotonic clock when the last of them left
}

// news is a message in the window.
type news struct {
	_ incomparable
	wire.Message
	stream *stream
	sent   int64 // the monotonic clock, by its age
	number uint64
	from   ConnID   // which brought it first; 0 for this node
	known  []uint64 // to whom: a bit for each connection's slot
	over   bool     // it is in the window no more
	waited bool     // for what is before it
}

func newWindow(c *clock) window { return window{clock: c, byName: make(map[string][]*stream)} }

// find returns the stream of a process, or nil.
//
//go:noinline
func (w *window) find(name string, instance wire.Instance) *stream {
	for _, s := range w.byName[name] {
		if s.instance == instance {
			return s
		}
	}
	return nil
}

// stream finds the stream of a process, or begins it; nil if there are too many of
// names that nobody knows.
//
//go:noinline
func (w *window) stream(name string, instance wire.Instance, names int) *stream {
	s := w.find(name, instance)
	if s == nil && len(w.streams) < 2*names+moreStreams {
		s = w.begin(kept(name), instance)
	}
	return s
}

//go:noinline
func (w *window) begin(name string, instance wire.Instance) *stream {
	s := &stream{name: name, instance: instance}
	all := w.byName[name]
	push(&all, s)
	w.byName[name] = all
	push(&w.streams, s)
	return s
}

// age is how many milliseconds ago something was sent.
//
//go:noinline
func (w *window) age(sent int64) uint64 { return uint64(max(w.newsTime()-sent, 0) / Millisecond) }

// up is for how many milliseconds this process is up; no more than matter.
//
//go:noinline
func (w *window) up() uint64 { return min(w.age(w.since), wire.Window) }

// take keeps a message of a stream, unless it is known, or no news: then it returns nil.
func (w *window) take(s *stream, m *wire.Message) *news {
	at, has := s.search(m.Seq)
	if has || m.Seq <= s.last || m.Age >= wire.Window {
		return nil
	}
	n := &news{Message: *m, stream: s, sent: w.newsTime() - int64(m.Age)*Millisecond, number: w.end}
	n.Name, n.Topic, n.Payload, n.Filter = s.name, kept(m.Topic), kept(m.Payload), keptAll(m.Filter)
	if len(s.kept) == 0 {
		push(&w.active, s)
	}
	push(&s.kept, nil)
	copy(s.kept[at+1:], s.kept[at:])
	s.kept[at] = n
	push(&w.list, n)
	w.end++
	w.bytes += newsCost + n.Size()
	return n
}

// latest are the last messages that came, of so many bytes, a last one over.
func (w *window) latest(bytes int) []*news {
	from := len(w.list)
	for from > 0 && bytes > 0 {
		from--
		bytes -= newsCost + w.list[from].Size()
	}
	return w.list[from:]
}

// search finds a number among what is kept of a stream, or where it would be: mostly
// at the end.
//
//go:noinline
func (s *stream) search(seq uint64) (at int, has bool) {
	lo, at := 0, len(s.kept)
	for lo < at {
		if mid := (lo + at - 1) / 2; s.kept[mid].Seq < seq {
			lo = mid + 1
		} else {
			at = mid
		}
	}
	return at, at < len(s.kept) && s.kept[at].Seq == seq
}

// get returns the message of a stream with a number; nil if it is not in the window.
//
//go:noinline
func (s *stream) get(seq uint64) *news {
	if at, has := s.search(seq); has {
		return s.kept[at]
	}
	return nil
}

// has says whether a message was had already.
func (s *stream) has(seq uint64) bool { return seq <= s.last || s.get(seq) != nil }

// next returns what is to be heard next of a stream, nil for nothing yet, and whether
// something before it was lost: to all, or to those who were up before this process.
// If it is forced, it does not wait for that.
func (w *window) next(s *stream, forced bool) (n *news, lost loss) {
	if s.heard == len(s.kept) {
		return nil, lostNothing
	}
	n = s.kept[s.heard]
	if before := n.Seq - n.Step; before > s.last {
		old := w.age(n.sent) + n.Since
		if old < wire.Window && old < w.up() && !forced {
			n.waited = true
			return nil, lostNothing
		}
		wasUp := old < w.up() || w.up() == wire.Window
		switch {
		case n.waited || s.last > 0 && wasUp:
			lost = lostToAll
		case old < wire.Window:
			lost = lostToGuests
		}
	}
	s.last = n.Seq
	s.heard++
	return n, lost
}

// loss is who misses something of a stream.
type loss uint8

const (
	lostNothing loss = iota
	lostToGuests
	lostToAll
)

// oldest returns the message that leaves the window next, if it is its time: it is no
// news any more, or there are too many.
func (w *window) oldest() *news {
	if len(w.list) == 0 || w.age(w.list[0].sent) < wire.Window && len(w.list) <= mostNews && w.bytes <= mostBytes {
		return nil
	}
	return w.list[0]
}

// leave takes the oldest message, which was heard, out of the window.
func (w *window) leave() {
	n := w.list[0]
	drop(&w.list, 0)
	s := n.stream
	at, _ := s.search(n.Seq)
	drop(&s.kept, at)
	s.heard--
	n.over = true
	w.bytes -= newsCost + n.Size()
	if len(s.kept) == 0 {
		s.left = w.mono
		drop(&w.active, slices.Index(w.active, s))
	}
}

// isFull says whether what this node's programs send has to wait.
func (w *window) isFull() bool { return len(w.list) > mostNews/4*3 || w.bytes > mostBytes/4*3 }

// forget lets go of streams that are over: of a name that nobody knows any more, or
// that has a later process.
func (w *window) forget(isKnown func(name string) bool) {
	keep(&w.streams, func(s *stream) bool {
		stays, all := isKnown(s.name), w.byName[s.name]
		for _, o := range all {
			stays = stays && !older(s.instance, o.instance)
		}
		if stays || len(s.kept) > 0 || w.mono-s.left < 2*newsFor { // others may have it for longer
			return true
		}
		drop(&all, slices.Index(all, s))
		if w.byName[s.name] = all; len(all) == 0 {
			delete(w.byName, s.name)
		}
		return false
	})
}

// isKnownTo says whether a message need not be told to a connection any more.
//
//go:noinline
func (n *news) isKnownTo(c *conn) bool {
	slot := c.place.slot
	return n.over || n.number < c.line.next || slot/64 < len(n.known) && n.known[slot/64]>>(slot%64)&1 != 0
}

// settle takes note that the peer has it, or knows where it is.
//
//go:noinline
func (n *news) settle(c *conn) {
	slot := c.place.slot
	for len(n.known) <= slot/64 {
		push(&n.known, 0)
	}
	n.known[slot/64] |= 1 << (slot % 64)
}

// isSmall says whether a message is sent as rumors are.
func (n *news) isSmall() bool { return len(n.Topic)+len(n.Payload) <= smallNews }

const smallNews = 256 // bytes of topic and payload

// says says whether a message is one that programs hear.
func (n *news) says() bool { return n.Verb == wire.VerbSend || n.Verb == wire.VerbAsk }

// kept is a string that outlives the frame or the command that it came in.
//
//go:noinline
func kept(s string) string { return strings.Clone(s) }

//go:noinline
func keptAll(from []string) (all []string) {
	for _, s := range from {
		push(&all, kept(s))
	}
	return all
}
