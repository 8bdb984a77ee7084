package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// What is owed to one peer is bounded: beyond, the fingerprints do the work.
const (
	maxOwed = 1000            // changed records that are kept for those who lack them
	farOff  = maxOwed * 3 / 4 // who lacks more of them, when there are so many, is owed none
)

// debt is a changed record, owed to all who are behind it, but for those who know it.
type debt struct {
	set    wire.SetID
	rec    *lww.Record // nil when there is a later one, or none any more
	number uint64
	at     int64    // the ring's clock when it became one
	copies uint8    // so many more peers are sent it; others that know digests are told
	known  uint64   // to whom: a bit for each of the first connections' slots,
	others []uint64 // and for those behind them
	chain  *debt    // see debtTable
}

// debts owns what a node owes to the peers that it is connected with, and sends
// it, or tells them of it: see flush. A change costs the same however many they are: it is put at the end
// of one list, in which each connection has its place.
type debts struct {
	*self
	replica  *replica
	overlay  *overlay
	list     []*debt // oldest first, their numbers ascending by one
	end      uint64  // the number of the next
	leaves   []*debt // of list: that somebody left
	by       debtTable
	slots    []bool        // that connections have
	flushing bool          // a flush is armed
	flushed  int64         // the ring's clock at the last one
	wide     bool          // the next goes to more
	turn     int           // which of the connections is first among the guests at the next flush
	space    []wire.Record // of what is taken for a frame
}

// place is how far a connection is in a node's debts.
type place struct {
	slot int
	next uint64 // the number of the first debt that it may lack
	own  []key  // what it alone is owed
}

func newDebts(s *self, rep *replica, o *overlay) debts {
	return debts{self: s, replica: rep, overlay: o}
}

// lacks says whether a debt is one to a connection.
//
//go:noinline
func (d *debt) lacks(c *conn) bool {
	if d.rec == nil || d.number < c.place.next {
		return false
	}
	slot := c.place.slot
	if slot < 64 {
		return d.known>>slot&1 == 0
	}
	return slot/64 > len(d.others) || d.others[slot/64-1]>>(slot%64)&1 == 0
}

// settle takes note that the peer knows it.
//
//go:noinline
func (d *debt) settle(c *conn) {
	slot := c.place.slot
	if slot < 64 {
		d.known |= 1 << slot
		return
	}
	for len(d.others) < slot/64 {
		push(&d.others, 0)
	}
	d.others[slot/64-1] |= 1 << (slot % 64)
}

// byDigest says whether a peer is told of a debt, and sent it if it lacks it.
func (d *debt) byDigest(c *conn) bool { return d.copies == 0 && c.knowsDigests() }

// behind returns the debts among which are those to a connection.
func (ds *debts) behind(c *conn) []*debt { return ds.list[len(ds.list)-int(ds.end-c.place.next):] }

// next returns the first debt to a connection, nil if there is none. An authority is
// not told what changed, but by its guest of the guest.
//
//go:noinline
func (ds *debts) next(c *conn) *debt {
	p := &c.place
	if c.authority {
		p.next = ds.end
	}
	for ; p.next < ds.end; p.next++ {
		if d := ds.list[len(ds.list)-int(ds.end-p.next)]; d.lacks(c) {
			return d
		}
	}
	return nil
}

// owes says whether anything is owed to a connection.
//
//go:noinline
func (ds *debts) owes(c *conn) bool { return len(c.place.own) > 0 || ds.next(c) != nil }

// settle takes note that the peer knows a record.
//
//go:noinline
func (ds *debts) settle(c *conn, rec *lww.Record) {
	if c.place.next == ds.end {
		return // as mostly
	}
	if d := ds.by.get(rec); d != nil && d.lacks(c) {
		d.settle(c)
	}
}

//go:noinline
func (ds *debts) settleAll(c *conn) { c.place.next, c.place.own = ds.end, nil }

// drop forgets what is owed of a record that is no more.
//
//go:noinline
func (ds *debts) drop(rec *lww.Record) {
	if d := ds.by.remove(rec); d != nil {
		d.rec = nil
	}
}

// admit gives a connection that is established its place.
//
//go:noinline
func (ds *debts) admit(c *conn) {
	slot := slices.Index(ds.slots, false)
	if slot < 0 {
		slot = len(ds.slots)
		ds.slots = append(ds.slots, false)
	}
	ds.slots[slot] = true
	c.place = place{slot: slot, next: ds.end}
}

// dismiss takes back the place of a connection that is over.
func (ds *debts) dismiss(c *conn) { ds.slots[c.place.slot] = false }

// changed makes a record owed to all but the one who brought it.
func (ds *debts) changed(ch *change) {
	ds.drop(ch.old)
	if ch.record == nil {
		ds.drop(ch.before.presence)
		if ch.set == wire.Nodes && ds.replica.expired[ch.name] == nil {
			ds.drop(ch.before.node)
		}
		return
	}
	if ch.after.presence == nil {
		ds.drop(ch.before.presence) // a guest's, whose name it is no more
	}
	live := ds.overlay.live
	if len(live) == 0 || len(live) == 1 && ch.from == &live[0].asserter {
		return // there is nobody else
	}
	if ds.cfg.Ephemeral {
		for _, c := range live {
			if &c.asserter != ch.from {
				ds.oweTo(c, ch.set, ch.name)
			}
		}
		return
	}
	if len(ds.list) >= maxOwed {
		for _, c := range live {
			if ds.end-c.place.next > farOff {
				ds.settleAll(c)
			}
		}
		ds.trim()
	}
	d := &debt{set: ch.set, rec: ch.record, number: ds.end, at: ds.now, copies: eager}
	if ch.from == nil && ch.name == ds.cfg.Name || ch.from != nil && ch.from.name == ch.name {
		d.copies, ds.wide = eagerAtFirst, true // nobody else has it from who it is of
	} else if ch.before.state == Suspect || ch.after.state == Suspect || ch.after.state == Down {
		d.copies = eagerOfDeaths
	}
	push(&ds.list, d)
	ds.by.put(d)
	ds.end++
	if d.set == wire.Up && d.rec.Rank == rankLeft {
		push(&ds.leaves, d)
	}
	if ch.from != nil {
		if c := ds.overlay.peer(ch.from.name); c != nil && &c.asserter == ch.from {
			d.settle(c)
		}
	}
	ds.flushSoon(max(0, ds.flushed+coalesce-ds.now))
}

// oweTo makes the record of a name owed to one peer.
func (ds *debts) oweTo(c *conn, id wire.SetID, name string) {
	rec := ds.replica.record(key{id, name})
	if rec == nil || c.authority && !(ds.cfg.Ephemeral && name == ds.cfg.Name) {
		return
	}
	if d := ds.by.get(rec); d != nil && d.lacks(c) && !d.byDigest(c) {
		return
	}
	ds.oweItself(c, id, rec)
}

// oweItself makes a record owed to one peer, whatever else it is owed.
func (ds *debts) oweItself(c *conn, id wire.SetID, rec *lww.Record) {
	if len(c.place.own) >= maxOwed {
		ds.settleAll(c)
	}
	c.place.own = append(c.place.own, key{id, rec.Name})
	ds.flushSoon(coalesce)
}

func (ds *debts) flushSoon(d int64) {
	if !ds.flushing {
		ds.flushing = true
		ds.after(d, flushDue, "", 0)
	}
}

// letGo lets go of what the debts grew to, once nothing is owed.
func (ds *debts) letGo() {
	if len(ds.list) == 0 {
		ds.list, ds.leaves, ds.by, ds.space = nil, nil, debtTable{}, nil
	}
}

// trim lets go of what is owed to nobody any more, and says whether anything is.
func (ds *debts) trim() (owed bool) {
	first := ds.end
	for _, c := range ds.overlay.live {
		owed = ds.owes(c) || owed
		first = min(first, c.place.next)
	}
	all, n := ds.list, len(ds.list)-int(ds.end-first)
	for _, d := range all[:n] {
		ds.drop(d.rec)
	}
	ds.list = all[:copy(all, all[n:])]
	clear(all[len(ds.list):])
	still := ds.leaves[:0]
	for _, d := range ds.leaves {
		if d.rec != nil {
			push(&still, d)
		}
	}
	ds.leaves = still
	return owed
}
