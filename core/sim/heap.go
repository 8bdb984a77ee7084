package sim

// eventKind tells what happens at an event's time.
type eventKind uint8

const (
	evTick    eventKind = iota + 1 // proc's Wake has come
	evArrive                       // the head of conn's queue from side arrives
	evSyn                          // conn's dial reaches its address
	evAccept                       // conn's request reaches the process there
	evRefuse                       // conn's refusal is back at the dialler
	evGiveUp                       // conn's dial has taken too long
	evHeld                         // what side of conn has sent was held for too long
	evUnheard                      // the first retransmission of what side of conn has sent finds no answer
	evStuck                        // side of conn could not write for too long
	evLost                         // conn ends at side with code
	evEcho                         // side hears of its own Close of conn
	evWritten                      // proc's write of its ring file is done
	evRetry                        // proc tries again to write it
	evCommand                      // proc gets the command with number arg
)

// event is one thing to come. It is kept small: a heap of them is moved about.
type event struct {
	at   int64
	seq  uint64 // breaks ties: first scheduled, first served
	conn *conn
	proc *process
	arg  int64 // evTick, evHeld, evRetry: which one; evSyn: when it is sent again; evAccept: when it is due; evLost, evEcho: the code; evCommand: which
	kind eventKind
	side uint8
}

func (e *event) before(o *event) bool {
	return e.at < o.at || e.at == o.at && e.seq < o.seq
}

// eventHeap is a binary heap without the boxes of container/heap.
type eventHeap []event

func (h *eventHeap) push(e event) {
	s := append(*h, e)
	i := len(s) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !e.before(&s[up]) {
			break
		}
		s[i] = s[up]
		i = up
	}
	s[i] = e
	*h = s
}

func (h *eventHeap) pop() event {
	s := *h
	top := s[0]
	n := len(s) - 1
	last := s[n]
	s[n] = event{} // let go of what it points to
	s = s[:n]
	*h = s
	if n == 0 {
		return top
	}
	i := 0
	for {
		down := 2*i + 1
		if down >= n {
			break
		}
		if down+1 < n && s[down+1].before(&s[down]) {
			down++
		}
		if !s[down].before(&last) {
			break
		}
		s[i] = s[down]
		i = down
	}
	s[i] = last
	return top
}
