package sim

import (
	"slices"
	"strconv"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// How soon a ring is right again once nothing happens to it any more, its network is
// whole and its clocks agree: see docs/protocol.md, section 29.
const (
	// UpWithin is when a node that lives is up for all who can dial it, or whom it
	// can dial, and six times the latency more: a dial that was under way may have to
	// time out first (2 s), and the next one comes within a period.
	UpWithin = 3500 * core.Millisecond
	// ApartFor is how much later it is up for those whose clock it disagreed with: they
	// do not dial each other for three periods.
	ApartFor = 3300 * core.Millisecond
	// AccusedFor is when nobody who lives is suspected for the last time: who is
	// reached through a gateway has GuestGrace to find another.
	AccusedFor = core.GuestGrace + core.Second
)

// DownWithin is when a node that is dead is down for all in a ring of n: who is
// connected with it gives each of its peers, d at most, a turn, one in a period; it waits
// for the ack, asks others, and suspects, each for twice as long as usual if it holds
// itself for late; and then it tells all.
func DownWithin(n int) int64 {
	d := int64(min(n-1, 12))
	return d*1100*core.Millisecond + 2*(500*core.Millisecond+1000*core.Millisecond+2*core.Second+2*core.Second*int64(doublings(n))/24) + core.Second
}

func doublings(n int) (d int) {
	for ; n >= 8; n /= 2 {
		d++
	}
	return d
}

// promises watches a World for what holds at every moment, and not only after some
// quiet time, as Check does. The first that is broken is the World's Err.
type promises struct {
	w         *World
	next      int64                         // when it looks again
	disturbed int64                         // when something happened last: to a machine, to the network, by a command
	apart     int64                         // when a clock was wrong last
	removed   map[*process]map[string]int64 // the stamps of names that it has shown as removed
	walks     map[*process]*walks
}

// Promise has the World watch from now on that what is promised is kept.
func (w *World) Promise() {
	w.promises = &promises{w: w, next: w.now, disturbed: w.now, apart: w.now - core.Minute, removed: make(map[*process]map[string]int64), walks: make(map[*process]*walks)}
}

// happened takes down that something was done to the World.
func (p *promises) happened() {
	if p != nil {
		p.disturbed = p.w.now
	}
}

// until looks at the World every tenth of a second up to a time.
func (p *promises) until(t int64) {
	for p != nil && p.next < t {
		p.w.now = p.next
		p.next += 100 * core.Millisecond
		p.look()
	}
}

// calm returns for how long nothing has happened and all could reach all, 0 if that is not so.
func (p *promises) calm() int64 {
	w := p.w
	if len(w.ways)+len(w.refused)+len(w.dropped)+len(w.narrow)+len(w.names)+len(w.paths) > 0 || w.cfg.Stalls+w.cfg.Resets+w.cfg.Loss > 0 {
		p.happened()
	}
	for _, m := range w.machines {
		wrong := m.clock > core.MaxSkew/2 || m.clock < -core.MaxSkew/2
		if wrong && m.proc != nil {
			p.apart = w.now
		}
		if wrong || m.group != 0 || m.deaf || m.paused || m.opt.Rogue != nil || m.proc != nil && m.addr != m.told || w.more(m) {
			p.happened()
		}
	}
	return w.now - p.disturbed
}

// more tells whether there is another machine of the same node.
func (w *World) more(m *Machine) bool {
	for _, o := range w.machines {
		if o != m && o.ever && o.opt.Node == m.opt.Node && o.opt.Ring == m.opt.Ring {
			return true
		}
	}
	return false
}

// member tells whether a machine runs a durable node that belongs to the ring for
// all that it knows: who was removed is told nothing more.
func (m *Machine) member() bool {
	if m.proc == nil || m.opt.Guest {
		return false
	}
	_, in := m.View().Get(m.opt.Node)
	return in
}

// downs returns how many others a machine shows down, of which it dials one by chance
// after the other.
func (m *Machine) downs() (n int64) {
	for _, o := range m.w.machines {
		if shown, in := m.View().Get(o.opt.Node); in && o != m && shown.State != core.Alive && shown.State != core.Suspect {
			n++
		}
	}
	return max(n-1, 0)
}

// look holds what all show against who lives.
func (p *promises) look() {
	p.w.talk.look()
	calm := p.calm()
	if calm <= UpWithin {
		return
	}
	up := UpWithin + 6*p.w.cfg.LatencyMax
	if p.disturbed-p.apart < core.Minute {
		up += ApartFor
	}
	for _, o := range p.w.machines {
		if !o.member() {
			continue
		}
		down := DownWithin(o.View().Len())
		for _, s := range p.w.machines {
			if s == o || s.opt.Guest || !s.ever || s.opt.Ring != o.opt.Ring {
				continue
			}
			n, in := o.View().Get(s.opt.Node)
			shown := in && (n.State == core.Alive || n.State == core.Suspect)
			switch {
			case !in:
			case s.member() && !shown && calm > up && (knows(o, s) || knows(s, o)):
				if late := up + 3300*core.Millisecond*max(o.downs(), s.downs()); calm > late {
					p.broken(o.name, " shows ", s.name, " ", n.State.String(), ", which lives, ", clock(calm), " after anything happened: later than ", clock(late))
				}
			case s.proc == nil && shown && calm > down && s.addr == "" && calm <= down+core.GuestGrace: // its gateway was asked first
			case s.proc == nil && shown && calm > down && (s.told == "" || p.w.byAddr[s.told] == s):
				p.broken(o.name, " shows ", s.name, " ", n.State.String(), ", which is dead, ", clock(calm), " after anything happened: later than ", clock(down))
			}
		}
	}
}

func (p *promises) broken(words ...string) {
	if p.w.err == nil {
		var c complaints
		c.add(append([]string{"a promise is broken at ", clock(p.w.now), ": "}, words...)...)
		p.w.err = c.err()
	}
}

// shown holds an event against what is true.
func (p *promises) shown(pr *process, e *core.Event) {
	if p == nil || e.Kind != core.EventNode || pr.m.opt.Rogue != nil || pr.m.opt.Guest { // a guest knows what its gateway does, also if that is less
		return
	}
	name, gone := e.Node.Name, p.removed[pr]
	switch e.Node.State {
	case core.Removed:
		if gone == nil {
			gone = make(map[string]int64)
			p.removed[pr] = gone
		}
		gone[name] = p.w.tombstoneOf(pr.m, name)
	case core.Alive:
		if stamp := gone[name]; stamp > pr.m.Wall()-core.TombstoneMaxAge && !e.Node.Ephemeral && !p.mayBe(pr.m.opt.Ring, name, stamp) {
			p.broken(pr.m.name, " shows ", name, " again, which was removed, and nobody has added it since")
		}
	case core.Suspect, core.Down:
		// Who is reached through a gateway is suspected when that goes.
		if s := p.w.living(pr.m.opt.Ring, name); s != nil && s.addr != "" && s.member() && pr.m.member() && p.calm() > AccusedFor+ApartFor {
			p.broken(pr.m.name, " shows ", name, " ", e.Node.State.String(), ", which lives, ", clock(p.calm()), " after anything happened")
		}
	}
}

// living returns the machine that runs a node, or nil.
func (w *World) living(ring, name string) *Machine {
	for _, m := range w.machines {
		if m.proc != nil && m.opt.Ring == ring && m.opt.Node == name {
			return m
		}
	}
	return nil
}

// tombstoneOf returns the stamp of the deletion of a name that a machine's node has, or 0.
func (w *World) tombstoneOf(m *Machine, name string) int64 {
	for _, r := range w.snapshot(m) {
		if r.Set == wire.Nodes && r.Name == name && r.Rank > 1 {
			return r.Stamp
		}
	}
	return 0
}

// mayBe tells whether a name may have been added to a ring after a stamp.
func (p *promises) mayBe(ring, name string, after int64) bool {
	return slices.ContainsFunc(p.w.ops, func(o op) bool { return o.ring == ring && o.name == name && o.add && p.w.latest(&o) > after })
}

// halted holds against a process that has halted by itself that nobody ever deleted its node.
func (p *promises) halted(m *Machine, reason core.Reason, text string) {
	if p == nil || reason != core.HaltRemoved && reason != core.HaltNameTaken || m.opt.Guest || m.opt.Rogue != nil || p.w.more(m) {
		return
	}
	k := &known{name: m.opt.Node}
	for i := range p.w.ops {
		if o := &p.w.ops[i]; o.ring == m.opt.Ring && o.name == m.opt.Node {
			k.ops = append(k.ops, o)
			k.deleted = k.deleted || !o.add
		}
	}
	if p.w.judge(k); !k.out && !k.deleted {
		p.broken(m.name, " halts, ", reason.String(), ", ", text, ", and belongs to the ring: nobody has deleted it")
	}
}

// stepped holds what a step does against what came in, and how many there are to tell.
func (p *promises) stepped(pr *process, in *core.Input, effects []core.Effect) {
	if p == nil || pr.m.opt.Rogue != nil {
		return
	}
	bytes, news, things := 0, 0, 0
	for i := range effects {
		if e := &effects[i]; isNews(e) {
			news += len(e.Frame)
		} else {
			bytes += len(e.Frame)
			things++
		}
	}
	conns := len(pr.conns) + 1
	if most := conns * newsOfConn; news > most {
		p.broken(pr.m.name, " sends ", strconv.Itoa(news), " bytes of messages in one step, more than ", strconv.Itoa(most), ", to ", strconv.Itoa(conns), " peers")
	}
	most, mostBytes := 64+12*conns+len(in.Frame)/8, 8<<10+1024*conns+4*len(in.Frame)
	if p.w.crowd != nil { // there is more to tell than that: an answer and the news of a flush, each full
		most += p.w.guests()
		mostBytes += 192<<10 + 1<<20 + 16<<10
	}
	if in.Kind == core.Start || kindOf(in) == wire.KindSynced {
		most += p.w.known().names // each is shown, or dropped, as an authority lacks it
	}
	if things > most {
		p.broken(pr.m.name, " does ", strconv.Itoa(things), " things in one step, more than ", strconv.Itoa(most), ", on ", strconv.Itoa(conns), " connections")
	}
	if bytes > mostBytes {
		p.broken(pr.m.name, " sends ", strconv.Itoa(bytes), " bytes in one step, more than ", strconv.Itoa(mostBytes), ", to ", strconv.Itoa(conns), " peers, for ", strconv.Itoa(len(in.Frame)))
	}
}

// newsOfConn is how many bytes of messages a step sends on a connection, at most: what
// may be under way there, a last frame over, and what was seen.
const newsOfConn = (64 + 24 + 64) << 10

// isNews tells whether an effect is of messages, whose number and bytes are bounded by
// what peers take.
func isNews(e *core.Effect) bool {
	switch e.Kind {
	case core.Send:
		if len(e.Frame) < 2 {
			return false
		}
		kind := wire.Kind(e.Frame[1])
		return kind >= wire.KindMessage && kind <= wire.KindAnswers || kind == wire.KindRelay && len(e.Frame) > 600 // of probes none is as long
	case core.Emit:
		return e.Event.Kind >= core.EventHeard
	}
	return false
}
