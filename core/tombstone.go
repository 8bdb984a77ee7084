package core

import (
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// expired is a durable node's tombstone past TombstoneMinAge: out of the set
// and its fingerprints, but still here to stop an old add from coming back.
type expired struct {
	record *lww.Record
	bye    *lww.Record // of the removed node, if it said that
	since  int64       // the ring's clock
}

// leave deletes this node, no earlier than what it knows of who belongs to the ring:
// nothing that is later would be taken from it, and nobody else may be there who knows it.
func (r *replica) leave(latest int64) {
	own := r.nodes.Get(r.cfg.Name)
	stamp := max(latest, r.mint(own))
	if own.Rank == rankDel {
		stamp = max(latest, own.Stamp)
	}
	if stamp > own.Stamp {
		r.put(wire.Nodes, own.Next(stamp, rankDel))
	}
}

// latest returns the latest stamp of who belongs to the ring, or did.
func (r *replica) latest() (stamp int64) {
	for _, rec := range r.nodes.Records(lww.Range{}) {
		stamp = max(stamp, rec.Stamp)
	}
	return stamp
}

// endDeadline reaps a node of which nothing was heard for long, or takes a
// tombstone out of the set whose time is over. Those who reap do so at about the
// same time, and write the same record: its stamp is of a whole minute.
func (r *replica) endDeadline(name string) {
	s := r.look(name)
	switch rec := s.node; {
	case rec == nil || name == r.cfg.Name:
	case rec.Rank == rankAdd:
		r.put(wire.Nodes, rec.Next(max(rec.Stamp+1, r.wall-r.wall%Minute), rankReap))
	case r.wall-rec.Stamp < minAge(s.member):
		r.expireLater(rec) // the clock was set back
	default:
		r.expire(&s)
	}
}

// expire takes a tombstone out of the set. A guest, which mirrors its gateway, keeps
// none.
func (r *replica) expire(s *standing) {
	name := s.node.Name
	if !s.member.Ephemeral && !r.cfg.Ephemeral {
		e := &expired{record: s.node, since: r.now}
		if s.presence != nil && s.presence.Rank == rankLeft {
			e.bye = s.presence
		}
		r.expired[name] = e
	}
	r.forget(wire.Nodes, name)
}

// oversleep takes out of the set whose time was over while the timers stood still: those of
// a machine that was asleep, or a process that was stopped. All others have done so.
func (r *replica) oversleep() {
	ahead := r.wall - r.now
	slept := ahead > r.ahead+Minute
	if !slept && ahead >= r.ahead {
		return
	}
	if r.ahead = ahead; !slept {
		return
	}
	for _, rec := range r.nodes.Records(lww.Range{}) {
		if rec.Rank != rankAdd && r.wall-rec.Stamp > minAge(rec.Parsed.(*wire.Member))+r.cfg.Period {
			r.endDeadline(rec.Name)
		}
	}
}

// collect forgets expired tombstones that nobody can need any more: the
// removed node is gone, and every durable member has been up, and thus in
// reach of the deletion, for long enough. An old age ends the waiting.
func (r *replica) collect() {
	r.oversleep()
	for name, e := range r.expired {
		stable := e.bye != nil && r.durable == r.peersUp && r.now-max(r.stableSince, e.since) >= StableFor
		if stable || r.wall-e.record.Stamp > TombstoneMaxAge {
			delete(r.expired, name)
			r.unsaved.noteGone(name, r.version)
			r.version++
		}
	}
}
