package core

import (
	"strings"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// compare orders a record and one of a frame as lww.Record.Compare does.
func compare(a *lww.Record, b *wire.Record) int {
	switch {
	case a.Stamp != b.Stamp:
		if a.Stamp < b.Stamp {
			return -1
		}
		return 1
	case a.Rank != b.Rank:
		return int(a.Rank) - int(b.Rank)
	}
	return strings.Compare(a.Value, b.Value)
}

// clone makes a record of its own of one in a frame, or finds that another engine
// has. known is what the set has of the name, if anything.
func (s *self) clone(w *wire.Record, known *lww.Record) (*lww.Record, error) {
	if s.cfg.Intern != nil {
		if same := s.cfg.Intern.get(w); same != nil {
			return same, nil
		}
	}
	rec, err := parse(w, known)
	if err != nil {
		return nil, err
	}
	return s.shared(w.Set, rec), nil
}

// shared returns the record that all engines hold of the same operation.
func (s *self) shared(id wire.SetID, rec *lww.Record) *lww.Record {
	if s.cfg.Intern == nil {
		return rec
	}
	return s.cfg.Intern.add(id, rec)
}

func parse(w *wire.Record, known *lww.Record) (*lww.Record, error) {
	if known != nil && known.Value == w.Value {
		return known.Next(w.Stamp, w.Rank), nil
	}
	text := w.Name + w.Value // its own copy of both
	name, value := text[:len(w.Name)], text[len(w.Name):]
	if w.Set == wire.Nodes {
		var rec struct { // one allocation for both
			lww.Record
			wire.Member
		}
		rec.Init(name, w.Stamp, w.Rank, value)
		rec.Parsed = &rec.Member
		return &rec.Record, rec.Member.Parse(value)
	}
	var rec struct {
		lww.Record
		wire.Presence
	}
	rec.Init(name, w.Stamp, w.Rank, value)
	rec.Parsed = &rec.Presence
	return &rec.Record, rec.Presence.Parse(value)
}

// frameRecord makes a record for a frame.
//
//go:noinline
func frameRecord(id wire.SetID, rec *lww.Record) wire.Record {
	return wire.Record{Set: id, Name: rec.Name, Stamp: rec.Stamp, Rank: rec.Rank, Value: rec.Value}
}

// isKept says whether a name's record in nodes has to survive a restart.
//
//go:noinline
func isKept(node *lww.Record) bool {
	return node != nil && (!node.Parsed.(*wire.Member).Ephemeral || node.Rank == rankDel)
}

// isGuests says whether a record of nodes is a guest's.
func isGuests(w *wire.Record) bool {
	m, err := wire.ParseMember(w.Value)
	return w.Set == wire.Nodes && err == nil && m.Ephemeral
}
