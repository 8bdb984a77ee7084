package core

import (
	"math"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// Ranks of records in nodes. A removal wins a tie, an operator's over time's.
const (
	rankAdd  = 0
	rankReap = 1 // an ephemeral node was gone for too long
	rankDel  = 2 // an operator deleted it
)

// Ranks of presences in up: SWIM's precedence (Das, Gupta, Motivala: SWIM,
// DSN 2002, section 4.2) as removals that win ties.
const (
	rankUp      = 0
	rankSuspect = 1
	rankDown    = 2
	rankLeft    = 3
)

// replica owns this node's copy of the ring: both sets, and what follows from
// them. Whatever is written goes through put, merge or forget, and is a change
// that waits for those whom it concerns: see Ring.settle.
type replica struct {
	*self
	census
	nodes, up     lww.Set
	expired       map[string]*expired
	deadlines     map[string]*timer // see setDeadline
	ahead         int64             // of the ring's clock, by which deadlines are: the wall clock, when that was seen last
	corrected     int64             // until when it takes others' word: see corrects
	stableSince   int64             // since when all durable members are up, unbroken
	version       uint64            // counts durable changes
	presenceDirty bool              // there are changes that may wait for a minute to be durable, unless another is first
	unsaved       unsaved
	changes       []change
	disbelieves   func(known *lww.Record, w *wire.Record, by *asserter) bool
}

func newReplica(s *self) replica {
	return replica{
		self:        s,
		census:      census{through: make(map[string]*nameSet)},
		expired:     make(map[string]*expired),
		deadlines:   make(map[string]*timer),
		disbelieves: func(*lww.Record, *wire.Record, *asserter) bool { return false },
	}
}

// change is what became of a name by one record. Of one that was forgotten
// record is nil.
type change struct {
	_             incomparable
	set           wire.SetID
	name          string
	before, after standing
	record, old   *lww.Record // old may be an expired tombstone
	from          *asserter   // who brought it; nil for this node itself
}

// key names a record.
type key struct {
	set  wire.SetID
	name string
}

// upFactor keeps equal records of the two sets apart: odd, so that no bit is lost.
const upFactor = 0x9E3779B97F4A7C15

// fingerprint is the combined one of both sets: with it, absence of news costs
// the same whatever the ring's size.
func (r *replica) fingerprint() uint64 {
	return r.nodes.Fingerprint().Sum + upFactor*r.up.Fingerprint().Sum
}

//go:noinline
func (r *replica) set(id wire.SetID) *lww.Set {
	if id == wire.Nodes {
		return &r.nodes
	}
	return &r.up
}

// record finds a record by its key, an expired tombstone too.
func (r *replica) record(k key) *lww.Record {
	if rec := r.set(k.set).Get(k.name); rec != nil {
		return rec
	}
	if e := r.expired[k.name]; e != nil && k.set == wire.Nodes {
		return e.record
	}
	return nil
}

func (r *replica) look(name string) standing {
	return standingOf(r.nodes.Get(name), r.up.Get(name))
}

//go:noinline
func (r *replica) isMember(name string) bool {
	rec := r.nodes.Get(name)
	return rec != nil && rec.Rank == rankAdd
}

// isDurable says whether a name is, or was, a durable node's.
func (r *replica) isDurable(name string) bool {
	s := r.look(name)
	return s.isDurable()
}

func (r *replica) isDeleted(name string) bool {
	rec := r.nodes.Get(name)
	return rec != nil && rec.Rank == rankDel || rec == nil && r.expired[name] != nil
}

// address returns where name can be dialled, or "".
func (r *replica) address(name string) string {
	s := r.look(name)
	return s.address()
}

// via returns the gateway through which name is reached, or "".
//
//go:noinline
func (r *replica) via(name string) string {
	s := r.look(name)
	return s.gateway()
}

// merge takes in a record that somebody asserts, and returns the one that it
// made of it, or that it knew.
func (r *replica) merge(w *wire.Record, by *asserter) (verdict, *lww.Record) {
	hash := lww.HashName(w.Name)
	known := r.set(w.Set).Find(hash, w.Name)
	if known != nil { // mostly it is: that is found out first
		if order := r.compare(known, w); order == 0 {
			return isKnown, known
		} else if r.disbelieves(known, w, by) {
			return isRefused, nil
		} else if order > 0 && !(r.cfg.Ephemeral && (w.Name != r.cfg.Name || w.Set == wire.Nodes && w.Rank != rankReap)) && !r.corrects(w, known) {
			return isOlder, known
		} // else it is later, or this is a guest, which mirrors its gateway, or was cut off
		if by.guest && w.Name == by.name && w.Set == wire.Nodes && known.Rank != rankReap {
			return isOlder, known // than what may become of it: it is in already, or was deleted
		}
	}
	mine := w.Name == r.cfg.Name
	if by.guest && w.Name != by.name {
		if w.Set != wire.Up || !mine { // its gateway's presence it may hold in good faith
			return isForged, nil
		}
		return isRefused, nil
	}
	if by.guest && len(w.Value) > MaxGuestValue {
		return isBloated, nil
	}
	var before standing
	if w.Set == wire.Nodes {
		before = standingOf(known, r.up.Find(hash, w.Name))
	} else {
		before = standingOf(r.nodes.Find(hash, w.Name), known)
	}
	if v := r.timely(w, &before); v != isNews {
		return v, nil
	}
	if !r.mayAssert(by, w) {
		return isRefused, nil
	}
	rec, err := r.clone(w, known)
	if err != nil {
		return isRefused, nil
	}
	after := before.with(w.Set, rec)
	if w.Set == wire.Up && after.isImposed() {
		return isRefused, nil // the guest that has the name yet will hear of it
	}
	if by.guest && w.Set == wire.Up && !by.labels(after.says.Tags) {
		return isMislabeled, nil
	}
	if by.guest {
		if v := by.ofItself(w, &after, r.cfg.Name, r.now); v != isNews {
			return v, nil
		}
	}
	if mine && w.Set == wire.Up {
		return isOfSelf, rec
	}
	r.store(w.Set, rec, &before, &after, by)
	return isNews, rec
}

// corrects says whether a record takes back what this node holds against another one, since it is this
// node that was cut off: what it found out meanwhile, of most others, it found out of itself.
func (r *replica) corrects(w *wire.Record, known *lww.Record) bool {
	return r.now < r.corrected && w.Set == wire.Up && w.Rank == rankUp && known.Rank < rankLeft && w.Stamp == known.Stamp && w.Value == known.Value
}

// compare orders what is known and a record that came in. A guest's comes before a
// durable node's, whatever the stamps: nobody takes a node's name by a token. And of two
// processes of a name one that started before the name was deleted comes before one that
// did not. That follows from the records and from nodes alone, so that all copies agree.
// A guest, which mirrors its gateway, has that one's order.
func (r *replica) compare(known *lww.Record, w *wire.Record) int {
	order := compare(known, w)
	if order == 0 || known.Value == w.Value || r.cfg.Ephemeral {
		return order
	}
	if w.Set == wire.Nodes {
		m, err := wire.ParseMember(w.Value)
		if err != nil {
			return order // it is refused in any case
		}
		return yields(known.Parsed.(*wire.Member).Ephemeral, m.Ephemeral, order)
	}
	p, err := wire.ParsePresence(w.Value)
	if err != nil {
		return order
	}
	was := known.Parsed.(*wire.Presence)
	return yields(was.Ephemeral, p.Ephemeral, yields(r.isOutlived(w.Name, was.Instance), r.isOutlived(w.Name, p.Instance), order))
}

// yields is the order of two of which only one has something that makes it come first.
func yields(was, is bool, order int) int {
	switch {
	case was && !is:
		return -1
	case is && !was:
		return 1
	}
	return order
}

// timely refuses what is of the future or of the past. A tombstone past its time
// does not count for a name that one lacks, nor does an add that an expired
// tombstone overrules; nor does a presence of a name that nodes does not have.
func (r *replica) timely(w *wire.Record, known *standing) verdict {
	if ahead := w.Stamp - r.wall; ahead > MaxSkew && !r.mayBeAhead(w, ahead, known) {
		return isAhead
	}
	switch {
	case w.Set == wire.Nodes && w.Rank > rankDel:
		return isRefused
	case w.Name == r.cfg.Name:
	case w.Set == wire.Up:
		if known.node == nil {
			return isRefused
		}
	case w.Rank != rankAdd:
		if m, err := wire.ParseMember(w.Value); known.node == nil && (err != nil || r.wall-w.Stamp > minAge(&m)) {
			return isRefused
		}
	default:
		if e := r.expired[w.Name]; e != nil && compare(e.record, w) >= 0 {
			return isOverruled
		}
	}
	return isNews
}

// mayBeAhead says whether a presence that is ahead of now may go in all the same:
// the one of this node itself was accepted by who holds it, whose clock is no
// more than MaxSkew ahead of this one, which may have gone back; and so was the
// one before it that is known here, but not so that a stamp outruns the clock step by step.
func (r *replica) mayBeAhead(w *wire.Record, ahead int64, known *standing) bool {
	return w.Set == wire.Up && (w.Name == r.cfg.Name && ahead <= 2*MaxSkew ||
		known.presence != nil && w.Stamp-known.presence.Stamp <= Millisecond)
}

// mayAssert says whether somebody's role and standing let it assert w. From who is held
// for deleted is merged what it says of itself; what it takes this node for, which that
// refutes; and who belongs to the ring, as of before: nobody else may be left who knows.
func (r *replica) mayAssert(by *asserter, w *wire.Record) bool {
	switch {
	case by.guest:
		return true // what it may not say of others was refused before
	case by.name == w.Name || w.Set == wire.Up && w.Name == r.cfg.Name:
		return true
	case by.judged != r.version+1: // nodes has changed since
		by.judged, by.until = r.version+1, math.MaxInt64
		if r.isDeleted(by.name) {
			by.until = r.deletedAt(by.name)
		}
	}
	return by.until == math.MaxInt64 || w.Set == wire.Nodes && w.Stamp <= by.until
}

// mint returns a stamp for a new operation on the element whose latest record
// is old: later than it, and otherwise what the clock says.
func (r *replica) mint(old *lww.Record) int64 {
	if old == nil {
		return r.wall
	}
	return max(r.wall, old.Stamp+1)
}

// put stores a record of this node's own making.
func (r *replica) put(id wire.SetID, rec *lww.Record) {
	rec = r.shared(id, rec)
	before := r.look(rec.Name)
	after := before.with(id, rec)
	r.store(id, rec, &before, &after, nil)
}

// add stores the membership of a name, which overrules a deletion of it: the one
// that is known here, or, if a time of one is given, that one, and none that came
// after the add that is known.
func (r *replica) add(name string, m wire.Member, deleted int64) {
	old := r.record(key{wire.Nodes, name})
	stamp := r.mint(old)
	if deleted != 0 {
		stamp = old.Stamp + 1
	}
	m.Deleted = max(deleted, r.deletedAt(name))
	rec := lww.New(name, stamp, rankAdd, m.Value())
	rec.Parsed = &m
	r.put(wire.Nodes, rec)
}

// deletedAt returns the stamp of the last deletion of a name that is known, or 0.
func (r *replica) deletedAt(name string) int64 {
	rec := r.record(key{wire.Nodes, name})
	switch {
	case rec == nil:
		return 0
	case rec.Rank == rankDel:
		return rec.Stamp
	}
	return rec.Parsed.(*wire.Member).Deleted
}

// isOutlived says whether a name was deleted after a process of it had started. If
// the name has a later process, that one counts alone.
func (r *replica) isOutlived(name string, i wire.Instance) bool { return i.Start < r.deletedAt(name) }

// isOver says whether a process is of a name that was deleted after it started, and
// that another process has now: see Ring.yields.
func (r *replica) isOver(name string, i wire.Instance) bool {
	s := r.look(name)
	return s.presence != nil && !s.says.Ephemeral && older(i, s.says.Instance) && r.isOutlived(name, i)
}

// accuse repeats the stamp that was seen of name with a higher rank. Guests
// accuse nobody.
func (r *replica) accuse(name string, rank uint8) {
	p := r.up.Get(name)
	if p == nil || p.Rank >= rank || r.cfg.Ephemeral || name == r.cfg.Name {
		return
	}
	r.put(wire.Up, p.Next(p.Stamp, rank))
}

// store stores a record that is known to be right and later.
func (r *replica) store(id wire.SetID, rec *lww.Record, before, after *standing, from *asserter) {
	old := before.presence
	r.set(id).Put(rec)
	if id == wire.Nodes {
		if after.isImposed() {
			r.up.Remove(rec.Name)
			*after = standingOf(rec, nil)
		}
		e := r.expired[rec.Name]
		if old = before.node; old == nil && e != nil {
			old = e.record
		}
		delete(r.expired, rec.Name)
		kept, was := isKept(rec), isKept(before.node)
		if kept || was || e != nil {
			r.unsaved.note(id, rec.Name, r.version)
		}
		if e != nil || before.presence != nil && (kept != was || after.presence == nil) {
			r.unsaved.note(wire.Up, rec.Name, r.version)
		}
		if kept || was {
			r.version++
		}
	} else if isKept(after.node) {
		r.unsaved.note(id, rec.Name, r.version)
		r.presenceDirty = true
	}
	r.note(&change{set: id, name: rec.Name, before: *before, after: *after, record: rec, old: old, from: from})
}

// forget drops a record of another node, its presence too, as if it had never
// been seen.
func (r *replica) forget(id wire.SetID, name string) {
	before := r.look(name)
	after := before.with(wire.Up, nil)
	r.up.Remove(name)
	if id == wire.Nodes {
		after = standingOf(nil, nil)
		r.nodes.Remove(name)
		if e := r.expired[name]; e != nil { // what is on disk of it stays, but for its presence
			if before.presence != nil && e.bye == nil {
				r.unsaved.note(wire.Up, name, r.version)
				r.presenceDirty = true
			}
		} else if isKept(before.node) {
			r.unsaved.noteGone(name, r.version)
			r.version++
		}
	} else if isKept(before.node) {
		r.unsaved.note(id, name, r.version)
	}
	r.note(&change{set: id, name: name, before: before, after: after})
}

// note keeps what follows from the sets, after one name's records changed.
func (r *replica) note(ch *change) {
	r.move(ch.name, &ch.before, &ch.after)
	if r.durable > r.peersUp {
		r.stableSince = r.now
	}
	r.setDeadline(ch.name, &ch.before, &ch.after)
	r.changes = append(r.changes, *ch)
}

// keepPresences makes what waited for a minute durable.
func (r *replica) keepPresences() {
	if r.presenceDirty {
		r.version++
	}
}
