package sim

import (
	"errors"
	"math/rand/v2"

	"github.com/cespare/xxhash/v2"
	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// Epoch is the wall clock's time when a World begins: 5 January 2026, 00:00 UTC.
const Epoch int64 = 1_767_571_200 * core.Second

// Config is what a World is made of. The zero value of a field means its default.
type Config struct {
	Seed uint64
	New  func(core.Config) (core.Engine, error) // makes an engine; default core.New

	LatencyMin int64 // one way; every pair of machines has its own, between the two,
	LatencyMax int64 // and a frame up to a quarter more; default 1 to 20 ms
	WriteMin   int64 // a write of the ring file takes between the two; default 1 to 20 ms
	WriteMax   int64
	// A dial comes to nothing when no kernel has answered it in the one time, and no
	// process in the other; default 2 s for both.
	ConnectWithin, DialWithin int64

	Stalls int // frames in a million that are held up for 0.2 to 3 s, with all behind them
	Loss   int // segments in a million that are lost, and sent again when TCP's timeouts say so
	Resets int // frames in a million that break their connection

	Trace func(line string) // gets each line of the trace; nil for none
	Story func(line string) // gets those that say what befell the machines, without what their engines did
}

// The network's habits, which are TCP's.
const (
	dialTimeout = 2 * core.Second           // a dial that nobody answers: see Config
	rtoMin      = 200 * core.Millisecond    // what is not acknowledged is sent again, after
	rtoMax      = 120 * core.Second         // waits that double from the one to the other,
	patience    = 924600 * core.Millisecond // and breaks the connection after 15 times (Linux's tcp_retries2)
	orphaned    = 102200 * core.Millisecond // or after 8 times when the process has closed it (tcp_orphan_retries)
	rtoSyn      = core.Second               // before there is a connection (RFC 6298, section 2.1)
	stallMax    = 3 * core.Second
)

// World is a number of machines and the network between them. It is for one goroutine.
type World struct {
	cfg       Config
	now       int64
	skipped   int64 // by all wall clocks: see Skip
	seq       uint64
	heap      eventHeap
	rng       *rand.Rand
	machines  []*Machine
	byName    map[string]*Machine
	byAddr    map[string]*Machine
	names     map[string]bool  // addresses that lead to a machine which does not have them: see Resolve
	ways      map[[2]int]bool  // that nothing gets through: see CutWay
	refused   map[[2]int]bool  // ways whose dials a firewall refuses: see RefuseNew
	dropped   map[[2]int]bool  // and those that it drops: see DropNew
	narrow    map[[2]int]int   // bytes of the largest packet between two, where it is bounded: see Narrow
	paths     map[[2]int]int64 // latencies of pairs that have another than the seed gives them: see Slow
	held      []heldQueue
	free      [][][]byte // frame buffers to use again, by size class
	flying    []int      // and those in use
	commands  []Command
	ops       []op
	forgotten int64 // removals up to then may have been
	digest    *xxhash.Digest
	scratch   []byte
	words     describer
	snap      wire.Snapshot
	steps     uint64
	lived     uint64 // of them, those of engines that stand in for nobody
	rest      *rest  // nodes of a ring that are not lived; nil if all are
	frames    uint64 // sent so far
	bytes     uint64
	err       error
	promises  *promises // nil if nobody watches: see Promise
	talk      *talk     // nil if nobody says anything: see Talk
	quiet     quiet     // nil but in a minute that is: see Quiet
	crowd     *crowd    // that it began with; nil for none
	copies    *copier   // nil if nobody counts them
	lean      bool      // of thousands: no digest, no views, no truth to Check, and files only when processes halt
	batch     batch
	intern    *core.Interner // of all engines of thousands

	onEvent func(*Machine, *core.Event)
	onHalt  func(*Machine, core.Reason, string)
	onSend  func(frame []byte)
}

// New returns a World without machines, at time 0.
func New(cfg Config) *World {
	def := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	def(&cfg.LatencyMin, core.Millisecond)
	def(&cfg.LatencyMax, max(20*core.Millisecond, cfg.LatencyMin))
	def(&cfg.WriteMin, core.Millisecond)
	def(&cfg.WriteMax, max(20*core.Millisecond, cfg.WriteMin))
	def(&cfg.ConnectWithin, dialTimeout)
	def(&cfg.DialWithin, cfg.ConnectWithin)
	if cfg.New == nil {
		cfg.New = newRing
	}
	return &World{
		cfg:     cfg,
		rng:     rand.New(rand.NewPCG(cfg.Seed, 0x6e616e6f72696e67)),
		byName:  make(map[string]*Machine),
		byAddr:  make(map[string]*Machine),
		names:   make(map[string]bool),
		ways:    make(map[[2]int]bool),
		refused: make(map[[2]int]bool),
		dropped: make(map[[2]int]bool),
		narrow:  make(map[[2]int]int),
		paths:   make(map[[2]int]int64),
		digest:  xxhash.New(),
	}
}

func newRing(cfg core.Config) (core.Engine, error) {
	r, err := core.New(cfg)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Now returns the microseconds since the World began.
func (w *World) Now() int64 { return w.now }

// Steps returns how many inputs the engines were given.
func (w *World) Steps() uint64 { return w.steps }

// Sent returns how many frames were sent, and their bytes.
func (w *World) Sent() (frames, bytes uint64) { return w.frames, w.bytes }

// Digest sums up all inputs and effects so far: equal digests, equal runs.
func (w *World) Digest() uint64 { return w.digest.Sum64() }

// Err returns the first error that an engine's Step or Snapshot gave; none should.
func (w *World) Err() error { return w.err }

// OnTrace makes f get each line of the trace from now on; nil for none.
func (w *World) OnTrace(f func(line string)) { w.cfg.Trace = f }

// OnEvent makes f get each event of each engine.
func (w *World) OnEvent(f func(*Machine, *core.Event)) { w.onEvent = f }

// OnHalt makes f hear of each process that halts.
func (w *World) OnHalt(f func(*Machine, core.Reason, string)) { w.onHalt = f }

// Machines returns all machines, in the order of their making.
func (w *World) Machines() []*Machine { return w.machines }

// Machine returns the machine with that name, or nil.
func (w *World) Machine(name string) *Machine { return w.byName[name] }

// Run lets d microseconds pass.
func (w *World) Run(d int64) { w.advance(w.now + d) }

// RunUntil lets time pass until cond holds, which is asked every 50 ms of
// virtual time, and tells whether it did within d microseconds.
func (w *World) RunUntil(d int64, cond func() bool) bool {
	const every = 50 * core.Millisecond
	end := w.now + d
	for {
		if cond() {
			return true
		}
		if w.now >= end {
			return false
		}
		w.advance(min(end, w.now+every))
	}
}

// advance serves all events up to and at t.
func (w *World) advance(t int64) {
	if w.lean {
		w.advanceLean(t)
		return
	}
	for len(w.heap) > 0 && w.heap[0].at <= t {
		e := w.heap.pop()
		w.promises.until(e.at)
		w.now = e.at
		w.serve(&e)
	}
	w.promises.until(t)
	w.now = t
}

func (w *World) schedule(at int64, e event) {
	w.seq++
	e.at, e.seq = max(at, w.now), w.seq
	w.heap.push(e)
}

// serve does what an event says, or puts it off while its process is paused.
func (w *World) serve(e *event) {
	if p := w.servedBy(e); p != nil && !p.dead && p.m.paused {
		p.deferred = append(p.deferred, *e)
		return
	}
	switch e.kind {
	case evTick:
		e.proc.tick(e.arg)
	case evArrive:
		w.arrive(e.conn, e.side)
	case evSyn:
		w.syn(e.conn, e.arg)
	case evAccept:
		w.accept(e.conn, e.arg)
	case evGiveUp:
		w.tire(e.conn)
	case evRefuse:
		w.failDial(e.conn, true)
	case evHeld:
		w.heldTooLong(e.conn, e.side, e.arg)
	case evUnheard:
		w.unheard(e.conn, e.side)
	case evStuck:
		w.stuck(e.conn, e.side)
	case evLost:
		w.lost(e.conn, e.side, e.arg)
	case evEcho:
		w.echo(e.conn, e.side, e.arg)
	case evWritten:
		e.proc.written()
	case evRetry:
		e.proc.retry(e.arg)
	case evCommand:
		e.proc.command(int(e.arg))
	}
}

// servedBy returns the process that an event needs running, if any.
func (w *World) servedBy(e *event) *process {
	switch e.kind {
	case evTick, evWritten, evRetry, evCommand:
		return e.proc
	case evArrive:
		return e.conn.end[1-e.side].proc
	case evAccept:
		return e.conn.end[1].m.proc
	case evRefuse, evGiveUp:
		return e.conn.end[0].proc
	case evLost, evEcho, evStuck:
		return e.conn.end[e.side].proc
	}
	return nil
}

// resent draws how long a segment is late: lost once, it is sent again after
// rto; lost again, after twice that time.
func (w *World) resent(rto int64) (late int64) {
	for w.chance(w.cfg.Loss) && late < patience {
		late += rto
		rto = min(2*rto, rtoMax)
	}
	return late
}

// between draws a time from lo to hi.
func (w *World) between(lo, hi int64) int64 {
	if hi <= lo {
		return lo
	}
	return lo + w.rng.Int64N(hi-lo+1)
}

// chance is true n times in a million.
func (w *World) chance(n int) bool {
	return n > 0 && w.rng.IntN(1_000_000) < n
}

// Close ends all processes that still run, without a word, and frees their engines.
func (w *World) Close() {
	for _, m := range w.machines {
		if m.proc != nil {
			m.end(0, true)
		}
	}
}

func (w *World) fail(m *Machine, err error) {
	if w.err == nil {
		w.err = errors.New("machine " + m.name + ": " + err.Error())
	}
}
