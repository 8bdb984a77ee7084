package core

// timer calls fire once at a time of the ring's own clock.
type timer struct {
	at   int64
	n    uint64 // order of arming: breaks ties
	fire func()
}

func (t *timer) before(o *timer) bool { return t.at < o.at || t.at == o.at && t.n < o.n }

// timers is a binary heap. A stopped timer stays in it until its time, or
// until the heap has grown to twice what is armed.
type timers struct {
	heap    []*timer
	n       uint64
	sweepAt int
}

func (ts *timers) add(at int64, fire func()) *timer {
	if len(ts.heap) >= ts.sweepAt {
		ts.sweep()
	}
	ts.n++
	t := &timer{at: at, n: ts.n, fire: fire}
	ts.push(t)
	return t
}

func (ts *timers) push(t *timer) {
	ts.heap = append(ts.heap, t)
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
	ts.heap = all[:0]
	for _, t := range all {
		if t.fire != nil {
			ts.push(t)
		}
	}
	clear(all[len(ts.heap):])
	ts.sweepAt = 2*len(ts.heap) + 64
}

// next returns the earliest timer that was not stopped, or nil.
func (ts *timers) next() *timer {
	for len(ts.heap) > 0 && ts.heap[0].fire == nil {
		ts.pop()
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

// stop forgets a timer; nil and fired ones are fine.
func (t *timer) stop() {
	if t != nil {
		t.fire = nil
	}
}

// after arms a timer d microseconds from now.
func (r *Ring) after(d int64, fire func()) *timer { return r.timers.add(r.now+d, fire) }
