package core

import "github.com/nanoring/nanoring/core/wire"

// timerKind says what is due at a timer's time, and what its subject is.
type timerKind uint8

const (
	stopped timerKind = iota

	// A takeover carries these over. The first three are ranks of presences, too.
	gatewayDue   // name is said to be reached through a gateway, by the presence with the stamp id
	suspicionDue // name is suspect since the presence with the stamp id
	removalDue   // name, this node: RemovalGrace is over
	deadlineDue  // name: it is reaped, or its tombstone expires

	roundDue       // each Period
	minuteDue      // what can wait: presences to disk, tombstones to dust
	hourDue        // the last contact, to disk
	dialDue        // id: a connection that was dialled and is not open
	helloDue       // id: a connection whose hello is not here
	ackDue         // id: the seq of a gossip
	aliveDue       // id: the seq of a probe
	silentDue      // id: a connection that was checked
	syncDue        // id: the seq of a sync frame
	syncedDue      // id: the same, of which not all of the answer is taken in
	answerDue      // id: a connection, of which a sync frame is being answered
	contestDue     // name has had time to refute that its presence with the stamp id is down
	flushDue       // rumors
	connectionsDue // more connections, as soon as a batch of news is merged
	leaveDue       // nobody has confirmed that this node leaves
	newsDue        // messages
	wantDue        // messages that others have are asked for
	lackDue        // records that others have are asked for
	askDue         // id: the number of a question, whose time is over
	earlyDue       // id: a guest's connection, of which something was put off
)

// timer is something that is due at a time of the ring's own clock.
type timer struct {
	_    incomparable
	at   int64
	n    uint64 // order of arming: breaks ties
	kind timerKind
	name string
	id   uint64
	of   *timers // nil when it is stopped, or has fired
}

func (t *timer) before(o *timer) bool { return t.at < o.at || t.at == o.at && t.n < o.n }

// stop forgets a timer; nil and fired ones are fine.
func (t *timer) stop() {
	if t != nil && t.of != nil {
		t.kind = stopped
		t.of.idle++
		t.of = nil
	}
}

// timers is a binary heap. A stopped timer stays in it until its time, or until most
// are stopped when another is armed.
type timers struct {
	heap    []*timer
	n       uint64
	idle    int           // of the heap: stopped
	carried []wire.Record // what is due, by the engine before: see Ring.resume
}

func (ts *timers) arm(at int64, kind timerKind, name string, id uint64) *timer {
	if ts.idle > len(ts.heap)/2+32 {
		ts.sweep()
	}
	ts.n++
	t := &timer{at: at, n: ts.n, kind: kind, name: name, id: id, of: ts}
	ts.push(t)
	return t
}

// hasten makes a timer due at a time, unless it is due before that.
func (ts *timers) hasten(t *timer, at int64) *timer {
	if t == nil || at >= t.at {
		return t
	}
	kind := t.kind
	t.stop()
	return ts.arm(at, kind, t.name, t.id)
}

//go:noinline
func (ts *timers) push(t *timer) {
	push(&ts.heap, t)
	for i := len(ts.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if !ts.heap[i].before(ts.heap[parent]) {
			break
		}
		ts.heap[i], ts.heap[parent] = ts.heap[parent], ts.heap[i]
		i = parent
	}
}

// sweep takes the stopped timers out.
func (ts *timers) sweep() {
	all := ts.heap
	ts.heap, ts.idle = make([]*timer, 0, len(all)-ts.idle+1), 0
	for _, t := range all {
		if t.kind != stopped {
			ts.push(t)
		}
	}
}

// next returns the earliest timer that was not stopped, or nil.
func (ts *timers) next() *timer {
	for len(ts.heap) > 0 && ts.heap[0].kind == stopped {
		ts.pop()
		ts.idle--
	}
	if len(ts.heap) == 0 {
		return nil
	}
	return ts.heap[0]
}

func (ts *timers) pop() *timer {
	h := ts.heap
	top, last := h[0], len(h)-1
	h[0], h[last] = h[last], nil
	h = h[:last]
	for i := 0; ; {
		least := i
		for _, c := range [2]int{2*i + 1, 2*i + 2} {
			if c < last && h[c].before(h[least]) {
				least = c
			}
		}
		if least == i {
			break
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
	ts.heap = h
	return top
}

// due takes the next timer whose time has come; nil if there is none.
func (ts *timers) due(now int64) *timer {
	t := ts.next()
	if t == nil || t.at > now {
		return nil
	}
	t.of = nil
	return ts.pop()
}
