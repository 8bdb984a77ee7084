package core

import (
	"math/rand/v2"
	"slices"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// What a long step grew to is kept until a step comes that takes no more than so
// many effects, and bytes of frames.
const (
	maxKept = 32
	maxBuf  = 16 << 10
)

// Ring is the native Engine: one node's copy of the ring and all of its logic.
type Ring struct {
	cfg  Config
	rand *rand.Rand

	// Of the input being taken.
	mono, now, wall int64 // now is mono less the time this process was not run
	slept           int64
	wentBack        bool  // the wall clock may have been ahead: see mintAnew
	wakeAt          int64 // the mono of the last Wake; 0 before
	effects         []Effect
	events          []Event // of effects
	results         []Event // follow the step's Dirty
	buf             []byte  // holds the frames of the effects
	in              wire.Frame
	joiners         map[string]*Event // of events: of names that were no members before

	// The two sets, and the tombstones past their time that are still kept.
	nodes, up lww.Set
	expired   map[string]*expired
	born      int64 // wall time of Start: Rejoin overrules deletions before it
	offset    int64 // a guest's: its gateway's clock less its own
	conflict  conflict

	// What follows from the sets, kept as they change.
	fates   map[string]*timer   // see decideFate
	durable int                 // durable members
	peersUp int                 // of those, the ones that are up, this node included
	lost    nameSet             // durable members that are not up
	behind  map[string]*nameSet // who is reached through a gateway, by the gateway

	stableSince int64 // since when all durable members are up, unbroken
	lastContact int64 // wall time of the last frame from another durable node
	stale       bool
	staleSince  int64 // the ring's clock

	// Connections.
	conns    map[ConnID]*conn
	live     []*conn // established, in that order
	byName   map[string]*conn
	dials    map[string]*conn // not yet established, by the name that is meant
	nextConn ConnID
	rounds   uint64
	newcomer allowance // guests' names that are new here
	asserted allowance // records that were taken from guests
	joinTurn int       // a guest's place in Config.Join
	budget   int       // dials left until the next round
	shunned  map[string]int64
	told     map[string]int64 // when an event of its kind was last emitted

	seq      uint64 // of frames that want an answer
	acks     map[uint64]*await
	asks     map[uint64]*ask
	doubts   map[string]*doubt
	disputed map[string]int64 // see conclude
	health   health
	sync     *reconciliation
	timers   timers
	debts    debts
	flushing bool // a flush of rumors is armed
	filling  bool // maintain is to be called soon

	version       uint64 // counts durable changes
	saved         uint64 // the version of the last Dirty
	presenceDirty bool

	leaving *timer // until RemovalGrace is over
	leave   *leave
	halted  bool
	started bool
	joined  bool // some node let this process in
}

// A ConfigError says which field of a Config cannot be used, and why.
type ConfigError struct {
	Field string
	Err   error
}

func (e *ConfigError) Error() string { return "core: " + e.Field + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *ConfigError) Unwrap() error { return e.Err }

type reason string

func (r reason) Error() string { return string(r) }

// New makes a Ring of cfg. It fails with a *ConfigError if a name, an address
// or the snapshot cannot be used; nothing happens before the Start input.
func New(cfg Config) (*Ring, error) {
	if err := wire.ValidName(cfg.Ring); err != nil {
		return nil, &ConfigError{"Ring", err}
	}
	if err := wire.ValidName(cfg.Name); err != nil {
		return nil, &ConfigError{"Name", err}
	}
	if cfg.Address != "" {
		if err := wire.ValidAddress(cfg.Address); err != nil {
			return nil, &ConfigError{"Address", err}
		}
	}
	for _, addr := range cfg.Join {
		if err := wire.ValidAddress(addr); err != nil {
			return nil, &ConfigError{"Join", err}
		}
	}
	if cfg.MaxGuests == 0 {
		cfg.MaxGuests = 1000
	}
	cfg.Tags = slices.Clone(cfg.Tags)
	cfg.Join = slices.Clone(cfg.Join)
	cfg.Period = orDefault(cfg.Period, Second)
	cfg.AckTimeout = orDefault(cfg.AckTimeout, Second/2)
	cfg.SuspectFor = orDefault(cfg.SuspectFor, 2*Second)
	cfg.RemovalGrace = orDefault(cfg.RemovalGrace, 10*Second)
	r := &Ring{
		cfg:      cfg,
		rand:     rand.New(rand.NewPCG(cfg.Seed, uint64(cfg.Instance.Start))),
		expired:  make(map[string]*expired),
		behind:   make(map[string]*nameSet),
		conns:    make(map[ConnID]*conn),
		byName:   make(map[string]*conn),
		dials:    make(map[string]*conn),
		shunned:  make(map[string]int64),
		told:     make(map[string]int64),
		acks:     make(map[uint64]*await),
		asks:     make(map[uint64]*ask),
		doubts:   make(map[string]*doubt),
		disputed: make(map[string]int64),
		fates:    make(map[string]*timer),
		joiners:  make(map[string]*Event),
	}
	if cfg.Snapshot != nil {
		if err := r.restore(cfg.Snapshot); err != nil {
			return nil, &ConfigError{"Snapshot", err}
		}
	}
	if v := r.presence().Value(); len(v) > wire.MaxValue {
		return nil, &ConfigError{"Tags", reason("longer than a record may be: " + "use fewer or shorter ones")}
	}
	return r, nil
}

func orDefault(v, d int64) int64 {
	if v == 0 {
		return d
	}
	return v
}

// Step implements Engine; it returns no error.
func (r *Ring) Step(in Input) ([]Effect, error) {
	clear(r.events) // lets go of what they refer to
	clear(r.effects)
	clear(r.joiners)
	if cap(r.effects) > maxKept && len(r.effects) <= maxKept {
		r.effects, r.events, r.joiners = nil, nil, make(map[string]*Event)
	}
	if cap(r.buf) > maxBuf && len(r.buf) <= maxBuf {
		r.buf = nil
	}
	r.effects, r.events, r.results, r.buf = r.effects[:0], r.events[:0], r.results[:0], r.buf[:0]
	if r.halted {
		return nil, nil
	}
	if !r.started && in.Kind != Start {
		if r.cfg.Takeover {
			r.clock(in)
			r.inherit(in)
		}
		return nil, nil
	}
	r.clock(in)
	switch in.Kind {
	case Start:
		r.start()
	case Opened:
		r.opened(in)
	case Received:
		r.received(in.Conn, in.Frame)
		if len(in.Frame) > 4<<10 {
			r.in = wire.Frame{} // what it grew to for a long frame is not kept
		}
	case Closed:
		r.closed(in.Conn, in.Code)
	case Do:
		r.do(in.Command)
	}
	r.runTimers()
	r.finish()
	return r.effects, nil
}

// clock takes in the time. While the process was not run (stopped, starved,
// swapped) its peers' answers could not reach it, so that time does not count:
// it accuses nobody by deadlines that passed in its sleep.
func (r *Ring) clock(in Input) {
	r.mono = max(r.mono, in.Mono)
	if r.wakeAt != 0 && r.mono > r.wakeAt+r.cfg.AckTimeout {
		r.slept += r.mono - r.wakeAt
		r.wakeAt = r.mono
		r.health.worse()
	}
	r.now = r.mono - r.slept
	r.setWall(in.Wall + r.offset)
	if r.wentBack && in.Kind == Tick {
		r.mintAnew(false)
	}
}

func (r *Ring) runTimers() {
	for !r.halted {
		t := r.timers.next()
		if t == nil || t.at > r.now {
			return
		}
		fire := t.fire
		r.timers.pop()
		t.fire = nil
		fire()
	}
}

// finish ends a step: what is durable, what was answered, when to wake.
func (r *Ring) finish() {
	if r.saved != r.version {
		r.saved = r.version
		r.effects = append(r.effects, Effect{Kind: Dirty, Seq: r.version})
	}
	for _, e := range r.results {
		r.emit(e)
	}
	if r.halted {
		// The runtime stops at Halt: it has to come last.
		i := slices.IndexFunc(r.effects, func(e Effect) bool { return e.Kind == Halt })
		halt := r.effects[i]
		r.effects = append(slices.Delete(r.effects, i, i+1), halt)
		return
	}
	if t := r.timers.next(); t != nil {
		if at := t.at + r.slept; at != r.wakeAt {
			r.wakeAt = at
			r.effects = append(r.effects, Effect{Kind: Wake, At: at})
		}
	}
}

func (r *Ring) start() {
	if r.started {
		return
	}
	r.started = true
	r.stableSince, r.born = r.now, r.wall
	if r.cfg.Takeover {
		r.born = r.cfg.Instance.Start
		r.seq = uint64(r.mono) // later than any of the other's, whose answers may still come
	}
	r.load()
	r.resume()
	r.every(r.cfg.Period, r.round)
	r.every(Hour, func() { r.version++ })
	r.every(Minute, r.minute)
	r.budget = dialsPerPeriod
	r.maintain()
}

// every calls f each d microseconds, jittered by a tenth so that nodes started together spread.
func (r *Ring) every(d int64, f func()) {
	r.after(d-d/10+r.rand.Int64N(d/5+1), func() {
		r.every(d, f)
		f()
	})
}

// minute does what can wait: presences to disk, tombstones to dust.
func (r *Ring) minute() {
	if r.presenceDirty {
		r.version++
		r.presenceDirty = false
	}
	r.collect()
	for name, at := range r.disputed {
		if at < r.now {
			delete(r.disputed, name)
		}
	}
	for name, at := range r.shunned {
		if at < r.now {
			delete(r.shunned, name)
		}
	}
	for key, at := range r.told {
		if at+Minute < r.now {
			delete(r.told, key)
		}
	}
}

func (r *Ring) halt(why Reason, text string) {
	r.halted = true
	r.effects = append(r.effects, Effect{Kind: Halt, Reason: why, Text: text})
}

//go:noinline
func (r *Ring) emit(e Event) { *r.event() = e }

// event emits an event that the caller has yet to fill.
func (r *Ring) event() *Event {
	if n := len(r.events); n < cap(r.events) {
		r.events = r.events[:n+1] // which Step has cleared
	} else {
		r.events = append(r.events, Event{}) // what it grows out of stays as it is
	}
	e := &r.events[len(r.events)-1]
	if n := len(r.effects); n < cap(r.effects) {
		r.effects = r.effects[:n+1] // likewise
	} else {
		r.effects = append(r.effects, Effect{})
	}
	effect := &r.effects[len(r.effects)-1]
	effect.Kind, effect.Event = Emit, e
	return e
}

// tell emits what became of a name. Of one that joins it tells once in a step,
// as it is at its end: its two records come one after the other, and what it
// was between them is no news.
func (r *Ring) tell(name string, s *standing, joins bool) {
	var e *Event
	if len(r.joiners) > 0 {
		e = r.joiners[name]
	}
	if e == nil {
		e = r.event()
		e.Kind = EventNode
		if joins {
			r.joiners[name] = e
		}
	}
	s.describe(name, &e.Node)
}

// emitRarely emits an event that a peer can cause at will: once a minute for
// each node and reason, and for a thousand of them at most.
func (r *Ring) emitRarely(e Event) {
	key := e.Kind.String() + " " + e.Code.String() + " " + e.Name
	if at, ok := r.told[key]; ok && r.now < at+Minute || len(r.told) >= 1000 {
		return
	}
	r.told[key] = r.now
	r.emit(e)
}

// Close implements Engine.
func (r *Ring) Close() error {
	r.halted = true
	return nil
}

// nameSet is a set of names from which one can be picked at random, by the
// order of changes alone.
type nameSet struct {
	list []string
	at   map[string]int
}

func (s *nameSet) add(name string) {
	if _, ok := s.at[name]; ok {
		return
	}
	if s.at == nil {
		s.at = make(map[string]int)
	}
	s.at[name] = len(s.list)
	s.list = append(s.list, name)
}

func (s *nameSet) remove(name string) {
	i, ok := s.at[name]
	if !ok {
		return
	}
	last := len(s.list) - 1
	s.list[i] = s.list[last]
	s.at[s.list[i]] = i
	s.list = s.list[:last]
	delete(s.at, name)
	if last == 0 {
		*s = nameSet{} // lets go of what it grew to
	}
}
