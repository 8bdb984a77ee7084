package core

// Through how many others a node is probed.
const (
	helpers   = 3  // SWIM 4.1: k = 3
	unreached = 12 // with which this node is not connected, and whose address did not refuse
)

// doubt is about a node that did not answer, or whose address refused a connection.
type doubt struct {
	name    string
	seq     uint64          // of the probes through others
	refused bool            // this node's own dial was refused
	asked   []string        // the others through whom it is probed
	waiting map[string]bool // those of them who did not say yet that their dial was refused, too
}

// doubt follows up on a node that did not answer: it is probed through others
// and, if none of them reaches it, suspected (SWIM 4.1 and 4.2).
func (d *detector) doubt(name string, refused bool) {
	c := d.overlay.peer(name)
	if c != nil {
		d.check(c)
	}
	if about := d.doubts[name]; about != nil {
		about.refused = about.refused || refused
		d.conclude(about)
		return
	}
	s := d.replica.look(name)
	if s.state != Alive || d.cfg.Ephemeral || name == d.cfg.Name || d.overlay.isSpared(name) {
		return
	}
	through, patience := d.helpersFor(name, refused)
	about := &doubt{name: name, refused: refused, waiting: make(map[string]bool)}
	d.doubts[name] = about
	d.quiet[name] = d.quietSince(name)
	about.seq = d.newAsk(&ask{name: name, why: doubting}, d.health.stretch(patience))
	if len(through) == 0 && c == nil && !d.overlay.isExpecting(name) {
		d.endDoubt(d.takeAsk(about.seq), false) // nobody to ask, no way to hear, nobody about to come
		return
	}
	if c != nil {
		d.probe(c, about.seq)
	}
	for _, c := range through {
		d.askFor(about, c)
	}
	d.overlay.evidence(name, "asked", "").Names = about.asked
}

// askFor has a helper forward the probe of a doubt.
func (d *detector) askFor(about *doubt, c *conn) {
	push(&about.asked, c.name)
	about.waiting[c.name] = true
	d.sendBytes(c, relayed(d.cfg.Name, about.name, 0, string(probeFrame(about.seq))))
	d.check(c) // from whom nothing comes at all, nothing follows
}

// meet ends the doubt about a peer that has just come, which lives, and asks it for those for
// whom there was nobody to ask.
func (d *detector) meet(c *conn) {
	if d.doubts[c.name] != nil && c.instance == d.replica.look(c.name).says.Instance {
		d.forgetDoubt(c.name)
		delete(d.quiet, c.name)
	}
	for { // in the order of names; sorting them would be a hundredth of the module
		var first *doubt
		for _, about := range d.doubts {
			if len(about.asked) == 0 && helps(c, about.name) && (first == nil || about.name < first.name) {
				first = about
			}
		}
		if first == nil {
			return
		}
		d.askFor(first, c)
		d.overlay.evidence(first.name, "asked", c.name)
	}
}

// helps says whether a peer can be asked for a node.
func helps(c *conn, name string) bool {
	return !c.guest && !c.authority && c.strange == 0 && c.name != name
}

// helpersFor picks who is asked for a node, and says how long it may take until
// it is heard of: as long as the slowest of them and the node itself together.
func (d *detector) helpersFor(name string, refused bool) (through []*conn, patience int64) {
	for _, c := range d.overlay.live {
		if helps(c, name) {
			push(&through, c)
		}
	}
	d.shuffle(through)
	n := helpers << d.overlay.detours(name)
	if d.hasProved(name) {
		n *= 2 // somebody reaches it: this node is to ask that one, too
	}
	if !refused && d.overlay.peer(name) == nil {
		n = max(n, unreached) // the path may be what is wrong, and theirs, too, who are not connected with it
	}
	through = through[:min(n, len(through))]
	for _, c := range through {
		patience = max(patience, c.trip.timeout(d.cfg.AckTimeout))
	}
	if patience == 0 {
		patience = d.cfg.AckTimeout
	}
	own := patience
	if c := d.overlay.peer(name); c != nil {
		own = max(own, c.trip.timeout(d.cfg.AckTimeout))
	}
	return through, patience + own
}

// forgetDoubt ends the doubt about a process of a name that has another one now.
func (d *detector) forgetDoubt(name string) {
	if about := d.doubts[name]; about != nil {
		d.takeAsk(about.seq)
		delete(d.doubts, name)
	}
}

// excuse lets nothing follow from what a node was asked on a connection that was closed in order: there no
// answer comes any more.
func (d *detector) excuse(name string) {
	for seq, w := range d.acks {
		if w.name == name {
			w.timer.stop()
			delete(d.acks, seq)
		}
	}
	if d.doubts[name] != nil {
		d.forgetDoubt(name)
		delete(d.quiet, name)
	}
}

// isRefused says whether this node was just refused by a node's address itself: it
// need not dial again in order to know.
func (d *detector) isRefused(name string) bool {
	about := d.doubts[name]
	return about != nil && about.refused && d.overlay.byName[name] == nil
}

// refusedToo takes a helper's word that its dial was refused, too.
func (d *detector) refusedToo(helper string, seq uint64) {
	if a := d.asks[seq]; a != nil {
		if about := d.doubts[a.name]; about != nil && about.seq == seq && about.waiting[helper] {
			delete(about.waiting, helper)
			d.overlay.evidence(a.name, "refused", helper)
			d.conclude(about)
		}
	}
}

// conclude takes a node for down without a suspicion, if this node's dial and
// those of all helpers were refused: no process listens there. A helper that is
// connected to it answers for it instead. A process that refuted that it is down
// gets the usual time for a while: see dispute.
func (d *detector) conclude(about *doubt) {
	if !about.refused || len(about.asked) == 0 || len(about.waiting) > 0 || d.overlay.peer(about.name) != nil || d.isDisputed(about.name) {
		return
	}
	d.replica.accuse(about.name, rankDown)
	d.endDoubt(d.takeAsk(about.seq), false)
}

// endDoubt suspects a node of which nothing was heard since it was doubted.
func (d *detector) endDoubt(a *ask, alive bool) {
	name, about := a.name, d.doubts[a.name]
	delete(d.doubts, name)
	c := d.overlay.peer(name)
	if alive && c != nil && !about.refused {
		d.health.worse() // others reach it, this node did not
	}
	if alive {
		d.overlay.evidence(name, "answered", "")
	}
	if alive && c == nil {
		d.overlay.detour(name)
	}
	if alive || c != nil && c.heard > a.sent || d.overlay.isSpared(name) {
		delete(d.quiet, name)
		return
	}
	if len(about.asked) > 0 && !d.heardAny(about.asked, a.sent) {
		d.doubt(name, about.refused) // none of them may be reached: others are asked
		return
	}
	if c == nil {
		d.overlay.matter(name) // if it refutes, it is left alone: see changed
	}
	d.replica.accuse(name, rankSuspect)
}
