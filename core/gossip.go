package core

import (
	"github.com/nanoring/nanoring/core/wire"
)

// gossip answers a round of another: merge, then ack with one's own.
func (r *Ring) gossip(c *conn, f *wire.Frame) {
	seq, theirs := f.Seq, f.Fingerprint
	if r.skewed(c, f) {
		return
	}
	c.needed = r.now
	c.peerStale = false // a stale node asks before it gossips
	r.mergeAll(c, f.Records)
	if c.state == connOver {
		return
	}
	r.tellIfDown(c)
	if theirs == r.replica.fingerprint() {
		r.inAgreement(c)
	}
	mine := r.replica.fingerprint()
	if mine == theirs {
		mine = 0 // which they know
	}
	r.send(c, &wire.Frame{Kind: wire.KindAck, Seq: seq, Wall: r.wall, Fingerprint: mine, Records: r.debts.take(c, false)})
}

// ack ends a round; if the two still differ, they reconcile.
func (r *Ring) ack(c *conn, f *wire.Frame) {
	seq, theirs := f.Seq, f.Fingerprint
	if asked := r.detector.acked(c, seq); theirs == 0 {
		theirs = asked // 0: nobody waits for it, and it says nothing
	}
	if r.skewed(c, f) {
		return
	}
	r.mergeAll(c, f.Records)
	if c.state == connOver {
		return
	}
	same := theirs == r.replica.fingerprint()
	if same {
		r.inAgreement(c)
	}
	if !c.guest {
		r.leaveAcked(c, seq)
	}
	if r.halted {
		return
	}
	r.tellIfDown(c)
	if !same && theirs != 0 && !r.debts.owes(c) && r.now >= c.syncAt {
		r.reconciler.startSync(c)
	}
}

func (r *Ring) inAgreement(c *conn) {
	r.debts.settleAll(c)
	r.reconciler.agreed(c)
	c.syncAt, c.backoff = 0, 0
}

// tellIfDown tells a node that is heard of but held for gone, so that it
// refutes: at most once a round.
func (r *Ring) tellIfDown(c *conn) {
	if p := r.replica.up.Get(c.name); p != nil && p.Rank != rankUp {
		r.debts.oweTo(c, wire.Up, c.name)
	}
}
