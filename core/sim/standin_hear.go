package sim

import (
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// hear has a stand-in take in a frame, and answer as a node does.
func (s *standIn) hear(l *line, f *wire.Frame) {
	now := s.r.w.now
	l.turn = now
	switch f.Kind {
	case wire.KindHello:
		if l.peer = s.r.w.byName[string([]byte(f.Hello.Name))]; l.peer == nil {
			return
		}
		if l.id%2 == 1 {
			s.hello(l)
		}
		l.open = true
	case wire.KindGossip:
		seq, theirs := f.Seq, f.Fingerprint
		s.takeAll(l, f.Records)
		mine := s.r.fingerprint(s.i)
		if mine == theirs {
			s.agreed(l)
			mine = 0
		}
		s.send(l, &wire.Frame{Kind: wire.KindAck, Seq: seq, Wall: s.m.Wall(), Fingerprint: mine})
	case wire.KindAck:
		s.takeAll(l, f.Records)
		if f.Fingerprint == 0 {
			s.agreed(l)
		}
	case wire.KindRumor:
		s.takeAll(l, f.Records)
	case wire.KindKnown:
		s.known(l, f.Digests)
	case wire.KindLack:
		s.give(l, f.Digests)
	case wire.KindSync:
		s.answer(l, f)
	case wire.KindProbe:
		s.send(l, &wire.Frame{Kind: wire.KindAlive, Seq: f.Seq, Instance: s.cfg.Instance})
	case wire.KindRelay:
		s.relay(l, f)
	}
}

// agreed takes note that a peer knows what this one does.
func (s *standIn) agreed(l *line) {
	for _, n := range s.r.news {
		if n.at[s.i] <= s.r.w.now {
			n.told[l] = true
		}
	}
}

func (s *standIn) takeAll(l *line, records []wire.Record) {
	for i := range records {
		s.take(l, &records[i])
	}
}

// take takes in a record: it may be news for all of the rest.
func (s *standIn) take(l *line, w *wire.Record) {
	now := s.r.w.now
	mine := s.r.has(s.i, w.Set, w.Name)
	rec := lww.New(w.Name, w.Stamp, w.Rank, w.Value)
	order := -1
	if mine != nil {
		order = mine.Compare(rec)
	}
	switch {
	case order > 0:
		s.send(l, &wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{recordOf(w.Set, mine)}})
	case order < 0:
		name, value := string([]byte(w.Name)), string([]byte(w.Value))
		n := s.r.newsOf(w.Set, lww.New(name, w.Stamp, w.Rank, value))
		n.told[l] = true
		s.r.flood(n, hop{at: now, to: s.i, from: -1, line: l, near: l.peer.opt.Node == name})
	default:
		for _, n := range s.r.by[newsKey{w.Set, mine.Name}] {
			if n.rec == mine {
				n.told[l] = true
			}
		}
	}
}

// known takes in what a peer has, and asks for what is lacked here.
func (s *standIn) known(l *line, digests []uint64) {
	var lacks []uint64
	for _, d := range digests {
		id, rec := s.r.find(s.i, d)
		if rec == nil {
			lacks = append(lacks, d)
			continue
		}
		for _, n := range s.r.by[newsKey{id, rec.Name}] {
			n.told[l] = n.told[l] || n.rec == rec
		}
	}
	if len(lacks) > 0 {
		s.send(l, &wire.Frame{Kind: wire.KindLack, Digests: lacks})
	}
}

// give sends a peer what it lacks.
func (s *standIn) give(l *line, digests []uint64) {
	var records []wire.Record
	for _, d := range digests {
		if id, rec := s.r.find(s.i, d); rec != nil {
			records = append(records, recordOf(id, rec))
		}
	}
	if len(records) > 0 {
		s.send(l, &wire.Frame{Kind: wire.KindRumor, Records: records})
	}
}

// relay answers a probe that came by a peer, for this node or as a helper.
func (s *standIn) relay(l *line, f *wire.Frame) {
	from, to := string([]byte(f.From)), string([]byte(f.To))
	var in wire.Frame
	if in.Decode([]byte(f.Inner)) != nil || in.Kind != wire.KindProbe {
		return
	}
	m := s.r.w.byName[to]
	if m == nil {
		return
	}
	i, is := s.r.at(m)
	alive := wire.Frame{Kind: wire.KindAlive, Seq: in.Seq, Instance: m.Instance()}
	switch {
	case is && s.r.nodes[i].dead || !is && m.proc == nil:
		s.later(2*s.r.trip(s.m, m), l, &wire.Frame{Kind: wire.KindRefused, Seq: in.Seq})
		return
	case is:
		alive.Instance = s.r.instance(m.index)
	}
	wait := int64(0)
	if m != s.m {
		wait = 4 * s.r.trip(s.m, m)
	}
	s.later(wait, l, &wire.Frame{Kind: wire.KindRelay, From: to, To: from, Inner: string(alive.Append(nil))})
}
