package core

// Score is what a name has for a key.
func Score(key, name string) uint64 { return choose(key, 1, []claimant{newClaimant(name)})[0].score }

// Fingerprint is the fingerprint of all that a Ring holds.
func (r *Ring) Print() uint64 { return r.replica.fingerprint() }

// Sizes tells how much a Ring holds of all that must stay bounded.
type Sizes struct {
	Conns, Owed, Queued       int // Owed: of the connection that is owed most
	Acks, Asks, Doubts, Dials int
	Shunned, Told, Expired    int
	Disputed, Proved, Refused int // names
	Broken, Denials, Claims   int
	Forwarded                 int // probes, of the connection that has most
	Timers, Syncing           int // Syncing: ranges and records on a sync's agenda
	Buffers                   int // bytes kept for frames in and out
	News, Streams, Lacks      int
	Questions, Asked, Tells   int
	Answers                   int // bytes of them
	OwnNews                   int // of the connection that is owed most
}

func (r *Ring) Sizes() Sizes {
	o, d := &r.overlay, &r.detector
	s := Sizes{
		Conns: len(o.conns), Acks: len(d.acks), Asks: len(d.asks), Doubts: len(d.doubts), Dials: len(o.dials),
		Shunned: len(o.shunned), Told: len(r.told), Expired: len(r.replica.expired), Timers: len(r.timers.heap),
		Disputed: len(d.disputed), Proved: len(d.proved), Refused: len(o.refusals),
		Broken: len(o.broken), Denials: len(r.reconciler.denials), Claims: len(d.claims), Buffers: cap(r.buf),
	}
	ms := &r.messages
	s.News, s.Streams, s.Lacks = len(ms.window.list), len(ms.window.streams), len(ms.spread.lacking)
	s.Questions, s.Asked, s.Tells = len(ms.questions.open), len(ms.questions.asked), len(ms.tells.list)
	s.Answers = ms.questions.ofNodes + ms.questions.ofGuests
	for _, c := range o.conns {
		s.OwnNews = max(s.OwnNews, len(c.line.own))
		s.Owed = max(s.Owed, len(c.place.own))
		if c.state == connEstablished {
			s.Owed = max(s.Owed, int(r.debts.end-c.place.next))
		}
		s.Queued, s.Forwarded = max(s.Queued, len(c.queue)), max(s.Forwarded, len(c.forwarded))
	}
	if r.reconciler.sync != nil {
		s.Syncing = len(r.reconciler.sync.queue) + len(r.reconciler.sync.push)
	}
	return s
}
