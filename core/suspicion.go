package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/wire"
)

// timeSuspicion gives a suspect time to refute. Every holder of a suspicion
// does so, and all write the same record when it is over.
func (d *detector) timeSuspicion(name string, s *standing) {
	d.after(d.suspectFor(name, s), suspicionDue, name, uint64(s.presence.Stamp))
	if c := d.overlay.peer(name); c != nil {
		c.suspected = d.now
	}
}

// endSuspicion makes a suspect down that has not refuted, unless it is heard.
func (d *detector) endSuspicion(name string, stamp int64) {
	if p := d.replica.up.Get(name); p != nil && p.Stamp == stamp && p.Rank == rankSuspect && !d.contest(p) {
		d.replica.accuse(name, rankDown)
	}
}

// suspectFor is the time that a suspect has left. Its silence counts from the first question
// that it did not answer, by the clock of who asked: so nobody who was stopped for less than the
// Patience is held for down, and who is dead is little later. Others, who count from when they
// heard of the suspicion, are for when those who asked are gone. Half of the Patience is to
// refute in any case. All of it is doubled for a node that refuted lately, and it is longer when
// this node does badly itself (see health).
func (d *detector) suspectFor(name string, s *standing) int64 {
	if s.guest {
		return GuestGrace
	}
	patience := d.cfg.Patience
	if d.refutedWithin(name, grantFor) {
		patience *= 2
	}
	silent := d.now - d.quietSince(name)
	return d.health.lengthen(max(patience-silent, patience/2))
}

// quietSince returns when a node got the first of the questions that it did not answer yet:
// now, if there are none.
func (d *detector) quietSince(name string) int64 {
	since, doubted := d.quiet[name]
	if !doubted {
		since = d.now
	}
	for _, w := range d.acks {
		if w.name == name {
			since = min(since, w.sent)
		}
	}
	if c := d.overlay.peer(name); c != nil {
		since = max(since, c.heard)
	}
	return since
}

// orphaned deals with who is reached through others: whose gateway is gone is
// suspected, and who names one that does not reach it, or none, has some time to come
// back.
func (d *detector) orphaned(ch *change) {
	before, after := &ch.before, &ch.after
	if after.isUp() && after.address() == "" && !d.reaches(after, ch.name) {
		d.awaitReturn(ch.name, after.presence.Stamp)
	}
	if through := d.replica.through[ch.name]; before.isUp() && !after.isUp() && through != nil {
		for _, name := range slices.Clone(through.list) {
			d.replica.accuse(name, rankSuspect)
		}
	}
}

// reaches says whether the gateway of a node seems to reach it, or, of one that
// names none, whether this node does.
func (d *detector) reaches(s *standing, name string) bool {
	if via := s.says.Via; via == "" || via == d.cfg.Name {
		c := d.overlay.peer(name)
		return c != nil && c.speaksIn(s, via)
	}
	gateway := d.replica.look(s.says.Via)
	return gateway.isUp()
}

// awaitReturn gives a node that is said to be reached through a gateway, and is
// not, time to come back.
func (d *detector) awaitReturn(name string, stamp int64) {
	d.after(GuestGrace, gatewayDue, name, uint64(stamp))
}

// endReturn suspects a node whose gateway still does not reach it.
func (d *detector) endReturn(name string, stamp int64) {
	s := d.replica.look(name)
	if s.presence != nil && s.presence.Stamp == stamp && !d.reaches(&s, name) {
		d.replica.accuse(name, rankSuspect)
	}
}

// guestGone is called when a guest's connection is: an orderly close is a bye.
func (d *detector) guestGone(c *conn, code wire.Code) {
	s := d.replica.look(c.name)
	if !s.isUp() || !c.speaksIn(&s, d.cfg.Name) {
		return
	}
	if code == wire.CodeCordoned || code == wire.CodeRotated { // it was sent on, or for another token
		d.awaitReturn(c.name, s.presence.Stamp)
		return
	}
	rank := uint8(rankSuspect)
	if code == wire.CodeBye || code == wire.CodeGoingAway {
		rank = rankLeft
	}
	d.replica.accuse(c.name, rank)
}
