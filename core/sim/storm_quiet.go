package sim

import (
	"errors"
	"slices"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// quiet ends what is wrong with the network and the clocks, and gives the ring
// time to see the truth; a minute later it must still be so.
func (s *storm) quiet() error {
	s.w.note(nil, "quiet")
	s.w.cfg.Stalls, s.w.cfg.Resets = 0, 0
	s.w.Heal()
	s.resolved()
	s.rightClock()
	for _, m := range s.w.machines {
		m.Mend()
		if m.opt.Rogue != nil && (s.accusers[m] || s.rng.IntN(2) == 0) {
			m.GoAway()
		}
	}
	for _, m := range s.w.machines {
		m.Resume()
		if m.ever && !m.Running() && m.opt.Rogue == nil && s.rng.IntN(3) > 0 {
			s.again(m)
		}
	}
	for _, m := range s.w.machines { // whose address is another by now tells it when it is started again
		if s.durable(m) && m.addr != m.told {
			m.Crash()
			s.start(m, s.targets()...)
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
	for range 20 { // who has to give way to another of its name, or was deleted and has yet to hear of it, is nobody's gateway then
		if !slices.ContainsFunc(s.w.machines, func(m *Machine) bool { return s.durable(m) && (s.w.more(m) || s.going(m)) }) {
			break
		}
		s.w.Run(30 * core.Second)
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
	if err := s.drainCalmly(); err != nil {
		return err
	}
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
// in, since all it was told to join were gone, or two that deleted each other; and
// those that have made a ring of their own, which others of that name do not let in.
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
			if !s.durable(m) || reached[m] {
				continue
			}
			for _, o := range s.w.machines {
				if reached[o] && (knows(m, o) || knows(o, m)) && ofOneRing(m, o) {
					reached[m], grown = true, true
					break
				}
			}
		}
	}
	for _, m := range s.w.machines {
		if !s.durable(m) || reached[m] {
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
		if gw := s.w.byAddr[addr]; gw != nil && gw.Running() && gw.addr == addr {
			return false
		}
	}
	return m.Running() && m.opt.Guest
}

// going tells whether a node is no member for another one.
func (s *storm) going(m *Machine) bool {
	return slices.ContainsFunc(s.w.machines, func(o *Machine) bool {
		if !s.durable(o) {
			return false
		}
		_, in := o.View().Get(m.Node())
		return !in
	})
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

// ofOneRing tells whether two nodes let each other in by the ids of their rings.
func ofOneRing(m, o *Machine) bool {
	mine, its := m.ids(), o.ids()
	return slices.ContainsFunc(mine, func(id wire.RingID) bool { return slices.Contains(its, id) }) ||
		len(mine) == 0 && len(m.join) == 0 || len(its) == 0 && len(o.join) == 0
}

// ids returns the ids of the ring of a machine's node.
func (m *Machine) ids() []wire.RingID {
	m.w.snapshot(m)
	return slices.Clone(m.w.snap.IDs)
}

// still has those of whom nothing is expected go away, and expects of the others what
// is expected of a ring to which nothing ever happened.
func (s *storm) still() error {
	rest := 3 * core.Minute // guests are reaped
	for _, m := range s.w.machines {
		if m.opt.Rogue != nil {
			m.GoAway()
		}
		if m.opt.Rogue != nil && s.w.talk != nil { // who was left alone for a breach, for 192 periods, is dialled, and found to be gone
			rest = 4 * core.Minute
		}
	}
	s.w.Run(rest)
	return s.w.Quiet()
}
