package core

// check finds out whether a connection still carries anything, after an answer
// was missed: a network may have forgotten it, and TCP notices that only after
// minutes. It is given two retransmissions' time at least.
func (d *detector) check(c *conn) {
	if c.checked != 0 || c.guest {
		return
	}
	c.checked = d.now
	d.probe(c, d.nextSeq())
	d.after(d.health.stretch(max(d.cfg.AckTimeout, 2*c.trip.timeout(d.cfg.AckTimeout))), silentDue, "", uint64(c.id))
}

// silent returns the connection that was checked, if nothing came on it.
func (d *detector) silent(id ConnID) *conn {
	c := d.overlay.conns[id]
	if c == nil || c.heard <= c.checked {
		return c
	}
	c.checked = 0
	return nil
}

// heardAny says whether anything came from one of some nodes since a time.
func (d *detector) heardAny(names []string, since int64) bool {
	for _, name := range names {
		if c := d.overlay.peer(name); c != nil && c.heard > since {
			return true
		}
	}
	return false
}

// refuted takes note that a node lives that was accused. If that was heard of by
// others its connection is checked; if there is none, and this node has accused
// it, it is left alone.
func (d *detector) refuted(ch *change) {
	d.proved[ch.name] = d.now
	c := d.overlay.peer(ch.name)
	switch {
	case c == nil && d.overlay.shunned[ch.name] != nil:
		d.overlay.detour(ch.name)
	case c != nil && ch.from != &c.asserter:
		d.check(c)
	}
}
