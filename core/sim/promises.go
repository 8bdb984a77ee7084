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
	// LastFor is how much later the dead are down for the last node of a ring: those
	// whom it asks are silent, too, and the dial of one has to time out before it knows.
	LastFor = 2 * core.Second
	// AccusedFor is when nobody who lives is suspected for the last time: who is
	// reached through a gateway has GuestGrace to find another.
	AccusedFor = core.GuestGrace + core.Second
)

// MovedFor is when no guest that lives is suspected any more, whatever its gateway is
// told: it has lost one, found another, and those that it dialled in between were dead.
const MovedFor = 30 * core.Second

// DownWithin is when a node that is dead is down for all in a ring of n: who is
// connected with it gives each of its peers, d at most, a turn, one in a period; it waits
// for the ack, asks others, and suspects, each for twice as long as usual if it holds
// itself for late; and then it tells all.
func DownWithin(n int) int64 {
	d := int64(min(n-1, 12))
	return d*1100*core.Millisecond + 2*(500*core.Millisecond+1000*core.Millisecond+granted) + core.Second
}

// granted is the patience, and granted again to a process that was suspected though it lived.
const granted = 4 * core.Second

// replaced is an engine in whose place others come while it runs, some of them at nearly
// each input: each begins its periods, and what it doubts, anew.
type replaced interface{ Replaced() int }

// GuestUpWithin is when a guest that lives is up for a node that it may have for a
// gateway, one of so many: each of the others may leave a dial unanswered (2 s), and
// the next one comes within a period.
func GuestUpWithin(gateways int) int64 {
	return 4*core.Second + int64(gateways)*3300*core.Millisecond
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
	gaveWay   []gaveWay
	downs     map[*Machine]int64     // how many others each has shown down since it was disturbed: see Machine.downs
	wronged   map[wire.Instance]bool // processes that were suspected, or shown down, while a machine ran their node
	filed     int                    // the most records that a node had on its disk when it started
}

// Promise has the World watch from now on that what is promised is kept.
func (w *World) Promise() {
	w.promises = &promises{w: w, next: w.now, disturbed: w.now, apart: w.now - core.Minute, removed: make(map[*process]map[string]int64), walks: make(map[*process]*walks), downs: make(map[*Machine]int64), wronged: make(map[wire.Instance]bool)}
}

// happened takes down that something was done to the World.
func (p *promises) happened() {
	if p != nil {
		p.disturbed = p.w.now
		clear(p.downs)
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
		if wrong || m.group != 0 || m.deaf || m.paused || m.opt.Rogue != nil || m.proc != nil && (m.addr != m.told || m.addr != "" && w.byAddr[m.addr] != m || w.more(m)) {
			p.happened()
		}
	}
	return w.now - p.disturbed
}

// others returns the other machines that run the same node.
func (w *World) others(m *Machine) (others []*Machine) {
	for _, o := range w.machines {
		if o != m && o.proc != nil && o.opt.Node == m.opt.Node && o.opt.Ring == m.opt.Ring {
			others = append(others, o)
		}
	}
	return others
}

// more tells whether another machine runs the same node.
func (w *World) more(m *Machine) bool { return len(w.others(m)) > 0 }

// member tells whether a machine runs a durable node that belongs to the ring for
// all that it knows: who was removed is told nothing more.
func (m *Machine) member() bool {
	if m.proc == nil || m.opt.Guest {
		return false
	}
	_, in := m.View().Get(m.opt.Node)
	return in
}

// isLast tells whether all other durable nodes of a machine's ring are dead.
func (w *World) isLast(m *Machine) bool {
	for _, o := range w.machines {
		if o != m && o.opt.Ring == m.opt.Ring && o.member() {
			return false
		}
	}
	return true
}

// knowsLater tells whether a machine knows a later process of another one's node: that
// one is over, and does not know it yet.
func knowsLater(m, o *Machine) bool {
	n, in := m.View().Get(o.opt.Node)
	return in && n.Instance.Start > o.proc.instance.Start
}

// downs returns how many others a machine shows down, or is about to, of which it dials one by chance
// after the other.
func (m *Machine) downs() (n int64) {
	for _, o := range m.w.machines {
		if shown, in := m.View().Get(o.opt.Node); in && o != m && shown.State != core.Alive {
			n++
		}
	}
	return max(n-1, 0)
}

// lost returns how many durable nodes a machine shows as not alive, whether there are machines of
// them or not.
func (m *Machine) lost() (n int64) {
	for _, shown := range m.View().All() {
		if shown.State != core.Alive && !shown.Ephemeral {
			n++
		}
	}
	return n
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
		if o.member() {
			p.downs[o] = max(p.downs[o], o.downs())
		}
	}
	for _, o := range p.w.machines {
		if !o.member() {
			continue
		}
		down := DownWithin(o.View().Len())
		if p.w.isLast(o) {
			down += LastFor
			if e, ok := o.proc.eng.(replaced); ok && e.Replaced() > 0 {
				down *= 2
			}
		}
		usual := down
		p.lookForGuests(o, calm)
		for _, s := range p.w.machines {
			if s == o || s.opt.Guest || !s.ever || s.opt.Ring != o.opt.Ring {
				continue
			}
			n, in := o.View().Get(s.opt.Node)
			if down = usual; p.wronged[n.Instance] {
				down += 2 * granted
			}
			shown := in && (n.State == core.Alive || n.State == core.Suspect)
			switch {
			case !in:
			case s.member() && !shown && calm > up && (knows(o, s) || knows(s, o)) && !knowsLater(o, s) && !knowsLater(s, o):
				late := up
				if n := max(p.downs[o], p.downs[s], o.lost()-1); n > 0 { // many are found dead, and this one among them
					late += granted + 3300*core.Millisecond*n
				}
				if calm > late {
					p.broken(o.name, " shows ", s.name, " ", n.State.String(), ", which lives, ", clock(calm), " after anything happened: later than ", clock(late))
				}
			case s.proc == nil && shown && s.addr == "" && calm <= down+core.GuestGrace: // its gateway was asked first
			case s.proc == nil && shown && calm > down && p.w.living(s.opt.Ring, s.opt.Node) == nil:
				p.broken(o.name, " shows ", s.name, " ", n.State.String(), ", which is dead, ", clock(calm), " after anything happened: later than ", clock(down))
			}
		}
	}
}

// lookForGuests expects a guest that lives to be up for each node that it can have
// for a gateway, wherever it is.
func (p *promises) lookForGuests(gw *Machine, calm int64) {
	for _, g := range p.w.machines {
		if g.proc == nil || !g.opt.Guest || g.opt.Ring != gw.opt.Ring || gw.addr == "" || !slices.Contains(g.join, gw.addr) {
			continue
		}
		if slices.ContainsFunc(p.w.ops, func(o op) bool { return o.ring == g.opt.Ring && o.name == g.opt.Node && !o.add }) {
			continue // it stays away, and may not know it yet
		}
		late := GuestUpWithin(len(g.join)) + 6*p.w.cfg.LatencyMax
		if n, in := gw.View().Get(g.opt.Node); calm > late && (!in || n.State != core.Alive) {
			p.broken(gw.name, " does not show ", g.name, " up, whose gateway it may be, ", clock(calm), " after anything happened: later than ", clock(late))
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
		pr.spare = pr.spare || p.wronged[e.Node.Instance] // what was said against it may be taken back, and was not on disk
		if stamp := gone[name]; stamp > pr.m.Wall()-core.TombstoneMaxAge && !e.Node.Ephemeral && !p.mayBe(pr.m.opt.Ring, name, stamp) {
			p.broken(pr.m.name, " shows ", name, " again, which was removed, and nobody has added it since")
		}
	case core.Suspect, core.Down:
		if s := p.w.living(pr.m.opt.Ring, name); s != nil {
			p.wronged[e.Node.Instance] = true
		}
		// Who is reached through a gateway is suspected when that goes, and the process
		// before one that is not known yet is dead.
		if s := p.w.living(pr.m.opt.Ring, name); s != nil && s.proc.instance == e.Node.Instance && s.addr != "" && s.member() && pr.m.member() && p.calm() > AccusedFor+ApartFor {
			p.broken(pr.m.name, " shows ", name, " ", e.Node.State.String(), ", which lives, ", clock(p.calm()), " after anything happened")
		} else if s != nil && s.opt.Guest && s.opt.Rogue == nil && pr.m.member() && p.calm() > MovedFor { // also when its gateway drains
			p.broken(pr.m.name, " shows ", name, " ", e.Node.State.String(), ", a guest that lives, ", clock(p.calm()), " after anything happened")
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
	if p == nil || reason != core.HaltRemoved && reason != core.HaltNameTaken || m.opt.Guest || m.opt.Rogue != nil {
		return
	}
	if p.w.more(m) {
		if reason == core.HaltNameTaken {
			p.gaveWay = append(p.gaveWay, gaveWay{m, p.w.others(m), p.knewDeleted(m), p.w.now})
		}
		return
	}
	p.bothGone(m)
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

// gaveWay is about a process that halted in favour of another one of its name.
type gaveWay struct {
	m       *Machine
	others  []*Machine // of that name, which ran then
	deleted int64      // when its name was before it started, as far as it knew
	at      int64
}

// knewDeleted returns the stamp of the deletion that a machine's node has overruled.
func (p *promises) knewDeleted(m *Machine) int64 {
	for _, r := range p.w.snapshot(m) {
		if r.Set == wire.Nodes && r.Name == m.opt.Node && r.Rank == 0 {
			if of, err := wire.ParseMember(r.Value); err == nil && of.Deleted < m.proc.instance.Start {
				return of.Deleted
			}
		}
	}
	return 0
}

// bothGone holds against the last process of a name that halts that another one, which
// knew that it replaced it, has just halted for its sake.
func (p *promises) bothGone(last *Machine) {
	for _, g := range p.gaveWay {
		if len(g.others) == 1 && g.others[0] == last && last.proc.instance.Start < g.deleted && p.w.now-g.at < core.Minute {
			p.broken(last.name, " is over, and halts, and ", g.m.name, ", which replaced it, has halted for its sake: both are gone")
		}
	}
}

// stepped holds what a step does against what came in, and how many there are to tell.
func (p *promises) stepped(pr *process, in *core.Input, effects []core.Effect) {
	if p == nil || pr.m.opt.Rogue != nil {
		return
	}
	came, bytes, news, things := len(in.Frame), 0, 0, 0
	if in.Kind == core.Start {
		came = len(pr.m.disk.Ring)
	}
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
	most, mostBytes := 64+12*conns+came/8, 8<<10+1024*conns+4*came
	if p.w.crowd != nil { // there is more to tell than that: an answer and the news of a flush, each full
		most += p.w.guests()
		mostBytes += 192<<10 + 1<<20 + 16<<10
	}
	if in.Kind == core.Start || kindOf(in) == wire.KindSynced {
		most += p.known().names // each is shown, or dropped, as an authority lacks it
	}
	if things > most {
		p.broken(pr.m.name, " does ", strconv.Itoa(things), " things in one step, more than ", strconv.Itoa(most), ", on ", strconv.Itoa(conns), " connections")
	}
	if bytes > mostBytes {
		p.broken(pr.m.name, " sends ", strconv.Itoa(bytes), " bytes in one step, more than ", strconv.Itoa(mostBytes), ", to ", strconv.Itoa(conns), " peers, for ", strconv.Itoa(came))
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
