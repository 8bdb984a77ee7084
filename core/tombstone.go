package core

import (
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// expired is a durable node's tombstone past TombstoneMinAge: out of the set
// and its fingerprints, but still here to stop an old add from coming back.
type expired struct {
	record *lww.Record
	bye    bool  // the removed node said bye
	since  int64 // the ring's clock
}

func minAge(m *wire.Member) int64 {
	if m.Ephemeral {
		return EphemeralMinAge
	}
	return TombstoneMinAge
}

// timely refuses what is of the future or of the past. A tombstone past its time
// does not count for a name that one lacks, nor does an add that an expired
// tombstone overrules, of which whoever brought it is told; nor does a presence
// of a name that nodes does not have.
func (r *Ring) timely(w *wire.Record, known *standing, c *conn) bool {
	if ahead := w.Stamp - r.wall; ahead > MaxSkew {
		r.emitRarely(Event{Kind: EventSkew, Name: w.Name, Addr: c.addr, Skew: ahead})
		return false
	}
	switch {
	case w.Set == wire.Nodes && w.Rank > rankDel:
		return false
	case w.Name == r.cfg.Name:
		return true
	case w.Set == wire.Up:
		return known.node != nil
	case w.Rank != rankAdd:
		m, err := wire.ParseMember(w.Value)
		return known.node != nil || err == nil && r.wall-w.Stamp <= minAge(&m)
	}
	if e := r.expired[w.Name]; e != nil && compare(e.record, w) >= 0 {
		r.oweTo(c, wire.Nodes, w.Name)
		return false
	}
	return true
}

// expireLater takes a tombstone out of the set when its time is over.
func (r *Ring) expireLater(rec *lww.Record) {
	age := minAge(rec.Parsed.(*wire.Member))
	left := max(0, age-max(r.wall-rec.Stamp, -age)) // it may be ahead by centuries
	if rec.Rank == rankReap {
		left = age // its stamp is the add's, which may be old: it counts from now
	}
	r.fates[rec.Name] = r.after(left, func() {
		if r.nodes.Get(rec.Name) != rec || rec.Name == r.cfg.Name {
			return
		}
		if r.wall-rec.Stamp < age {
			r.expireLater(rec) // the clock was set back
			return
		}
		p := r.up.Get(rec.Name)
		if age == TombstoneMinAge {
			r.expired[rec.Name] = &expired{record: rec, bye: p != nil && p.Rank == rankLeft, since: r.now}
		}
		r.forget(wire.Nodes, rec.Name)
	})
}

// collect forgets expired tombstones that nobody can need any more: the
// removed node is gone, and every durable member has been up, and thus in
// reach of the deletion, for long enough. An old age ends the waiting.
func (r *Ring) collect() {
	for name, e := range r.expired {
		stable := e.bye && r.durable == r.peersUp && r.now-max(r.stableSince, e.since) >= StableFor
		if stable || r.wall-e.record.Stamp > TombstoneMaxAge {
			delete(r.expired, name)
			r.version++
		}
	}
	if r.stale && (r.alone() || r.peersUp > 1 && r.now-r.staleSince >= StableFor) {
		r.fresh() // nobody in reach knows better
	}
}

// reapLater removes a node that is not up, if nothing is heard of it for ttl.
// All who reap write the same record.
func (r *Ring) reapLater(s *standing, ttl int64) {
	name := s.node.Name
	if r.cfg.Ephemeral || name == r.cfg.Name {
		return
	}
	node, presence := s.node, s.presence
	r.fates[name] = r.after(ttl, func() {
		if r.nodes.Get(name) == node && r.up.Get(name) == presence {
			r.put(wire.Nodes, node.Next(node.Stamp+1, rankReap))
		}
	})
}

// checkStale finds out whether this node was apart for so long that the others
// may have forgotten what they deleted.
func (r *Ring) checkStale() {
	if r.stale || r.alone() || r.cfg.Ephemeral || r.lastContact == 0 || r.wall-r.lastContact <= StaleAfter {
		return
	}
	r.becomeStale(r.lastContact)
}

func (r *Ring) becomeStale(lastContact int64) {
	r.stale, r.staleSince, r.lastContact = true, r.now, lastContact
	r.emit(Event{Kind: EventStale, Name: r.cfg.Name})
}

func (r *Ring) fresh() {
	r.stale = false
	r.lastContact = r.wall
	r.version++
	for _, c := range r.live {
		c.authority = c.authority && r.cfg.Ephemeral
	}
	r.emit(Event{Kind: EventFresh, Name: r.cfg.Name})
}
