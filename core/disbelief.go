package core

import (
	"strconv"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

const (
	backFor   = 4 * Second  // who was held for dead is not heard of others, and believes them, for so long
	provedFor = 10 * Second // a node that refuted is known to live for so long,
	grantFor  = 10 * Minute // and a durable one has twice the Patience
	disbelief = 10          // a contradiction of a peer is forgotten after so many seconds
	passedOn  = 16          // as many more may be those of others, which it believes
	refutes   = 50          // accusations of this node by one peer at once, and then one in a second
)

// disbelieves says whether a record that a peer brings is not taken, since it has
// contradicted too often what this node knows: that a node lives with which it is
// in contact, or that has just refuted, or what the value of a record is. As many
// contradictions as there are connections, and a few more, may come of a fault of
// the network. An accused one is told now and then, so that it refutes where it
// matters. What is taken may be contested yet. Nor is it taken that a third one does not live with which this
// node is not in contact, by who was held for dead itself until lately: it was mostly that one that was cut off.
func (d *detector) disbelieves(known *lww.Record, w *wire.Record, by *asserter) bool {
	if known.Stamp != w.Stamp || w.Name == by.name || by.guest || d.cfg.Ephemeral {
		return false
	}
	accused := w.Set == wire.Up && w.Rank > known.Rank && d.lives(w.Name)
	if !accused && w.Rank != known.Rank {
		return d.contests(known, w) || w.Set == wire.Up && known.Rank == rankUp && w.Rank < rankLeft && d.isBack(by.name)
	}
	s := d.overlay.matter(by.name)
	said, cost, burst := &s.said, int64(disbelief), disbelief*int64(len(d.overlay.live)+4)
	if accused && w.Name == d.cfg.Name { // to refute is dearer to leave than to do, whatever the peer said of others
		said, cost, burst = &s.ofThis, 1, refutes
	}
	if said.take(d.now, cost, burst, 1) {
		return d.contests(known, w)
	}
	text := "it accuses " + w.Name + " again and again, which lives"
	if !accused {
		theirs := lww.New(w.Name, w.Stamp, w.Rank, w.Value)
		text = "it repeats a record of " + w.Name + " with another value, again and again: its hash is " +
			strconv.FormatUint(theirs.Sum(), 16) + ", here " + strconv.FormatUint(known.Sum(), 16)
	} else if c := d.overlay.peer(w.Name); c != nil && !d.hasProved(w.Name) {
		d.proved[w.Name] = d.now // it was heard just now
		d.rumor(c, *w)
	}
	if s.unheard++; !accused || s.unheard > passedOn {
		d.emitRefused(nil, by.name, wire.CodeForbidden, text)
	}
	return true
}

// isBack says whether a node was held for dead until lately.
func (d *detector) isBack(name string) bool {
	s := d.replica.look(name)
	return s.state != Alive || d.refutedWithin(name, backFor)
}

// lives says whether this node knows at first hand that another one does.
func (d *detector) lives(name string) bool {
	c := d.overlay.peer(name)
	return name == d.cfg.Name || c != nil && d.now-c.heard < 2*d.cfg.Period || d.hasProved(name)
}

// hasProved says whether a node refuted lately, or was told to.
func (d *detector) hasProved(name string) bool {
	return d.refutedWithin(name, provedFor)
}

func (d *detector) refutedWithin(name string, lately int64) bool {
	at, ok := d.proved[name]
	return ok && d.now < at+lately
}
