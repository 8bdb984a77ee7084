package sim

import (
	"errors"
	"math/rand/v2"
	"strconv"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// storm lives a random story: machines come and go, are deleted and added,
// crash and are cut off, and then it is quiet.
type storm struct {
	w      *World
	rng    *rand.Rand // the story's own: it does not change with the network's
	names  int        // machines made so far
	most   int        // of them
	tabs   int
	ghosts []string // names that were added and never ran
	skewed *Machine // whose clock is an hour wrong
	cutUp  bool
}

// Storm draws a network and a story from cfg.Seed, lives it to its quiet end,
// and returns the World with what Check has to say of it.
func Storm(cfg Config) (*World, error) {
	rng := rand.New(rand.NewPCG(cfg.Seed, 0x73746f726d))
	switch rng.IntN(4) {
	case 0: // one machine
		cfg.LatencyMin, cfg.LatencyMax = 50, 500
	case 1: // the world
		cfg.LatencyMin, cfg.LatencyMax = 5*core.Millisecond, 150*core.Millisecond
	case 2: // a bad line
		cfg.LatencyMin, cfg.LatencyMax = 5*core.Millisecond, 80*core.Millisecond
		cfg.Stalls, cfg.Resets = 5000, 300
	}
	s := &storm{w: New(cfg), rng: rng}
	s.begin()
	for range 15 + rng.IntN(45) {
		s.act()
		s.pause()
	}
	return s.w, s.quiet()
}

// begin makes a ring of two to eight nodes, now and then of more than make a full mesh.
func (s *storm) begin() {
	n := 2 + s.rng.IntN(7)
	if s.rng.IntN(25) == 0 {
		n += 10 + s.rng.IntN(15)
	}
	s.most = n + 6
	first := s.machine()
	s.start(first)
	for range n - 1 {
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

// pause lets some time pass: mostly little.
func (s *storm) pause() {
	longest := [...]int64{50 * core.Millisecond, core.Second, 5 * core.Second, 20 * core.Second, core.Minute}
	s.w.Run(s.rng.Int64N(longest[s.rng.IntN(len(longest))]))
}

func (s *storm) act() {
	acts := [...]struct {
		weight int
		do     func()
	}{
		{8, s.join}, {6, s.del}, {6, s.delAndAdd}, {4, s.ghost}, {4, s.ackAndCrash},
		{10, s.crash}, {3, s.powerOff}, {12, s.restart}, {5, s.move},
		{4, s.stop}, {3, s.leave}, {4, s.rejoin}, {2, s.damage}, {2, s.twin},
		{5, s.freeze}, {2, s.doze}, {8, s.thaw}, {6, s.cut}, {8, s.heal}, {6, s.reset}, {5, s.forget},
		{5, s.drift}, {3, s.wrongClock}, {8, s.tab}, {6, s.tabGoes},
	}
	total := 0
	for _, a := range acts {
		total += a.weight
	}
	n := s.rng.IntN(total)
	for _, a := range acts {
		if n -= a.weight; n < 0 {
			a.do()
			return
		}
	}
}

// quiet ends what is wrong with the network and the clocks, and gives the ring
// time to see the truth; a minute later it must still be so.
func (s *storm) quiet() error {
	s.w.note(nil, "quiet")
	s.w.cfg.Stalls, s.w.cfg.Resets = 0, 0
	s.w.Heal()
	s.rightClock()
	for _, m := range s.w.machines {
		m.Resume()
		if m.ever && !m.Running() && s.rng.IntN(3) > 0 {
			s.again(m)
		}
	}
	for range 5 { // what was bridged may have to halt, and be a bridge no more
		s.w.Run(30 * core.Second)
		for _, m := range s.w.machines {
			if s.limbo(m) {
				m.Crash()
			}
		}
		if !s.bridge() {
			break
		}
	}
	s.w.Run(30 * core.Second)
	if s.pick(s.dialled) == nil {
		return nil // the ring was deleted to its last node that anybody can dial
	}
	for _, m := range s.w.machines {
		if s.stranded(m) {
			m.GoAway()
		}
	}
	if err := s.w.Settle(10 * core.Minute); err != nil {
		return err
	}
	s.w.Run(core.Minute)
	if err := s.w.Check(); err != nil {
		return errors.New("a minute after all was well:\n" + err.Error())
	}
	s.w.Settled()
	if s.rng.IntN(3) > 0 {
		return nil
	}
	return s.killed()
}

// killed kills all nodes at once and starts them again: what the ring was, it is.
func (s *storm) killed() error {
	s.w.note(nil, "all are killed")
	var back []*Machine
	for _, m := range s.w.machines {
		if s.durable(m) {
			m.Crash()
			back = append(back, m)
		}
	}
	for _, m := range back {
		s.start(m, m.join...)
		s.w.Run(s.rng.Int64N(2 * core.Second))
	}
	if err := s.w.Settle(10 * core.Minute); err != nil {
		return errors.New("after all were killed and started again:\n" + err.Error())
	}
	return nil
}

// limbo tells whether a node is leaving, and finds nobody to confirm it.
func (s *storm) limbo(m *Machine) bool {
	if !s.durable(m) {
		return false
	}
	for i := range s.w.commands {
		c := &s.w.commands[i]
		if c.proc == m.proc && c.Op == core.Leave && c.Code == wire.CodeNobody {
			_, member := m.View().Get(m.Node())
			return !member
		}
	}
	return false
}

// bridge adds what can know nothing of the others: a node that was never let
// in, since all it was told to join were gone, or two that deleted each other.
// It tells whether there was such a thing.
func (s *storm) bridge() (split bool) {
	anchor := s.pick(s.dialled)
	if anchor == nil {
		return false
	}
	reached := map[*Machine]bool{anchor: true}
	for grown := true; grown; {
		grown = false
		for _, m := range s.w.machines {
			if !m.Running() || reached[m] || m.opt.Guest {
				continue
			}
			for _, o := range s.w.machines {
				if reached[o] && (knows(m, o) || knows(o, m)) {
					reached[m], grown = true, true
					break
				}
			}
		}
	}
	for _, m := range s.w.machines {
		if !m.Running() || reached[m] || m.opt.Guest {
			continue
		}
		split = true
		switch {
		case s.twice(m):
			m.Crash()
		case m.addr != "":
			s.add(anchor, m)
		default: // it can only be told to join
			m.Crash()
			s.start(m, anchor.addr)
		}
	}
	return split
}

// stranded tells whether all gateways that a tab knows are gone.
func (s *storm) stranded(m *Machine) bool {
	for _, addr := range m.join {
		if gw := s.w.byAddr[addr]; gw.Running() && gw.addr == addr {
			return false
		}
	}
	return m.Running() && m.opt.Guest
}

// twice tells whether another machine runs a process of the same node.
func (s *storm) twice(m *Machine) bool {
	return s.pick(func(o *Machine) bool { return o != m && o.Running() && o.Node() == m.Node() }) != nil
}

// knows tells whether a machine knows the node of another, and can dial it.
func knows(m, o *Machine) bool {
	n, ok := m.View().Get(o.Node())
	return ok && o.addr != "" && n.Address == o.addr
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
	if err := m.Start(join...); err != nil {
		s.w.note(m, "does not start: ", err.Error())
	}
}

func (s *storm) add(by, m *Machine) {
	by.Do(core.Command{Op: core.Add, Name: m.Node(), Addr: m.addr})
}

// pick draws one of the machines for which ok holds, or nil.
func (s *storm) pick(ok func(*Machine) bool) *Machine {
	var of []*Machine
	for _, m := range s.w.machines {
		if ok(m) {
			of = append(of, m)
		}
	}
	if of == nil {
		return nil
	}
	return of[s.rng.IntN(len(of))]
}

// durable: it runs and is no tab.
func (s *storm) durable(m *Machine) bool { return m.Running() && !m.opt.Guest }

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
	return m.ever && !m.Running() && !m.opt.Guest && m.halt != core.HaltNameTaken
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
