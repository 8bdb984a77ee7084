package core

import (
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// A changed record is a rumor, owed to every connected node that has not shown
// that it knows it. On a connected overlay that reaches everybody.
const (
	fanout     = 4                // nodes that a flush sends to, and
	flushes    = 3                // more, where it would take more flushes than so many
	coalesce   = 5 * Millisecond  // from the first change to the first flush
	flushEvery = 25 * Millisecond // to the next, until nobody is owed
	rumorBytes = 16 << 10         // of records in a frame
	flushBytes = 1 << 20          // of frames in a flush, a last one over
)

// flush sends what is owed: to fanout of the nodes, or a third of them where they
// are many, as for a node that all join by; then to all guests, who have nobody
// else, as far as one flush goes.
func (ds *debts) flush() {
	ds.flushing = false
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
	for _, c := range others[:min(max(fanout, (peers+flushes-1)/flushes), len(others))] {
		if len(ds.buf) < full {
			ds.sendRumor(c)
		}
	}
	live := ds.overlay.live
	for i, from := 0, ds.turn; i < len(live) && len(ds.buf) < full; i++ {
		ds.turn = (from + i) % len(live)
		if c := live[ds.turn]; c.guest {
			ds.sendRumor(c)
		}
	}
	if ds.trim() {
		ds.flushSoon(flushEvery)
	}
}

func (ds *debts) sendRumor(c *conn) {
	if records := ds.take(c); len(records) > 0 {
		ds.rumor(c, records...)
	}
}

// take settles what fits a frame by sending it: leaves first, since who leaves
// is soon unable to say so. What it returns is for the frame that is sent next.
func (ds *debts) take(c *conn) []wire.Record {
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
	pay := func(d *debt) bool {
		if !put(d.set, d.rec) {
			return false
		}
		d.settle(c)
		return true
	}
	for _, d := range ds.leaves {
		if d.lacks(c) {
			add := ds.by.get(ds.replica.nodes.Get(d.rec.Name))
			if add == nil || !add.lacks(c) || pay(add) { // of nobody it would be no news
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
	for d := ds.next(c); d != nil && put(d.set, d.rec); d = ds.next(c) {
		c.place.next = d.number + 1
	}
	ds.space = records
	return records
}
