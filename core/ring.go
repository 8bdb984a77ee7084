package core

import (
	"github.com/nanoring/nanoring/core/wire"
)

// Ring is the native Engine: one node's part in the ring. Its state has owners,
// which do not know of each other's reasons; a Ring takes inputs and brings what
// each owner found out to those whom it concerns.
type Ring struct {
	self
	replica    replica
	overlay    overlay
	debts      debts
	lacks      lacks
	detector   detector
	reconciler reconciler
	labels     labels
	cordon     cordon
	ids        ringIDs
	messages   messages

	in        wire.Frame
	conflict  conflict
	successor wire.Instance // the latest process of this node's name that was heard of

	born    int64  // wall time of Start: Rejoin overrules deletions before it
	wakeAt  int64  // the mono of the last Wake; 0 before
	saved   uint64 // the replica's version at the last Dirty
	removal *timer // until RemovalGrace is over
	leave   *leave
	started bool
}

// New makes a Ring of cfg. It fails with a *ConfigError if a name, an address
// or the snapshot cannot be used; nothing happens before the Start input.
func New(cfg Config) (*Ring, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	r := &Ring{self: newSelf(cfg)}
	r.replica = newReplica(&r.self)
	r.overlay = newOverlay(&r.self, &r.replica)
	r.debts = newDebts(&r.self, &r.replica, &r.overlay)
	r.lacks = lacks{self: &r.self, overlay: &r.overlay, debts: &r.debts}
	r.detector = newDetector(&r.self, &r.replica, &r.overlay)
	r.replica.disbelieves = r.detector.disbelieves
	r.ids = newRingIDs(&r.self, &r.replica, &r.overlay)
	r.reconciler = newReconciler(&r.self, &r.replica, &r.overlay)
	r.reconciler.merge, r.reconciler.takeIn = r.merge, r.mergeAll
	r.messages.init(&r.self, &r.replica, &r.overlay)
	if cfg.Snapshot != nil {
		if err := wrong("Snapshot", r.restore(cfg.Snapshot)); err != nil {
			return nil, err
		}
	}
	r.labels.resume(cfg.Tags, r.had())
	r.cordon.resume(r.had())
	if err := wrong("Tags", checkTags(r.presence(), cfg.Ephemeral)); err != nil {
		return nil, err
	}
	return r, nil
}

// Step implements Engine; it returns no error.
func (r *Ring) Step(in Input) ([]Effect, error) {
	r.begin()
	if r.halted {
		return nil, nil
	}
	if !r.started && in.Kind != Start {
		if r.cfg.Takeover {
			r.takeTime(&in)
			r.inherit(&in)
		}
		return nil, nil
	}
	r.takeTime(&in)
	switch in.Kind {
	case Start:
		r.start()
	case Opened:
		r.opened(&in)
	case Received:
		r.received(in.Conn, in.Frame)
		if len(in.Frame) > 4<<10 || len(r.in.Items) > 0 {
			r.in = wire.Frame{} // what it grew to for a long frame is not kept, nor for items, each of which may have had many records
		}
	case Closed:
		if c := r.overlay.conns[in.Conn]; c != nil {
			r.lose(c, in.Code)
		}
	case Do:
		r.do(&in.Command)
	}
	r.follow()
	for !r.halted && r.fire() {
		r.follow()
	}
	r.finish()
	return r.effects, nil
}

// follow does what follows from what an input or a timer did.
func (r *Ring) follow() {
	r.settle()
	r.settleClaims()
	for _, c := range r.reconciler.outdated {
		r.close(c, wire.CodeRotated, "")
	}
	r.reconciler.outdated = nil
	r.settle()
	r.messages.questions.learn(r.reconciler.compared)
}

// takeTime takes in the time. While the process was not run (stopped, starved,
// swapped) its peers' answers could not reach it, so that time does not count:
// it accuses nobody by deadlines that passed in its sleep.
func (r *Ring) takeTime(in *Input) {
	before := r.mono
	r.mono = max(r.mono, in.Mono)
	r.suspend(in.Wall, r.mono-before)
	late := int64(0)
	if r.wakeAt != 0 {
		late = r.mono - r.wakeAt
	}
	if late > r.cfg.AckTimeout {
		r.slept += late
		r.doze(late)
		r.wakeAt = r.mono
	}
	r.detector.health.lateBy(late, r.cfg.AckTimeout)
	if r.nap != 0 && r.woke == r.newsTime() {
		r.overlay.outsleep()
	}
	r.now = r.mono - r.slept
	if late > r.cfg.AckTimeout {
		r.detector.overslept(late)
	}
	r.messages.pace.meet(r.now, late, r.cfg.AckTimeout)
	r.setWall(in.Wall + r.offset)
	if r.wentBack && in.Kind == Tick {
		r.mintAnew(false)
	}
}

// fire does what the next timer says, if its time has come.
func (r *Ring) fire() bool {
	t := r.due(r.now)
	if t == nil {
		return false
	}
	switch t.kind {
	case roundDue:
		r.every(r.cfg.Period, roundDue)
		r.roundOver = true
		r.detector.health.round()
		r.round()
	case minuteDue:
		r.every(Minute, minuteDue)
		r.housekeep()
	case hourDue:
		r.every(Hour, hourDue)
		r.replica.version++
	case dialDue:
		r.giveUp(r.overlay.conns[ConnID(t.id)], "no connection in time")
	case helloDue:
		r.giveUp(r.overlay.conns[ConnID(t.id)], "no hello in time")
	case ackDue:
		r.unacked(t.id)
	case aliveDue:
		r.detector.endAsk(t.id, false, wire.Instance{})
	case silentDue:
		if c := r.detector.silent(ConnID(t.id)); c != nil {
			r.hangUp(c.id, wire.CodeTimeout, "nothing comes any more")
			r.lose(c, wire.CodeLost) // it is as good as broken
		}
	case syncDue:
		if c := r.reconciler.giveUp(t.id); c != nil {
			r.overlay.evidence(c.name, "unsynced", "")
			r.detector.check(c)
		}
	case syncedDue:
		r.reconciler.goOn(t.id)
	case answerDue:
		if c := r.overlay.conns[ConnID(t.id)]; c != nil {
			r.reconciler.answerOn(c, stepRecords)
		}
	case earlyDue:
		r.takeEarly(r.overlay.conns[ConnID(t.id)])
	case suspicionDue:
		r.detector.endSuspicion(t.name, int64(t.id))
	case contestDue:
		r.detector.endContest(t.name, int64(t.id))
	case gatewayDue:
		r.detector.endReturn(t.name, int64(t.id))
	case deadlineDue:
		r.replica.endDeadline(t.name)
	case flushDue:
		r.debts.flush()
	case lackDue:
		r.lacks.ask()
	case connectionsDue:
		r.overlay.filling = false
		r.overlay.maintain()
	case newsDue:
		r.messages.flush()
	case wantDue:
		r.messages.spread.wantNext()
	case askDue:
		r.messages.endAsk(t.id)
	case removalDue:
		r.goodbye(HaltRemoved)
	case leaveDue:
		r.leave.answer(r, wire.CodeNobody, "no other node has confirmed it yet: this node leaves as soon as one does")
	}
	return true
}

// finish ends a step: what is durable, what was answered, when to wake.
func (r *Ring) finish() {
	dirty := uint64(0)
	if r.saved != r.replica.version {
		r.saved, r.replica.presenceDirty = r.replica.version, false // presences are written with it
		dirty = r.saved
	}
	r.end(dirty)
	if r.halted {
		r.haltLast()
		return
	}
	if t := r.next(); t != nil {
		if at := t.at + r.slept; at != r.wakeAt {
			r.wakeAt = at
			r.effect(Wake).At = at
		}
	}
}

func (r *Ring) start() {
	if r.started {
		return
	}
	r.started = true
	r.replica.stableSince, r.replica.ahead, r.born = r.now, r.wall-r.now, r.wall
	r.messages.window.since = r.newsTime()
	if r.cfg.Takeover {
		r.born = r.cfg.Instance.Start
		r.seq = uint64(r.mono) // later than any of the other's, whose answers may still come
	}
	r.load()
	r.resume()
	r.every(r.cfg.Period, roundDue)
	r.every(Hour, hourDue)
	r.every(Minute, minuteDue)
	r.overlay.refill()
	r.overlay.maintain()
}

// housekeep does what can wait: presences to disk, tombstones to dust.
func (r *Ring) housekeep() {
	r.replica.keepPresences()
	r.replica.collect()
	r.reconciler.outlast()
	r.detector.forget()
	r.overlay.forgive()
	r.messages.window.forget(r.replica.isMember)
	r.forgetTold()
}

// Looks returns how much was looked at in both sets so far: see lww.Set.Looks. It
// measures the work of steps by what they look at, which is the same on every machine.
// Snapshot and Handover count, too.
func (r *Ring) Looks() uint64 { return r.replica.nodes.Looks() + r.replica.up.Looks() }

// Close implements Engine.
func (r *Ring) Close() error {
	r.halted = true
	return nil
}
