package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// maxOwed bounds the records that are owed to one peer: beyond, the fingerprints do the work.
const maxOwed = 1000

// key names a record.
type key struct {
	set  wire.SetID
	name string
}

// hot is a changed record, and to whom it is owed: a bit for each connection's slot.
type hot struct {
	key
	rec  *lww.Record
	owed []uint64
}

func (h *hot) owes(c *conn) bool {
	return c.slot/64 < len(h.owed) && h.owed[c.slot/64]>>(c.slot%64)&1 != 0
}

func (h *hot) isOwed() bool {
	for _, bits := range h.owed {
		if bits != 0 {
			return true
		}
	}
	return false
}

// settle takes note that the peer knows a hot record.
func (h *hot) settle(c *conn) {
	if h.owes(c) {
		h.owed[c.slot/64] &^= 1 << (c.slot % 64)
		c.owing--
	}
}

// debts is what a node owes to the peers that it is connected with.
type debts struct {
	hot   []*hot // oldest first
	by    map[*lww.Record]*hot
	slots []bool // that connections have
}

// of returns a record's place among the hot ones. It takes that of the one it replaces.
func (d *debts) of(k key, rec, old *lww.Record) *hot {
	if h := d.by[rec]; h != nil {
		return h
	}
	h := d.by[old]
	if h == nil {
		h = &hot{key: k, owed: make([]uint64, (len(d.slots)+63)/64)}
		d.hot = append(d.hot, h)
	} else {
		delete(d.by, old)
	}
	h.rec = rec
	if d.by == nil {
		d.by = make(map[*lww.Record]*hot)
	}
	d.by[rec] = h
	return h
}

// settle takes note that the peer knows a record.
func (d *debts) settle(c *conn, rec *lww.Record) {
	if c.owing == 0 {
		return
	}
	if h := d.by[rec]; h != nil {
		h.settle(c)
	}
}

func (d *debts) settleAll(c *conn) {
	for i := 0; c.owing > 0; i++ {
		d.hot[i].settle(c)
	}
}

// drop settles a record that is no more.
func (d *debts) drop(rec *lww.Record, live []*conn) {
	if h := d.by[rec]; h != nil {
		for _, c := range live {
			h.settle(c)
		}
	}
}

// cool forgets what is owed to nobody any more.
func (d *debts) cool() {
	still := d.hot[:0]
	for _, h := range d.hot {
		if h.isOwed() {
			still = append(still, h)
		} else {
			delete(d.by, h.rec)
		}
	}
	clear(d.hot[len(still):])
	d.hot = still
	if len(still) == 0 {
		d.hot, d.by = nil, nil // lets go of what they grew to
	}
}

// admit gives a connection that is established a slot.
func (d *debts) admit(c *conn) {
	c.slot = slices.Index(d.slots, false)
	if c.slot < 0 {
		c.slot = len(d.slots)
		d.slots = append(d.slots, false)
	}
	d.slots[c.slot] = true
}

// dismiss takes back the slot of a connection that is over.
func (d *debts) dismiss(c *conn) {
	d.settleAll(c)
	d.slots[c.slot] = false
}

// owe makes a record that took old's place owed to all but the one who brought it.
func (r *Ring) owe(id wire.SetID, rec, old *lww.Record, from *conn) {
	var h *hot
	for _, c := range r.live {
		if c == from {
			r.debts.settle(c, old)
		} else if r.wants(c, rec.Name) {
			if h == nil {
				h = r.debts.of(key{id, rec.Name}, rec, old)
			}
			r.charge(h, c)
		}
	}
}

func (r *Ring) oweTo(c *conn, id wire.SetID, name string) {
	k := key{id, name}
	if rec := r.record(k); rec != nil && r.wants(c, name) {
		r.charge(r.debts.of(k, rec, nil), c)
	}
}

// wants says whether a peer is to be told of a name: an authority is not, but by
// its guest of the guest.
func (r *Ring) wants(c *conn, name string) bool {
	return !c.authority || r.cfg.Ephemeral && name == r.cfg.Name
}

func (r *Ring) charge(h *hot, c *conn) {
	if h.owes(c) {
		return
	}
	if c.owing >= maxOwed {
		r.debts.settleAll(c)
	}
	for len(h.owed) <= c.slot/64 {
		h.owed = append(h.owed, 0)
	}
	h.owed[c.slot/64] |= 1 << (c.slot % 64)
	c.owing++
	if !r.flushing {
		r.flushing = true
		r.after(coalesce, r.flush)
	}
}
