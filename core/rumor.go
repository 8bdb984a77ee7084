package core

import (
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
)

// flush sends what is owed: to all guests, who have nobody else, and to fanout
// of the others, or a third of them where they are many, as for a node that all
// join by.
func (ds *debts) flush() {
	ds.flushing = false
	var others []*conn
	peers := 0
	for _, c := range ds.overlay.live {
		if !c.guest {
			peers++
		}
		if c.owing == 0 {
			continue
		}
		if c.guest {
			ds.sendRumor(c)
		} else {
			others = append(others, c)
		}
	}
	ds.rand.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	for _, c := range others[:min(max(fanout, (peers+flushes-1)/flushes), len(others))] {
		ds.sendRumor(c)
	}
	ds.cool()
	if len(ds.list) > 0 {
		ds.flushing = true
		ds.after(flushEvery, flushDue, "", 0)
	}
}

func (ds *debts) sendRumor(c *conn) {
	if records := ds.take(c); len(records) > 0 {
		ds.send(c, &wire.Frame{Kind: wire.KindRumor, Records: records})
	}
}

// take settles what fits a frame by sending it: leaves first, since who leaves
// is soon unable to say so.
func (ds *debts) take(c *conn) (records []wire.Record) {
	if c.owing == 0 {
		return nil
	}
	size := 0
	put := func(d *debt) bool {
		w := frameRecord(d.set, d.rec)
		if size > 0 && size+w.Size() > rumorBytes {
			return false
		}
		size += w.Size()
		records = append(records, w)
		d.settle(c)
		return true
	}
	for _, d := range ds.list {
		if d.set == wire.Up && d.rec.Rank == rankLeft && d.owes(c) {
			add := ds.by[ds.replica.nodes.Get(d.name)]
			if add == nil || !add.owes(c) || put(add) { // of nobody it would be no news
				put(d)
			}
		}
	}
	for _, d := range ds.list {
		if d.owes(c) && !put(d) {
			break
		}
	}
	return records
}
