package sim

// slide is a wall clock's way to another offset: it runs fast, or slow.
type slide struct {
	from, to int64 // virtual time
	by       int64
}

// at returns how far it has got.
func (s *slide) at(now int64) int64 {
	if now >= s.to {
		return s.by
	}
	return s.by * (now - s.from) / (s.to - s.from)
}

// Wall returns the machine's wall clock, Unix microseconds.
func (m *Machine) Wall() int64 { return Epoch + m.w.now + m.w.skipped + m.Offset() }

// Offset returns how far the machine's wall clock is ahead.
func (m *Machine) Offset() int64 { return m.clock + m.slide.at(m.w.now) }

// StepClock sets the wall clock forward by d, or back.
func (m *Machine) StepClock(d int64) {
	m.clock, m.slide = m.Offset()+d, slide{}
	if m.w.talk != nil {
		m.w.talk.set = m.w.now
	}
	m.w.note(m, "its clock is now ", signed(m.clock))
}

// Wander has the wall clock run fast, or slow, until it is ahead by so much, after
// so long.
func (m *Machine) Wander(offset, over int64) {
	m.clock, m.slide = m.Offset(), slide{}
	m.slide = slide{from: m.w.now, to: m.w.now + over, by: offset - m.clock}
	m.w.note(m, "its clock wanders to ", signed(offset), " within ", clock(over))
}

// Skip has a time pass for all wall clocks, and for nothing else: all machines are
// suspended for so long, and go on where they were.
func (w *World) Skip(d int64) {
	if w.talk != nil {
		w.talk.open = nil // it is no news any more
	}
	w.note(nil, "all sleep for ", clock(d))
	w.skipped += d
}
