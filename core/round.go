package core

import "github.com/nanoring/nanoring/core/wire"

// print is the combined fingerprint of both sets: with it, absence of news
// costs the same whatever the ring's size.
func (r *Ring) print() uint64 {
	return r.nodes.Fingerprint().Sum + upFactor*r.up.Fingerprint().Sum
}

// upFactor keeps equal records of the two sets apart: odd, so that no bit is lost.
const upFactor = 0x9E3779B97F4A7C15

// round is what a node does each Period: it gossips with one other.
func (r *Ring) round() {
	r.budget = dialsPerPeriod
	r.maintain()
	r.rotate()
	r.heal()
	r.checkGuests()
	if r.rounds++; r.rounds%4 == 0 {
		r.dropStrangers()
	}
	if c := r.pick(); c != nil {
		r.gossipWith(c)
	}
}

// pick takes the connection that was silent for longest: a round-robin (SWIM 4.3)
// in which whoever has just spoken has had its turn. Who falls silent is thus
// asked by all of its peers within half the time that going around takes.
func (r *Ring) pick() *conn {
	var longest *conn
	for _, c := range r.live {
		if c.guest || c.strange != 0 && r.rounds%4 != 0 { // members come first
			continue
		}
		if longest == nil || c.lastTurn() < longest.lastTurn() {
			longest = c
		}
	}
	if longest != nil && longest.authority && !r.cfg.Ephemeral { // it is asked, not told
		longest.used = r.now
		if r.sync == nil {
			r.startSync(longest)
		}
		return nil
	}
	return longest
}

func (c *conn) lastTurn() int64 { return max(c.heard, c.used) }

// await is an ack that is awaited.
type await struct {
	name  string
	sent  int64 // the ring's clock
	timer *timer
}

func (r *Ring) gossipWith(c *conn) {
	c.used = r.now
	r.seq++
	seq, name := r.seq, c.name
	w := &await{name: name, sent: r.now}
	w.timer = r.after(r.health.stretch(c.trip.timeout(r.cfg.AckTimeout)), func() {
		delete(r.acks, seq)
		if r.cfg.Ephemeral {
			r.leaveSilent(name)
		} else {
			r.doubt(name, false)
		}
	})
	r.acks[seq] = w
	r.send(c, &wire.Frame{Kind: wire.KindGossip, Seq: seq, Wall: r.wall, Print: r.print(), Records: r.take(c)})
}

// gossip answers a round of another: merge, then ack with one's own.
func (r *Ring) gossip(c *conn, f *wire.Frame) {
	seq, print := f.Seq, f.Print
	if r.skewed(c, f) {
		return
	}
	c.peerStale = false // a stale node asks before it gossips
	r.mergeAll(c, f.Records)
	if r.conns[c.id] != c {
		return
	}
	r.tellIfDown(c)
	if print == r.print() {
		r.inAgreement(c)
	}
	r.send(c, &wire.Frame{Kind: wire.KindAck, Seq: seq, Wall: r.wall, Print: r.print(), Records: r.take(c)})
}

// ack ends a round; if the two still differ, they reconcile.
func (r *Ring) ack(c *conn, f *wire.Frame) {
	seq, print := f.Seq, f.Print
	if w := r.acks[seq]; w != nil && w.name == c.name {
		delete(r.acks, seq)
		w.timer.stop()
		c.trip.measured(r.now - w.sent)
		r.health.better()
	}
	if r.skewed(c, f) {
		return
	}
	r.mergeAll(c, f.Records)
	if r.conns[c.id] != c {
		return
	}
	if !c.guest {
		r.leaveAcked(seq)
	}
	if r.halted {
		return
	}
	r.tellIfDown(c)
	if print == r.print() {
		r.inAgreement(c)
	} else if c.owing == 0 && r.now >= c.syncAt {
		r.startSync(c)
	}
}

func (r *Ring) inAgreement(c *conn) {
	r.debts.settleAll(c)
	c.syncAt, c.backoff = 0, 0
}

// skewed finds a clock that went wrong after hello. Only a clock ahead proves
// it: one behind may be a frame that was late, and that side finds this one ahead.
func (r *Ring) skewed(c *conn, f *wire.Frame) bool {
	ahead := f.Wall - r.wall
	if r.cfg.Ephemeral {
		r.followClock(ahead)
		ahead = 0
	}
	if !c.guest && ahead <= MaxSkew && ahead >= -MaxSkew {
		r.mintAnew(true)
	}
	if ahead <= MaxSkew || c.guest {
		return false
	}
	r.emitRarely(Event{Kind: EventSkew, Name: c.name, Addr: c.addr, Skew: ahead})
	r.shun(c.name)
	r.fail(c, wire.CodeSkew, "the clock of "+c.name+" is "+seconds(ahead)+" the one of "+r.cfg.Name)
	return true
}

// tellIfDown tells a node that is heard of but held for gone, so that it
// refutes: at most once a round.
func (r *Ring) tellIfDown(c *conn) {
	if p := r.up.Get(c.name); p != nil && p.Rank != rankUp {
		r.oweTo(c, wire.Up, c.name)
	}
}
