package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// maxOwed bounds the records that are owed to one peer: beyond, the fingerprints do the work.
const maxOwed = 1000

// debt is a changed record, and to whom it is owed: a bit for each connection's slot.
type debt struct {
	key
	rec  *lww.Record
	owed []uint64
}

func (d *debt) owes(c *conn) bool {
	return c.slot/64 < len(d.owed) && d.owed[c.slot/64]>>(c.slot%64)&1 != 0
}

func (d *debt) isOwed() bool {
	for _, bits := range d.owed {
		if bits != 0 {
			return true
		}
	}
	return false
}

// settle takes note that the peer knows it.
func (d *debt) settle(c *conn) {
	if d.owes(c) {
		d.owed[c.slot/64] &^= 1 << (c.slot % 64)
		c.owing--
	}
}

// debts owns what a node owes to the peers that it is connected with, and sends
// it: see flush.
type debts struct {
	*self
	replica  *replica
	overlay  *overlay
	list     []*debt // oldest first
	by       map[*lww.Record]*debt
	slots    []bool // that connections have
	flushing bool   // a flush is armed
}

func newDebts(s *self, rep *replica, o *overlay) debts {
	return debts{self: s, replica: rep, overlay: o}
}

// of returns a record's debt. It takes the place of that of the one it replaces.
//
//go:noinline
func (ds *debts) of(k key, rec, old *lww.Record) *debt {
	if d := ds.by[rec]; d != nil {
		return d
	}
	d := ds.by[old]
	if d == nil {
		d = &debt{key: k, owed: make([]uint64, (len(ds.slots)+63)/64)}
		ds.list = append(ds.list, d)
	} else {
		delete(ds.by, old)
	}
	d.rec = rec
	if ds.by == nil {
		ds.by = make(map[*lww.Record]*debt)
	}
	ds.by[rec] = d
	return d
}

// settle takes note that the peer knows a record.
func (ds *debts) settle(c *conn, rec *lww.Record) {
	if c.owing == 0 {
		return
	}
	if d := ds.by[rec]; d != nil {
		d.settle(c)
	}
}

//go:noinline
func (ds *debts) settleAll(c *conn) {
	for i := 0; c.owing > 0; i++ {
		ds.list[i].settle(c)
	}
}

// drop settles a record that is no more.
//
//go:noinline
func (ds *debts) drop(rec *lww.Record) {
	if d := ds.by[rec]; d != nil {
		for _, c := range ds.overlay.live {
			d.settle(c)
		}
	}
}

// cool forgets what is owed to nobody any more.
func (ds *debts) cool() {
	still := ds.list[:0]
	for _, d := range ds.list {
		if d.isOwed() {
			still = append(still, d)
		} else {
			delete(ds.by, d.rec)
		}
	}
	clear(ds.list[len(still):])
	ds.list = still
	if len(still) == 0 {
		ds.list, ds.by = nil, nil // lets go of what they grew to
	}
}

// admit gives a connection that is established a slot.
func (ds *debts) admit(c *conn) {
	c.slot = slices.Index(ds.slots, false)
	if c.slot < 0 {
		c.slot = len(ds.slots)
		ds.slots = append(ds.slots, false)
	}
	ds.slots[c.slot] = true
}

// dismiss takes back the slot of a connection that is over.
func (ds *debts) dismiss(c *conn) {
	ds.settleAll(c)
	ds.slots[c.slot] = false
}

// changed makes a record owed to all but the one who brought it.
func (ds *debts) changed(ch *change) {
	if ch.record == nil {
		ds.drop(ch.before.presence)
		if ch.set == wire.Nodes && ds.replica.expired[ch.name] == nil {
			ds.drop(ch.before.node)
		}
		return
	}
	var d *debt
	for _, c := range ds.overlay.live {
		if &c.asserter == ch.from {
			ds.settle(c, ch.old)
		} else if ds.wants(c, ch.name) {
			if d == nil {
				d = ds.of(key{ch.set, ch.name}, ch.record, ch.old)
			}
			ds.charge(d, c)
		}
	}
}

// oweTo makes the record of a name owed to one peer.
func (ds *debts) oweTo(c *conn, id wire.SetID, name string) {
	k := key{id, name}
	if rec := ds.replica.record(k); rec != nil && ds.wants(c, name) {
		ds.charge(ds.of(k, rec, nil), c)
	}
}

// wants says whether a peer is to be told of a name: an authority is not, but by
// its guest of the guest.
func (ds *debts) wants(c *conn, name string) bool {
	return !c.authority || ds.cfg.Ephemeral && name == ds.cfg.Name
}

func (ds *debts) charge(d *debt, c *conn) {
	if d.owes(c) {
		return
	}
	if c.owing >= maxOwed {
		ds.settleAll(c)
	}
	for len(d.owed) <= c.slot/64 {
		d.owed = append(d.owed, 0)
	}
	d.owed[c.slot/64] |= 1 << (c.slot % 64)
	c.owing++
	if !ds.flushing {
		ds.flushing = true
		ds.after(coalesce, flushDue, "", 0)
	}
}
