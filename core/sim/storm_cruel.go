package sim

import (
	"slices"
	"strconv"

	"github.com/nanoring/nanoring/core"
)

// vanish takes the power from any number of nodes at once, also from all but one.
func (s *storm) vanish() {
	for n := s.upTo(); n > 0 && s.many(); n-- {
		if m := s.pick(s.durable); m != nil {
			m.PowerOff()
		}
	}
}

// outage takes the power from all nodes. They come back one after the other, each
// for a while alone with those before it, mostly with the addresses that they get anew:
// a lease may be another's, who does not come back to say so.
func (s *storm) outage() {
	var off, leased []*Machine
	var leases []string
	for _, m := range s.w.machines {
		if !s.durable(m) {
			continue
		}
		m.PowerOff()
		if off = append(off, m); m.addr != "" && s.w.byAddr[m.addr] == m {
			leased, leases = append(leased, m), append(leases, m.addr)
		}
	}
	s.w.Run(s.rng.Int64N(5 * core.Second))
	if s.rng.IntN(3) > 0 {
		s.rng.Shuffle(len(leases), func(i, j int) { leases[i], leases[j] = leases[j], leases[i] })
		for i, m := range leased {
			if m.addr != leases[i] {
				s.w.note(m, "gets the address ", leases[i])
				m.Move(leases[i])
			}
		}
	}
	s.rng.Shuffle(len(off), func(i, j int) { off[i], off[j] = off[j], off[i] })
	for _, m := range off[:min(len(off), 1+s.rng.IntN(3))] {
		if s.dead(m) && m.disk.Ring != nil && !m.Running() {
			s.again(m)
			s.w.Run(s.rng.Int64N(40 * core.Second))
		}
	}
}

// upTo draws how many of the durable nodes something befalls: one third of the
// time all but one.
func (s *storm) upTo() int {
	n := 0
	for _, m := range s.w.machines {
		if s.durable(m) {
			n++
		}
	}
	if n < 2 || s.rng.IntN(3) == 0 {
		return n - 1
	}
	return 1 + s.rng.IntN(n-1)
}

// absence has some nodes be away for long, by whatever they end, and come back.
func (s *storm) absence() {
	away := [...]int64{25 * core.Hour, 40 * core.Day, 365 * core.Day}[s.rng.IntN(3)]
	for n := s.upTo(); n > 0 && s.many(); n-- {
		m := s.pick(s.durable)
		if m == nil {
			break
		}
		switch s.rng.IntN(4) {
		case 0:
			m.Crash()
		case 1:
			m.PowerOff()
		case 2:
			m.Stop()
		case 3:
			m.Sleep()
		}
	}
	if !s.settled() {
		return
	}
	s.w.unspread(away)
	s.witnesses = nil
	for _, m := range s.w.machines {
		if s.durable(m) && !m.paused {
			s.witnesses = append(s.witnesses, m.proc)
		}
	}
	s.w.Skip(away)
	s.w.Run(3 * core.Second) // so that those who are there are in contact
	if len(s.witnesses) < 2 {
		s.witnesses = nil
	}
	s.slept = true
}

// witnessed takes down whether a process is left of those that were there, and in
// contact, when long had passed. Without one the ring is one that was off for so long:
// its nodes have forgotten what was removed, and it comes back whole.
func (s *storm) witnessed() {
	s.witnesses = slices.DeleteFunc(s.witnesses, func(p *process) bool { return p.dead })
	if s.slept && len(s.witnesses) == 0 {
		s.w.forgotten = Epoch + s.w.now + s.w.skipped - core.TombstoneMaxAge
	}
}

// settled lets those who are there come to agree, and tells whether they do.
func (s *storm) settled() bool {
	s.heal()
	return s.w.RunUntil(core.Minute, func() bool {
		var c complaints
		s.w.checkViews(&c)
		return c == nil
	})
}

// harm gives a disk a fault.
func (s *storm) harm() {
	if m := s.pick(func(m *Machine) bool { return s.durable(m) && m.disk.Fault == NoFault }); m != nil {
		m.Harm(Fault(1 + s.rng.IntN(3)))
	}
}

func (s *storm) mend() {
	if m := s.pick(func(m *Machine) bool { return m.disk.Fault != NoFault }); m != nil {
		m.Mend()
	}
}

// early tells a node something just after its start, however long it was away.
func (s *storm) early() {
	m := s.pick(s.dead)
	if m == nil {
		return
	}
	s.again(m)
	s.w.Run(s.rng.Int64N(200 * core.Millisecond))
	s.command(m)
}

// grace tells a node something while it is being removed, and deletes it first.
func (s *storm) grace() {
	by, m := s.pick(s.sound), s.pick(s.durable)
	if by == nil || m == by || !s.many() {
		return
	}
	by.Do(core.Command{Op: core.Del, Name: m.Node()})
	for range 1 + s.rng.IntN(3) {
		s.w.Run(s.rng.Int64N(5 * core.Second))
		s.command(m)
	}
}

// order tells any node something.
func (s *storm) order() {
	if m := s.pick(s.sound); m != nil {
		s.command(m)
	}
}

// command is an operator's, of any kind. Who cannot be asked for changes is told nothing.
func (s *storm) command(m *Machine) {
	if !s.sound(m) {
		return
	}
	c := core.Command{Op: core.Add, Name: s.ghostName(), Addr: "ghost:7946"}
	switch n := s.rng.IntN(8); {
	case n < 3:
		s.ghosts = append(s.ghosts, c.Name)
	case n < 5:
		c.Op, c.Addr = core.Del, ""
	case n < 6: // a member, again
		if o := s.pick(s.dialled); o != nil {
			c.Name, c.Addr = o.Node(), o.addr
		}
	case n < 7:
		if o := s.pick(s.durable); o != nil && s.many() {
			c = core.Command{Op: core.Del, Name: o.Node()}
		}
	case s.many():
		c = core.Command{Op: core.Leave}
	}
	m.Do(c)
}

// wander has a clock run fast, or slow, within what is allowed.
func (s *storm) wander() {
	if m := s.pick(s.durable); m != nil && m != s.skewed {
		m.Wander(s.rng.Int64N(58*core.Second)-29*core.Second, core.Minute+s.rng.Int64N(20*core.Minute))
	}
}

// deafen has a listener be closed for a while.
func (s *storm) deafen() {
	if m := s.pick(s.dialled); m != nil {
		m.Deafen()
	}
}

// refuse puts a firewall between two: for all, or for new connections one way.
func (s *storm) refuse() {
	a, b := s.pick(s.durable), s.pick(s.durable)
	if a == b {
		return
	}
	switch s.rng.IntN(3) {
	case 0:
		s.w.Refuse(a, b)
	case 1:
		s.w.RefuseNew(a, b)
	case 2:
		s.w.DropNew(a, b)
	}
}

// narrow has no large segments pass between two, or nothing at all one way.
func (s *storm) narrow() {
	a, b := s.pick(s.durable), s.pick(s.durable)
	switch {
	case a == b:
	case s.rng.IntN(2) == 0:
		s.w.Narrow(a, b, 300+s.rng.IntN(1200))
	default:
		s.w.CutWay(a, b)
	}
}

// swap has two running machines change their addresses.
func (s *storm) swap() {
	if a, b := s.pick(s.dialled), s.pick(s.dialled); a != b && !a.opt.DialOnly {
		s.w.SwapAddresses(a, b)
	}
}

// resolve has an address lead to another machine, or to nobody, until it is quiet.
func (s *storm) resolve() {
	m, to := s.pick(s.dialled), s.pick(s.durable)
	switch {
	case m == nil || m == to:
	case s.rng.IntN(3) == 0:
		s.w.Resolve(m.addr, nil)
	default:
		s.w.Resolve(m.addr, to)
	}
}

// resolved has each address lead to the machine that has it: of two, to the one that runs.
func (s *storm) resolved() {
	for _, m := range s.w.machines {
		if at := s.w.byAddr[m.addr]; m.addr != "" && at != m && (at == nil || at.addr != m.addr || m.Running() && !at.Running()) {
			s.w.Resolve(m.addr, m)
		}
	}
}

// tabMoves gives a tab another network: its connections are dead, and nobody says so.
func (s *storm) tabMoves() {
	m := s.pick(func(m *Machine) bool { return m.Running() && m.opt.Guest && m.opt.Rogue == nil })
	if m == nil {
		return
	}
	m.Renumber("")
}

// suspend stops a process for minutes, in which there is news.
func (s *storm) suspend() {
	m := s.pick(s.durable)
	if m == nil || !s.many() {
		return
	}
	m.Pause()
	for range 2 + s.rng.IntN(4) {
		if by := s.pick(s.sound); by != nil {
			by.Do(core.Command{Op: core.Add, Name: "ghost1", Addr: "ghost1:7946"})
			s.ghosts = append(s.ghosts, "ghost1")
		}
		s.w.Run(s.rng.Int64N(30 * core.Second))
	}
	m.Resume()
}

// clone starts a machine from a copy of another one's disk.
func (s *storm) clone() {
	m := s.pick(func(m *Machine) bool {
		return m.ever && !m.opt.Guest && m.opt.Rogue == nil && m.opt.Node == m.name && m.disk.Ring != nil
	})
	if m == nil || s.w.byName[m.name+"c"] != nil {
		return
	}
	c := s.w.Add(m.name+"c", Options{Node: m.name})
	c.disk = Disk{Ring: m.disk.Ring, Prev: m.disk.Prev}
	s.start(c)
}

// replace puts another machine, with an empty disk, in a dead one's place.
func (s *storm) replace() {
	m := s.pick(func(m *Machine) bool { return s.dead(m) && m.opt.Node == m.name })
	join := s.targets()
	if m == nil || join == nil || s.w.byName[m.name+"r"] != nil {
		return
	}
	r := s.w.Add(m.name+"r", Options{Node: m.name})
	if s.rng.IntN(2) == 0 && m.addr != "" {
		r.Move(m.addr)
	}
	s.start(r, join...)
}

// hostile lets a guest in that is.
func (s *storm) hostile() {
	join := s.targets()
	if s.rogues >= 2 || join == nil {
		return
	}
	m := s.w.Add("evil"+strconv.Itoa(s.rogues), Options{Guest: true, Rogue: Hostile(s.known, s.lives, new(int))})
	s.rogues++
	s.start(m, join...)
}

// known are all names.
func (s *storm) known() (names []string) {
	for _, m := range s.w.machines {
		names = append(names, m.Node())
	}
	return append(append(names, "forged"), s.crowd...)
}

// lives are the names of the durable nodes that run.
func (s *storm) lives() (names []string) {
	for _, m := range s.w.machines {
		if s.durable(m) {
			names = append(names, m.Node())
		}
	}
	return names
}

// misbehave lets a peer in that has one bad habit.
func (s *storm) misbehave() {
	join := s.targets()
	if s.rogues >= 2 || join == nil {
		return
	}
	h := habit(s.rng.IntN(int(habits)))
	m := s.w.Add("bad"+strconv.Itoa(s.rogues), Options{Rogue: misbehave(h, s.w.cfg.New)})
	s.rogues++
	s.accusers[m] = h == accuses
	s.w.note(m, "is a peer that ", h.String())
	s.start(m, join...)
}
