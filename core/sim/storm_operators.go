package sim

import "github.com/nanoring/nanoring/core"

// quarrel has operators who know nothing of each other add and delete one name, each
// at another node, about as fast as nodes hear of it.
func (s *storm) quarrel() {
	c := core.Command{Name: s.ghostName(), Addr: "ghost:7946"}
	m := s.pick(s.dialled)
	switch s.rng.IntN(4) {
	case 0:
		m = nil
		s.ghosts = append(s.ghosts, c.Name)
	case 1: // who hears of all of it at once
		if m != nil && s.many() {
			m.Pause()
			defer m.Resume()
		}
	}
	if m != nil {
		c.Name, c.Addr = m.Node(), m.addr
	}
	hear := 2 * s.w.cfg.LatencyMax
	for n := s.rng.IntN(2); n < 5; n += 1 + s.rng.IntN(2)*s.rng.IntN(2) {
		by := s.pick(func(o *Machine) bool { return s.sound(o) && o != m })
		if by == nil || m != nil && !s.many() {
			return
		}
		told := core.Command{Op: core.Del, Name: c.Name}
		if n%2 == 1 {
			told.Op, told.Addr = core.Add, c.Addr
		}
		by.Do(told)
		s.w.Run(s.rng.Int64N(hear))
	}
}

// reinstall has a node that was deleted come back with an empty disk, where somebody
// still does not want it: it may be told at once of both deletions.
func (s *storm) reinstall() {
	m := s.pick(func(m *Machine) bool { return s.dialled(m) && !m.paused })
	other := func(o *Machine) bool { return s.sound(o) && o != m }
	by := s.pick(other)
	if m == nil || by == nil {
		return
	}
	by.Do(core.Command{Op: core.Del, Name: m.Node()})
	s.w.RunUntil(15*core.Second, func() bool { return !m.Running() })
	m.Crash()
	m.LoseDisk()
	s.start(m, s.targets()...)
	s.w.Run(s.rng.Int64N(6 * s.w.cfg.LatencyMax))
	if s.rng.IntN(2) == 0 {
		m.Pause()
		defer m.Resume()
	}
	for range s.rng.IntN(3) {
		s.w.Run(s.rng.Int64N(2 * s.w.cfg.LatencyMax))
		if by := s.pick(other); by != nil {
			by.Do(core.Command{Op: core.Del, Name: m.Node()})
		}
	}
}

// supersede has a machine that hangs be removed, and another put in its place. When it
// goes on, there is mostly somebody who can tell it.
func (s *storm) supersede() {
	m := s.pick(func(m *Machine) bool { return s.dialled(m) && !m.paused && m.opt.Node == m.name })
	by := s.pick(func(o *Machine) bool { return s.sound(o) && o != m && o.addr != "" })
	if m == nil || by == nil || s.w.byName[m.name+"r"] != nil {
		return
	}
	if s.rng.IntN(2) == 0 { // a page that knows both
		s.open(by.addr, m.addr)
		s.w.Run(s.rng.Int64N(2 * core.Second))
	}
	m.Pause()
	s.w.Run(s.rng.Int64N(10 * core.Second))
	by.Do(core.Command{Op: core.Del, Name: m.Node()})
	s.w.Run(s.rng.Int64N(20 * core.Second))
	r := s.w.Add(m.name+"r", Options{Node: m.name})
	s.start(r, by.addr)
	s.w.Run(s.rng.Int64N(20 * core.Second))
	switch s.rng.IntN(3) {
	case 0: // whenever something thaws
	case 1:
		m.Resume()
	case 2: // when nobody is left
		for _, o := range s.w.machines {
			if s.durable(o) && o != m {
				o.PowerOff()
			}
		}
		s.w.Run(s.rng.Int64N(20 * core.Second))
		m.Resume()
		s.w.Run(s.rng.Int64N(core.Minute))
	}
}

// hasty has a node that was removed come back, and deletes it in the moment in which that
// is seen.
func (s *storm) hasty() {
	by := s.pick(s.sound)
	m := s.pick(func(m *Machine) bool {
		return s.dead(m) && m != by && m.opt.Node == m.name && (m.disk.Removed || m.halt == core.HaltLeft)
	})
	if by == nil || by.addr == "" {
		return
	}
	if m == nil { // then one that is deleted while it does not know
		if m = s.pick(func(m *Machine) bool { return m != by && s.durable(m) && !m.paused && m.opt.Node == m.name }); m == nil || !s.many() {
			return
		}
		m.Crash()
		m.LoseDisk()
		by.Do(core.Command{Op: core.Del, Name: m.Node()})
		s.w.Run(s.rng.Int64N(core.Second))
	}
	s.readdress(m)
	if err := m.Rejoin(by.addr); err != nil {
		s.w.note(m, "does not rejoin: ", err.Error())
		return
	}
	back := s.w.RunUntil(5*core.Second, func() bool {
		if !by.Running() {
			return true
		}
		_, in := by.View().Get(m.Node())
		return in
	})
	if s.w.Run(s.rng.Int64N(20 * core.Millisecond)); back && s.sound(by) {
		by.Do(core.Command{Op: core.Del, Name: m.Node()})
	}
}
