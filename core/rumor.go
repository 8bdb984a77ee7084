package core

import (
	"slices"

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
	maxOwed    = 1000             // beyond, the fingerprints do the work
)

// key names a record.
type key struct {
	set  wire.SetID
	name string
}

// owe makes a record owed to all but the one who brought it.
func (r *Ring) owe(id wire.SetID, name string, from *conn) {
	for _, c := range r.live {
		if c != from {
			r.oweTo(c, id, name)
		}
	}
}

func (r *Ring) oweTo(c *conn, id wire.SetID, name string) {
	k := key{id, name}
	if c.owes[k] || c.authority && (!r.cfg.Ephemeral || name != r.cfg.Name) {
		return
	}
	if len(c.owed) >= maxOwed {
		c.settleAll()
	}
	c.owed = append(c.owed, k)
	c.owes[k] = true
	if !r.flushing {
		r.flushing = true
		r.after(coalesce, r.flush)
	}
}

// settle takes note that the peer knows a record.
func (c *conn) settle(k key) {
	if c.owes[k] {
		delete(c.owes, k)
		c.owed = slices.DeleteFunc(c.owed, func(o key) bool { return o == k })
	}
}

func (c *conn) settleAll() {
	clear(c.owes)
	c.owed = c.owed[:0]
}

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
		if len(c.owed) == 0 {
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
	if slices.ContainsFunc(r.live, func(c *conn) bool { return len(c.owed) > 0 }) {
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
	size := 0
	put := func(k key) bool {
		rec := r.record(k)
		if rec == nil {
			delete(c.owes, k)
			return true
		}
		w := frameRecord(k.set, rec)
		if size > 0 && size+w.Size() > rumorBytes {
			return false
		}
		size += w.Size()
		records = append(records, w)
		delete(c.owes, k)
		return true
	}
	for _, k := range c.owed {
		if rec := r.record(k); k.set == wire.Up && rec != nil && rec.Rank == rankLeft {
			if add := (key{wire.Nodes, k.name}); !c.owes[add] || put(add) { // of nobody it would be no news
				put(k)
			}
		}
	}
	left := c.owed[:0]
	for _, k := range c.owed {
		if c.owes[k] && !put(k) {
			left = append(left, k)
		}
	}
	c.owed = left
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
