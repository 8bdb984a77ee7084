package core

import (
	"slices"
	"strconv"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

// someIDs makes ids of births, in minutes.
func someIDs(minutes ...int64) (all []wire.RingID) {
	for _, m := range minutes {
		all = append(all, wire.RingID{Start: m * Minute, Nonce: uint64(m)})
	}
	return all
}

func newTestIDs(t *testing.T, set ...wire.RingID) *ringIDs {
	t.Helper()
	o := newTestOverlay(t)
	o.wall = 10 * Hour
	o.cfg.Instance.Nonce = 7
	ids := newRingIDs(o.self, o.replica, o)
	ids.set = set
	return &ids
}

func TestUnionIsTheOldest(t *testing.T) {
	for i, test := range []struct{ a, b, want []wire.RingID }{
		{nil, nil, nil},
		{someIDs(1), nil, someIDs(1)},
		{nil, someIDs(2), someIDs(2)},
		{someIDs(1, 3), someIDs(1, 3), someIDs(1, 3)},
		{someIDs(1, 3, 5), someIDs(2, 3, 4), someIDs(1, 2, 3, 4, 5)},
		{someIDs(9, 10, 11, 12, 13, 14, 15, 16), someIDs(1, 12, 20), someIDs(1, 9, 10, 11, 12, 13, 14, 15)},
		{someIDs(1, 2, 3, 4, 5, 6, 7, 8), someIDs(9, 10), someIDs(1, 2, 3, 4, 5, 6, 7, 8)},
	} {
		a, b := slices.Clone(test.a), slices.Clone(test.b)
		if got, again := union(test.a, test.b), union(test.b, test.a); !slices.Equal(got, test.want) || !slices.Equal(again, test.want) {
			t.Errorf("%d: %v, and the other way %v", i, got, again)
		}
		if !slices.Equal(a, test.a) || !slices.Equal(b, test.b) {
			t.Errorf("%d: it has changed what it was given", i)
		}
	}
}

func TestWhoIsOfOneRing(t *testing.T) {
	old, young := someIDs(60), someIDs(541) // the wall clock is at 600
	for _, test := range []struct {
		what         string
		mine, theirs []wire.RingID
		unite        wire.Unite
		dialed       bool
		guest        bool
		join         bool
		lets         bool
	}{
		{what: "neither was with another", lets: true},
		{what: "neither was with another, and is to join", join: true, lets: true},
		{what: "a new one comes", mine: old, lets: true},
		{what: "one that was dialled is new", mine: old, dialed: true, lets: true},
		{what: "alone, and found", theirs: old, lets: true},
		{what: "to join, and found", theirs: old, join: true},
		{what: "to join, and found by one that was told so", theirs: old, join: true, unite: wire.UniteYoung, lets: true},
		{what: "to join, and added", theirs: old, join: true, unite: wire.UniteAdd, lets: true},
		{what: "to join, and dialled", theirs: old, join: true, dialed: true, lets: true},
		{what: "one in common", mine: someIDs(1, 5, 9), theirs: someIDs(2, 9), lets: true},
		{what: "none in common", mine: someIDs(1, 5, 9), theirs: someIDs(2, 8)},
		{what: "none in common, both young", mine: young, theirs: someIDs(550)},
		{what: "joins, both old", mine: old, theirs: someIDs(61), unite: wire.UniteYoung},
		{what: "joins, who dials is young", mine: old, theirs: young, unite: wire.UniteYoung, lets: true},
		{what: "joins, who dials is old", mine: young, theirs: old, unite: wire.UniteYoung},
		{what: "is joined, who dials is young", mine: young, theirs: old, unite: wire.UniteYoung, dialed: true, lets: true},
		{what: "is joined, who dials is old", mine: old, theirs: young, unite: wire.UniteYoung, dialed: true},
		{what: "joins, who dials is not young since an hour and a moment", mine: old, theirs: someIDs(540, 541), unite: wire.UniteYoung},
		{what: "an operator's add", mine: old, theirs: someIDs(61), unite: wire.UniteAdd, lets: true},
		{what: "a guest of another ring", mine: old, theirs: young, guest: true, unite: wire.UniteAdd},
		{what: "a guest of another ring, here alone", theirs: young, guest: true, join: true, lets: true},
		{what: "a new guest", mine: old, guest: true, lets: true},
	} {
		ids := newTestIDs(t, test.mine...)
		if test.join {
			ids.cfg.Joins = true // where to, it may have to be told first
		}
		if got := ids.lets(test.theirs, test.unite, test.dialed, test.guest); got != test.lets {
			t.Errorf("%s: %v", test.what, got)
		}
		if !test.lets {
			if why := ids.why(&wire.Hello{Name: "it", IDs: test.theirs}); len(why) < 100 || len(why) > 400 {
				t.Errorf("%s: %q", test.what, why)
			}
		}
	}
}

// An id is minted once, by who lets the first other in, and is this node's own only
// when somebody has taken it, or may have.
func TestMintedOnce(t *testing.T) {
	ids := newTestIDs(t)
	mine := wire.RingID{Start: ids.wall, Nonce: 7}
	if said := ids.say(&conn{dialed: true}); len(said) > 0 {
		t.Errorf("it dials, and says %v", said)
	}
	tab := &conn{hello: wire.Hello{Ephemeral: true}}
	if said := ids.say(tab); len(said) > 0 {
		t.Errorf("to a guest it says %v", said)
	}
	ids.meet(tab)
	first, second := new(conn), new(conn)
	for _, c := range []*conn{first, second} {
		if said := ids.say(c); !slices.Equal(said, []wire.RingID{mine}) {
			t.Errorf("it says %v", said)
		}
		ids.wall++
		if ids.meet(c); len(ids.set) > 0 || !c.unsure {
			t.Errorf("it takes %v of one that has yet to let it in", ids.set)
		}
	}
	seed := &conn{dialed: true, hello: wire.Hello{IDs: someIDs(5)}}
	if ids.meet(seed); !slices.Equal(ids.set, append(someIDs(5), mine)) {
		t.Errorf("it has %v, and said %v", ids.set, mine)
	}
	if ids.replica.version == 0 || len(ids.own()) > 0 {
		t.Errorf("it is not to be kept, or %v minted yet", ids.own())
	}
	ids.take(first, nil)
	if !slices.Equal(ids.set, append(someIDs(5), mine)) {
		t.Errorf("it has %v", ids.set)
	}
}

// What ids become others is told to all who may lack some, once.
func TestIDsAreTold(t *testing.T) {
	ids := newTestIDs(t, someIDs(1)...)
	for i, knows := range [][]wire.RingID{someIDs(1), someIDs(2), someIDs(1, 2), nil} {
		ids.overlay.live = append(ids.overlay.live, &conn{id: ConnID(i), knows: knows})
	}
	for range 2 {
		ids.take(new(conn), someIDs(2))
	}
	var told []ConnID
	for _, e := range ids.effects {
		var f wire.Frame
		if err := f.Decode(e.Frame); err != nil || f.Kind != wire.KindIDs || !slices.Equal(f.IDs, someIDs(1, 2)) {
			t.Errorf("%v: %+v", err, f)
		}
		told = append(told, e.Conn)
	}
	if !slices.Equal(told, []ConnID{0, 1, 3}) {
		t.Errorf("it tells %v", told)
	}
}

// A guest has the ids of its gateway, and of none when it was long without.
func TestGuestsHaveTheirGatewaysIDs(t *testing.T) {
	ids := newTestIDs(t)
	ids.cfg.Ephemeral = true
	gateway := &conn{dialed: true, hello: wire.Hello{IDs: someIDs(1, 2)}}
	if ids.meet(gateway); !slices.Equal(ids.set, someIDs(1, 2)) {
		t.Errorf("it has %v", ids.set)
	}
	if ids.take(gateway, someIDs(3)); !slices.Equal(ids.set, someIDs(3)) {
		t.Errorf("it has %v", ids.set)
	}
	ids.lapse()
	if ids.now += EphemeralTTL; len(ids.set) == 0 {
		t.Error("it has forgotten too early")
	}
	ids.overlay.live = []*conn{gateway}
	ids.lapse()
	ids.overlay.live = nil
	if ids.lapse(); len(ids.set) == 0 {
		t.Error("it had a gateway until now")
	}
	ids.now += EphemeralTTL + 1
	if ids.lapse(); len(ids.set) > 0 {
		t.Errorf("it still has %v", ids.set)
	}
}

// Nodes of a ring of before make the same ids of their records, or some of the same.
func TestRingOfBefore(t *testing.T) {
	a, b, other := newTestIDs(t), newTestIDs(t), newTestIDs(t)
	if a.derive(); len(a.set) > 0 {
		t.Errorf("alone, it makes %v", a.set)
	}
	for i := range 20 {
		for _, ids := range []*ringIDs{a, b, other} {
			if ids.wall += Minute; ids == other {
				ids.wall++
			}
			if ids != b || i > 2 { // these were added anew meanwhile, as far as b knows
				ids.replica.add("m"+strconv.Itoa(i), wire.Member{Ephemeral: i%2 > 0}, 0)
			}
		}
	}
	for _, ids := range []*ringIDs{a, b, other} {
		if ids.derive(); len(ids.set) != wire.MaxIDs {
			t.Errorf("it makes %v", ids.set)
		}
		was := ids.set
		ids.replica.add("one more", wire.Member{}, 0)
		if ids.derive(); !slices.Equal(ids.set, was) {
			t.Error("it makes them again")
		}
	}
	if !share(a.set[1:], b.set[1:]) || share(a.set[1:], other.set[1:]) { // the first one is "me", of which each test has the same
		t.Errorf("they make %v, %v and %v", a.set, b.set, other.set)
	}
}
