package core

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

// copyOf is a node's copy of the ring, without the node: a test says who asserts
// what, and what time it is.
type copyOf struct {
	replica
	*testing.T
	peer asserter // a durable node, p
}

func newCopy(t *testing.T, cfg Config) *copyOf {
	if cfg.Name == "" {
		cfg.Name = "me"
	}
	s := newSelf(cfg)
	s.now, s.wall = Day, 1000*Day
	return &copyOf{replica: newReplica(&s), T: t, peer: asserter{name: "p"}}
}

// node and presence make records with a stamp of so long ago.
func (r *copyOf) node(name string, ago int64, rank uint8, m wire.Member) wire.Record {
	return wire.Record{Set: wire.Nodes, Name: name, Stamp: r.wall - ago, Rank: rank, Value: m.Value()}
}

func (r *copyOf) presence(name string, ago int64, rank uint8, p wire.Presence) wire.Record {
	p.Version = 1
	return wire.Record{Set: wire.Up, Name: name, Stamp: r.wall - ago, Rank: rank, Value: p.Value()}
}

// told has p assert records, which have to go in.
func (r *copyOf) told(records ...wire.Record) {
	r.Helper()
	for _, w := range records {
		if v, _ := r.merge(&w, &r.peer); v != isNews {
			r.Fatalf("%+v does not go in: %d", w, v)
		}
	}
}

// pass lets a time pass, with the deadlines that end in it.
func (r *copyOf) pass(d int64) {
	for end := r.now + d; ; {
		t := r.next()
		if t == nil || t.at > end {
			r.wall += end - r.now
			r.now = end
			return
		}
		r.wall += t.at - r.now
		r.now = t.at
		if t = r.due(r.now); t.kind == deadlineDue {
			r.endDeadline(t.name)
		}
	}
}

// says is all that is known, a word for each name.
func (r *copyOf) says() string {
	var words []string
	for rec := range r.nodes.All() {
		s := r.look(rec.Name)
		words = append(words, rec.Name+":"+s.state.String())
	}
	return strings.Join(words, " ")
}

// durable is a member that can be dialled.
var durable = wire.Member{Address: "x:1"}

func TestMerge(t *testing.T) {
	type about = func(r *copyOf) wire.Record
	add := func(name string, ago int64) about {
		return func(r *copyOf) wire.Record { return r.node(name, ago, rankAdd, durable) }
	}
	del := func(name string, ago int64) about {
		return func(r *copyOf) wire.Record { return r.node(name, ago, rankDel, durable) }
	}
	up := func(name string, ago int64) about {
		return func(r *copyOf) wire.Record { return r.presence(name, ago, rankUp, wire.Presence{Address: "x:1"}) }
	}
	for what, test := range map[string]struct {
		known []about
		what  about
		want  verdict
	}{
		"a new name":                          {nil, add("x", 0), isNews},
		"the same":                            {[]about{add("x", Second)}, add("x", Second), isKnown},
		"what is older":                       {[]about{add("x", Second)}, add("x", Minute), isOlder},
		"what is later":                       {[]about{add("x", Minute)}, add("x", Second), isNews},
		"a removal of the same time":          {[]about{add("x", Minute)}, del("x", Minute), isNews},
		"an add of the time of its removal":   {[]about{del("x", Minute)}, add("x", Minute), isOlder},
		"what is a little ahead":              {nil, add("x", -MaxSkew), isNews},
		"what is far ahead":                   {nil, add("x", -MaxSkew-1), isAhead},
		"a presence of nobody":                {nil, up("x", 0), isRefused},
		"a presence of somebody":              {[]about{add("x", Minute)}, up("x", 0), isNews},
		"a presence of this node":             {[]about{add("me", Minute)}, up("me", 0), isOfSelf},
		"a young tombstone of nobody":         {nil, del("x", TombstoneMinAge), isNews},
		"an old tombstone of nobody":          {nil, del("x", TombstoneMinAge+1), isRefused},
		"an old tombstone of a member":        {[]about{add("x", 40*Day)}, del("x", 30*Day), isNews},
		"a rank that there is not":            {nil, func(r *copyOf) wire.Record { return r.node("x", 0, 3, durable) }, isRefused},
		"of another, by one that was deleted": {[]about{add("p", Hour), del("p", Minute)}, add("x", Minute-1), isRefused},
		"a del, by one that was":              {[]about{add("x", Hour), add("p", Hour), del("p", Minute)}, del("x", Minute-1), isRefused},
		"a del before its own":                {[]about{add("x", Hour), add("p", Hour), del("p", Minute)}, del("x", Minute), isNews},
		"an add before its own del":           {[]about{add("p", Hour), del("p", Minute)}, add("x", Minute), isNews},
		"what is older than its own del":      {[]about{add("x", Minute), add("p", Hour), del("p", Second)}, del("x", 2*Minute), isOlder},
		"of this node, by one that was":       {[]about{add("me", Hour), add("p", Hour), del("p", Minute)}, up("me", 0), isOfSelf},
		"a presence, by one that was deleted": {[]about{add("x", Hour), add("p", Hour), del("p", Minute)}, up("x", Minute), isRefused},
		"of itself, by one that was deleted":  {[]about{add("p", Hour), del("p", Minute)}, add("p", 0), isNews},
		"a del of itself, by one that was":    {[]about{add("p", Hour), del("p", Minute)}, del("p", 0), isNews},
		"the bye of one that was deleted":     {[]about{add("p", Hour), up("p", Hour), del("p", Minute)}, func(r *copyOf) wire.Record { return r.presence("p", Hour, rankLeft, wire.Presence{Address: "x:1"}) }, isNews},
	} {
		r := newCopy(t, Config{})
		for _, k := range test.known {
			w := k(r)
			r.merge(&w, &r.peer)
		}
		w := test.what(r)
		r.changes = nil
		got, rec := r.merge(&w, &r.peer)
		if got != test.want {
			t.Errorf("%s is %d, want %d", what, got, test.want)
		}
		if news := len(r.changes) == 1; news != (test.want == isNews) || news && (r.changes[0].record != rec || r.changes[0].from != &r.peer) {
			t.Errorf("%s: changes %+v", what, r.changes)
		}
	}
}

// TestCorrects: for a while others take back what a node that was cut off holds against a process, and
// nothing else.
func TestCorrects(t *testing.T) {
	for _, test := range []struct {
		what string
		is   uint8
		then func(*wire.Record, *replica)
		want State
	}{
		{"it was not cut off", rankDown, func(_ *wire.Record, r *replica) { r.corrected = 0 }, Down},
		{"it was, a while ago", rankDown, func(_ *wire.Record, r *replica) { r.now = r.corrected }, Down},
		{"it held it for down", rankDown, func(*wire.Record, *replica) {}, Alive},
		{"it suspected it", rankSuspect, func(*wire.Record, *replica) {}, Alive},
		{"it has left", rankLeft, func(*wire.Record, *replica) {}, Left},
		{"the other suspects it", rankDown, func(w *wire.Record, _ *replica) { w.Rank = rankSuspect }, Down},
		{"it is of before", rankDown, func(w *wire.Record, _ *replica) { w.Stamp-- }, Down},
		{"it is of another process", rankDown, func(w *wire.Record, _ *replica) { w.Value += "x" }, Down},
	} {
		r := newCopy(t, Config{})
		x := r.presence("x", Minute, rankUp, wire.Presence{Address: "x:1"})
		r.told(r.node("x", Minute, rankAdd, durable), x)
		r.accuse("x", test.is)
		r.corrected = r.now + backFor
		test.then(&x, &r.replica)
		r.merge(&x, &r.peer)
		if s := r.look("x"); s.state != test.want {
			t.Errorf("%s: it is %s", test.what, s.state)
		}
	}
}

// TestChangesSayBeforeAndAfter: a change has what was known of a name, and what is.
func TestChangesSayBeforeAndAfter(t *testing.T) {
	r := newCopy(t, Config{})
	x := r.presence("x", Minute, rankUp, wire.Presence{Address: "x:1"})
	r.told(r.node("x", Minute, rankAdd, durable), x)
	r.accuse("x", rankSuspect)
	r.accuse("x", rankSuspect) // again is no change
	r.accuse("x", rankDown)
	r.forget(wire.Nodes, "x")
	var got []string
	for _, ch := range r.changes {
		got = append(got, fmt.Sprintf("%s-%s", ch.before.state, ch.after.state))
	}
	if want := "removed-unknown unknown-up up-suspect suspect-down down-removed"; strings.Join(got, " ") != want {
		t.Errorf("%s, want %s", got, want)
	}
	if r.nodes.Len()+r.up.Len() != 0 {
		t.Error("it is not forgotten")
	}
}

// TestGuestsChangeNothingDurable: the ring file is not to be written for guests.
func TestGuestsChangeNothingDurable(t *testing.T) {
	r := newCopy(t, Config{})
	guest := wire.Member{Ephemeral: true}
	for _, step := range []struct {
		w       wire.Record
		durable bool
	}{
		{r.node("tab", Hour, rankAdd, guest), false},
		{r.presence("tab", Hour, rankUp, wire.Presence{Via: "p"}), false},
		{r.node("tab", Minute, rankReap, guest), false},
		{r.node("tab", Second, rankDel, guest), true},
		{r.node("tab", 0, rankAdd, guest), true}, // the deletion is no more
		{r.node("x", 0, rankAdd, durable), true},
	} {
		before := r.version
		r.told(step.w)
		if (r.version != before) != step.durable || r.presenceDirty {
			t.Errorf("%+v changes what is durable: %t", step.w, !step.durable)
		}
	}
}

// TestExpiryChangesNothingDurable: a tombstone that is kept aside is in the ring file
// as before; the presence that goes with it may wait.
func TestExpiryChangesNothingDurable(t *testing.T) {
	for _, test := range []struct {
		presence, guest bool
		rank            uint8
		at, waits       bool
	}{
		{false, false, rankUp, false, false},
		{true, false, rankDown, false, true},
		{true, false, rankLeft, false, false}, // it is kept as well
		{false, true, rankUp, true, false},    // of a guest's nothing is kept
	} {
		r := newCopy(t, Config{})
		m := durable
		if m.Ephemeral = test.guest; test.presence {
			r.told(r.node("x", Minute, rankAdd, m), r.presence("x", Minute, test.rank, wire.Presence{Address: "x:1"}))
		}
		r.told(r.node("x", 0, rankDel, m))
		before := r.version
		r.presenceDirty = false
		r.pass(TombstoneMinAge)
		if r.nodes.Len() != 0 || (r.version != before) != test.at || r.presenceDirty != test.waits {
			t.Errorf("%+v: it is written at once: %t, in a minute: %t", test, r.version != before, r.presenceDirty)
		}
	}
}

// A guest has of others what its gateway has, older or not: nothing that it knew
// before overrules it.
func TestGuestMirrors(t *testing.T) {
	r := newCopy(t, Config{Ephemeral: true})
	process := func(ago, start int64, rank uint8) wire.Record {
		return r.presence("x", ago, rank, wire.Presence{Address: "x:1", Instance: wire.Instance{Start: r.wall - start}})
	}
	again := durable
	again.Deleted = r.wall - Hour
	r.told(
		r.node("x", Minute, rankAdd, again), process(Minute, Minute, rankUp),
		process(Day, Day, rankUp), process(Day, Day, rankDown), // of a process that was deleted: who knows a later one refuses that
		r.node("x", 2*Hour, rankAdd, durable),
	)
	r.told(r.node("y", Hour, rankDel, durable))
	r.pass(TombstoneMinAge)
	r.told(r.node("y", 2*Day, rankAdd, durable))
}

// TestExpiredIsKnown: a tombstone past its time is found, stops what is older, and is
// what an add overrules.
func TestExpiredIsKnown(t *testing.T) {
	r := newCopy(t, Config{})
	r.told(r.node("x", 20*Hour, rankAdd, durable), r.node("x", 20*Hour-1, rankDel, durable))
	r.pass(5 * Hour)
	if r.nodes.Get("x") != nil || r.record(key{wire.Nodes, "x"}) == nil || r.record(key{wire.Up, "x"}) != nil {
		t.Fatal("it is not past its time, or not found")
	}
	old := r.record(key{wire.Nodes, "x"})
	w := r.node("x", 25*Hour, rankAdd, durable)
	if v, _ := r.merge(&w, &r.peer); v != isOverruled {
		t.Errorf("an add from before is %d", v)
	}
	r.changes = nil
	r.told(r.node("x", Hour, rankAdd, durable))
	if len(r.changes) != 1 || r.changes[0].old != old || r.record(key{wire.Nodes, "x"}) == old {
		t.Errorf("an add changes %+v", r.changes)
	}
}

// TestOutlivedPresence: of a name that was deleted, the process from before does not come
// after the one that has it now, however late its stamp; and copies agree on it,
// whatever they hear first.
func TestOutlivedPresence(t *testing.T) {
	r := newCopy(t, Config{})
	m := durable
	m.Deleted = r.wall - Hour
	process := func(ago, started int64) wire.Record {
		return r.presence("x", ago, rankDown, wire.Presence{Address: "x:1", Instance: wire.Instance{Start: r.wall - started}})
	}
	add, del := r.node("x", Hour-1, rankAdd, m), r.node("x", 0, rankDel, m)
	now, before, first, last := process(Minute, Minute), process(0, Day), process(2, 2*Day), process(1, 0)
	for _, test := range []struct {
		records []wire.Record
		counts  wire.Record
	}{
		{[]wire.Record{add, now, before}, now},
		{[]wire.Record{add, before, first}, before},
		{[]wire.Record{add, now, before, last}, last},
		{[]wire.Record{add, del, now, before}, before}, // all of them are gone
	} {
		for seed := range uint64(24) {
			r := newCopy(t, Config{})
			rand := rand.New(rand.NewPCG(seed, 1))
			for range 3 { // what comes before the name is known comes again
				for _, i := range rand.Perm(len(test.records)) {
					r.merge(&test.records[i], &r.peer)
				}
			}
			if got := r.up.Get("x"); got == nil || got.Stamp != test.counts.Stamp || got.Value != test.counts.Value {
				t.Fatalf("of %d records, in the order %d, %+v counts, and not %+v", len(test.records), seed, got, test.counts)
			}
		}
	}
}

// TestDurableComesFirst: of a name a durable node's records are held and not a guest's, whatever
// their stamps, and whichever comes first.
func TestDurableComesFirst(t *testing.T) {
	in := wire.Instance{Start: 1, Nonce: 1}
	const member, presence, guestMember, guestPresence = 0, 1, 2, 3
	for _, order := range [][]int{
		{guestMember, guestPresence, member, presence},
		{guestMember, guestPresence, presence, member},
		{guestMember, presence, guestPresence, member},
		{member, presence, guestMember, guestPresence},
		{member, guestPresence, presence, guestMember},
	} {
		r := newCopy(t, Config{})
		records := []wire.Record{
			member:        r.node("x", Minute, rankAdd, wire.Member{Address: "x:1"}),
			presence:      r.presence("x", Minute, rankUp, wire.Presence{Address: "x:1", Instance: in}),
			guestMember:   r.node("x", 0, rankAdd, wire.Member{Ephemeral: true}),
			guestPresence: r.presence("x", 0, rankUp, wire.Presence{Ephemeral: true, Via: "p", Instance: in}),
		}
		for at, i := range order {
			v, _ := r.merge(&records[i], &r.peer)
			if v == isNews && i >= guestMember && slices.Contains(order[:at], i-guestMember) {
				t.Errorf("%v: a guest's record of set %d goes in", order, records[i].Set)
			}
		}
		if s := r.look("x"); s.member.Ephemeral || s.says.Ephemeral || s.state != Alive {
			t.Errorf("%v: %+v, %+v", order, s.member, s.says)
		}
	}
}
