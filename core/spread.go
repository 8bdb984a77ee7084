package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/wire"
)

// How messages spread. Small ones go as rumors do. Larger ones go along a tree of
// eager connections and as ids by all others (Leitão, Pereira and Rodrigues,
// Epidemic broadcast trees, SRDS 2007, section 3). No connection is eager at first:
// who lacks what it was told of asks for it, and makes one so.
//
// While many speak at once all this happens to many messages before anybody hears of it:
// a circle of eager connections is opened in one place, not in each where a message went
// around it, and who is cut off asks one other, not one for each message.
const (
	underWay   = 64 << 10 // bytes of messages and answers that a peer has not said that it took
	tookEvery  = underWay / 4
	leastFrame = 512 // bytes that a frame counts for, at least
	newsBytes  = 16 << 10
	maxOwn     = 1024              // messages that one connection alone is owed
	maxLacks   = 4096              // messages that others are known to have
	eagerFirst = 200 * Millisecond // for what others have to come by itself
	eagerNext  = eagerFirst / 2    // until the next of them is asked
	maxTellers = 4                 // of them
	showEvery  = eagerNext         // to the next ids on a connection
	openFor    = Second            // a circle is opened within, more or less
	maxIDs     = 512               // in a frame
	guestNews  = flushBytes / 4    // bytes for all guests in a flush, a last frame over
)

// line is what messages know of a connection.
type line struct {
	next    uint64  // the number of the first message that the peer may lack
	own     []*news // what it alone is owed, in order
	eager   bool    // larger messages are sent at once
	doubted bool    // a guest: what it said may have waited here for too long
	hears   bool    // a guest: it has said which topics
	large   int64   // the ring's clock when a larger message came last,
	sent    int64   // and when some of those were sent,
	shown   int64   // or their ids

	out      uint64 // bytes that were sent, and that the peer has not said that it took
	in       uint64 // bytes that came, and of which it was not said
	compared int64  // the ring's clock when it was last shown what was seen, in answer
	met      int64  // the time of newsTime when it was established
	topics   []string
	may      *Topics // a guest: see Input.Topics
}

// newsID names a message.
type newsID struct {
	name     string
	instance wire.Instance
	seq      uint64
}

// spread owns how messages get to the peers of this node.
type spread struct {
	_ incomparable
	*self
	overlay  *overlay
	window   *window
	lacks    map[newsID]*lack
	lacking  []*lack // in the order of their coming; some may be here by now
	flushing bool
	wanting  bool
	turn     int // which of the connections is first among the guests at the next flush
	shown    int // which of the active streams is first, where they are too many to be compared at once
}

// room says whether a connection bears more messages now.
func (c *conn) room() bool { return c.line.out < underWay }

// put sends a frame of messages or answers.
//
//go:noinline
func (sp *spread) put(c *conn, f *wire.Frame) {
	start := len(sp.buf)
	sp.send(c, f)
	c.line.out += frameCost(len(sp.buf) - start)
}

func frameCost(size int) uint64 { return uint64(max(size, leastFrame)) }

// show sends a frame that has streams alone.
//
//go:noinline
func (sp *spread) show(c *conn, kind wire.Kind, window uint64, streams ...wire.Stream) {
	sp.send(c, &wire.Frame{Kind: kind, Window: window, Streams: streams})
}

// showIDs shows ids of messages.
//
//go:noinline
func (sp *spread) showIDs(c *conn, kind wire.Kind, ids []wire.Stream) {
	for ; len(ids) > maxIDs; ids = ids[maxIDs:] {
		sp.show(c, kind, 0, ids[:maxIDs]...)
	}
	sp.show(c, kind, 0, ids...)
}

// came takes note of a frame of messages or answers, and says so now and then.
//
//go:noinline
func (sp *spread) came(c *conn, size int) {
	if c.line.in += frameCost(size); c.line.in >= tookEvery {
		sp.send(c, &wire.Frame{Kind: wire.KindTook, Bytes: c.line.in})
		c.line.in = 0
	}
}

// acked takes the peer's word for what it took: so many bytes, or all.
func (sp *spread) acked(c *conn, bytes uint64) {
	if c.line.out -= min(bytes, c.line.out); bytes == 0 {
		c.line.out = 0
	}
	sp.soon(coalesce)
}

// meet begins with a connection: it is owed what comes from now on.
func (sp *spread) meet(c *conn) {
	may := c.line.may
	c.line = line{next: sp.window.end, met: sp.newsTime(), may: may, eager: sp.cfg.Ephemeral}
}

// news spreads a message that this node has from now on.
func (sp *spread) news(n *news, from *conn) {
	delete(sp.lacks, newsID{n.Name, n.Instance, n.Seq})
	if from != nil {
		n.settle(from)
		if !n.isSmall() {
			from.line.large = sp.now
		}
	}
	if sp.cfg.Ephemeral && from != nil {
		return // a guest sends on nothing, to whatever gateway
	}
	for _, c := range sp.overlay.live {
		if c.line.eager && !c.guest && !n.isSmall() && !n.isKnownTo(c) && c.room() && sp.now >= c.line.sent+coalesce {
			n.settle(c)
			b := batch{sp: sp, c: c}
			b.add(n)
			b.send()
		}
	}
	sp.soon(coalesce)
}

func (sp *spread) isOld(n *news) bool { return n.over || sp.window.age(n.sent) >= wire.Window }

// again takes note that a peer has sent what was here: of larger ones one copy is enough.
// While more of them come it is soon enough to say so some time, as it is that somebody
// does of a circle of connections.
//
//go:noinline
func (sp *spread) again(n *news, c *conn) {
	n.settle(c)
	if n.isSmall() || c.guest || sp.cfg.Ephemeral {
		return
	}
	if sp.rand.Int64N(openFor) < sp.now-c.line.large {
		c.line.eager = false
		sp.show(c, wire.KindWant, 0)
	}
	c.line.large = sp.now
}

// owe makes a message owed to one connection, which is not owed it with all others.
//
//go:noinline
func (sp *spread) owe(c *conn, n *news) {
	if l := &c.line; len(l.own) < maxOwn && n.isKnownTo(c) && !slices.Contains(l.own, n) {
		push(&l.own, n)
		sp.soon(coalesce)
	}
}

//go:noinline
func (sp *spread) soon(d int64) {
	if !sp.flushing {
		sp.flushing = true
		sp.after(d, newsDue, "", 0)
	}
}

// flush sends what is owed, as debts do, and says whether anything is left.
func (sp *spread) flush() (owed bool) {
	var others []*conn
	peers := 0
	for _, c := range sp.overlay.live {
		if !c.guest {
			peers++
			if c.line.next < sp.window.end || len(c.line.own) > 0 {
				push(&others, c)
			}
		}
	}
	sp.shuffle(others)
	most := max(fanout, (peers+flushes-1)/flushes)
	for i, c := range others {
		sp.sendOwn(c)
		if sp.sendShared(c, i < most) {
			owed = true
		}
		owed = owed || len(c.line.own) > 0
	}
	full := len(sp.buf) + guestNews
	live := sp.overlay.live
	for i, from := 0, sp.turn; i < len(live); i++ {
		at := (from + i) % len(live)
		if c := live[at]; c.guest && len(c.line.own) > 0 {
			if len(sp.buf) < full {
				sp.turn = at
				sp.sendOwn(c)
			}
			owed = owed || len(c.line.own) > 0
		}
	}
	return owed
}

// batch is messages for a connection that are sent together.
type batch struct {
	sp   *spread
	c    *conn
	all  []wire.Message
	size int
}

// add adds a message as it is sent now. A guest is told of one that waited for too long.
//
//go:noinline
func (b *batch) add(n *news) {
	b.all = append(b.all, n.Message)
	m := &b.all[len(b.all)-1]
	m.Age = b.sp.window.age(n.sent)
	if b.c.guest {
		if b.c.owes(1); m.Verb == wire.VerbAsk {
			b.c.owes(frameUnits(wire.MaxPayload))
		}
		m.Step, m.Since = m.Seq, wire.Window
		if b.sp.isOld(n) {
			m.Age = 0
			empty(m, wire.VerbGap)
		}
	}
	if b.size += m.Size(); b.size >= newsBytes {
		b.send()
	}
}

//go:noinline
func (b *batch) send() {
	if len(b.all) > 0 {
		b.sp.put(b.c, &wire.Frame{Kind: wire.KindMessage, Messages: b.all})
		b.all, b.size, b.c.line.sent = nil, 0, b.sp.now
	}
}

// empty makes of a message another that says nothing.
//
//go:noinline
func empty(m *wire.Message, verb wire.Verb) {
	m.Verb, m.Topic, m.Payload, m.Wait, m.Filter = verb, "", "", 0, nil
}

// sendOwn sends what one connection alone is owed, in order.
func (sp *spread) sendOwn(c *conn) {
	b := batch{sp: sp, c: c}
	for len(c.line.own) > 0 && c.room() {
		if n := c.line.own[0]; c.guest || !sp.isOld(n) {
			b.add(n)
		}
		drop(&c.line.own, 0)
	}
	b.send()
}

// sendShared sends what a connection lacks of what all are owed: larger ones if it is
// eager, else their ids now and then, and the rest if it is its turn. It says whether
// something is left.
func (sp *spread) sendShared(c *conn, turn bool) (left bool) {
	b := batch{sp: sp, c: c}
	var have []wire.Stream
	w, next := sp.window, sp.window.end
	show := sp.now >= c.line.shown+showEvery
	for _, n := range w.list[len(w.list)-int(min(w.end-c.line.next, uint64(len(w.list)))):] {
		switch {
		case n.isKnownTo(c) || sp.isOld(n) || sp.cfg.Ephemeral && n.from != 0:
			continue
		case !n.isSmall() && !c.line.eager && show:
			push(&have, wire.Stream{Name: n.Name, Instance: n.Instance, Seqs: []uint64{n.Seq}})
		case (c.line.eager && !n.isSmall() || turn && n.isSmall()) && c.room():
			b.add(n)
		default:
			if !left {
				left, next = true, n.number
			}
			continue
		}
		n.settle(c)
	}
	b.send()
	if len(have) > 0 {
		c.line.shown = sp.now
		sp.showIDs(c, wire.KindHave, have)
	}
	c.line.next = next
	return left
}
