package core

import (
	"errors"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// Snapshot implements Engine: both sets, but for guests. Those are members only
// while they run, and then say so anew. That one was deleted is an operator's word.
func (r *Ring) Snapshot() ([]byte, error) {
	r.replica.unsaved.begun = true
	return r.snapshot(false), nil
}

// Changes implements Engine.
func (r *Ring) Changes(since uint64) ([]byte, error) {
	u := &r.replica.unsaved
	if !u.begun {
		return nil, nil
	}
	c := wire.Change{Wall: r.wall, LastContact: r.reconciler.lastContact}
	for id := range wire.Up + 1 {
		for _, n := range u.names[id].Records(lww.Range{}) {
			if n.Stamp <= int64(since) {
				u.names[id].Remove(n.Name)
				continue
			}
			if rec := r.replica.onDisk(key{id, n.Name}); rec != nil {
				push(&c.Records, frameRecord(id, rec))
			} else {
				push(&c.Gone, wire.Record{Set: id, Name: n.Name, Value: wire.GoneValue})
			}
		}
	}
	if u.rest > since {
		c.Rest = bare(r)
	}
	return c.Append(nil), nil
}

// Handover implements Engine: both sets, and what is due. That and the ranks of
// presences are for it alone: what was known of who lives is worth nothing after a
// restart.
func (r *Ring) Handover() ([]byte, error) { return r.snapshot(true), nil }

// bare is a snapshot without records.
//
//go:noinline
func bare(r *Ring) *wire.Snapshot {
	return &wire.Snapshot{Ring: r.cfg.Ring, Name: r.cfg.Name, Wall: r.wall, LastContact: r.reconciler.lastContact, Tags: r.labels.set, Cordoned: r.cordon.kept, IDs: r.ids.set}
}

// snapshot has all records, or those of the names that are kept.
//
//go:noinline
func (r *Ring) snapshot(all bool) []byte {
	s := bare(r)
	var expired, byes lww.Set // for their order: sorting would be a hundredth of the module
	for _, e := range r.replica.expired {
		expired.Put(e.record)
		if e.bye != nil {
			byes.Put(e.bye)
		}
	}
	sets, most, size := [...]*lww.Set{&r.replica.nodes, &expired, &byes, &r.replica.up}, 0, 0
	for _, set := range sets {
		most += set.Len()
	}
	s.Records = make([]wire.Record, 0, most)
	for i, set := range sets {
		for _, rec := range set.Records(lww.Range{}) {
			id, node := wire.SetID(i/2), rec
			if set == &r.replica.up {
				node = r.replica.nodes.Get(rec.Name)
			}
			if all || set == &byes || isKept(node) {
				s.Records = append(s.Records, frameRecord(id, rec))
				size += s.Records[len(s.Records)-1].Size()
			}
		}
	}
	if all {
		s.Due, s.News, s.IDs = r.handTimers(), r.messages.handOver(), union(r.ids.set, r.ids.own())
		size += min(r.messages.window.bytes, handedBytes)
	}
	return s.Append(make([]byte, 0, size+size/4)) // what grows bit by bit leaves several times as much behind
}

// restore reads what Snapshot wrote; load goes on when the time is known.
func (r *Ring) restore(b []byte) error {
	var s wire.Snapshot
	if err := s.Decode(b); err != nil {
		return err
	}
	if s.Ring != r.cfg.Ring {
		return errors.New("it belongs to the ring " + s.Ring + ", not to " + r.cfg.Ring)
	}
	if s.Name != r.cfg.Name {
		return errors.New("it belongs to the node " + s.Name + ", not to " + r.cfg.Name)
	}
	r.reconciler.lastContact, r.carried, r.labels.set, r.cordon.kept = s.LastContact, s.Due, s.Tags, s.Cordoned
	r.messages.carried, r.ids.set = s.News, s.IDs
	for i := range s.Records {
		w := &s.Records[i]
		if w.Set == wire.Up && r.replica.isMember(w.Name) && !r.cfg.Takeover {
			w.Rank = rankUp // but the bye of a removed node still counts for its tombstone
		}
		rec, err := r.clone(w, nil)
		if err != nil {
			return err
		}
		r.replica.set(w.Set).Merge(rec)
	}
	return nil
}

// load makes what follows from the sets that were restored, and this node's part in them.
func (r *Ring) load() {
	for _, rec := range r.replica.up.Records(lww.Range{}) {
		if r.replica.nodes.Get(rec.Name) == nil {
			r.replica.up.Remove(rec.Name)
		}
	}
	for _, rec := range r.replica.nodes.Records(lww.Range{}) {
		r.replica.note(&change{set: wire.Up, name: rec.Name, before: standingOf(nil, nil), after: r.replica.look(rec.Name)})
	}
	r.settle()
	if !r.reconciler.isNew() {
		r.ids.derive()
	}
	if r.cfg.Ephemeral {
		return // see greetGateway
	}
	if r.replica.nodes.Get(r.cfg.Name) == nil {
		r.addSelf()
	}
	if !r.stands() {
		r.mintPresence(0)
	}
	r.settle()
	r.wentBack = true // for all that is known
	r.reviewMembership()
	r.reconciler.rejuvenate()
	r.reconciler.checkStale()
}

// onDisk returns the record of a name that has to survive a restart, or nil.
func (r *replica) onDisk(k key) *lww.Record {
	if e := r.expired[k.name]; e != nil {
		if k.set == wire.Nodes {
			return e.record
		}
		return e.bye
	}
	if !isKept(r.nodes.Get(k.name)) {
		return nil
	}
	return r.set(k.set).Get(k.name)
}
