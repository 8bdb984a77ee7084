package core

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core/ledger"
	"github.com/nanoring/nanoring/core/wire"
)

// memory is a node's reconciler, without the node: a test says whom it meets, and
// carries its frames to another.
type memory struct {
	reconciler
	*testing.T
	copyOf
	o overlay
}

func newMemory(t *testing.T, name string) *memory {
	m := &memory{T: t, copyOf: *newCopy(t, Config{Name: name, Ring: "ring", Address: name + ":1"})}
	m.o = newOverlay(m.copyOf.self, &m.copyOf.replica)
	m.reconciler = newReconciler(m.copyOf.self, &m.copyOf.replica, &m.o)
	m.reconciler.merge = func(w *wire.Record, c *conn) verdict {
		v, _ := m.copyOf.replica.merge(w, &c.asserter)
		return min(v, isRefused)
	}
	m.reconciler.takeIn = func(c *conn, records []wire.Record) {
		for i := range records {
			m.reconciler.merge(&records[i], c)
		}
	}
	m.members(name)
	return m
}

// members adds names that are up, a day before it was last in contact at the latest.
func (m *memory) members(names ...string) {
	for _, name := range names {
		w := m.node(name, 100*Day, rankAdd, wire.Member{Address: name + ":1"})
		rec, err := m.clone(&w, nil)
		if err != nil {
			m.T.Fatal(err)
		}
		m.put(wire.Nodes, rec)
		p := m.presence(name, 100*Day, rankUp, wire.Presence{Address: name + ":1"})
		if rec, err = m.clone(&p, nil); err != nil {
			m.T.Fatal(err)
		}
		m.put(wire.Up, rec)
	}
}

// connect makes a connection with a peer of whom a hello says how many members it
// knows and, if it is stale, since when.
func (m *memory) connect(name string, knows uint64, stale int64) *conn {
	m.o.nextConn += 2
	c := &conn{id: m.o.nextConn, timer: &timer{}, hello: wire.Hello{Name: name, Members: knows, LastContact: stale}}
	m.o.conns[c.id] = c
	c.establish(m.now)
	m.o.admit(c)
	return c
}

func (m *memory) is(want string) {
	m.T.Helper()
	got := "in touch"
	switch {
	case m.stale:
		got = "stale"
	case m.isNew():
		got = "new"
	}
	if got != want {
		m.T.Errorf("it is %s, not %s", got, want)
	}
}

// belongs says whether the node takes itself for a member.
func (m *memory) belongs() bool { return m.isMember(m.cfg.Name) }

// TestNewKnowsNobody: who has agreed with nobody says so in its hello, however many
// members it was told of by now, and is nobody's authority.
func TestNewKnowsNobody(t *testing.T) {
	for _, c := range []struct {
		lastContact int64
		knows       uint64
	}{{0, 0}, {1, 3}} {
		m := newMemory(t, "me")
		m.members("a", "b")
		m.lastContact = c.lastContact
		if n := m.knows(); n != c.knows {
			t.Errorf("last contact %d: it says that it knows %d members, not %d", c.lastContact, n, c.knows)
		}
		other := newMemory(t, "other")
		other.members("me")
		other.stale = true
		if is, want := other.isAuthority(other.connect("me", m.knows(), 0)), c.knows > 0; is != want {
			t.Errorf("last contact %d: an authority: %v", c.lastContact, is)
		}
	}
}

// TestTrust walks through the states of a node's trust in its memory.
func TestTrust(t *testing.T) {
	const long = 25 * Hour
	// away makes it a node that was in contact so long ago, with others that it knows.
	away := func(m *memory, others ...string) {
		m.members(others...)
		m.lastContact = m.wall - long
		m.checkStale()
	}
	for _, c := range []struct {
		name string
		live func(m *memory)
		is   string
	}{
		{"nobody was met", func(m *memory) {}, "new"},
		{"nobody was met for long", func(m *memory) { m.members("a"); m.pass(long); m.checkStale() }, "new"},
		{"agreed with one in touch", func(m *memory) { m.agreed(m.connect("a", 3, 0)) }, "in touch"},
		{"agreed with another new one", func(m *memory) { m.agreed(m.connect("a", 0, 0)) }, "in touch"},
		{"agreed with a new one, while one in touch tells", func(m *memory) { m.connect("a", 3, 0); m.agreed(m.connect("b", 0, 0)) }, "new"},
		{"a guest agrees", func(m *memory) { c := m.connect("tab", 3, 0); c.guest = true; m.agreed(c) }, "new"},
		{"away, but not for long", func(m *memory) { m.members("a"); m.lastContact = m.wall - Hour; m.checkStale() }, "in touch"},
		{"away for long, alone in its ring", func(m *memory) { away(m) }, "in touch"},
		{"away for long", func(m *memory) { away(m, "a") }, "stale"},
		{"new, and met a stale one first", func(m *memory) { m.meet(m.connect("a", 3, m.wall-2*Day)) }, "stale"},
		{"new, and told by others when a stale one came", func(m *memory) {
			m.connect("a", 3, 0)
			if m.meet(m.connect("b", 3, m.wall-2*Day)) {
				t.Error("it was let in")
			}
		}, "new"},
		{"stale, and nobody came", func(m *memory) { away(m, "a", "b"); m.pass(Day); m.outlast() }, "stale"},
		{"stale, and others were who had been away as well", func(m *memory) {
			away(m, "a", "b")
			m.meet(m.connect("a", 3, m.wall-2*Day))
			m.outlast()
			m.pass(StableFor)
			m.outlast()
		}, "in touch"},
		{"stale, and they were there for a while only", func(m *memory) {
			away(m, "a", "b")
			c := m.connect("a", 3, m.wall-2*Day)
			m.meet(c)
			m.pass(StableFor - Minute)
			m.o.drop(c)
			m.outlast()
			m.meet(m.connect("a", 3, m.wall-2*Day))
			m.pass(2 * Minute)
			m.outlast()
		}, "stale"},
		{"stale, and an authority knows it", func(m *memory) { away(m, "a", "b"); m.answered(m.connect("a", 3, 0), false) }, "in touch"},
		{"stale, and an operator joins it to another ring", func(m *memory) {
			away(m, "a")
			c := m.connect("x", 3, 0)
			m.meet(c)
			m.vouch(c)
			if m.lastContact != m.wall {
				t.Error("its last contact is not now")
			}
		}, "in touch"},
		{"stale, and an operator adds a member again", func(m *memory) { away(m, "a"); m.vouch(m.connect("a", 3, 0)) }, "stale"},
		{"stale, and an operator adds a new node", func(m *memory) { away(m, "a"); m.vouch(m.connect("x", 0, 0)) }, "stale"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMemory(t, "me")
			c.live(m)
			m.is(c.is)
			if !m.belongs() {
				t.Error("it takes itself for removed")
			}
			for _, c := range m.o.live {
				if c.authority && !m.stale {
					t.Errorf("%s is still an authority to it", c.name)
				}
			}
		})
	}
}

// TestAuthority: to whom a stale node listens instead of telling.
func TestAuthority(t *testing.T) {
	for _, c := range []struct {
		name  string
		stale bool
		knows uint64
		away  int64
		want  bool
	}{
		{"in touch, and knows others", true, 3, 0, true},
		{"new", true, 0, 0, false},
		{"knows nobody but itself", true, 1, 0, false},
		{"stale as well", true, 3, Day, false},
		{"to one that is not stale", false, 3, 0, false},
	} {
		m := newMemory(t, "me")
		m.members("a", "b")
		m.lastContact = m.wall - Hour
		if c.stale {
			m.becomeStale(m.wall - 2*Day)
		}
		peer := m.connect("a", c.knows, c.away)
		if m.meet(peer); peer.authority != c.want {
			t.Errorf("%s: %v", c.name, peer.authority)
		}
		m.fresh()
		if peer.authority {
			t.Errorf("%s: still one to a node that knows its ring", c.name)
		}
	}
}

// TestDenied: how many have to agree that a node is none of the ring.
func TestDenied(t *testing.T) {
	for _, c := range []struct {
		up   []string // others, besides a
		deny []string
		gone bool
	}{
		{nil, []string{"a"}, true},
		{[]string{"b"}, []string{"a"}, false},
		{[]string{"b"}, []string{"a", "a"}, false},
		{[]string{"b"}, []string{"a", "b"}, true},
		{[]string{"b", "c", "d"}, []string{"d", "b"}, true},
	} {
		m := newMemory(t, "me")
		m.members(append(c.up, "a")...)
		m.becomeStale(m.wall - 2*Day)
		for _, name := range c.deny {
			m.answered(m.connect(name, 3, 0), true)
		}
		if m.belongs() == c.gone {
			t.Errorf("%v are up beside a, %v do not know it: it belongs %v", c.up, c.deny, m.belongs())
		}
		if !c.gone {
			if m.is("stale"); m.denials == nil {
				t.Error("it forgot who does not know it")
			}
			m.answered(m.connect("x", 3, 0), false)
			m.is("in touch")
		}
	}
}

// talk has one node reconcile with another, and returns how many frames that took.
func talk(t *testing.T, from, to *memory, authority bool) (frames int) {
	there, back := from.connect(to.cfg.Name, 2, 0), to.connect(from.cfg.Name, 2, 0)
	there.authority = authority
	from.begin()
	from.startSync(there)
	var f wire.Frame
	for from.sync != nil {
		if frames++; frames > 100 {
			t.Fatal("it does not end")
		}
		last := from.effects[len(from.effects)-1]
		if err := f.Decode(slices.Clone(last.Frame)); err != nil {
			t.Fatal(err)
		}
		to.begin()
		to.answerSync(back, &f)
		for back.answering != nil {
			to.begin()
			to.answerOn(back, stepRecords)
		}
		if err := f.Decode(slices.Clone(to.effects[len(to.effects)-1].Frame)); err != nil {
			t.Fatal(err)
		}
		from.begin()
		if !from.synced(there, &f) {
			t.Fatal("that is no answer")
		}
		for from.sync != nil && len(from.sync.came) > 0 {
			from.begin()
			from.goOn(from.sync.seq)
		}
	}
	return frames
}

// TestTwoReconcile: afterwards both know what either did, at a cost that grows with
// what differs and hardly with what is the same.
func TestTwoReconcile(t *testing.T) {
	for _, c := range []struct{ same, mine, theirs, most int }{
		{1, 0, 0, 2},
		{1, 3, 0, 2},
		{1, 0, 3, 2},
		{3000, 1, 1, 12},
		{10, 0, 2000, 40},
		{10, 2000, 0, 40},
	} {
		a, b := newMemory(t, "a"), newMemory(t, "b")
		name := func(kind string, n int) (names []string) {
			for i := range n {
				names = append(names, fmt.Sprint(kind, i))
			}
			return names
		}
		a.members(append(name("same", c.same), name("mine", c.mine)...)...)
		b.members(append(name("same", c.same), name("theirs", c.theirs)...)...)
		frames := talk(t, a, b, false)
		if a.fingerprint() != b.fingerprint() || a.copyOf.nodes.Len() != c.same+c.mine+c.theirs+2 {
			t.Errorf("%+v: one knows %d, the other %d", c, a.copyOf.nodes.Len(), b.copyOf.nodes.Len())
		}
		if frames > c.most {
			t.Errorf("%+v: %d frames", c, frames)
		}
	}
}

// TestStaleDrops: of what an authority does not know a stale node drops what is older
// than its last contact, and tells the rest.
func TestStaleDrops(t *testing.T) {
	late, b := newMemory(t, "late"), newMemory(t, "b")
	b.members("late", "c")
	late.members("b", "c", "gone")
	late.becomeStale(late.wall - 2*Day)
	late.copyOf.add("since", wire.Member{Address: "since:1"}, 0)
	talk(t, late, b, true)
	for name, want := range map[string]bool{"late": true, "b": true, "c": true, "since": true, "gone": false} {
		if late.isMember(name) != want || b.isMember(name) != want {
			t.Errorf("%s: a member here %v, there %v", name, late.isMember(name), b.isMember(name))
		}
	}
	late.is("in touch")
}

// TestContact: a node is in contact by what was just sent, not by what has waited
// for it, nor by what a stale one says.
func TestContact(t *testing.T) {
	for what, test := range map[string]struct {
		stale, ago int64
		want       bool // it is stale
	}{
		"a frame of now":              {0, 0, false},
		"one that is a little ahead":  {0, -MaxSkew, false},
		"one that has waited so long": {0, 25 * Hour, true},
		"one of a stale node":         {1, 0, true},
	} {
		m := newMemory(t, "me")
		m.members("a", "b")
		m.lastContact = m.wall
		c := m.connect("a", 3, test.stale)
		m.wall += 25 * Hour
		m.heard(c, m.wall-test.ago)
		if m.checkStale(); m.stale != test.want || m.lastContact > m.wall {
			t.Errorf("%s: %t, last in contact %d s ago", what, m.stale, (m.wall-m.lastContact)/Second)
		}
	}
}

// TestPage: a page has what is behind a name, and says whether it is all of it.
func TestPage(t *testing.T) {
	m := newMemory(t, "a")
	m.members("b", "c", "d")
	all := m.recordsIn(wire.Range{})
	slices.SortFunc(all, func(a, b wire.Record) int { return strings.Compare(a.Name, b.Name) })
	for after, want := range map[string]int{"": 4, "a": 3, "b": 2, "bb": 2, "d": 0} {
		some, whole := m.page(wire.Range{}, after, 1<<20)
		if len(some) != want || !whole {
			t.Errorf("behind %q there are %d, whole: %v", after, len(some), whole)
		}
	}
	for most, want := range map[int]int{0: 1, all[0].Size(): 1, 2 * all[0].Size(): 2} {
		if some, whole := m.page(wire.Range{}, "", most); len(some) != want || whole {
			t.Errorf("in %d bytes there are %d, whole: %v", most, len(some), whole)
		}
	}
}

// TestGiveUp: an answer that did not come ends the sync that waits for it, and no other.
func TestGiveUp(t *testing.T) {
	m := newMemory(t, "a")
	c := m.connect("b", 5, 0)
	m.startSync(c)
	seq := m.sync.seq
	if got := m.giveUp(seq + 1); got != nil || m.with() != c {
		t.Errorf("another's: %v", got)
	}
	if got := m.giveUp(seq); got != c || m.with() != nil {
		t.Errorf("its own: %v", got)
	}
	if got := m.giveUp(seq); got != nil {
		t.Errorf("none: %v", got)
	}
}

// TestAnswers: a range in which far more is here than a peer says that it has is
// answered by its children; a guest that has had enough is not answered, and is not
// at fault for it.
func TestAnswers(t *testing.T) {
	m := newMemory(t, "a")
	for i := range mostLooked + 10 {
		m.members(fmt.Sprintf("m%d", i))
	}
	c := m.connect("b", 5, 0)
	if out, differs := m.answerItem(c, &wire.Item{Kind: wire.ItemAll}); out.Kind != wire.ItemChildren || !differs {
		t.Errorf("it is answered by an item of kind %v: %v", out.Kind, differs)
	}
	g := m.connect("g", 1, 0)
	table := GuestCosts(1)
	g.guest, g.cost = true, ledger.New(table).Open(m.now, "")
	f := wire.Frame{Kind: wire.KindSync, Items: []wire.Item{{Kind: wire.ItemFingerprint}}}
	out := &m.reconciler.self.output
	for _, test := range []struct {
		used int64
		want int
	}{{0, 1}, {table[costAnswers].One.Burst, 0}} {
		out.effects = nil
		g.cost.Give(costAnswers, table[costAnswers].One.Burst)
		g.cost.Take(m.now, costAnswers, test.used)
		if !m.answerSync(g, &f) || len(out.effects) != test.want {
			t.Errorf("after %d bytes: %d frames", test.used, len(out.effects))
		}
	}
}

// TestRenew: those are to come again who merged with this node as with one of their
// kind, stale or alone; neither guests nor the one by whom it knows better.
func TestRenew(t *testing.T) {
	m := newMemory(t, "a")
	but := m.connect("but", 1, 0)
	m.connect("fresh", 5, 0)
	stale, alone := m.connect("stale", 5, Hour), m.connect("alone", 1, 0)
	m.connect("guest", 1, 0).guest = true
	m.renew(but)
	if !slices.Equal(m.outdated, []*conn{stale, alone}) {
		t.Errorf("%d are to come again", len(m.outdated))
	}
}
