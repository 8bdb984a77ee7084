package core

import (
	"slices"
	"strconv"
	"testing"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// newTestOverlay makes an overlay that no Ring drives, of a node that knows some
// members that are up.
func newTestOverlay(t *testing.T, up ...string) *overlay {
	t.Helper()
	cfg := Config{Ring: "ring", Name: "me", Address: "me:1", Seed: 1}
	if err := cfg.complete(); err != nil {
		t.Fatal(err)
	}
	s := newSelf(cfg)
	s.wall = Hour
	rep := newReplica(&s)
	o := newOverlay(&s, &rep)
	for _, name := range append(up, "me") {
		rep.add(name, wire.Member{Address: name + ":1"}, 0)
		p := wire.Presence{Address: name + ":1", Version: 1}
		rec := lww.New(name, s.wall, rankUp, p.Value())
		rec.Parsed = &p
		rep.put(wire.Up, rec)
	}
	return &o
}

// TestShun: a name is left alone for longer, the oftener there is the same reason
// for it, and all is forgotten after a while without one.
func TestShun(t *testing.T) {
	o := newTestOverlay(t)
	for _, test := range []struct {
		why  int
		want []int64 // seconds
	}{
		{refusals, []int64{3, 3, 3, 3}},
		{detours, []int64{3, 6, 12, 24, 24, 24}},
		{breaches, []int64{3, 6, 12, 24, 48, 96, 192, 192}},
	} {
		for i, want := range test.want {
			o.shun("a", test.why)
			o.now += want*Second - 1
			if !o.shunning("a") {
				t.Errorf("%d: it is not left alone for %d s", i, want)
			}
			if o.now++; o.shunning("a") {
				t.Errorf("%d: it is left alone after %d s", i, want)
			}
			o.unshun("a") // it was let in meanwhile
		}
		o.now += peace + 1
		if o.forgive(); len(o.shunned) > 0 {
			t.Error("it is not forgotten")
		}
	}
}

// dialled returns the purposes of the dials that an overlay has asked for since
// it was last asked, and lets them hang.
func (o *overlay) dialled() (n [dialPurposes]int) {
	for _, e := range o.effects {
		if e.Kind == Dial {
			n[o.conns[e.Conn].why]++
		}
	}
	o.effects = nil
	return n
}

func names(prefix string, n int) (all []string) {
	for i := range n {
		all = append(all, prefix+strconv.Itoa(i))
	}
	return all
}

// TestDialsThatHang: whatever dials for one purpose hang, those for another are made.
func TestDialsThatHang(t *testing.T) {
	lost, up := names("lost", 100), names("up", 100)
	for _, test := range []struct {
		what  string
		hang  func(*overlay)
		dials func(*overlay)
		why   dialPurpose
		want  int
	}{
		{"healing", (*overlay).heal, (*overlay).maintain, dialOwn, outbound},
		{"healing", (*overlay).heal, func(o *overlay) { o.redial("up1", nil) }, dialRedial, 1},
		{"healing", (*overlay).heal, func(o *overlay) { o.route("up1", nil, nil) }, dialRoute, 1},
		{"its own", (*overlay).maintain, (*overlay).heal, dialHeal, 1},
		{"its own", (*overlay).maintain, (*overlay).maintain, dialOwn, 0},
		{"redials", func(o *overlay) {
			for _, name := range up[50:] {
				o.redial(name, nil)
			}
		}, func(o *overlay) { o.route("up1", nil, nil) }, dialRoute, 1},
	} {
		o := newTestOverlay(t, append(lost, up...)...)
		o.refill()
		for _, name := range lost {
			o.replica.accuse(name, rankDown)
		}
		for range 20 {
			test.hang(o)
		}
		o.dialled()
		if n := o.dialled(); n[test.why] != 0 {
			t.Fatal("it was not emptied")
		}
		if test.dials(o); o.dialled()[test.why] < test.want {
			t.Errorf("while dials for %s hang, fewer than %d are made for %d", test.what, test.want, test.why)
		}
	}
}

// TestBrokenConnections: peers whose connections broke are dialled in that order,
// so many a period, but for those who are back or down by then.
func TestBrokenConnections(t *testing.T) {
	all := names("n", 80)
	o := newTestOverlay(t, all...)
	o.refill()
	for _, name := range all {
		o.redial(name, []string{"for " + name})
	}
	o.replica.accuse("n40", rankDown)
	o.byName["n41"] = &conn{}
	for period, want := range [][]string{all[:32], append(slices.Clone(all[32:40]), all[42:66]...), all[66:], nil} {
		var got []string
		for _, e := range o.effects {
			c := o.conns[e.Conn]
			if got = append(got, c.want); len(c.queue) != 1 || c.queue[0] != "for "+c.want {
				t.Errorf("%s is dialled for %q", c.want, c.queue)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("in period %d %v are dialled, not %v", period, got, want)
		}
		o.effects = nil
		o.refill()
	}
	if o.broken != nil {
		t.Errorf("%d wait for ever", len(o.broken))
	}
}

// TestJoinAgain: the addresses to join are dialled until somebody has let this
// node in, and again when nobody is left, rarely but for ever.
func TestJoinAgain(t *testing.T) {
	for _, test := range []struct {
		what        string
		joined      bool
		known, down []string
		connected   bool
		guest       bool // it is, and a guest
		least, most int  // dials in 80 rounds, each of which fails
	}{
		{what: "nobody has let it in", known: names("n", 3), least: 80, most: 80},
		{what: "it knows nobody", joined: true, least: 80, most: 80},
		{what: "one is up", joined: true, known: names("n", 3), down: names("n", 2)},
		{what: "nobody is up", joined: true, known: names("n", 3), down: names("n", 3), least: 10, most: 10},
		{what: "nobody is up, and a stranger is connected", joined: true, known: names("n", 3), down: names("n", 3), connected: true},
		{what: "nobody has let it in but a guest", connected: true, guest: true, least: 80, most: 80},
	} {
		o := newTestOverlay(t, test.known...)
		o.cfg.Join, o.joined = []string{"seed:1"}, test.joined
		for _, name := range test.down {
			o.replica.accuse(name, rankDown)
		}
		if test.connected {
			o.admit(&conn{asserter: asserter{name: "stranger", guest: test.guest}})
		}
		n := 0
		for range 80 {
			o.refill()
			o.maintain()
			for id, c := range o.conns {
				if c.why == dialJoin {
					n++
					o.drop(o.conns[id])
				}
			}
			o.rounds++
		}
		if n < test.least || n > test.most {
			t.Errorf("%s: %d dials in 80 rounds", test.what, n)
		}
	}
}

// TestMoreHelpers: a node that proved to live though this one could not reach it is
// asked for through more of the others.
func TestMoreHelpers(t *testing.T) {
	for _, test := range []struct {
		detours   int
		proved    bool
		connected bool
		refused   bool
		want      int
	}{
		{0, false, true, false, 3}, {0, true, true, false, 6}, {1, false, true, false, 6}, {1, true, true, false, 12}, {2, false, true, false, 12}, {9, true, true, false, 30},
		{0, false, false, true, 3}, {0, false, false, false, 12}, {2, true, false, false, 24},
	} {
		o := newTestOverlay(t, "x")
		d := newDetector(o.self, o.replica, o)
		for _, name := range names("n", 30) {
			o.live = append(o.live, &conn{asserter: asserter{name: name}})
		}
		if test.connected {
			o.byName["x"] = &conn{asserter: asserter{name: "x"}}
		}
		for range test.detours {
			o.shun("x", detours)
		}
		if test.proved {
			d.proved["x"] = o.now
		}
		if through, _ := d.helpersFor("x", test.refused); len(through) != test.want {
			t.Errorf("%+v: it is asked for through %d", test, len(through))
		}
	}
}

// TestGivenUpMeanwhile: what opens that nobody waits for any more is closed, what is
// over is not dropped twice, and who halted opens nothing.
func TestGivenUpMeanwhile(t *testing.T) {
	o := newTestOverlay(t, "a")
	o.refill()
	c := o.dial("a:1", "a", dialOwn)
	if !o.drop(c) || o.drop(c) {
		t.Error("it is not dropped once")
	}
	o.effects = nil
	if got := o.opened(&Input{Kind: Opened, Conn: c.id}, true); got != nil || len(o.effects) != 1 || o.effects[0].Kind != Close || o.effects[0].Conn != c.id {
		t.Errorf("it opens after it was given up: %v, %v", got, o.effects)
	}
	o.effects, o.halted = nil, true
	if o.maintain(); len(o.effects) > 0 {
		t.Errorf("halted, it does %v", o.effects)
	}
}

// TestRotationHasABudget: a round that may open no connection more opens none.
func TestRotationHasABudget(t *testing.T) {
	o := newTestOverlay(t, names("n", 100)...)
	for range 100 * rotation {
		o.left[dialOwn] = 0
		o.rotate(nil)
	}
	if n := o.dialled(); n[dialOwn] > 0 {
		t.Errorf("%d dials", n[dialOwn])
	}
	for range 100 * rotation {
		o.left[dialOwn] = 1
		o.rotate(nil)
	}
	if n := o.dialled(); n[dialOwn] == 0 {
		t.Error("it never opens one")
	}
}

// TestRotateCloses: of the connections that a node opened, and that are too many, the
// one is closed on which the peer's last round is the longest ago, whenever this node's
// was, but for one that is busy; none by a node that cannot be dialled, which is reached by them.
func TestRotateCloses(t *testing.T) {
	o := newTestOverlay(t)
	var all []*conn
	for i := range outbound + 3 {
		c := &conn{id: ConnID(2 * i), dialed: i > 0, used: int64(i), needed: int64(100 - i)} // the first one was dialled from the other side
		c.name = "n" + strconv.Itoa(i)
		o.admit(c)
		all = append(all, c)
	}
	last := len(all) - 1
	if got := o.rotate(nil); got != all[last] {
		t.Errorf("%v", got)
	}
	if got := o.rotate(all[last]); got != all[last-1] {
		t.Errorf("while that is busy: %v", got)
	}
	o.cfg.Address = ""
	if got := o.rotate(nil); got != nil {
		t.Errorf("without an address: %v", got)
	}
	o.cfg.Address, o.live = "me:1", o.live[:outbound+1]
	if got := o.rotate(nil); got != nil {
		t.Errorf("of as many as there should be: %v", got)
	}
}

// TestStranger: who does not become a member is one after a while, a deleted guest after
// the grace of its removal.
func TestStranger(t *testing.T) {
	o := newTestOverlay(t, "x")
	o.now = Minute
	for _, test := range []struct {
		what  string
		guest bool
		del   bool
		grace int64 // -1: never
	}{
		{"a member", false, false, -1},
		{"a guest", true, false, -1},
		{"a deleted guest", true, true, o.cfg.RemovalGrace},
		{"a deleted node", false, true, 2 * o.cfg.RemovalGrace},
	} {
		if rec := o.replica.nodes.Get("x"); test.del && rec.Rank == rankAdd {
			o.replica.put(wire.Nodes, rec.Next(rec.Stamp+1, rankDel))
		}
		c := &conn{}
		c.name, c.guest = "x", test.guest
		at := int64(-1)
		for from := o.now; o.now <= from+3*o.cfg.RemovalGrace; o.now += Second {
			if o.isStranger(c) {
				at = o.now - from - Second // one later than the grace
				break
			}
		}
		if at != test.grace {
			t.Errorf("%s: a stranger after %d s", test.what, at/Second)
		}
	}
}

// TestExpecting: somebody is about to be connected who said so, or who is dialled and up.
func TestExpecting(t *testing.T) {
	for what, test := range map[string]struct {
		name  string
		state connState
		want  bool
	}{
		"one that is up is dialled": {"a", connDialing, true},
		"the one in question is":    {"x", connDialing, false},
		"one that is down is":       {"down", connDialing, false},
		"somebody is to say hello":  {"", connOpen, true},
		"one is connected":          {"a", connEstablished, false},
	} {
		o := newTestOverlay(t, "a", "x", "down")
		o.replica.accuse("down", rankDown)
		o.conns[2] = &conn{id: 2, want: test.name, state: test.state}
		if got := o.isExpecting("x"); got != test.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}

// TestOutsleep: what waits for a connection says how old it was when it was written, so it
// does not wait while the process is not run.
func TestOutsleep(t *testing.T) {
	o := newTestOverlay(t, "x", "y")
	c := o.dial("x:1", "x", dialRedial)
	c.queue = []string{"frame"}
	open := &conn{id: 99}
	open.state, open.name = connEstablished, "y"
	o.admit(open)
	o.conns[open.id], open.queue = open, []string{"frame"}
	o.broken = []brokenOff{{"y", []string{"frame"}}}
	o.outsleep()
	if c.queue != nil || o.broken[0].queue != nil {
		t.Errorf("%v and %v wait still", c.queue, o.broken)
	}
	if len(open.queue) != 1 {
		t.Error("what is about to be sent is gone")
	}
}
