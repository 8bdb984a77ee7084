package core

import "github.com/nanoring/nanoring/core/wire"

const (
	lackNext    = 100 * Millisecond // from when one is asked for a record to when the next one is, at least
	lacksOfPeer = maxLacks / 4      // that one peer may have said first: others' are not in its way
)

// lacks owns what this node was told of by digests, and lacks: who said so first is asked
// at once, and then the others, one after the other, each when the one before had twice as
// long as its answers mostly take: else the record would come from all of them where paths are long.
type lacks struct {
	_ incomparable
	*self
	overlay *overlay
	debts   *debts
	by      map[uint64]*missing
	list    []*missing // by when they are asked for; some may be here by now
}

// missing is a record that others have.
type missing struct {
	digest uint64
	first  ConnID   // who said so
	at     int64    // the ring's clock: the next is asked
	from   []ConnID // who were not asked yet
}

// known takes in what a peer has.
func (l *lacks) known(c *conn, digests []uint64) {
	var lacks []uint64
	for _, digest := range digests {
		m := l.by[digest]
		switch {
		case l.debts.told(c, digest):
		case m == nil && len(l.list) < maxLacks && c.lacks < lacksOfPeer:
			push(&lacks, digest)
			c.lacks++
			m = &missing{digest: digest, first: c.id}
			if l.by == nil {
				l.by = make(map[uint64]*missing)
			}
			l.by[digest] = m
			if l.wait(m, c); len(l.list) == 1 {
				l.after(m.at-l.now, lackDue, "", 0)
			}
		case m != nil && len(m.from) < maxTellers:
			push(&m.from, c.id)
		}
	}
	l.sendDigests(c, wire.KindLack, lacks)
}

// wait gives a peer time to send a record. None is asked for before one that waits already.
//
//go:noinline
func (l *lacks) wait(m *missing, c *conn) {
	m.at = l.now + max(lackNext, 2*c.trip.mean)
	if n := len(l.list); n > 0 {
		m.at = max(m.at, l.list[n-1].at)
	}
	push(&l.list, m)
}

// ask asks for what did not come the next who has it. What nobody else has the
// fingerprints find.
func (l *lacks) ask() {
	want := make(map[ConnID][]uint64)
	for n := len(l.list); n > 0 && l.list[0].at <= l.now; n-- {
		m := l.list[0]
		drop(&l.list, 0)
		var c *conn
		for _, rec := l.debts.find(m.digest); rec == nil && c == nil && len(m.from) > 0; {
			c = l.overlay.established(m.from[0])
			drop(&m.from, 0)
		}
		if c == nil {
			delete(l.by, m.digest)
			if c = l.overlay.established(m.first); c != nil {
				c.lacks--
			}
			continue
		}
		want[c.id] = append(want[c.id], m.digest)
		l.wait(m, c)
	}
	for _, c := range l.overlay.live {
		l.sendDigests(c, wire.KindLack, want[c.id])
	}
	if len(l.list) > 0 {
		l.after(l.list[0].at-l.now, lackDue, "", 0)
	} else {
		l.by = nil
	}
}
