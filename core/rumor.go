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
)

// flush sends what is owed: to all guests, who have nobody else, and to fanout
// of the others, or a third of them where they are many, as for a node that all
// join by.
func (r *Ring) flush() {
	r.flushing = false
	var others []*conn
	peers := 0
	for _, c := range r.live {
		if !c.guest {
			peers++
		}
		if c.owing == 0 {
			continue
		}
		if c.guest {
			r.sendRumor(c)
		} else {
			others = append(others, c)
		}
	}
	r.rand.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	for _, c := range others[:min(max(fanout, (peers+flushes-1)/flushes), len(others))] {
		r.sendRumor(c)
	}
	r.debts.cool()
	if len(r.debts.hot) > 0 {
		r.flushing = true
		r.after(flushEvery, r.flush)
	}
}

func (r *Ring) sendRumor(c *conn) {
	if records := r.take(c); len(records) > 0 {
		r.send(c, &wire.Frame{Kind: wire.KindRumor, Records: records})
	}
}

// take settles what fits a frame by sending it: leaves first, since who leaves
// is soon unable to say so.
func (r *Ring) take(c *conn) (records []wire.Record) {
	if c.owing == 0 {
		return nil
	}
	size := 0
	put := func(h *hot) bool {
		w := frameRecord(h.set, h.rec)
		if size > 0 && size+w.Size() > rumorBytes {
			return false
		}
		size += w.Size()
		records = append(records, w)
		h.settle(c)
		return true
	}
	for _, h := range r.debts.hot {
		if h.set == wire.Up && h.rec.Rank == rankLeft && h.owes(c) {
			add := r.debts.by[r.nodes.Get(h.name)]
			if add == nil || !add.owes(c) || put(add) { // of nobody it would be no news
				put(h)
			}
		}
	}
	for _, h := range r.debts.hot {
		if h.owes(c) && !put(h) {
			break
		}
	}
	return records
}

// record finds a record by its key, an expired tombstone too.
func (r *Ring) record(k key) *lww.Record {
	if rec := r.set(k.set).Get(k.name); rec != nil {
		return rec
	}
	if e := r.expired[k.name]; e != nil && k.set == wire.Nodes {
		return e.record
	}
	return nil
}

func frameRecord(id wire.SetID, rec *lww.Record) wire.Record {
	return wire.Record{Set: id, Name: rec.Name, Stamp: rec.Stamp, Rank: rec.Rank, Value: rec.Value}
}
