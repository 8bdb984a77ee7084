package sim

import (
	"errors"
	"slices"

	"github.com/nanoring/nanoring/core"
)

// Drain has a machine's node drain as its runtime does when it is told to stop: until
// no guest names it any more, no other node takes them, or a time is over. Then it stops.
// It says whether no guest was left.
func (m *Machine) Drain(within int64) (drained bool) {
	p := m.proc
	for end := m.w.now + within; p != nil && m.proc == p && !drained && m.w.now < end; drained = m.guests() == 0 {
		id := m.Do(core.Command{Op: core.Drain})
		m.w.Run(core.Second)
		if m.w.Command(id).Code != 0 {
			break
		}
	}
	if p != nil && m.proc == p {
		m.Stop()
	}
	return drained
}

// guests returns how many guests a machine shows up whose gateway it is.
func (m *Machine) guests() (n int) {
	if m.proc == nil {
		return 0
	}
	for _, node := range m.View().Up() {
		if node.Ephemeral && node.Via == m.opt.Node {
			n++
		}
	}
	return n
}

// drainCalmly has a gateway drain when nothing else happens: all of its guests move, and
// nobody notices it, which is promised.
func (s *storm) drainCalmly() error {
	m := s.pick(func(m *Machine) bool { return s.durable(m) && m.guests() > 0 && s.canMove(m) })
	if m == nil {
		return nil
	}
	s.w.note(m, "drains")
	if !m.Drain(core.Minute) {
		return errors.New(m.name + " drains, and its guests are not gone after a minute")
	}
	s.w.Run(10 * core.Second)
	s.start(m)
	if err := s.w.Settle(10 * core.Minute); err != nil {
		return errors.New("after " + m.name + " has drained, and was started again:\n" + err.Error())
	}
	return nil
}

// canMove tells whether all guests of a machine were told of another that takes them.
func (s *storm) canMove(m *Machine) bool {
	for _, node := range m.View().Up() {
		if !node.Ephemeral || node.Via != m.opt.Node {
			continue
		}
		guest := s.w.living(m.opt.Ring, node.Name)
		if guest == nil || guest.opt.Rogue != nil || !slices.ContainsFunc(guest.join, func(addr string) bool {
			o := s.w.byAddr[addr]
			if o == nil || o == m || !s.dialled(o) || o.addr != addr || o.told != addr {
				return false
			}
			own, _ := o.View().Get(o.opt.Node)
			return own.State == core.Alive && !own.Cordoned
		}) {
			return false
		}
	}
	return true
}

// cordon has an operator cordon a node, or end that, mostly at another one. The ring
// has to hear of it within a minute of calm, like of anything else.
func (s *storm) cordon() {
	by, m := s.pick(s.sound), s.pick(s.durable)
	if by == nil {
		return
	}
	if s.rng.IntN(3) == 0 {
		by = m
	}
	op := core.Op(core.Cordon)
	if own, _ := m.View().Get(m.opt.Node); own.Cordoned || s.rng.IntN(4) == 0 {
		op = core.Uncordon
	}
	by.Do(core.Command{Op: op, Name: m.Node()})
	if s.rng.IntN(3) == 0 { // and another one thinks otherwise
		if o := s.pick(s.sound); o != nil {
			s.w.Run(s.rng.Int64N(2 * core.Second))
			o.Do(core.Command{Op: core.Cordon + core.Uncordon - op, Name: m.Node()})
		}
	}
}

// drain has a node stop as it is to: its guests go to others before it does. Mostly it
// comes back.
func (s *storm) drain() {
	m := s.pick(func(m *Machine) bool { return s.durable(m) && m.guests() > 0 })
	if m == nil {
		m = s.pick(s.durable)
	}
	if m == nil || !s.many() {
		return
	}
	m.Drain(s.rng.Int64N(20 * core.Second))
	if s.w.Run(s.rng.Int64N(5 * core.Second)); s.rng.IntN(3) > 0 && s.dead(m) {
		s.again(m)
	}
}
