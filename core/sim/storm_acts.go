package sim

import (
	"math/rand/v2"
	"strconv"

	"github.com/nanoring/nanoring/core"
)

// kinds is all that can happen, and how often of how much.
var kinds = [...]struct {
	weight int
	word   string
	do     func(*storm)
}{
	{8, "join", (*storm).join}, {6, "del", (*storm).del}, {6, "del and add", (*storm).delAndAdd},
	{4, "ghost", (*storm).ghost}, {4, "ack and crash", (*storm).ackAndCrash},
	{10, "crash", (*storm).crash}, {3, "power off", (*storm).powerOff}, {12, "restart", (*storm).restart},
	{5, "move", (*storm).move}, {4, "stop", (*storm).stop}, {3, "leave", (*storm).leave}, {4, "rejoin", (*storm).rejoin},
	{2, "damage", (*storm).damage}, {2, "twin", (*storm).twin}, {5, "freeze", (*storm).freeze}, {2, "doze", (*storm).doze},
	{8, "thaw", (*storm).thaw}, {6, "cut", (*storm).cut}, {8, "heal", (*storm).heal}, {6, "reset", (*storm).reset},
	{5, "forget", (*storm).forget}, {5, "drift", (*storm).drift}, {3, "wrong clock", (*storm).wrongClock},
	{8, "tab", (*storm).tab}, {6, "tab goes", (*storm).tabGoes}, {3, "tab moves", (*storm).tabMoves},
	{2, "vanish", (*storm).vanish}, {2, "absence", (*storm).absence}, {4, "harm", (*storm).harm}, {5, "mend", (*storm).mend},
	{3, "early", (*storm).early}, {3, "grace", (*storm).grace}, {4, "order", (*storm).order}, {4, "wander", (*storm).wander},
	{3, "deafen", (*storm).deafen}, {3, "refuse", (*storm).refuse}, {3, "narrow", (*storm).narrow}, {2, "swap", (*storm).swap}, {3, "resolve", (*storm).resolve}, {2, "suspend", (*storm).suspend},
	{2, "clone", (*storm).clone}, {2, "replace", (*storm).replace}, {1, "hostile", (*storm).hostile}, {1, "misbehave", (*storm).misbehave},
	{4, "quarrel", (*storm).quarrel}, {2, "supersede", (*storm).supersede}, {3, "reinstall", (*storm).reinstall}, {2, "outage", (*storm).outage},
	{3, "hasty", (*storm).hasty},
	{4, "cordon", (*storm).cordon}, {4, "drain", (*storm).drain},
}

func drawKind(rng *rand.Rand) int {
	total := 0
	for i := range kinds {
		total += kinds[i].weight
	}
	n := rng.IntN(total)
	kind := 0
	for n >= kinds[kind].weight {
		n -= kinds[kind].weight
		kind++
	}
	return kind
}

func (s *storm) join() {
	if s.names >= s.most {
		return
	}
	if join := s.targets(); join != nil {
		s.start(s.machine(), join...)
	}
}

func (s *storm) del() {
	by, m := s.pick(s.sound), s.pick(func(m *Machine) bool { return m.ever && !m.opt.Guest })
	if by != nil && s.many() {
		by.Do(core.Command{Op: core.Del, Name: m.Node()})
	}
}

// delAndAdd deletes a node and adds it again within the grace, mostly at another node.
func (s *storm) delAndAdd() {
	by, m := s.pick(s.sound), s.pick(s.dialled)
	if by == nil || m == by || m == nil {
		return
	}
	by.Do(core.Command{Op: core.Del, Name: m.Node()})
	s.w.Run(s.rng.Int64N(8 * core.Second))
	if by = s.pick(s.sound); by != nil && by != m {
		s.add(by, m)
	}
}

// ghost adds a name that never runs, or deletes one.
func (s *storm) ghost() {
	by := s.pick(s.sound)
	if by == nil {
		return
	}
	if len(s.ghosts) > 0 && s.rng.IntN(2) == 0 {
		by.Do(core.Command{Op: core.Del, Name: s.ghosts[s.rng.IntN(len(s.ghosts))]})
		return
	}
	name := s.ghostName()
	s.ghosts = append(s.ghosts, name)
	by.Do(core.Command{Op: core.Add, Name: name, Addr: "ghost:7946"})
}

// colliding are names that have one hash, and so are in one range, however deep.
var colliding = [...]string{
	"zcwxhyvchfbzybkvfzwiffdwxwblvgqqohjzjlawipbriifngdecryaraimqbnml",
	"vsbmvtsghfbzybkvfzwiffdwxwblvgqq+9tJJ~.sipbriifngdecryaraimqbnml",
	"zcwxhyvcyqdfuvgofzwiffdwxwblvgqqohjzjlawxTw/;W?*gdecryaraimqbnml",
}

// ghostName draws the name of one that never runs.
func (s *storm) ghostName() string {
	n := s.rng.IntN(3 + len(colliding))
	if n < len(colliding) {
		return colliding[n]
	}
	return "ghost" + strconv.Itoa(n-len(colliding))
}

// ackAndCrash crashes a node as soon as it has acknowledged a change.
func (s *storm) ackAndCrash() {
	by := s.pick(s.sound)
	if by == nil || !s.many() {
		return
	}
	c := core.Command{Op: core.Add, Name: "ghost0", Addr: "ghost0:7946"}
	if _, member := by.View().Get(c.Name); member {
		c = core.Command{Op: core.Del, Name: c.Name}
	}
	id := by.Do(c)
	s.w.RunUntil(5*core.Second, func() bool { return s.w.Command(id).Acked })
	by.Crash()
}

func (s *storm) crash() {
	if m := s.pick(s.durable); m != nil && s.many() {
		m.Crash()
	}
}

func (s *storm) powerOff() {
	if m := s.pick(s.durable); m != nil && s.many() {
		m.PowerOff()
	}
}

func (s *storm) restart() {
	if m := s.pick(s.dead); m != nil {
		s.again(m)
	}
}

func (s *storm) move() {
	m := s.pick(s.dead)
	if m == nil || m.addr == "" || m.disk.Removed {
		return
	}
	m.Move(m.name + "x" + strconv.Itoa(s.rng.IntN(100)) + ":7946")
	s.start(m, s.targets()...)
}

func (s *storm) stop() {
	if m := s.pick(s.durable); m != nil && s.many() {
		m.Stop()
	}
}

func (s *storm) leave() {
	if m := s.pick(s.sound); m != nil && s.many() {
		m.Do(core.Command{Op: core.Leave})
	}
}

func (s *storm) rejoin() {
	m := s.pick(func(m *Machine) bool { return s.dead(m) && (m.disk.Removed || m.halt == core.HaltLeft) })
	if join := s.targets(); m != nil && join != nil {
		s.readdress(m)
		if err := m.Rejoin(join...); err != nil {
			s.w.note(m, "does not rejoin: ", err.Error())
		}
	}
}

func (s *storm) damage() {
	m := s.pick(func(m *Machine) bool { return s.dead(m) && !m.disk.Removed })
	join := s.targets()
	if m == nil || join == nil {
		return
	}
	if m.disk.Prev != nil && s.rng.IntN(2) == 0 {
		m.HalveFile()
	} else {
		m.LoseDisk()
	}
	s.start(m, join...)
}

// twin starts a second process under the name of another, which may live or not.
func (s *storm) twin() {
	m := s.pick(func(m *Machine) bool { return m.ever && !m.opt.Guest && m.addr != "" && m.opt.Node == m.name })
	if join := s.targets(); m != nil && join != nil && s.w.Machine(m.name+"t") == nil {
		s.start(s.w.Add(m.name+"t", Options{Node: m.name}), join...)
	}
}

func (s *storm) freeze() {
	if m := s.pick(s.durable); m != nil {
		m.Pause()
	}
}

func (s *storm) doze() {
	if m := s.pick(s.durable); m != nil {
		m.Sleep()
	}
}

func (s *storm) thaw() {
	if m := s.pick((*Machine).Paused); m != nil {
		m.Resume()
	}
}

// cut makes two groups, or cuts one link.
func (s *storm) cut() {
	if s.cutUp {
		s.heal()
		return
	}
	s.cutUp = true
	if s.rng.IntN(2) == 0 {
		a, b := s.pick(s.durable), s.pick(s.durable)
		if a != b {
			s.w.CutLink(a, b)
		}
		return
	}
	var group []*Machine
	for _, m := range s.w.machines {
		if s.rng.IntN(2) == 0 {
			group = append(group, m)
		}
	}
	s.w.Partition(group)
}

func (s *storm) heal() {
	s.w.Heal()
	s.cutUp = false
}

func (s *storm) reset() {
	if a, b := s.pick(s.durable), s.pick(s.durable); a != nil {
		s.w.ResetAll(a, b)
	}
}

// forget has a middlebox forget connections.
func (s *storm) forget() {
	switch a, b := s.pick(s.durable), s.pick(s.durable); {
	case a == nil:
	case s.rng.IntN(4) == 0:
		s.w.ForgetLoudly(a, b)
	case s.rng.IntN(8) == 0:
		s.w.ForgetAllLoudly()
	case s.rng.IntN(3) == 0:
		s.w.ForgetAll()
	case s.rng.IntN(2) == 0:
		s.w.ForgetWay(a, b)
	default:
		s.w.Forget(a, b)
	}
}

// drift steps a clock, within what is allowed.
func (s *storm) drift() {
	if m := s.pick(s.durable); m != nil && m != s.skewed {
		m.StepClock(s.rng.Int64N(58*core.Second) - 29*core.Second - m.Offset())
	}
}

// wrongClock sets one clock an hour wrong, or right again.
func (s *storm) wrongClock() {
	if s.skewed != nil {
		s.rightClock()
		return
	}
	if m := s.pick(s.durable); m != nil {
		s.skewed = m
		d := core.Hour
		if s.rng.IntN(2) == 0 {
			d = -d
		}
		m.StepClock(d - m.Offset())
	}
}

func (s *storm) rightClock() {
	if s.skewed != nil {
		s.skewed.StepClock(-s.skewed.Offset())
		s.skewed = nil
	}
}

// tab opens a tab, mostly with two gateways.
func (s *storm) tab() {
	if join := s.targets(); join != nil {
		s.open(join...)
	}
}

func (s *storm) open(join ...string) {
	if s.tabs >= 6 {
		return
	}
	m := s.w.Add("tab"+strconv.Itoa(s.tabs), Options{Guest: true, Clock: s.rng.Int64N(2*core.Day) - core.Day})
	s.tabs++
	s.start(m, join...)
}

// tabGoes ends a tab: reloaded, closed, killed or deleted.
func (s *storm) tabGoes() {
	m := s.pick(func(m *Machine) bool { return m.Running() && m.opt.Guest && m.opt.Rogue == nil })
	if m == nil {
		return
	}
	switch s.rng.IntN(4) {
	case 0:
		m.GoAway()
		s.start(m, s.targets()...)
	case 1:
		m.GoAway()
	case 2:
		m.Crash()
	case 3:
		if by := s.pick(s.sound); by != nil {
			by.Do(core.Command{Op: core.Del, Name: m.Node()})
		}
	}
}
