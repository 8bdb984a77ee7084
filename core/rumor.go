package core

import (
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// A changed record is a rumor, owed to every connected node that has not shown
// that it knows it. On a connected overlay that reaches everybody. Few are sent the record
// itself. The others are told by its digest when those few had time to send it on: mostly
// they know it by then, and a digest is a fifth as long. (Plumtree's lazy push: Leitão,
// Pereira and Rodrigues, SRDS 2007, section 3; but who is eager is drawn anew each time,
// since what is to spread is often that some of those are gone.)
const (
	fanout        = 4                // nodes that a flush sends to, and
	flushes       = 3                // more, where it would take more flushes than so many
	coalesce      = 5 * Millisecond  // from one flush to what changes next, at least
	flushEvery    = 25 * Millisecond // to the next of messages,
	rumorEvery    = 10 * Millisecond // and of rumors, until nobody is owed
	manyOwed      = 16               // debts, with more of which the next is as late as of messages: else frames would be many
	eager         = 3                // peers that are sent a record itself
	eagerOfDeaths = 5                // if it says that a node is suspect or down, or that a suspect is not
	eagerAtFirst  = 2 * outbound     // if it came from whom it is of: all connections, mostly
	tellAfter     = 10 * Millisecond // from a change to its digests
	rumorBytes    = 16 << 10         // of records in a frame
	flushBytes    = 1 << 20          // of frames in a flush, a last one over
)

// flush sends what is owed: to fanout of the nodes, or a third of them where they
// are many, as for a node that all join by, or all, what is first heard of here; then to
// all guests, who have nobody else, as far as one flush goes.
func (ds *debts) flush() {
	ds.flushing, ds.flushed = false, ds.now
	full := len(ds.buf) + flushBytes
	var others []*conn
	peers := 0
	for _, c := range ds.overlay.live {
		if !c.guest {
			peers++
			if ds.owes(c) {
				push(&others, c)
			}
		}
	}
	ds.shuffle(others)
	quickestFirst(others)
	most := max(fanout, (peers+flushes-1)/flushes)
	if ds.wide {
		ds.wide, most = false, max(most, eagerAtFirst)
	}
	for _, c := range others[:min(most, len(others))] {
		if len(ds.buf) < full {
			ds.sendRumor(c, false)
			ds.tell(c)
		}
	}
	live := ds.overlay.live
	for i, from := 0, ds.turn; i < len(live) && len(ds.buf) < full; i++ {
		ds.turn = (from + i) % len(live)
		if c := live[ds.turn]; c.guest {
			ds.sendRumor(c, true)
		}
	}
	switch owed := ds.trim(); {
	case owed && len(ds.list) > manyOwed:
		ds.flushSoon(flushEvery)
	case owed:
		ds.flushSoon(rumorEvery)
	}
}

// quickestFirst puts the one first whose answers take the shortest: one of those that are eager
// goes where it is soonest, the others anywhere, so that no place is left out.
func quickestFirst(conns []*conn) {
	first := 0
	for i, c := range conns {
		if t, least := c.trip.mean, conns[first].trip.mean; t > 0 && (t < least || least == 0) {
			first = i
		}
	}
	if len(conns) > 0 {
		conns[0], conns[first] = conns[first], conns[0]
	}
}

func (ds *debts) sendRumor(c *conn, whole bool) {
	if records := ds.take(c, whole); len(records) > 0 {
		ds.rumor(c, records...)
	}
}

// tell tells a peer of what was sent to others a while ago, and settles it.
func (ds *debts) tell(c *conn) {
	if ds.next(c) == nil {
		return
	}
	var digests []uint64
	for _, d := range ds.behind(c) {
		if ds.now < d.at+tellAfter {
			break
		}
		if d.lacks(c) && d.byDigest(c) {
			push(&digests, wire.Digest(d.rec.Hash(), d.rec.Sum()))
			d.settle(c)
		}
	}
	ds.next(c)
	ds.sendDigests(c, wire.KindKnown, digests)
}

// take settles what fits a frame by sending it: leaves first, since who leaves
// is soon unable to say so; and, if it is the whole, also that of which peers are told.
// What it returns is for the frame that is sent next.
func (ds *debts) take(c *conn, whole bool) []wire.Record {
	if !ds.owes(c) {
		return nil
	}
	records, size := ds.space[:0], 0
	put := func(id wire.SetID, rec *lww.Record) bool {
		w := frameRecord(id, rec)
		n := w.Size()
		if size > 0 && size+n > rumorBytes {
			return false
		}
		size += n
		records = append(records, w)
		return true
	}
	due := func(d *debt) bool { return d.lacks(c) && (whole || !d.byDigest(c)) }
	pay := func(d *debt) bool {
		if !put(d.set, d.rec) {
			return false
		}
		d.settle(c)
		if d.copies > 0 && c.knowsDigests() {
			d.copies--
		}
		return true
	}
	for _, d := range ds.leaves {
		if due(d) {
			add := ds.by.get(ds.replica.nodes.Get(d.rec.Name))
			if add == nil || !due(add) || pay(add) { // of nobody it would be no news
				pay(d)
			}
		}
	}
	own := c.place.own
	for ; len(own) > 0; own = own[1:] {
		if rec := ds.replica.record(own[0]); rec != nil {
			if !put(own[0].set, rec) {
				break
			}
			ds.settle(c, rec)
		}
	}
	if c.place.own = own; len(own) == 0 {
		c.place.own = nil
	}
	for _, d := range ds.behind(c) {
		if due(d) && !pay(d) {
			break
		}
	}
	ds.next(c)
	ds.space = records
	return records
}
