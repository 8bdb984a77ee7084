package core

import (
	"strings"

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

func (r *Ring) set(id wire.SetID) *lww.Set {
	if id == wire.Nodes {
		return &r.nodes
	}
	return &r.up
}

// mint returns a stamp for a new operation on the element whose latest record
// is old: later than it, and otherwise what the clock says.
func (r *Ring) mint(old *lww.Record) int64 {
	if old == nil {
		return r.wall
	}
	return max(r.wall, old.Stamp+1)
}

// verdict is what became of a record that came in.
type verdict uint8

const (
	isNews    verdict = iota // it went in
	isKnown                  // it was here already
	isOlder                  // a later one is here
	isRefused                // it may not go in
)

// merge takes in a record that came from c.
func (r *Ring) merge(w *wire.Record, c *conn) verdict {
	hash := lww.HashName(w.Name)
	known := r.set(w.Set).Find(hash, w.Name)
	if known != nil { // mostly it is: that is found out first
		if order := compare(known, w); order == 0 {
			r.debts.settle(c, known)
			return isKnown
		} else if order > 0 && !(r.cfg.Ephemeral && w.Name != r.cfg.Name) {
			return isOlder
		} // else it is later, or this is a guest, which mirrors its gateway
	}
	if c.guest && w.Name != c.name {
		r.forged(c, w)
		return isRefused
	}
	var before standing
	if w.Set == wire.Nodes {
		before = standingOf(known, r.up.Find(hash, w.Name))
	} else {
		before = standingOf(r.nodes.Find(hash, w.Name), known)
	}
	if !r.timely(w, &before, c) || !r.mayAssert(w, c) {
		return isRefused
	}
	rec, err := r.clone(w, known)
	if err != nil {
		return isRefused
	}
	after := before.with(w.Set, rec)
	if c.guest && w.Set == wire.Up && !c.labels(after.says.Tags) {
		r.fail(c, wire.CodeForbidden, "it has other tags than it has to have")
		return isRefused
	}
	if c.guest && !r.asserts(c, w, &after) {
		return isRefused
	}
	switch {
	case w.Name == r.cfg.Name && w.Set == wire.Up:
		r.mergeOwnPresence(rec, after.says)
	case w.Name == r.cfg.Name:
		r.store(wire.Nodes, rec, &before, &after, c)
		r.reviewOwnMembership()
	default:
		r.store(w.Set, rec, &before, &after, c)
	}
	return isNews
}

// compare orders a record and one of a frame as lww.Record.Compare does.
func compare(a *lww.Record, b *wire.Record) int {
	switch {
	case a.Stamp != b.Stamp:
		if a.Stamp < b.Stamp {
			return -1
		}
		return 1
	case a.Rank != b.Rank:
		return int(a.Rank) - int(b.Rank)
	}
	return strings.Compare(a.Value, b.Value)
}

// clone makes a record of its own of one in a frame, or finds that another engine
// has. known is what the set has of the name, if anything.
func (r *Ring) clone(w *wire.Record, known *lww.Record) (*lww.Record, error) {
	if r.cfg.Intern != nil {
		if same := r.cfg.Intern.of(w.Set).Get(w.Name, w.Stamp, w.Rank, w.Value); same != nil {
			return same, nil
		}
	}
	rec, err := parse(w, known)
	if err != nil {
		return nil, err
	}
	return r.shared(w.Set, rec), nil
}

// shared returns the record that all engines hold of the same operation.
func (r *Ring) shared(id wire.SetID, rec *lww.Record) *lww.Record {
	if r.cfg.Intern == nil {
		return rec
	}
	return r.cfg.Intern.of(id).Add(rec)
}

func parse(w *wire.Record, known *lww.Record) (*lww.Record, error) {
	if known != nil && known.Value == w.Value {
		return known.Next(w.Stamp, w.Rank), nil
	}
	text := w.Name + w.Value // its own copy of both
	name, value := text[:len(w.Name)], text[len(w.Name):]
	if w.Set == wire.Nodes {
		var rec struct { // one allocation for both
			lww.Record
			wire.Member
		}
		rec.Init(name, w.Stamp, w.Rank, value)
		rec.Parsed = &rec.Member
		return &rec.Record, rec.Member.Parse(value)
	}
	var rec struct {
		lww.Record
		wire.Presence
	}
	rec.Init(name, w.Stamp, w.Rank, value)
	rec.Parsed = &rec.Presence
	return &rec.Record, rec.Presence.Parse(value)
}

// newNode makes a record of nodes that adds a name.
func newNode(name string, stamp int64, m wire.Member) *lww.Record {
	rec := lww.New(name, stamp, rankAdd, m.Value())
	rec.Parsed = &m
	return rec
}

// mayAssert says whether the role and standing of c let it assert something of
// w's name (DESIGN 2 and 5).
func (r *Ring) mayAssert(w *wire.Record, c *conn) bool {
	switch {
	case c.guest:
		return true // what it may not say of others was refused before
	case c.name == w.Name && (w.Set == wire.Up || w.Rank == rankAdd):
		return true
	case c.judged != r.version+1: // nodes has changed since
		c.judged, c.deleted = r.version+1, r.deleted(c.name)
	}
	return !c.deleted // of one held for removed only its own newer add is merged, and its bye
}

// asserts says whether a guest may say that of itself, at a bounded rate.
func (r *Ring) asserts(c *conn, w *wire.Record, after *standing) bool {
	m, p := after.member, after.says
	if w.Set == wire.Nodes && (w.Rank != rankAdd || !m.Ephemeral || m.Address != "") ||
		w.Set == wire.Up && (w.Rank != rankUp && w.Rank != rankLeft || p.Via != r.cfg.Name || p.Address != "" || p.Instance != c.hello.Instance) ||
		c.asserted >= guestRate || !r.asserted.take(r.now, 1, gatewayBurst, gatewayRate) {
		return false
	}
	c.asserted++ // until the next round
	return true
}

func (r *Ring) deleted(name string) bool {
	if rec := r.nodes.Get(name); rec != nil {
		return rec.Rank == rankDel
	}
	_, ok := r.expired[name]
	return ok
}

// put stores a record of this node's own making.
func (r *Ring) put(id wire.SetID, rec *lww.Record) {
	rec = r.shared(id, rec)
	before := r.look(rec.Name)
	after := before.with(id, rec)
	r.store(id, rec, &before, &after, nil)
}

// store stores a record that is known to be right and later, and does all that
// follows: counts, events, rumors, timers, the disk. from is who brought it.
func (r *Ring) store(id wire.SetID, rec *lww.Record, before, after *standing, from *conn) {
	old := before.presence
	r.set(id).Put(rec)
	if id == wire.Nodes {
		if old = before.node; old == nil && r.expired[rec.Name] != nil {
			old = r.expired[rec.Name].record
		}
		delete(r.expired, rec.Name)
		r.version++
	} else {
		r.presenceDirty = true
		if rec.Rank == rankSuspect {
			r.timeSuspicion(rec, after)
		}
	}
	r.owe(id, rec, old, from)
	r.changed(rec.Name, before, after)
}

// forget drops a record of another node as if it had never been seen.
func (r *Ring) forget(id wire.SetID, name string) {
	before := r.look(name)
	after := before.with(wire.Up, nil)
	r.up.Remove(name)
	r.debts.drop(before.presence, r.live)
	if id == wire.Nodes {
		after = standingOf(nil, nil)
		r.nodes.Remove(name)
		r.version++
		if r.expired[name] == nil {
			r.debts.drop(before.node, r.live)
		}
	}
	r.changed(name, &before, &after)
}

// reviewOwnMembership acts on this node's own record in nodes.
func (r *Ring) reviewOwnMembership() {
	own := r.nodes.Get(r.cfg.Name)
	switch {
	case own == nil:
	case own.Rank == rankAdd:
		if r.leaving != nil {
			r.leaving.stop()
			r.leaving = nil
			r.emit(Event{Kind: EventStays, Name: r.cfg.Name})
		}
	case r.leave != nil:
	case own.Rank == rankReap, r.cfg.Rejoin && own.Stamp < r.born:
		r.addSelf()
	case r.leaving == nil:
		r.emit(Event{Kind: EventLeaving, Name: r.cfg.Name})
		r.leaving = r.after(r.cfg.RemovalGrace, func() { r.goodbye(HaltRemoved) })
	}
}

// addSelf mints this node's own membership.
func (r *Ring) addSelf() {
	m := wire.Member{Address: r.cfg.Address, Ephemeral: r.cfg.Ephemeral}
	r.put(wire.Nodes, newNode(r.cfg.Name, r.mint(r.nodes.Get(r.cfg.Name)), m))
}

// conflict is what is known of another living process with this node's name.
type conflict struct {
	minted int64 // the presence with which this one answered it
	times  int
}

// mergeOwnPresence refutes what others say of this node (SWIM 4.2), by a newer
// incarnation. If it is another, older process that says so, again and again
// and each time later than it was answered, then that one lives, and this one,
// which started later, halts.
func (r *Ring) mergeOwnPresence(w *lww.Record, p *wire.Presence) {
	if r.leave != nil || r.halted {
		return
	}
	mine := r.cfg.Instance
	if p.Instance != mine && older(p.Instance, mine) && w.Rank == rankUp {
		if r.conflict.minted != 0 && w.Stamp > r.conflict.minted {
			r.conflict.times++
		}
		if r.conflict.times >= 3 {
			r.haltNameTaken("the name " + r.cfg.Name + " is taken by the node at " + p.Address + ", which started earlier")
			return
		}
	}
	if p.Instance == mine && w.Rank != rankUp {
		r.health.worse()
	}
	r.mintPresence(w.Stamp + 1)
	if p.Instance != mine {
		r.conflict.minted = r.up.Get(r.cfg.Name).Stamp
	}
}

func older(a, b wire.Instance) bool {
	return a.Start < b.Start || a.Start == b.Start && a.Nonce < b.Nonce
}

// mintPresence makes a new incarnation of this node, with a stamp of at least atLeast.
func (r *Ring) mintPresence(atLeast int64) {
	stamp := max(r.wall, atLeast)
	if old := r.up.Get(r.cfg.Name); old != nil && old.Stamp <= r.wall+MaxSkew {
		stamp = max(stamp, old.Stamp+1) // else the clock was wrong and is right again
	}
	p := r.presence()
	rec := lww.New(r.cfg.Name, stamp, rankUp, p.Value())
	rec.Parsed = &p
	r.put(wire.Up, rec)
	r.version++
}

// presence is what this node says of itself.
func (r *Ring) presence() wire.Presence {
	p := wire.Presence{Address: r.cfg.Address, Instance: r.cfg.Instance, Version: wire.Version, Tags: r.cfg.Tags}
	if r.cfg.Address == "" {
		if gw := r.gateway(); gw != nil {
			p.Via = gw.name
		}
	}
	return p
}

// accuse repeats the stamp that was seen of name with a higher rank.
func (r *Ring) accuse(name string, rank uint8) {
	p := r.up.Get(name)
	if p == nil || p.Rank >= rank || r.cfg.Ephemeral || name == r.cfg.Name {
		return
	}
	r.put(wire.Up, p.Next(p.Stamp, rank))
}
