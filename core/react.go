package core

import "github.com/nanoring/nanoring/core/wire"

// maxKept is how many changes of a step there is room kept for.
const maxKept = 32

// merge is the one way of a record that comes in: the replica takes it in, or
// not, and whom the change concerns hears of it.
func (r *Ring) merge(w *wire.Record, c *conn) verdict {
	if c.guest && w.Set == wire.Up && w.Name == c.name && c.early != nil && c.early[wire.Nodes].Name != "" {
		r.overlay.putOff(c, w) // it is a member first
		return isRefused
	}
	v, rec := r.replica.merge(w, &c.asserter)
	switch v {
	case isKnown:
		r.debts.settle(c, rec)
		return v
	case isOlder:
		if w.Name == r.cfg.Name {
			r.recall(w)
			r.settle()
		}
		return v
	case isOfSelf:
		r.refute(rec)
		v = isNews
	case isAhead:
		r.emitRarely(&Event{Kind: EventSkew, Name: w.Name, Addr: c.addr, Skew: w.Stamp - r.wall}, c)
	case isOverruled:
		r.debts.oweTo(c, wire.Nodes, w.Name) // whoever brought it is told
	case isEarly:
		r.overlay.putOff(c, w)
	case isForged:
		r.fail(c, wire.CodeForbidden, "a guest speaks for itself alone")
	case isMislabeled:
		r.fail(c, wire.CodeForbidden, "it has other tags than it has to have")
	case isOfNoGuest: // as older libraries say it: it would never be up
		r.fail(c, wire.CodeForbidden, "its presence is none of a guest: it lacks the key e, or has an address; load a library of this version")
	case isBloated:
		r.fail(c, wire.CodeForbidden, "what it says of itself has "+tooLong(len(w.Value), MaxGuestValue))
	}
	r.settle()
	return min(v, isRefused)
}

// takeEarly takes what was put off.
func (r *Ring) takeEarly(c *conn) {
	if c == nil || c.early == nil {
		return
	}
	all := c.early
	c.early = nil
	for i := range all {
		if all[i].Name != "" && !r.refusedAll(c) {
			r.merge(&all[i], c)
		}
	}
}

// mergeAll merges records, and owes their sender what is older of them.
func (r *Ring) mergeAll(c *conn, records []wire.Record) {
	for i := range records {
		if r.refusedAll(c) {
			break
		}
		if w := &records[i]; r.merge(w, c) == isOlder {
			r.debts.oweTo(c, w.Set, w.Name)
		}
	}
}

// showDeletion shows who has added itself the deletion that it did not know of:
// see overrule.
func (r *Ring) showDeletion(ch *change) {
	c := r.overlay.peer(ch.name)
	if c != nil && &c.asserter == ch.from && ch.old != nil && ch.old.Rank == rankDel && !ch.before.member.Ephemeral && ch.record != nil && ch.record.Rank == rankAdd && ch.after.member.Deleted < ch.old.Stamp {
		r.rumor(c, frameRecord(wire.Nodes, ch.old))
	}
}

// settle brings each change of the replica, in order, to all whom it concerns.
// What they write is a change that follows.
func (r *Ring) settle() {
	for i := 0; i < len(r.replica.changes); i++ {
		ch := &r.replica.changes[i] // as it is, whatever follows
		r.debts.changed(ch)
		if ch.after.state != Removed || ch.before.state != Removed {
			r.tell(ch)
		}
		r.detector.changed(ch)
		if ch.after.isUp() && !ch.before.isUp() {
			r.overlay.fillSoon()
			r.messages.questions.rose(ch.name, &ch.after)
		}
		r.detector.orphaned(ch)
		if ch.after.says.Cordoned && !ch.before.says.Cordoned {
			r.cordon.avoid(r, ch.name)
		}
		if r.leave != nil && ch.set == wire.Nodes && ch.record != nil {
			r.leave.latest = max(r.leave.latest, ch.record.Stamp)
		}
		if len(r.cordon.wishes) > 0 {
			r.cordon.review(r, ch.name, false)
		}
		if ch.name == r.cfg.Name && ch.set == wire.Nodes {
			r.reviewMembership()
		} else if ch.set == wire.Nodes {
			r.showDeletion(ch)
			if c := r.overlay.peer(ch.name); c != nil && c.guest && ch.after.isDurable() {
				r.fail(c, wire.CodeNameTaken, ofDurable(ch.name))
			}
		}
	}
	if len(r.replica.changes) > maxKept {
		r.replica.changes = nil
		return
	}
	clear(r.replica.changes)
	r.replica.changes = r.replica.changes[:0]
}
