package core

// slowest is how many times AckTimeout an answer of any use may take.
const slowest = 4

// await is an ack that is awaited.
type await struct {
	_     incomparable
	name  string
	print uint64 // the fingerprint that was told
	sent  int64  // the ring's clock
	late  bool   // it is missed, and would only tell how slow the path has become
	timer *timer
}

// awaitAck expects the answer to a gossip with that number and fingerprint.
func (d *detector) awaitAck(c *conn, seq, print uint64) {
	patience := d.health.stretch(c.trip.timeout(d.cfg.AckTimeout))
	d.acks[seq] = &await{name: c.name, print: print, sent: d.now, timer: d.after(patience, ackDue, "", seq)}
}

// acked takes an ack, which tells how long the peer's answers take, late or not. It returns the
// fingerprint that the gossip had; 0 if none of that number is awaited.
func (d *detector) acked(c *conn, seq uint64) (print uint64) {
	if w := d.acks[seq]; w != nil && w.name == c.name {
		print = w.print
		delete(d.acks, seq)
		w.timer.stop()
		d.timed(c, w.sent)
		if !w.late {
			d.health.better()
		}
	}
	return print
}

// missed returns whose ack did not come in time, and goes on waiting for it: who
// never learns that a path became slow would doubt for ever. The second time it
// gives the ack up, and returns "".
func (d *detector) missed(seq uint64) string {
	w := d.acks[seq]
	if w.late {
		delete(d.acks, seq)
		return ""
	}
	d.overlay.evidence(w.name, "unanswered", "")
	w.late, w.timer = true, d.after(slowest*d.cfg.AckTimeout, ackDue, "", seq)
	return w.name
}

// timed takes note of an answer to what was sent to a peer at a time. What was
// held up for longer than any timeout would only make the next ones too long.
//
//go:noinline
func (d *detector) timed(c *conn, sent int64) {
	c.trip.measured(min(d.now-sent, slowest*d.cfg.AckTimeout))
}
