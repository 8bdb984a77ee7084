package core

import (
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core/ledger"
	"github.com/nanoring/nanoring/core/wire"
)

// TestAsserterOfGuest: what a gateway takes of a guest.
func TestAsserterOfGuest(t *testing.T) {
	in, other := wire.Instance{Start: 1, Nonce: 1}, wire.Instance{Start: 1, Nonce: 2}
	guest, p := wire.Member{Ephemeral: true}, wire.Presence{Ephemeral: true, Via: "me", Instance: in}
	labelled := func(tags ...wire.Tag) wire.Presence {
		p := p
		p.Tags = tags
		return p
	}
	a := wire.Tag{Key: "a", Value: "1"}
	for what, test := range map[string]struct {
		known uint8 // the rank of what is known of it in nodes; 9 for nothing
		must  []wire.Tag
		w     func(r *copyOf) wire.Record
		want  verdict
	}{
		"its add":                      {9, nil, func(r *copyOf) wire.Record { return r.node("tab", 0, rankAdd, guest) }, isNews},
		"its add, when it was reaped":  {rankReap, nil, func(r *copyOf) wire.Record { return r.node("tab", 0, rankAdd, guest) }, isNews},
		"its add, when it is in":       {rankAdd, nil, func(r *copyOf) wire.Record { return r.node("tab", 0, rankAdd, guest) }, isOlder},
		"its add, when it was deleted": {rankDel, nil, func(r *copyOf) wire.Record { return r.node("tab", 0, rankAdd, guest) }, isOlder},
		"to be durable":                {9, nil, func(r *copyOf) wire.Record { return r.node("tab", 0, rankAdd, wire.Member{}) }, isRefused},
		"to be deleted":                {9, nil, func(r *copyOf) wire.Record { return r.node("tab", 0, rankDel, guest) }, isRefused},
		"its presence":                 {rankAdd, nil, func(r *copyOf) wire.Record { return r.presence("tab", 0, rankUp, p) }, isNews},
		"its bye":                      {rankAdd, nil, func(r *copyOf) wire.Record { return r.presence("tab", 0, rankLeft, p) }, isNews},
		"that it is suspect":           {rankAdd, nil, func(r *copyOf) wire.Record { return r.presence("tab", 0, rankSuspect, p) }, isRefused},
		"another gateway": {rankAdd, nil, func(r *copyOf) wire.Record {
			return r.presence("tab", 0, rankUp, wire.Presence{Ephemeral: true, Via: "p", Instance: in})
		}, isRefused},
		"another instance": {rankAdd, nil, func(r *copyOf) wire.Record {
			return r.presence("tab", 0, rankUp, wire.Presence{Ephemeral: true, Via: "me", Instance: other})
		}, isRefused},
		"a presence as of a durable node": {rankAdd, nil, func(r *copyOf) wire.Record {
			return r.presence("tab", 0, rankUp, wire.Presence{Via: "me", Instance: in})
		}, isOfNoGuest},
		"its presence at an address": {rankAdd, nil, func(r *copyOf) wire.Record {
			return r.presence("tab", 0, rankUp, wire.Presence{Ephemeral: true, Address: "tab:1", Via: "me", Instance: in})
		}, isOfNoGuest},
		"the tags of its token":        {rankAdd, []wire.Tag{a}, func(r *copyOf) wire.Record { return r.presence("tab", 0, rankUp, labelled(a)) }, isNews},
		"no tags, with such a token":   {rankAdd, []wire.Tag{a}, func(r *copyOf) wire.Record { return r.presence("tab", 0, rankUp, p) }, isMislabeled},
		"tags, where it may have none": {rankAdd, []wire.Tag{}, func(r *copyOf) wire.Record { return r.presence("tab", 0, rankUp, labelled(a)) }, isMislabeled},
		"what is too long": {rankAdd, nil, func(r *copyOf) wire.Record {
			return r.presence("tab", 0, rankUp, labelled(wire.Tag{Key: "a", Value: strings.Repeat("x", MaxGuestValue)}))
		}, isBloated},
		"an add of another":               {rankAdd, nil, func(r *copyOf) wire.Record { return r.node("x", 0, rankAdd, guest) }, isForged},
		"a presence of another":           {rankAdd, nil, func(r *copyOf) wire.Record { return r.presence("p", 0, rankUp, p) }, isForged},
		"what it may know of its gateway": {rankAdd, nil, func(r *copyOf) wire.Record { return r.presence("me", 0, rankLeft, p) }, isRefused},
	} {
		r := newCopy(t, Config{})
		if test.known != 9 {
			r.told(r.node("tab", Minute, test.known, guest))
		}
		by := asserter{name: "tab", guest: true, instance: in, tags: test.must, cost: ledger.New(GuestCosts(1)).Open(0, "")}
		w := test.w(r)
		if got, _ := r.merge(&w, &by); got != test.want {
			t.Errorf("%s is %d, want %d", what, got, test.want)
		}
	}
}

// TestAsserterRates: a guest is heard so often a round, and all together so often a second.
func TestAsserterRates(t *testing.T) {
	r := newCopy(t, Config{})
	table := GuestCosts(1000)
	costs := ledger.New(table)
	guest := func(name string) *asserter { return &asserter{name: name, guest: true, cost: costs.Open(0, "")} }
	taken := func(by *asserter, times int) (n int) {
		r.told(r.node(by.name, Minute, rankAdd, wire.Member{Ephemeral: true}))
		for range times {
			r.wall++
			w := r.presence(by.name, 0, rankUp, wire.Presence{Ephemeral: true, Via: "me"})
			switch v, _ := r.merge(&w, by); v {
			case isNews:
				n++
			case isEarly:
			default:
				t.Fatalf("its presence is %d", v)
			}
		}
		return n
	}
	if n := taken(guest("tab"), 100); n != int(table[costRecords].One.Burst) {
		t.Errorf("%d records are taken of one guest", n)
	}
	all := 0
	for i := range 1000 {
		all += taken(guest(strings.Repeat("t", 1+i%200)+string(rune('a'+i/200))), 8)
	}
	if most := int(table[costRecords].All.Burst - table[costRecords].One.Burst); all != most {
		t.Errorf("%d records are taken of a thousand guests", all)
	}
}
