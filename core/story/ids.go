package story

import (
	"strings"

	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// ids says which ids of a ring each machine has, as letters: A is the one that a
// story speaks of first.
func (s *scenario) ids(names []string) string {
	if len(names) == 0 {
		for _, m := range s.w.Machines() {
			if m.Running() {
				names = append(names, m.Name())
			}
		}
	}
	s.said = nil
	for _, name := range names {
		b, err := s.machine(name).Snapshot()
		var snap wire.Snapshot
		if err == nil {
			err = snap.Decode(b)
		}
		if err != nil {
			s.say(name, err.Error())
			continue
		}
		has := []string{"no ids"}
		for i, id := range snap.IDs {
			if s.letters[id] == "" {
				s.letters[id] = string(rune('A' + len(s.letters)))
			}
			has = append(has[:i], s.letters[id])
		}
		s.say(name, strings.Join(has, " "))
	}
	return s.heard()
}

// unlearn makes a machine's ring file what one of before ids was.
func (s *scenario) unlearn(m *sim.Machine) {
	var snap wire.Snapshot
	if err := snap.Decode(m.Disk().Ring); err != nil {
		s.t.Fatal(err)
	}
	snap.IDs = nil
	m.Disk().Ring, m.Disk().Prev = snap.Append(nil), nil
}
