package core

import "github.com/nanoring/nanoring/core/wire"

// detector owns what this node suspects: whose answers it waits for, whom it
// doubts, and how well it does itself. What it finds out it writes into the
// replica, as an accusation.
type detector struct {
	*self
	replica  *replica
	overlay  *overlay
	acks     map[uint64]*await
	asks     map[uint64]*ask
	claims   []claim // that were decided: see Ring.settleClaims
	doubts   map[string]*doubt
	disputed map[string]*dispute
	proved   map[string]int64 // when it refuted: see disbelieves, suspectFor
	quiet    map[string]int64 // since when it does not answer, of who is doubted or suspected
	health   health
	accused  uint64 // how often others held this process for not alive, and it refuted that
}

func newDetector(s *self, rep *replica, o *overlay) detector {
	return detector{
		self:     s,
		replica:  rep,
		overlay:  o,
		acks:     make(map[uint64]*await),
		asks:     make(map[uint64]*ask),
		doubts:   make(map[string]*doubt),
		disputed: make(map[string]*dispute),
		proved:   make(map[string]int64),
		quiet:    make(map[string]int64),
	}
}

// alive takes the answer of a node to the probe of that number, which came by
// others if c is nil. Who asked after a process is not answered by one before it.
func (d *detector) alive(name string, c *conn, seq uint64, who wire.Instance) {
	if a := d.asks[seq]; a != nil && a.name == name && (a.why != doubting || !older(who, d.replica.look(name).says.Instance)) {
		if c != nil && a.why != claiming {
			d.timed(c, a.sent)
		}
		d.endAsk(seq, true, who)
	}
}

// endAsk draws the conclusion from an answer, or from the lack of one.
func (d *detector) endAsk(seq uint64, alive bool, who wire.Instance) {
	a := d.takeAsk(seq)
	if a == nil {
		return
	}
	switch a.why {
	case doubting:
		d.endDoubt(a, alive)
	case claiming:
		d.decide(a, alive && who == a.of.Instance)
	}
}

// changed takes note of what became of a name.
func (d *detector) changed(ch *change) {
	if ch.after.guest && ch.after.state != Alive {
		d.unreached(ch.name) // it is where it claims to be, or gone
	}
	if ch.before.says.Instance != ch.after.says.Instance {
		d.forgetDoubt(ch.name)
	}
	if ch.set == wire.Up && ch.record != nil && ch.record.Rank == rankSuspect {
		d.timeSuspicion(ch.name, &ch.after)
	}
	if before, after := &ch.before, &ch.after; after.state == Alive && (before.state == Suspect || before.state == Down) && before.says.Instance == after.says.Instance {
		d.refuted(ch)
	}
	if ch.after.state != Suspect {
		delete(d.quiet, ch.name)
	}
	d.judged(ch)
}
