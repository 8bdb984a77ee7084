package host

import (
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero/api"
)

// DefaultDeadline is how long a call of a module may take.
const DefaultDeadline = time.Second

const (
	sightings = 4  // until a call is late,
	starved   = 30 // and times as many if the machine did not run it meanwhile
)

// deadline ends calls that take too long. A call costs it two atomic additions: it
// looks after them from a timer, which runs only while there are calls, and stops
// one that it has seen under way sightings times, if that had a processor for most of the
// time in between. That a machine is busy, or was stopped, is no fault of a module.
type deadline struct {
	limit  time.Duration
	stop   api.MutableGlobal // see interruptible
	ran    func() map[int]time.Duration
	calls  atomic.Uint64 // odd while one is under way
	armed  atomic.Bool
	timer  *time.Timer
	seen   uint64 // the timer's: the call it saw last,
	times  int    // how often,
	before map[int]time.Duration
	late   atomic.Bool
}

func (d *deadline) init(limit time.Duration) {
	d.limit, d.ran = limit, ran
	d.timer = time.AfterFunc(limit, d.look)
	d.timer.Stop()
}

// begin is called before each call, end after it.
func (d *deadline) begin() {
	d.calls.Add(1)
	if !d.armed.Load() {
		d.armed.Store(true)
		d.timer.Reset(d.limit / sightings)
	}
}

func (d *deadline) end() { d.calls.Add(1) }

// look runs on the timer.
func (d *deadline) look() {
	now := d.calls.Load()
	if now%2 == 0 {
		if d.armed.Store(false); d.calls.Load() == now || !d.armed.CompareAndSwap(false, true) {
			return // at rest, or begin has armed it again
		}
		now = d.calls.Load()
	}
	if now != d.seen {
		d.seen, d.times = now, 0
		if now%2 == 1 {
			d.before = d.ran()
		}
	}
	if d.times++; now%2 == 1 && d.isLate() {
		d.late.Store(true)
		d.stop.Set(1)
		return
	}
	d.timer.Reset(d.limit / sightings)
}

// isLate says whether the call that is seen is to end. Its thread, which never waits, had a
// processor for as long as any of the process; which of them it is is not known.
func (d *deadline) isLate() bool {
	if d.times <= sightings || d.times > sightings*starved {
		return d.times > sightings
	}
	most, now := d.limit/4*3, d.ran()
	for thread, ran := range now {
		if ran-d.before[thread] >= most {
			return true
		}
	}
	return len(now) == 0
}

func (d *deadline) close() { d.timer.Stop() }
