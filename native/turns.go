package native

import "sync"

// turns decide whose frame a gateway takes next of all guests'. One is under way at a time,
// and one of each party waits for it: however many come by a token, who comes by another waits
// for one frame of theirs at most, and a node's for one of all guests'.
type turns struct {
	taken   chan struct{} // holds who has the turn
	mu      sync.Mutex
	parties map[string]*turn
}

// turn is what the connections of a party have together.
type turn struct {
	of    *turns
	party string
	conns int           // guarded by of.mu
	next  chan struct{} // holds which of them is the next, or has the turn
}

func newTurns() *turns {
	return &turns{taken: make(chan struct{}, 1), parties: make(map[string]*turn)}
}

// join counts a connection of a party in.
func (ts *turns) join(party string) *turn {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.parties[party]
	if t == nil {
		t = &turn{of: ts, party: party, next: make(chan struct{}, 1)}
		ts.parties[party] = t
	}
	t.conns++
	return t
}

// leave counts one out, which has no turn. A node's has none to leave.
func (t *turn) leave() {
	if t == nil {
		return
	}
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	if t.conns--; t.conns == 0 {
		delete(t.of.parties, t.party)
	}
}

// take waits for the turn. It says false if done is closed first.
func (t *turn) take(done <-chan struct{}) bool {
	for _, place := range []chan struct{}{t.next, t.of.taken} {
		select {
		case place <- struct{}{}:
		case <-done:
			return false // nobody has a turn any more
		}
	}
	return true
}

// give ends the turn.
func (t *turn) give() {
	<-t.of.taken
	<-t.next
}
