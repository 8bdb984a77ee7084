package core

import (
	"github.com/nanoring/nanoring/core/wire"
)

// round is what a node does each Period: it gossips with one other.
func (r *Ring) round() {
	r.overlay.refill()
	r.ids.lapse()
	r.overlay.maintain()
	if c := r.overlay.rotate(r.reconciler.with()); c != nil {
		r.close(c, wire.CodeRotated, "")
	}
	r.overlay.heal()
	r.overlay.seek()
	r.checkGuests()
	r.cordon.sendNewOn(r)
	r.cordon.review(r, "", true)
	if r.leave != nil && r.replica.isDeleted(r.cfg.Name) {
		r.replica.leave(r.leave.latest) // later things may have come in
	}
	r.settle()
	r.debts.letGo()
	if r.overlay.rounds++; r.overlay.rounds%4 == 0 && !r.cfg.Ephemeral {
		for _, c := range r.overlay.all() {
			switch {
			case !r.overlay.isStranger(c):
			case c.guest:
				r.fail(c, wire.CodeRemoved, deleted(c.name))
			default:
				r.close(c, wire.CodeTimeout, "not a member of this ring")
			}
		}
	}
	c := r.overlay.turn()
	switch {
	case c == nil:
	case c.authority && !r.cfg.Ephemeral: // it is asked, not told
		c.used = r.now
		r.detector.check(c) // there is no ack by which it could be missed
		if r.now >= c.syncAt {
			r.reconciler.startSync(c)
		}
	default:
		r.gossipWith(c)
	}
	r.messages.round(c)
}

func (r *Ring) gossipWith(c *conn) {
	c.used = r.now
	seq, print := r.nextSeq(), r.replica.fingerprint()
	r.detector.awaitAck(c, seq, print)
	r.send(c, &wire.Frame{Kind: wire.KindGossip, Seq: seq, Wall: r.wall, Fingerprint: print, Records: r.debts.take(c, false)})
}

// unacked follows up on a gossip that was not answered in time.
func (r *Ring) unacked(seq uint64) {
	switch name := r.detector.missed(seq); {
	case name == "":
	case r.cfg.Ephemeral:
		r.leaveSilent(name)
	default:
		r.detector.doubt(name, false)
	}
}
