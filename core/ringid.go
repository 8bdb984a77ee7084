package core

import (
	"slices"
	"strconv"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// youth is for how long the ring of who dials is young: it may have been formed by
// nodes that met each other before they met the ring that they were to join.
const youth = Hour

// ringIDs owns what tells this node's ring from others of its name: a few ids, the
// oldest ones that were ever heard of. A node that was never with another has none.
//
// Wherever records of a ring go, its ids go before: who knows a node has an id that
// this one has too. So nobody is refused by one of those whom it knows.
type ringIDs struct {
	*self
	replica *replica
	overlay *overlay
	set     []wire.RingID // ascending; not changed in place, but replaced
	minted  wire.RingID   // was said to nodes without ids, of which none has shown yet that it took it
	met     int64         // of a guest: when it had a gateway last
}

func newRingIDs(s *self, rep *replica, o *overlay) ringIDs {
	return ringIDs{self: s, replica: rep, overlay: o}
}

// lets says whether the ids of a peer, and what was dialled for, are no reason to
// refuse it. Guests bring no rings together.
func (ids *ringIDs) lets(theirs []wire.RingID, unite wire.Unite, dialed, guest bool) bool {
	switch {
	case share(ids.set, theirs) || len(theirs) == 0:
		return true
	case len(ids.set) == 0:
		return guest || dialed || unite != wire.UniteNever || !ids.cfg.Joins && len(ids.cfg.Join) == 0 // else it is on its way to another, or the same
	case guest || unite == wire.UniteNever:
		return false
	case unite == wire.UniteAdd:
		return true
	case dialed:
		theirs = ids.set
	}
	return ids.wall-theirs[0].Start < youth
}

// why says why a peer is refused.
//
//go:noinline
func (ids *ringIDs) why(h *wire.Hello) string {
	if len(ids.set) == 0 {
		return ids.cfg.Name + " has yet to join its ring: until then it lets nobody in who is of one. If that is its ring, add it there"
	}
	return h.Name + " and " + ids.cfg.Name + " are of two rings that have the same name: their ids are " + strconv.FormatUint(h.IDs[0].Nonce, 16) + " and " + strconv.FormatUint(ids.set[0].Nonce, 16) +
		". To make them one, add a node of the other ring. Else an address is wrong, or another's by now; a node that is to change its ring needs an empty data folder"
}

// say returns what a hello says, and takes note of it. Who lets the first other in
// mints an id.
//
//go:noinline
func (ids *ringIDs) say(c *conn) []wire.RingID {
	c.knows = ids.set
	if !c.dialed && len(ids.set)+len(c.hello.IDs) == 0 && !c.hello.Ephemeral {
		if ids.minted == (wire.RingID{}) {
			ids.minted = wire.RingID{Start: ids.wall, Nonce: ids.cfg.Instance.Nonce}
		}
		c.knows = []wire.RingID{ids.minted}
	}
	return c.knows
}

// meet takes note of a peer that this node lets in. Who dialled has the last word of
// the two: the other has let it in. So that one waits for a word.
func (ids *ringIDs) meet(c *conn) {
	c.knows = union(c.knows, c.hello.IDs)
	c.unsure = !c.dialed && !c.hello.Ephemeral
	if !c.unsure {
		ids.take(c, c.hello.IDs)
	}
}

// take makes the ids of a peer this node's, too. A guest has those of its gateway.
func (ids *ringIDs) take(c *conn, theirs []wire.RingID) {
	if c.hello.Ephemeral || len(theirs)+len(c.knows) == 0 && !ids.cfg.Ephemeral { // it has none, and was not told one
		return
	}
	all := theirs
	if !ids.cfg.Ephemeral {
		all = union(union(ids.set, theirs), ids.own())
	}
	ids.minted = wire.RingID{}
	if slices.Equal(all, ids.set) {
		return
	}
	ids.set = all
	ids.replica.unsaved.rest = ids.replica.version + 1
	ids.replica.version++
	for _, other := range ids.overlay.live {
		ids.tell(other)
	}
}

// own returns the id that was minted and not taken yet, if there is one.
func (ids *ringIDs) own() []wire.RingID {
	if ids.minted == (wire.RingID{}) {
		return nil
	}
	return []wire.RingID{ids.minted}
}

// tell sends the ids to a peer that may not have them all.
//
//go:noinline
func (ids *ringIDs) tell(c *conn) {
	if all := union(c.knows, ids.set); len(ids.set) > 0 && !slices.Equal(all, c.knows) {
		c.knows = all
		ids.send(c, &wire.Frame{Kind: wire.KindIDs, IDs: ids.set})
	}
}

// lapse ends a guest's membership, when it was long without a gateway.
func (ids *ringIDs) lapse() {
	if len(ids.overlay.live) > 0 {
		ids.met = ids.now
	} else if ids.cfg.Ephemeral && ids.now-ids.met > EphemeralTTL {
		ids.set = nil
	}
}

// derive makes ids for a ring that has none since its nodes did not know of ids: of
// its oldest members' records, so that each node makes much the same.
func (ids *ringIDs) derive() {
	if len(ids.set) > 0 || ids.replica.alone() || ids.cfg.Ephemeral {
		return
	}
	for _, rec := range ids.replica.nodes.Records(lww.Range{}) {
		if isKept(rec) && rec.Rank == rankAdd {
			ids.set = union(ids.set, []wire.RingID{{Start: rec.Stamp, Nonce: rec.Sum()}})
		}
	}
}

// share says whether two have an id in common.
func share(a, b []wire.RingID) bool {
	for _, id := range a {
		if slices.Contains(b, id) {
			return true
		}
	}
	return false
}

// union returns the oldest ids of both.
//
//go:noinline
func union(a, b []wire.RingID) []wire.RingID {
	if len(b) == 0 || slices.Equal(a, b) { // as all of a ring have them, but for a while
		return a
	}
	all := make([]wire.RingID, 0, wire.MaxIDs)
	for len(all) < wire.MaxIDs && len(a)+len(b) > 0 {
		switch {
		case len(a) == 0 || len(b) > 0 && b[0].Before(a[0]):
			a, b = b, a
		case len(b) > 0 && a[0] == b[0]:
			b = b[1:]
		}
		all, a = append(all, a[0]), a[1:]
	}
	return all
}
