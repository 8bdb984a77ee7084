package sim

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// standIn speaks for a node of the rest with those that are lived: a process without an
// engine's state, which says what the node would. Its connections with others of the rest
// are not there; they have their turns in its rounds all the same.
type standIn struct {
	r      *rest
	i      int32 // which of the rest it is
	cfg    core.Config
	m      *Machine
	rng    *rand.Rand
	lines  []*line
	dials  []string // addresses that it is about to dial
	due    []owed   // by when they are
	round  int64    // virtual time of the next
	turns  []int64  // of its connections with the rest: when each had its last
	seq    uint64
	next   core.ConnID
	in     wire.Frame
	out    []core.Effect
	refute []owed
}

// line is a connection of a stand-in.
type line struct {
	id   core.ConnID
	peer *Machine // that is lived; nil while it has not said who it is
	open bool     // both have said hello
	turn int64    // when the two exchanged what they know last
}

// owed is news that a stand-in sends, or tells of, at a time.
type owed struct {
	at   int64
	line *line
	news *news
	told bool        // by its digest
	rec  *lww.Record // to refute
	sent *wire.Frame // nothing of all this, but a frame
}

// standsIn makes a machine's node one of the rest.
func (r *rest) standsIn(o *Options) {
	o.Rogue = func(cfg core.Config) (core.Engine, error) {
		m := r.w.byName[cfg.Name]
		i, _ := r.at(m)
		s := &standIn{r: r, i: i, m: m, cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 0))}
		s.turns = make([]int64, len(r.nodes[i].near))
		for j := range s.turns {
			s.turns[j] = r.w.now - s.rng.Int64N(int64(len(s.turns))*r.period/2+1)
		}
		s.round = r.w.now + s.rng.Int64N(r.period)
		r.nodes[i].talks = s
		return s, nil
	}
	tune := o.Tune
	o.Tune = func(c *core.Config) {
		tune(c)
		c.Instance = r.instance(r.w.byName[c.Name].index)
		c.Snapshot = nil
	}
}

func (s *standIn) Snapshot() ([]byte, error)      { return nil, nil }
func (s *standIn) Changes(uint64) ([]byte, error) { return nil, nil }
func (s *standIn) Handover() ([]byte, error)      { return nil, nil }

func (s *standIn) Close() error {
	s.r.nodes[s.i].talks = nil
	return nil
}

// dialSoon has it dial a node that is lived, within a second.
func (s *standIn) dialSoon(addr string) {
	s.dials = append(s.dials, addr)
	s.round = min(s.round, s.r.w.now+s.rng.Int64N(core.Second))
	s.wake()
}

// owe has it send news at a time, or tell of it.
func (s *standIn) owe(l *line, n *news, at int64, told bool) {
	s.put(&s.due, owed{at: at, line: l, news: n, told: told})
}

// later has it send a frame after a while.
func (s *standIn) later(wait int64, l *line, f *wire.Frame) {
	s.put(&s.due, owed{at: s.r.w.now + wait, line: l, sent: f})
}

// refuteAt has it refute an accusation at a time.
func (s *standIn) refuteAt(at int64, rec *lww.Record) { s.put(&s.refute, owed{at: at, rec: rec}) }

func (s *standIn) put(list *[]owed, o owed) {
	i, _ := slices.BinarySearchFunc(*list, o.at+1, func(o owed, at int64) int { return cmp.Compare(o.at, at) })
	*list = slices.Insert(*list, i, o)
	s.wake()
}

// wake has its process wake when something is due, whoever arranged it.
func (s *standIn) wake() {
	if p := s.m.proc; p != nil && (p.wakeAt == 0 || s.dueAt() < p.wakeAt) {
		p.wake(s.dueAt())
	}
}

func (s *standIn) dueAt() int64 {
	at := s.round
	if len(s.due) > 0 {
		at = min(at, s.due[0].at)
	}
	if len(s.refute) > 0 {
		at = min(at, s.refute[0].at)
	}
	return at
}

func (s *standIn) Step(in core.Input) ([]core.Effect, error) {
	s.out = s.out[:0]
	switch in.Kind {
	case core.Opened:
		s.opened(&in)
	case core.Received:
		if l := s.lineOf(in.Conn); l != nil && s.in.Decode(in.Frame) == nil {
			s.hear(l, &s.in)
		}
	case core.Closed:
		s.closed(&in)
	case core.Tick:
		s.tick()
	}
	now := s.r.w.now
	s.out = append(s.out, core.Effect{Kind: core.Wake, At: in.Mono + max(0, s.dueAt()-now)})
	return s.out, nil
}

func (s *standIn) lineOf(id core.ConnID) *line {
	for _, l := range s.lines {
		if l.id == id {
			return l
		}
	}
	return nil
}

func (s *standIn) opened(in *core.Input) {
	if in.Conn%2 == 0 {
		s.hello(s.lineOf(in.Conn))
		return
	}
	s.lines = append(s.lines, &line{id: in.Conn})
}

func (s *standIn) closed(in *core.Input) {
	l := s.lineOf(in.Conn)
	if l == nil {
		return
	}
	s.lines = slices.DeleteFunc(s.lines, func(o *line) bool { return o == l })
	if l.open && l.peer.proc == nil {
		at := s.r.refused(s.i, l.peer, s.r.w.now)
		s.r.accuse(l.peer.opt.Node, hop{at: at, to: s.i, from: -1})
	}
}

func (s *standIn) tick() {
	now := s.r.w.now
	for len(s.refute) > 0 && s.refute[0].at <= now {
		s.deny(s.refute[0].rec)
		s.refute = s.refute[1:]
	}
	for len(s.due) > 0 && s.due[0].at <= now {
		o := s.due[0]
		s.due = s.due[1:]
		s.pay(&o)
	}
	if s.round > now {
		return
	}
	s.round = now + s.r.period
	for _, addr := range s.dials {
		s.next += 2
		s.lines = append(s.lines, &line{id: s.next})
		s.out = append(s.out, core.Effect{Kind: core.Dial, Conn: s.next, Addr: addr})
	}
	s.dials = nil
	s.gossip()
}

// pay sends what is owed, unless the peer has shown meanwhile that it has it.
func (s *standIn) pay(o *owed) {
	n := o.news
	if n == nil {
		if slices.Contains(s.lines, o.line) {
			s.send(o.line, o.sent)
		}
		return
	}
	if n.told[o.line] || !slices.Contains(s.lines, o.line) || s.r.has(s.i, n.id, n.rec.Name) != n.rec {
		return
	}
	n.told[o.line] = true
	if o.told {
		s.send(o.line, &wire.Frame{Kind: wire.KindKnown, Digests: []uint64{wire.Digest(n.rec.Hash(), n.rec.Sum())}})
	} else {
		s.send(o.line, &wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{recordOf(n.id, n.rec)}})
	}
}

// deny says that it lives.
func (s *standIn) deny(rec *lww.Record) {
	if mine := s.r.has(s.i, wire.Up, s.cfg.Name); mine == nil || mine.Compare(rec) > 0 {
		return
	}
	says := lww.New(rec.Name, max(rec.Stamp+1, s.m.Wall()), 0, rec.Value)
	s.r.flood(s.r.newsOf(wire.Up, says), hop{at: s.r.w.now, to: s.i, from: -1, own: true})
}

// gossip has a round with who was silent for longest: with one of the rest that is seen
// in that one's turn alone. One of those has its own round with this one as often.
func (s *standIn) gossip() {
	now := s.r.w.now
	oldest := func() (at int) {
		for i := range s.turns {
			if s.turns[i] < s.turns[at] {
				at = i
			}
		}
		return at
	}
	var l *line
	for _, o := range s.lines {
		if o.open && (l == nil || o.turn < l.turn) {
			l = o
		}
	}
	if n := len(s.turns); n > 0 && s.rng.IntN(n+len(s.lines)) < n {
		s.turns[oldest()] = now - s.rng.Int64N(s.r.period)
	}
	if len(s.turns) > 0 && (l == nil || s.turns[oldest()] < l.turn) {
		s.turns[oldest()] = now
		return
	}
	if l != nil {
		l.turn = now
		s.seq++
		s.send(l, &wire.Frame{Kind: wire.KindGossip, Seq: s.seq, Wall: s.m.Wall(), Fingerprint: s.r.fingerprint(s.i)})
	}
}

func (s *standIn) send(l *line, f *wire.Frame) {
	s.out = append(s.out, core.Effect{Kind: core.Send, Conn: l.id, Frame: f.Append(nil)})
}

func (s *standIn) hello(l *line) {
	if l != nil {
		s.send(l, &wire.Frame{Kind: wire.KindHello, Hello: wire.Hello{
			Address: s.cfg.Address, Instance: s.cfg.Instance, Members: uint64(len(s.r.w.machines)), Name: s.cfg.Name, Ring: s.cfg.Ring,
			Min: wire.Version, Max: wire.Version, Fingerprint: s.r.fingerprint(s.i), Wall: s.m.Wall(), IDs: s.r.ids, Digests: true,
		}})
	}
}
