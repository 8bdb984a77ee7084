package core

// Score is what a name has for a key.
func Score(key, name string) uint64 { return choose(key, 1, []claimant{newClaimant(name)})[0].score }

// Sizes tells how much a Ring holds of all that must stay bounded.
type Sizes struct {
	Conns, Owed, Queued       int // Owed: of the connection that is owed most
	Acks, Asks, Doubts, Dials int
	Shunned, Told, Expired    int
	Timers, Syncing           int // Syncing: ranges and records on a sync's agenda
	Buffers                   int // bytes kept for frames in and out
}

func (r *Ring) Sizes() Sizes {
	s := Sizes{
		Conns: len(r.conns), Acks: len(r.acks), Asks: len(r.asks), Doubts: len(r.doubts), Dials: len(r.dials),
		Shunned: len(r.shunned), Told: len(r.told), Expired: len(r.expired), Timers: len(r.timers.heap),
		Buffers: cap(r.buf),
	}
	for _, c := range r.conns {
		s.Owed = max(s.Owed, c.owing)
		s.Queued = max(s.Queued, len(c.queue))
	}
	if r.sync != nil {
		s.Syncing = len(r.sync.queue) + len(r.sync.push)
	}
	return s
}
