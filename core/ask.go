package core

import "github.com/nanoring/nanoring/core/wire"

// purpose is why a node is probed.
type purpose uint8

const (
	doubting  purpose = iota // it did not answer: see doubt
	measuring                // its round trip is not known yet
	claiming                 // another process claims its name: see claim
)

// ask is a probe on its way.
type ask struct {
	_     incomparable
	name  string
	why   purpose
	conn  ConnID         // claiming: whose claim it is
	of    *wire.Presence // claiming: the process that is asked
	sent  int64          // the ring's clock
	timer *timer
}

// claim is what was found out about a name that the process at the other end of
// a connection claims.
type claim struct {
	_     incomparable
	conn  ConnID
	lives bool   // the older instance
	addr  string // where
}

// newAsk gives a probe a number, whose answer is awaited for so long.
func (d *detector) newAsk(a *ask, patience int64) uint64 {
	seq := d.nextSeq()
	a.sent, a.timer = d.now, d.after(patience, aliveDue, "", seq)
	d.asks[seq] = a
	return seq
}

// takeAsk ends the waiting for an answer; nil if nobody waits for it.
//
//go:noinline
func (d *detector) takeAsk(seq uint64) *ask {
	a := d.asks[seq]
	if a != nil {
		delete(d.asks, seq)
		a.timer.stop()
	}
	return a
}

// claim probes the process whose name the one at the other end of c claims.
func (d *detector) claim(c *conn, of *wire.Presence) {
	seq := d.newAsk(&ask{name: c.hello.Name, why: claiming, conn: c.id, of: of}, 4*d.cfg.AckTimeout)
	if o := d.overlay; !o.route(c.hello.Name, probeFrame(seq), nil) {
		if _, gateway, frame := o.way(c.hello.Name, probeFrame(seq), nil); !o.dialFor(gateway, frame, nil, dialRoute) {
			d.decide(d.takeAsk(seq), false)
		}
	}
}

// decide says what came of a claim.
//
//go:noinline
func (d *detector) decide(a *ask, lives bool) {
	d.claims = append(d.claims, claim{conn: a.conn, lives: lives, addr: a.of.Address})
}

// measure learns how long a new peer's answers take, before the first one is
// missed: of who dialled by the hello, of who was dialled by a probe.
func (d *detector) measure(c *conn) {
	switch {
	case c.dialed:
		d.timed(c, c.opened)
	case !c.guest:
		seq := d.newAsk(&ask{name: c.name, why: measuring}, d.cfg.AckTimeout)
		d.probe(c, seq)
	}
}

// unreached decides the claims to a name that cannot be dialled, and says whether
// there were any: somebody else has that name now.
func (d *detector) unreached(name string) (claimed bool) {
	for last := d.seq; ; claimed = true {
		first := uint64(0)
		for seq, a := range d.asks {
			if (a.name == name || d.replica.via(a.name) == name) && a.why == claiming && seq <= last && (first == 0 || seq < first) {
				first = seq
			}
		}
		if first == 0 {
			return claimed
		}
		d.decide(d.takeAsk(first), false)
	}
}
