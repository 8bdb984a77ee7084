package native

import (
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/native/disk"
)

// A failed write is tried again after firstRetry, then after twice as long,
// up to lastRetry; at once if somebody waits for it.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 30 * time.Second

	// A change that nobody waits for, as it came from others who have it, is
	// written after a rest, so that a burst is one write: after firstRest, and twice
	// as long each time, up to lastRest. A rest in which nothing changed ends the burst.
	// A node that has joined writes at once: it has to know its ring from then on.
	firstRest = 50 * time.Millisecond
	lastRest  = time.Second

	settleTime = time.Second // that a disk may take at the end
)

var errHangs = errors.New("the disk does not answer")

// store is what the loop knows of the ring file: one write under way at a time,
// and what changes in the meantime, and in a rest, goes with the next. The first write of
// an engine, and what follows on one that failed, is all there is; the others are what has
// changed.
type store struct {
	dirty   uint64 // the newest change
	writing uint64 // the newest change in the write under way; 0 if none is
	written uint64 // the newest change on disk
	err     error  // of the last write
	knows   bool   // the write under way, or the last one, had another member in it
	follows bool   // what is written next is a change of what is on disk, or being written
	resting bool
	rest    time.Duration
	waiting []waiting

	write   func(b []byte, change bool) error
	done    chan error  // of the write under way
	retry   *time.Timer // the rest, or the backoff after an error, is over
	backoff time.Duration
}

// waiting is a command that is done once its change is on disk.
type waiting struct {
	seq uint64
	result
	to chan<- result
}

func newStore(write func(b []byte, change bool) error) store {
	retry := time.NewTimer(time.Hour)
	retry.Stop()
	return store{write: write, done: make(chan error, 1), retry: retry}
}

// writeRing writes a snapshot, or a change of what was written last.
func writeRing(f *disk.Folder, b []byte, change bool) error {
	if change {
		return f.Append(b)
	}
	return f.Write(b)
}

// rested goes on after a rest, or after the backoff that follows an error.
func (l *loop) rested() {
	s := &l.store
	s.resting = false
	if s.dirty <= s.written {
		s.rest = 0
	}
	l.save(true)
}

// save starts a write if there is a change to write and none is under way.
func (l *loop) save(retry bool) {
	s := &l.store
	if s.writing != 0 || s.dirty <= s.written || l.halt != 0 || l.failure != nil {
		return
	}
	if len(s.waiting) == 0 && !retry && (s.knows || s.err != nil || l.board.len() < 2) {
		if s.err == nil && !s.resting {
			s.takeRest()
		}
		return // the timer is running
	}
	s.resting = false
	b, change := l.unsaved()
	if b == nil {
		return
	}
	s.retry.Stop()
	s.writing, s.knows, s.follows = s.dirty, l.board.len() > 1, true
	l.status.Lock()
	l.status.writing = time.Now()
	l.status.Unlock()
	go func() {
		began := time.Now()
		err := s.write(b, change)
		l.meter.wrote(time.Since(began), l.folder.Usage(), err)
		s.done <- err
	}()
}

// wrote takes the outcome of a write.
func (l *loop) wrote(err error) {
	s := &l.store
	seq := s.writing
	s.writing = 0
	l.outcome(seq, err)
	if err != nil {
		s.follows = false
		s.backoff = min(max(2*s.backoff, firstRetry), lastRetry)
		s.retry.Reset(s.backoff)
	} else {
		s.backoff = 0
		s.takeRest()
	}
	l.save(false)
}

func (s *store) takeRest() {
	s.resting = true
	s.rest = min(max(2*s.rest, firstRest), lastRest)
	s.retry.Reset(s.rest)
}

// outcome tells all who wait for changes up to seq, the log and the status.
func (l *loop) outcome(seq uint64, err error) {
	s := &l.store
	switch {
	case err != nil && s.err == nil:
		l.log.Error("cannot write the ring file: going on without, and trying again", "file", l.folder.RingFile(), "err", err)
	case err == nil && s.err != nil:
		l.log.Info("the ring file is written again", "file", l.folder.RingFile())
	}
	s.err = err
	if err == nil {
		s.written = seq
	} else {
		err = notWritten(err)
	}
	l.status.Lock()
	l.status.writeError, l.status.writing = s.err, time.Time{}
	l.status.Unlock()
	s.answer(seq, err)
}

// notWritten says what to do, too: the change is made, and nobody has to ask for it again.
func notWritten(err error) error {
	hint := disk.Hint(err)
	if hint == "" {
		hint = "see the node's status"
	}
	return fmt.Errorf("%w: %w: %s; it is tried again and again", ErrNotWritten, err, hint)
}

// answer answers all who wait for changes up to seq.
func (s *store) answer(seq uint64, err error) {
	later := s.waiting[:0]
	for _, w := range s.waiting {
		if w.seq <= seq {
			w.err = err
			w.to <- w.result
		} else {
			later = append(later, w)
		}
	}
	clear(s.waiting[len(later):])
	s.waiting = later
}

// settle brings the folder to where the node's end leaves it: the last state on
// disk, or nothing, and a marker if it was removed. It does not wait for a disk
// that hangs; done is closed when the folder is not touched any more.
func (l *loop) settle() (done <-chan struct{}) {
	s := &l.store
	s.retry.Stop()
	var last func() error
	upTo, trouble := s.writing, "may lack the last state"
	switch {
	case l.failure != nil:
		// What the engine would say now is not to be trusted.
	case l.halt == core.HaltLeft, l.halt == core.HaltRemoved:
		m := disk.Marker{Removed: l.removed.UTC(), Ring: l.cfg.Ring, Name: l.cfg.Name}
		if l.halt == core.HaltLeft {
			m.Removed, m.Left = l.cfg.Clock().UTC(), true
		}
		last, trouble = func() error { return l.folder.Removed(m) }, "cannot be deleted"
	case s.dirty > max(s.written, s.writing):
		upTo = s.dirty
		snapshot, err := l.engine.Snapshot()
		last = func() error {
			if err != nil {
				return err
			}
			return s.write(snapshot, false)
		}
	}
	var err error
	over, writing := make(chan struct{}), s.writing != 0
	go func() {
		defer close(over)
		if writing {
			err = <-s.done
		}
		if last != nil {
			err = last()
		}
		os.Remove(l.socketFile()) // on the same disk
	}()
	why := errHangs
	select {
	case <-over:
		why = err
	case <-time.After(settleTime):
	}
	if why != nil {
		l.err = errors.Join(l.err, fmt.Errorf("the ring file %s %s: %w", l.folder.RingFile(), trouble, why))
		why = fmt.Errorf("%w: %w", ErrNotWritten, why)
	}
	s.answer(upTo, why)
	s.answer(math.MaxUint64, l.failure) // there is no file to wait for any more
	return over
}
