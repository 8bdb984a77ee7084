package core

import (
	"math/bits"
	"slices"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// helpers is through how many others a node is probed (SWIM 4.1: k = 3).
const helpers = 3

// ask is a probe on its way.
type ask struct {
	name   string
	direct bool // by this node itself, not through others
	done   func(alive bool, who wire.Instance)
	timer  *timer
}

// newAsk makes a sequence number whose alive, or the lack of one for d, ends in done.
func (r *Ring) newAsk(name string, d int64, done func(bool, wire.Instance)) uint64 {
	r.seq++
	seq := r.seq
	r.asks[seq] = &ask{name: name, done: done, timer: r.after(d, func() { r.endAsk(seq, false, wire.Instance{}) })}
	return seq
}

func (r *Ring) endAsk(seq uint64, alive bool, who wire.Instance) {
	if a := r.asks[seq]; a != nil {
		delete(r.asks, seq)
		a.timer.stop()
		a.done(alive, who)
	}
}

// alive takes the answer of a node to the probe of that number.
func (r *Ring) alive(name string, seq uint64, who wire.Instance) {
	if a := r.asks[seq]; a != nil && a.name == name {
		r.endAsk(seq, true, who)
	}
}

// ask probes name by its route.
func (r *Ring) ask(name string, d int64, done func(bool, wire.Instance)) {
	seq := r.newAsk(name, d, done)
	r.asks[seq].direct = true
	probe := (&wire.Frame{Kind: wire.KindProbe, Seq: seq}).Append(nil)
	if !r.route(name, probe, nil) {
		r.endAsk(seq, false, wire.Instance{})
	}
}

// doubt is about a node that did not answer, or whose address refused a connection.
type doubt struct {
	name    string
	seq     uint64   // of the probes through others
	refused bool     // this node's own dial was refused
	through int      // how many others were asked
	waiting []string // those of them who did not say yet that their dial was refused, too
}

// doubt follows up on a node that did not answer: it is probed through others
// and, if none of them reaches it, suspected (SWIM 4.1 and 4.2).
func (r *Ring) doubt(name string, refused bool) {
	if d := r.doubts[name]; d != nil {
		d.refused = d.refused || refused
		r.conclude(d)
		return
	}
	s := r.look(name)
	if s.state != Alive || r.cfg.Ephemeral || name == r.cfg.Name || r.shunning(name) {
		return
	}
	through, patience := r.helpersFor(name)
	since := r.now
	d := &doubt{name: name, refused: refused, through: len(through)}
	r.doubts[name] = d
	d.seq = r.newAsk(name, r.health.stretch(2*patience), func(alive bool, _ wire.Instance) {
		delete(r.doubts, name)
		c := r.byName[name]
		if alive && c != nil && !d.refused {
			r.health.worse() // others reach it, this node did not
		}
		if alive || c != nil && c.heard > since || r.shunning(name) {
			return
		}
		r.accuse(name, rankSuspect)
	})
	if len(through) == 0 && r.byName[name] == nil {
		r.endAsk(d.seq, false, wire.Instance{}) // nobody to ask, no way to hear
		return
	}
	probe := (&wire.Frame{Kind: wire.KindProbe, Seq: d.seq}).Append(nil)
	if c := r.byName[name]; c != nil {
		r.sendBytes(c, probe)
	}
	for _, c := range through {
		d.waiting = append(d.waiting, c.name)
		r.send(c, &wire.Frame{Kind: wire.KindRelay, From: r.cfg.Name, To: name, Inner: string(probe)})
	}
}

// helpersFor picks who is asked for a node, and how long the slowest of them may take.
func (r *Ring) helpersFor(name string) (through []*conn, patience int64) {
	for _, c := range r.live {
		if !c.guest && !c.authority && c.strange == 0 && c.name != name {
			through = append(through, c)
		}
	}
	r.rand.Shuffle(len(through), func(i, j int) { through[i], through[j] = through[j], through[i] })
	through = through[:min(helpers, len(through))]
	for _, c := range through {
		patience = max(patience, c.trip.timeout(r.cfg.AckTimeout))
	}
	if patience == 0 {
		patience = r.cfg.AckTimeout
	}
	return through, patience
}

// refusedToo takes a helper's word that its dial was refused, too.
func (r *Ring) refusedToo(helper string, seq uint64) {
	if a := r.asks[seq]; a != nil {
		if d := r.doubts[a.name]; d != nil && d.seq == seq {
			d.waiting = slices.DeleteFunc(d.waiting, func(name string) bool { return name == helper })
			r.conclude(d)
		}
	}
}

// conclude takes a node for down without a suspicion, if this node's dial and
// those of all helpers were refused: no process listens there. A helper that is
// connected to it answers for it instead. Whoever refuted such a conclusion gets
// the usual time for disputeTime.
func (r *Ring) conclude(d *doubt) {
	if !d.refused || d.through == 0 || len(d.waiting) > 0 || r.byName[d.name] != nil || r.disputed[d.name] > r.now {
		return
	}
	r.accuse(d.name, rankDown)
	r.endAsk(d.seq, false, wire.Instance{})
}

// disputeTime is for how long a node that was down and was not is not concluded about.
const disputeTime = 10 * Minute

// unreachable draws the conclusions from a dial of name that failed.
func (r *Ring) unreachable(name string, refused bool) {
	for last := r.seq; ; {
		first := uint64(0)
		for seq, a := range r.asks {
			if a.name == name && a.direct && seq <= last && (first == 0 || seq < first) {
				first = seq
			}
		}
		if first == 0 {
			break
		}
		r.endAsk(first, false, wire.Instance{})
	}
	r.doubt(name, refused)
}

// tellRefused answers the probes that others wanted forwarded by a dial that was refused.
func (r *Ring) tellRefused(frames []string) {
	var f, probe wire.Frame
	for _, frame := range frames {
		if f.Decode([]byte(frame)) != nil || f.Kind != wire.KindRelay || probe.Decode([]byte(f.Inner)) != nil {
			continue // its own
		}
		if c := r.byName[f.From]; c != nil && probe.Kind == wire.KindProbe {
			r.send(c, &wire.Frame{Kind: wire.KindRefused, Seq: probe.Seq})
		}
	}
}

// timeSuspicion makes a suspect down when its time to refute is over. Every
// holder of a suspicion does so, and all write the same record.
func (r *Ring) timeSuspicion(rec *lww.Record, s *standing) {
	r.after(r.suspectFor(s), func() {
		if r.up.Get(rec.Name) == rec {
			r.accuse(rec.Name, rankDown)
		}
	})
}

// suspectFor is the time to refute. It grows with log n, as the way that a
// refutation has to make (SWIM 4.2), though slowly: a rumor is everywhere within
// a few flushes. And it grows when this node does badly itself (see health).
func (r *Ring) suspectFor(s *standing) int64 {
	if s.guest {
		return GuestGrace
	}
	doublings := max(0, bits.Len(uint(r.peersUp))-3)
	return r.health.stretch(r.cfg.SuspectFor * int64(24+doublings) / 24)
}
