package core

import (
	"slices"
	"testing"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// lookout is a detector with connections to nodes that are not there.
type lookout struct {
	detector
	*testing.T
	conns map[string]*conn
	by    string // who says something of others
}

// newLookout makes one that is connected with nodes of these names.
func newLookout(t *testing.T, names ...string) *lookout {
	cfg := Config{Ring: "ring", Name: "me", Address: "me:1", Seed: 1}
	if err := cfg.complete(); err != nil {
		t.Fatal(err)
	}
	s := newSelf(cfg)
	s.now, s.wall = Minute, Hour
	rep := newReplica(&s)
	o := newOverlay(&s, &rep)
	l := &lookout{detector: newDetector(&s, &rep, &o), T: t, conns: make(map[string]*conn)}
	for _, name := range names {
		l.hear(name, 1, rankUp)
		l.connect(name)
	}
	return l
}

func (l *lookout) connect(name string) {
	o := l.overlay
	o.nextConn += 2
	c := &conn{id: o.nextConn}
	c.hello = wire.Hello{Name: name}
	o.conns[c.id], c.timer = c, &timer{}
	c.establish(l.now)
	o.admit(c)
	l.conns[name] = c
}

func (l *lookout) disconnect(name string) { l.overlay.drop(l.conns[name]) }

// hear takes in a presence of the process with that number.
func (l *lookout) hear(name string, process uint64, rank uint8) {
	l.wall++
	p := wire.Presence{Address: name + ":1", Instance: wire.Instance{Start: 1, Nonce: process}, Version: 1}
	m := wire.Member{Address: name + ":1"}
	if !l.replica.isMember(name) {
		rec := lww.New(name, l.wall, rankAdd, m.Value())
		rec.Parsed = &m
		l.replica.put(wire.Nodes, rec)
	}
	rec := lww.New(name, l.wall, rank, p.Value())
	rec.Parsed = &p
	l.replica.put(wire.Up, rec)
	l.settle()
}

// settle is what a Ring does with what the detector wrote.
func (l *lookout) settle() {
	for i := 0; i < len(l.replica.changes); i++ {
		l.changed(&l.replica.changes[i])
	}
	l.replica.changes = nil
}

// pass lets a time pass, with what is due in it.
func (l *lookout) pass(d int64) {
	for end := l.now + d; ; {
		t := l.due(end)
		if t == nil {
			l.wall += end - l.now
			l.now = end
			return
		}
		l.wall += max(t.at-l.now, 0)
		l.now = max(t.at, l.now)
		switch t.kind {
		case ackDue:
			if name := l.missed(t.id); name != "" {
				l.doubt(name, false)
			}
		case aliveDue:
			l.endAsk(t.id, false, wire.Instance{})
		case suspicionDue:
			l.endSuspicion(t.name, int64(t.id))
		case contestDue:
			l.endContest(t.name, int64(t.id))
		}
		l.settle()
	}
}

func (l *lookout) is(name string, want State) {
	l.Helper()
	if s := l.replica.look(name); s.state != want {
		l.Fatalf("%s is %v, not %v", name, s.state, want)
	}
}

// measured has a node answer in so long, always.
func (l *lookout) measured(name string, trip int64) {
	for range 100 {
		l.conns[name].trip.measured(trip)
	}
}

// ack sends a gossip, and has it answered after so long.
func (l *lookout) ack(name string, after int64) {
	seq := l.nextSeq()
	l.awaitAck(l.conns[name], seq, 0)
	l.pass(after)
	l.conns[name].heard = l.now
	l.acked(l.conns[name], seq)
}

// TestAckTells: an ack tells how long the path takes, whether it comes in time or
// not, but no more than any timeout may be; and it is given up some day.
func TestAckTells(t *testing.T) {
	for _, c := range []struct {
		name        string
		after       int64
		least, most int64 // the timeout then
		healthier   bool
	}{
		{"in time", 2 * Millisecond, 100 * Millisecond, 100 * Millisecond, true},
		{"late", 200 * Millisecond, 200 * Millisecond, 400 * Millisecond, false},
		{"very late", 2 * Second, 2 * Second, 2 * Second, false},
		{"given up", 3 * Second, 100 * Millisecond, 100 * Millisecond, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLookout(t, "a", "b")
			l.measured("a", Millisecond)
			before := l.health.faults
			l.ack("a", c.after)
			if got := l.conns["a"].trip.timeout(l.cfg.AckTimeout); got < c.least || got > c.most {
				t.Errorf("the timeout is %d µs", got)
			}
			if l.health.faults < before || len(l.acks) > 0 {
				t.Errorf("health %d, %d acks awaited", l.health.faults, len(l.acks))
			}
			l = newLookout(t, "a", "b")
			l.measured("a", Millisecond)
			l.health.faults = 1 // waits twice as long
			l.ack("a", c.after)
			if healthier := l.health.faults == 0; healthier != c.healthier {
				t.Errorf("health %d", l.health.faults)
			}
		})
	}
}

// TestHeldUpAck: what was held up by a partition does not make timeouts long for long.
func TestHeldUpAck(t *testing.T) {
	l := newLookout(t, "a")
	l.measured("a", Millisecond)
	l.health.faults = sickest
	l.conns["a"].trip.measured(Second)
	l.ack("a", 9*Second)
	for range 20 {
		l.conns["a"].trip.measured(Millisecond)
	}
	if got := l.conns["a"].trip.timeout(l.cfg.AckTimeout); got > 300*Millisecond {
		t.Errorf("after 20 answers in a millisecond the timeout is %d µs", got)
	}
}

// TestAliveTells: so does the answer to a probe on the connection, but not one by others.
func TestAliveTells(t *testing.T) {
	for _, direct := range []bool{true, false} {
		l := newLookout(t, "a", "b")
		l.measured("a", Millisecond)
		l.doubt("a", false)
		l.pass(150 * Millisecond)
		c := l.conns["a"]
		if !direct {
			c = nil
		}
		l.alive("a", c, l.doubtSeq("a"), wire.Instance{Start: 1, Nonce: 1})
		if got := l.conns["a"].trip.timeout(l.cfg.AckTimeout); got > 150*Millisecond != direct {
			t.Errorf("direct %v: the timeout is %d µs", direct, got)
		}
		l.pass(Minute)
		l.is("a", Alive)
	}
}

// TestAliveOfAnother: an answer of a process before the one that is asked after is none;
// that of a later one is.
func TestAliveOfAnother(t *testing.T) {
	for process, want := range map[uint64]State{4: Suspect, 5: Alive, 6: Alive} {
		l := newLookout(t, "b")
		l.hear("a", 5, rankUp)
		l.doubt("a", false)
		l.conns["b"].heard = l.now + 1 // who was asked is there
		l.alive("a", nil, l.doubtSeq("a"), wire.Instance{Start: 1, Nonce: process})
		l.pass(2 * Second)
		l.is("a", want)
	}
}

// TestSuspectFor: of the patience is over what passed since the first question that was not
// answered, but for half of it; who refuted has twice as long, and who times it
// while it is at fault waits longer, but not who is late just then; a guest has its own time.
func TestSuspectFor(t *testing.T) {
	l := newLookout(t, "a", "b")
	patience := l.cfg.Patience
	l.conns["a"].heard, l.conns["b"].heard = 0, 0
	for silent, want := range map[int64]int64{0: patience, Second: patience - Second, patience / 2: patience / 2, patience: patience / 2} {
		l.quiet["a"] = l.now - silent
		if got := l.suspectFor("a", &standing{}); got != want {
			t.Errorf("silent for %d µs: %d µs, want %d", silent, got, want)
		}
	}
	l.quiet["a"] = l.now - Second
	l.conns["a"].heard = l.now - Millisecond
	if got := l.suspectFor("a", &standing{}); got != patience-Millisecond {
		t.Errorf("heard since: %d µs", got)
	}
	l.awaitAck(l.conns["b"], 77, 0)
	l.pass(Millisecond)
	if got := l.suspectFor("b", &standing{}); got != patience-Millisecond {
		t.Errorf("asked by this one, suspected by another: %d µs", got)
	}
	l.hear("c", 5, rankSuspect)
	l.hear("c", 5, rankUp)
	if got := l.suspectFor("c", &standing{}); got != 2*patience {
		t.Errorf("it refuted: %d µs", got)
	}
	l.health.lateBy(Minute, l.cfg.AckTimeout)
	if got := l.suspectFor("d", &standing{}); got != patience {
		t.Errorf("late when it begins, which it need not be to the end: %d µs", got)
	}
	for range 2 * sickest {
		l.health.worse()
	}
	if got := l.suspectFor("d", &standing{}); got != 9*patience {
		t.Errorf("at fault: %d µs", got)
	}
	if got := l.suspectFor("d", &standing{guest: true}); got != GuestGrace {
		t.Errorf("a guest: %d µs", got)
	}
}

func (l *lookout) doubtSeq(name string) uint64 {
	l.Helper()
	if l.doubts[name] == nil {
		l.Fatalf("%s is not doubted", name)
	}
	return l.doubts[name].seq
}

// TestPatience: a doubt waits as long as the doubted node and the slowest of those
// who are asked may take together.
func TestPatience(t *testing.T) {
	const unmeasured = 500 * Millisecond // the timeout, then
	for _, c := range []struct {
		name      string
		own       int64 // round trips; 0 for none
		helpers   []int64
		connected bool
		least     int64
		most      int64
	}{
		{"all near", Millisecond, []int64{Millisecond, Millisecond}, true, 200 * Millisecond, 200 * Millisecond},
		{"far away", 300 * Millisecond, []int64{Millisecond, Millisecond}, true, 400 * Millisecond, 420 * Millisecond},
		{"far helper", Millisecond, []int64{Millisecond, 300 * Millisecond}, true, 600 * Millisecond, 640 * Millisecond},
		{"not connected", Millisecond, []int64{Millisecond}, false, 200 * Millisecond, 200 * Millisecond},
		{"nobody to ask", Millisecond, nil, true, 2 * unmeasured, 2 * unmeasured},
		{"nobody measured", 0, []int64{0}, true, 2 * unmeasured, 2 * unmeasured},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLookout(t, "a")
			l.measured("a", c.own)
			for i, trip := range c.helpers {
				name := string(rune('b' + i))
				l.hear(name, 1, rankUp)
				l.connect(name)
				l.measured(name, trip)
			}
			if !c.connected {
				l.disconnect("a")
			}
			l.doubt("a", false)
			for _, helper := range l.doubts["a"].asked {
				l.conns[helper].heard = l.now + 1 // they are there, and do not reach it
			}
			l.pass(c.least - 1)
			l.is("a", Alive)
			l.pass(c.most - c.least + 1)
			l.is("a", Suspect)
		})
	}
}

// refusedByAll has the connection with a node break, and all dials be refused.
func (l *lookout) refusedByAll(name string) {
	l.disconnect(name)
	l.doubt(name, true)
	for _, helper := range slices.Clone(l.doubts[name].asked) {
		l.refusedToo(helper, l.doubtSeq(name))
	}
	l.settle()
}

// TestDisputes: a process that was down and refuted it is not concluded about for a
// while, and the longer the oftener; another one of its name is.
func TestDisputes(t *testing.T) {
	const concluded, notConcluded = Down, Alive
	for _, c := range []struct {
		name    string
		before  func(l *lookout)
		process uint64
		want    State
	}{
		{"never down", func(l *lookout) {}, 1, concluded},
		{"refuted", func(l *lookout) { l.refusedByAll("a"); l.hear("a", 1, rankUp) }, 1, notConcluded},
		{"restarted", func(l *lookout) { l.refusedByAll("a"); l.hear("a", 2, rankUp) }, 2, concluded},
		{"refuted, then restarted", func(l *lookout) {
			l.refusedByAll("a")
			l.hear("a", 1, rankUp)
			l.pass(Minute)
			l.hear("a", 2, rankUp)
		}, 2, concluded},
		{"long ago", func(l *lookout) { l.refutes("a", 1, 11*Minute) }, 1, concluded},
		{"the second time", func(l *lookout) { l.refutes("a", 2, 11*Minute) }, 1, notConcluded},
		{"the second time, long ago", func(l *lookout) { l.refutes("a", 2, 11*Minute); l.pass(10 * Minute) }, 1, concluded},
		{"very often", func(l *lookout) { l.refutes("a", 20, 0); l.pass(Day - 2*Hour) }, 1, notConcluded},
		{"very often, long ago", func(l *lookout) { l.refutes("a", 20, 0); l.pass(Day) }, 1, concluded},
		{"by suspicions", func(l *lookout) {
			for range 5 {
				l.hear("a", 1, rankSuspect)
				l.pass(10 * Second)
				l.is("a", Down)
				l.hear("a", 1, rankUp)
			}
			l.pass(11 * Minute)
		}, 1, concluded},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLookout(t, "a", "b", "c")
			c.before(l)
			l.connect("a")
			l.refusedByAll("a")
			l.is("a", c.want)
		})
	}
}

// refutes has a node refute that it is down, so many times, each when a dispute
// of the last time is over, or every so often; and waits for that long.
func (l *lookout) refutes(name string, times int, every int64) {
	for range times {
		l.hear(name, 1, rankDown)
		l.hear(name, 1, rankUp)
		if every == 0 {
			l.pass(Hour)
		}
		l.pass(every)
	}
}

// TestDisputesAreForgotten: nothing is kept of processes that are no more.
func TestDisputesAreForgotten(t *testing.T) {
	l := newLookout(t, "a", "b", "c")
	l.refutes("a", 1, Minute)
	l.refutes("b", 1, Minute)
	l.forget()
	if len(l.disputed) != 2 {
		t.Fatalf("%d disputes", len(l.disputed))
	}
	l.hear("a", 2, rankUp)
	l.forget()
	if len(l.disputed) != 1 {
		t.Errorf("%d disputes, one of a process that is no more", len(l.disputed))
	}
	l.pass(Hour)
	l.forget()
	if len(l.disputed) != 0 {
		t.Errorf("%d disputes that are over", len(l.disputed))
	}
}

// TestEndReturn: who is said to be reached through this node is suspected when the
// time is over, unless it is here, or said something else since.
func TestEndReturn(t *testing.T) {
	for what, test := range map[string]struct {
		via         string
		here, later bool
		want        State
	}{
		"away":            {"me", false, false, Suspect},
		"here":            {"me", true, false, Alive},
		"elsewhere since": {"me", false, true, Alive},
		"nowhere":         {"", false, false, Suspect},
		"nowhere, here":   {"", true, false, Alive},
	} {
		l := newLookout(t)
		l.hear("x", 1, rankUp)
		p := wire.Presence{Via: test.via, Instance: wire.Instance{Start: 1, Nonce: 1}, Version: 1}
		rec := lww.New("x", l.wall+1, rankUp, p.Value())
		rec.Parsed = &p
		l.replica.put(wire.Up, rec)
		if test.here {
			l.connect("x")
			l.conns["x"].instance = p.Instance
		}
		stamp := rec.Stamp
		if test.later {
			stamp--
		}
		l.endReturn("x", stamp)
		if s := l.replica.look("x"); s.state != test.want {
			t.Errorf("%s: it is %v, not %v", what, s.state, test.want)
		}
	}
}

// TestOrphans: who has no address has some time to come back if nobody reaches it
// for all that is known.
func TestOrphans(t *testing.T) {
	for what, test := range map[string]struct {
		says wire.Presence
		want bool
	}{
		"its gateway is up":          {wire.Presence{Via: "gw"}, false},
		"its gateway is unknown":     {wire.Presence{Via: "lost"}, true},
		"it names none":              {wire.Presence{}, true},
		"it is not here":             {wire.Presence{Via: "me"}, true},
		"its address may be dialled": {wire.Presence{Address: "x:1"}, false},
	} {
		l := newLookout(t, "gw")
		m, p := wire.Member{}, test.says
		node, rec := lww.New("x", l.wall, rankAdd, m.Value()), lww.New("x", l.wall, rankUp, p.Value())
		node.Parsed, rec.Parsed = &m, &p
		l.replica.put(wire.Nodes, node)
		l.replica.put(wire.Up, rec)
		for i := range l.replica.changes {
			l.orphaned(&l.replica.changes[i])
		}
		waits := false
		for t := l.due(l.now + GuestGrace); t != nil; t = l.due(l.now + GuestGrace) {
			waits = waits || t.kind == gatewayDue
		}
		if waits != test.want {
			t.Errorf("%s: it is waited for: %v", what, waits)
		}
	}
}

// TestClaims: a name is free if its older instance cannot be asked, or is found to
// be unreachable, each claim in its turn; an answer that nobody waits for is none.
func TestClaims(t *testing.T) {
	l := newLookout(t)
	claimant := func(id ConnID) *conn { return &conn{id: id, hello: wire.Hello{Name: "x"}} }
	l.claim(claimant(1), &wire.Presence{})
	if len(l.claims) != 1 || l.claims[0].lives || len(l.asks) > 0 {
		t.Errorf("with no way to ask: %v", l.claims)
	}
	l.claims = nil
	l.hear("x", 1, rankUp)
	l.overlay.refill()
	for id := range ConnID(3) {
		l.claim(claimant(id), &wire.Presence{})
	}
	if len(l.claims) > 0 || !l.unreached("x") || l.unreached("x") {
		t.Errorf("claims %v", l.claims)
	}
	for i, c := range l.claims {
		if c.conn != ConnID(i) || c.lives {
			t.Errorf("claim %d is %+v", i, c)
		}
	}
	if l.endAsk(77, true, wire.Instance{}); len(l.claims) != 3 || len(l.asks) > 0 {
		t.Errorf("%d claims, %d asks", len(l.claims), len(l.asks))
	}
}

// TestDoubtEndsByMeeting: who comes anew lives; whatever was asked before that, and was not answered, says nothing.
// That an older process of the name comes says nothing of the later one.
func TestDoubtEndsByMeeting(t *testing.T) {
	for process, want := range map[uint64]State{2: Alive, 1: Suspect} {
		l := newLookout(t, "b")
		l.hear("a", 2, rankUp)
		l.doubt("a", false)
		l.connect("a")
		l.conns["a"].instance = wire.Instance{Start: 1, Nonce: process}
		l.meet(l.conns["a"])
		l.disconnect("a")
		l.pass(Millisecond)
		l.conns["b"].heard = l.now
		l.pass(2 * Second)
		l.is("a", want)
	}
}
