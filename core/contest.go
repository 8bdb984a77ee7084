package core

import (
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// unread is how long a node takes, after it was not run, to read what came meanwhile.
const unread = 50 * Millisecond

// contests says whether a record is not taken in that says that the known presence
// of a node is down, since this node is in contact with it.
func (d *detector) contests(p *lww.Record, w *wire.Record) bool {
	return w.Set == wire.Up && w.Rank == rankDown && p.Rank < rankDown && p.Value == w.Value && d.contest(p)
}

// contest says whether this node is in contact with one that is to be down. That
// one is told, and has as long to refute it as it would take to miss it; until
// then it is not shown as what it may not be.
func (d *detector) contest(p *lww.Record) bool {
	c := d.overlay.peer(p.Name)
	if c == nil {
		return false
	}
	if c.accused != nil && c.accused.Stamp == p.Stamp {
		return true // it was told
	}
	if d.doubts[p.Name] != nil || p.Rank != rankUp && d.now-max(c.heard, c.suspected) > d.contact(c) {
		return false
	}
	c.accused = p
	d.overlay.evidence(p.Name, "contested", "")
	d.rumor(c, frameRecord(wire.Up, p.Next(p.Stamp, rankDown)))
	c.refute = d.after(d.contact(c), contestDue, p.Name, uint64(p.Stamp))
	return true
}

// contact is for how long after it was heard a suspect is taken to live.
func (d *detector) contact(c *conn) int64 { return d.cfg.Period + c.trip.timeout(d.cfg.AckTimeout) }

// overslept lets time that this node was not run count for those who are to refute, who
// had it: one that hardly runs would else hold up what all others know for many times as
// long. What they may have said in it is read first.
func (d *detector) overslept(late int64) {
	for _, c := range d.overlay.live {
		if t := c.refute; t != nil && t.of != nil {
			c.refute = d.hasten(t, max(t.at-late, d.now+unread))
		}
	}
}

// endContest takes a node for down that has not refuted it.
func (d *detector) endContest(name string, stamp int64) {
	if p := d.replica.up.Get(name); p != nil && p.Stamp == stamp {
		d.replica.accuse(name, rankDown)
	}
}
