package sim

import (
	"slices"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// How a record spreads among the rest of a ring: over the connections that its nodes have with
// one another, by the rules of core/rumor.go. Who hears of it sends it to three of its
// peers, of a death to five, of whom one is the nearest, and tells the others 10 and 20 ms later, who ask for it. Who
// is meant itself sends it to all, and so do those who hear of it from it. So when each
// hears of it is known as soon as somebody does: the shortest way (Dijkstra).
const (
	copiesSent = 3 // by who hears of it from somebody else,
	ofDeaths   = 5 // and if it says that one is suspect or down
	toldAtOnce = 4 // of the others, in a flush
	tellAfter  = 10 * core.Millisecond
	tellLater  = 25 * core.Millisecond // where there is so much news:
	manyNews   = 16
)

// news is a record that not all of the rest have.
type news struct {
	id   wire.SetID
	rec  *lww.Record
	at   []int64 // when each has it
	all  int64   // when the last of those has it whom it reaches
	told map[*line]bool
}

type newsKey struct {
	id   wire.SetID
	name string
}

// hop is a record's way to one of the rest.
type hop struct {
	at   int64
	to   int32
	from int32 // -1: it has it by itself, or by line
	line *line
	own  bool // it is whom the record is of
	near bool // or heard of it from that one
}

// passed is one of the peers to whom a record is passed on: of the rest, or by a line.
type passed struct {
	to   int32
	line *line
	trip int64
}

// newsOf returns the news that a record is; it becomes one, if it is not.
func (r *rest) newsOf(id wire.SetID, rec *lww.Record) *news {
	k := newsKey{id, rec.Name}
	i, is := slices.BinarySearchFunc(r.by[k], rec, func(n *news, rec *lww.Record) int { return n.rec.Compare(rec) })
	if is {
		return r.by[k][i]
	}
	r.settle()
	i, _ = slices.BinarySearchFunc(r.by[k], rec, func(n *news, rec *lww.Record) int { return n.rec.Compare(rec) })
	n := &news{id: id, rec: rec, at: make([]int64, len(r.nodes)), told: make(map[*line]bool)}
	for i := range n.at {
		n.at[i] = never
	}
	r.by[k] = slices.Insert(r.by[k], i, n)
	r.news = append(r.news, n)
	return n
}

// flood finds when each of the rest hears of news from those who have it.
func (r *rest) flood(n *news, from ...hop) {
	r.wave, r.under = r.wave[:0], 0
	for _, n := range r.news {
		if n.all > r.w.now || n.all == 0 {
			r.under++
		}
	}
	for _, h := range from {
		r.push(h)
	}
	for len(r.wave) > 0 {
		h := r.pop()
		if h.at >= n.at[h.to] || r.nodes[h.to].dead {
			continue
		}
		n.at[h.to] = h.at
		n.all = max(n.all, h.at)
		r.passOn(n, &h)
	}
	r.refute(n)
}

// passOn has one that has just heard of it pass it on.
func (r *rest) passOn(n *news, h *hop) {
	m, node := r.machine(h.to), &r.nodes[h.to]
	peers := r.peers[:0]
	for _, to := range node.near {
		if to != h.from {
			peers = append(peers, passed{to: to, trip: r.w.path(m, r.machine(to))})
		}
	}
	if node.talks != nil {
		for _, l := range node.talks.lines {
			if l != h.line && l.open {
				peers = append(peers, passed{line: l, trip: r.w.path(m, l.peer)})
			}
		}
	}
	r.peers = peers
	r.rng.Shuffle(len(peers), func(i, j int) { peers[i], peers[j] = peers[j], peers[i] })
	copies := copiesSent
	if n.id == wire.Up && (n.rec.Rank == rankOfSuspect || n.rec.Rank == rankOfDown) {
		copies = ofDeaths
	}
	if h.own || h.near {
		copies = len(peers)
	}
	tell := int64(tellAfter)
	if r.under > manyNews {
		tell = tellLater
	}
	for i, p := range peers {
		if i == 0 || i >= copies && (i-copies)%toldAtOnce == 0 {
			nearestFirst(peers[i:])
			p = peers[i]
		}
		at, told := h.at+r.late(), i >= copies
		if told {
			at += tell * int64(1+(i-copies)/toldAtOnce)
		}
		if p.line != nil {
			node.talks.owe(p.line, n, at, told)
			continue
		}
		ways := 1
		if told { // it asks, and is sent it
			ways = 3
		}
		for range ways {
			at += r.jitter(p.trip)
		}
		if at < n.at[p.to] {
			r.push(hop{at: at, to: p.to, from: h.to, near: h.own})
		}
	}
}

func nearestFirst(peers []passed) {
	first := 0
	for i := range peers {
		if peers[i].trip < peers[first].trip {
			first = i
		}
	}
	peers[0], peers[first] = peers[first], peers[0]
}

// late is how late a timer is.
func (r *rest) late() int64 { return 1 + r.rng.Int64N(core.Millisecond) }

// trip is the time of a frame between two machines, one of them of the rest; jitter is that
// of a path with such a latency.
func (r *rest) trip(a, b *Machine) int64 { return r.jitter(r.w.path(a, b)) }

func (r *rest) jitter(base int64) int64 { return base + r.rng.Int64N(base/4+1) }

// refute has one of the rest that lives, and is said not to, say otherwise as soon as it hears of it.
func (r *rest) refute(n *news) {
	if n.id != wire.Up || n.rec.Rank == 0 {
		return
	}
	m := r.w.byName[n.rec.Name]
	if m == nil {
		return
	}
	if i, is := r.at(m); is && !r.nodes[i].dead && n.at[i] != never {
		r.awake(m)
		r.nodes[i].talks.refuteAt(n.at[i], n.rec)
	}
}

func (r *rest) push(h hop) {
	s := append(r.wave, h)
	i := len(s) - 1
	for i > 0 {
		up := (i - 1) / 2
		if h.at >= s[up].at {
			break
		}
		s[i] = s[up]
		i = up
	}
	s[i] = h
	r.wave = s
}

func (r *rest) pop() hop {
	s := r.wave
	top, n := s[0], len(s)-1
	last := s[n]
	s = s[:n]
	r.wave = s
	for i := 0; n > 0; {
		down := 2*i + 1
		if down+1 < n && s[down+1].at < s[down].at {
			down++
		}
		if down >= n || s[down].at >= last.at {
			s[i] = last
			break
		}
		s[i] = s[down]
		i = down
	}
	return top
}
