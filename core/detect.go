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

// doubt follows up on a node that did not answer: it is probed through others
// and, if none of them reaches it, suspected (SWIM 4.1 and 4.2).
func (r *Ring) doubt(name string) {
	s := r.look(name)
	if s.state != Alive || r.doubts[name] || r.cfg.Ephemeral || name == r.cfg.Name || r.shunning(name) {
		return
	}
	r.doubts[name] = true
	since := r.now
	var through []*conn
	for _, c := range r.live {
		if !c.guest && !c.authority && c.strange == 0 && c.name != name {
			through = append(through, c)
		}
	}
	r.rand.Shuffle(len(through), func(i, j int) { through[i], through[j] = through[j], through[i] })
	through = through[:min(helpers, len(through))]
	seq := r.newAsk(name, 2*r.cfg.AckTimeout, func(alive bool, _ wire.Instance) {
		delete(r.doubts, name)
		if c := r.byName[name]; alive || c != nil && c.heard > since || r.shunning(name) {
			return
		}
		r.accuse(name, rankSuspect)
	})
	if len(through) == 0 && r.byName[name] == nil {
		r.endAsk(seq, false, wire.Instance{}) // nobody to ask, no way to hear
		return
	}
	probe := (&wire.Frame{Kind: wire.KindProbe, Seq: seq}).Append(nil)
	if c := r.byName[name]; c != nil {
		r.sendBytes(c, probe)
	}
	for _, c := range through {
		r.send(c, &wire.Frame{Kind: wire.KindRelay, From: r.cfg.Name, To: name, Inner: string(probe)})
	}
}

// unreachable draws the conclusions from a dial of name that failed.
func (r *Ring) unreachable(name string) {
	var seqs []uint64
	for seq, a := range r.asks {
		if a.name == name && a.direct {
			seqs = append(seqs, seq)
		}
	}
	slices.Sort(seqs)
	for _, seq := range seqs {
		r.endAsk(seq, false, wire.Instance{})
	}
	r.doubt(name)
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

// suspectFor grows with log n, so that a refutation can make its way (SWIM 4.2).
func (r *Ring) suspectFor(s *standing) int64 {
	if s.guest {
		return GuestGrace
	}
	return r.cfg.SuspectFor * int64(max(3, bits.Len(uint(r.peersUp)))) / 3
}
