package sim

import (
	"math/rand/v2"
	"strconv"

	"github.com/nanoring/nanoring/core"
)

// storm lives a tale: machines come and go, are deleted and added, crash and are
// cut off, and then it is quiet.
type storm struct {
	w         *World
	plain     bool       // its engines are core's: others may swap theirs in the quietest minute
	rng       *rand.Rand // the act's own: nothing else that is left out changes what it draws
	seed      uint64     // of the act
	picks     uint64     // of machines, in the act
	names     int        // machines made so far
	most      int        // of them
	tabs      int
	rogues    int
	accusers  map[*Machine]bool // of them: there may be a suspicion of somebody at any moment
	crowd     []string          // names that share a hash, of those that the ring knew already
	ghosts    []string          // names that were added and never ran
	skewed    *Machine          // whose clock is an hour wrong
	cutUp     bool
	slept     bool       // for long
	witnesses []*process // see witnessed
}

func (s *storm) live(p *plot) error {
	s.w.Promise()
	s.by(p.begin)
	if p.crowd != nil {
		s.gather(p)
	} else {
		s.begin(p)
	}
	for _, a := range p.acts {
		s.w.recount(nil, "act ", strconv.Itoa(a.number), ": ", kinds[a.kind].word)
		s.by(a.seed)
		kinds[a.kind].do(s)
		s.pause(a.pause)
		s.witnessed()
		if s.w.err != nil {
			return s.w.err
		}
	}
	s.by(p.quiet)
	if err := s.quiet(); err != nil || !s.plain {
		return err
	}
	return s.still()
}

// pause lets time pass, in which something may be said.
func (s *storm) pause(d int64) {
	if s.w.talk == nil {
		s.w.Run(d)
		return
	}
	for end := s.w.now + d; s.w.now < end; {
		s.w.Run(min(s.w.talk.rng.Int64N(3*core.Second), end-s.w.now))
		s.w.Say()
	}
}

// by has all be drawn by a seed from now on.
func (s *storm) by(seed uint64) {
	s.seed, s.picks, s.rng = seed, 0, rand.New(rand.NewPCG(seed, 0x616374))
}

// begin makes a ring of some nodes.
func (s *storm) begin(p *plot) {
	s.most = p.most
	first := s.machine()
	s.start(first)
	for range p.nodes - 1 {
		m := s.machine()
		if s.rng.IntN(3) == 0 && m.addr != "" { // an operator adds it
			s.start(m)
			s.add(first, m)
		} else {
			s.start(m, first.Addr())
		}
		s.w.Run(s.rng.Int64N(core.Second))
	}
	s.w.Run(s.rng.Int64N(10 * core.Second))
}

func (s *storm) machine() *Machine {
	name := "n" + strconv.Itoa(s.names)
	s.names++
	return s.w.Add(name, Options{
		Clock:    s.rng.Int64N(2*core.Second) - core.Second,
		DialOnly: s.names > 2 && s.rng.IntN(10) == 0,
	})
}

func (s *storm) start(m *Machine, join ...string) {
	s.readdress(m)
	if err := m.Start(join...); err != nil {
		s.w.note(m, "does not start: ", err.Error())
	}
}

// readdress gives a machine another address, if another machine has its own by now.
func (s *storm) readdress(m *Machine) {
	if m.addr != "" && s.w.byAddr[m.addr] != m {
		m.Move(m.name + "y:7946")
	}
}

func (s *storm) add(by, m *Machine) {
	by.Do(core.Command{Op: core.Add, Name: m.Node(), Addr: m.addr})
}

// pick draws one of the machines for which ok holds, or nil: the one that comes first
// in an order of the act's own, so that it is mostly the same one when others are not
// there.
func (s *storm) pick(ok func(*Machine) bool) *Machine {
	s.picks++
	var best *Machine
	var most uint64
	for _, m := range s.w.machines {
		if h := mix(s.seed ^ s.picks<<32 ^ uint64(m.index)); ok(m) && (best == nil || h > most) {
			best, most = m, h
		}
	}
	return best
}

func mix(h uint64) uint64 {
	h = (h ^ h>>31) * 0x9e3779b97f4a7c15
	h = (h ^ h>>29) * 0xbf58476d1ce4e5b9
	return h ^ h>>32
}

// durable: it runs, is no tab, and means well.
func (s *storm) durable(m *Machine) bool { return m.Running() && !m.opt.Guest && m.opt.Rogue == nil }

// sound: it can also be asked for changes. While the network is cut only the
// first machine's side is, so that two sides cannot delete each other.
func (s *storm) sound(m *Machine) bool {
	if !s.durable(m) || m.paused || m == s.skewed {
		return false
	}
	for _, first := range s.w.machines {
		if s.durable(first) && !first.paused && first != s.skewed {
			return first.group == m.group
		}
	}
	return false
}

func (s *storm) dialled(m *Machine) bool { return s.durable(m) && m.addr != "" }

func (s *storm) dead(m *Machine) bool {
	return m.ever && !m.Running() && !m.opt.Guest && m.opt.Rogue == nil && m.halt != core.HaltNameTaken
}

// many tells whether there are enough nodes to take one away.
func (s *storm) many() bool {
	n := 0
	for _, m := range s.w.machines {
		if s.durable(m) {
			n++
		}
	}
	return n > 1
}

// targets draws addresses to join.
func (s *storm) targets() []string {
	var join []string
	for range 2 {
		if m := s.pick(s.dialled); m != nil {
			join = append(join, m.addr)
		}
	}
	return join
}

// again starts a dead machine with the same command as before.
func (s *storm) again(m *Machine) {
	switch {
	case m.opt.Guest || m.halt == core.HaltNameTaken:
	case m.disk.Removed || m.halt == core.HaltLeft:
	case m.disk.Ring == nil || s.rng.IntN(2) == 0:
		s.start(m, s.targets()...)
	default:
		s.start(m)
	}
}
