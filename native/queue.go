package native

import "sync"

// queue has handshakes wait, which cost their host the most that a stranger can ask of it: as many are
// worked at as there are processors, in the order of their coming. Those from where somebody came in
// who runs the ring wait apart, and the two rows take turns: however many wait who come from
// anywhere, nodes and operators wait for few.
type queue struct {
	mu   sync.Mutex
	free int                // so many more may be worked at
	rows [2][]chan struct{} // who waits, the friends in the second
	last int                // the row whose turn it was last
}

// enter waits for a turn.
func (q *queue) enter(friend bool) {
	q.mu.Lock()
	if q.free > 0 {
		q.free--
		q.mu.Unlock()
		return
	}
	turn, row := make(chan struct{}), 0
	if friend {
		row = 1
	}
	q.rows[row] = append(q.rows[row], turn)
	q.mu.Unlock()
	<-turn
}

// leave ends a turn: it is the next one's.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	row := 1 - q.last
	if len(q.rows[row]) == 0 {
		row = q.last
	}
	if len(q.rows[row]) == 0 {
		q.free++
		return
	}
	q.last = row
	close(q.rows[row][0])
	q.rows[row] = q.rows[row][1:]
}
