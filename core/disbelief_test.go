package core

import (
	"strconv"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

// TestDisbelief: what a peer may say, how often, that this node knows better, or has no reason to
// believe. It has one connection, so it takes five.
func TestDisbelief(t *testing.T) {
	accuse := func(w *wire.Record) { w.Rank = rankSuspect }
	for _, test := range []struct {
		what, of string
		by       asserter
		says     func(*wire.Record)
		taken    int // of 50
		told     string
		shown    int // to whom is accused
	}{
		{"it accuses whom this node hears", "near", asserter{name: "by"}, accuse, 5, "accuses near", 1},
		{"it accuses whom this node does not hear", "far", asserter{name: "by"}, accuse, 50, "", 0},
		{"it accuses whom this node does not hear, and is down itself", "far", asserter{name: "lost"}, accuse, 0, "", 0},
		{"it was until lately", "far", asserter{name: "back"}, accuse, 0, "", 0},
		{"it says who has left", "far", asserter{name: "back"}, func(w *wire.Record) { w.Rank = rankLeft }, 50, "", 0},
		{"it was until lately, and accuses whom this node hears", "near", asserter{name: "back"}, accuse, 5, "accuses near", 1},
		{"it was until lately, and accuses this node", "me", asserter{name: "back"}, accuse, 50, "", 0},
		{"it accuses this node", "me", asserter{name: "by"}, accuse, 50, "", 0},
		{"it says that of itself", "near", asserter{name: "near"}, accuse, 50, "", 0},
		{"it knows a later presence", "near", asserter{name: "by"}, func(w *wire.Record) { w.Rank, w.Stamp = rankSuspect, w.Stamp+1 }, 50, "", 0},
		{"it repeats another value", "far", asserter{name: "by"}, func(w *wire.Record) { w.Value += "x" }, 5, "its hash is ", 0},
		{"it repeats another value of this node", "me", asserter{name: "by"}, func(w *wire.Record) { w.Value += "x" }, 5, "its hash is ", 0},
	} {
		o := newTestOverlay(t, "near", "far", "by", "lost", "back")
		d := newDetector(o.self, o.replica, o)
		o.byName["near"] = &conn{id: 1}
		o.live = []*conn{o.byName["near"]}
		o.replica.accuse("lost", rankDown)
		d.proved["back"] = o.now
		taken := 0
		for range 50 {
			known := o.replica.up.Get(test.of)
			w := frameRecord(wire.Up, known)
			test.says(&w)
			if !d.disbelieves(known, &w, &test.by) {
				taken++
			}
		}
		if taken != test.taken {
			t.Errorf("%s: %d of 50 are taken", test.what, taken)
		}
		told, shown := "", 0
		for _, e := range o.effects {
			if e.Kind == Emit {
				told += e.Event.Text
			} else {
				shown++
			}
		}
		if (told == "") != (test.told == "") || !strings.Contains(told, test.told) || shown != test.shown {
			t.Errorf("%s: it is told %q, and the accused %d times", test.what, told, shown)
		}
		if mine := strconv.FormatUint(o.replica.up.Get(test.of).Sum(), 16); strings.Contains(told, "hash") && (!strings.HasSuffix(told, ", here "+mine) || strings.Contains(told, "is "+mine)) {
			t.Errorf("%s: here the hash is %s, and it is told %q", test.what, mine, told)
		}
		if test.told != "" || test.by.name == "back" {
			o.now += 11 * Second
			o.byName["near"].heard = o.now
			known := o.replica.up.Get(test.of)
			w := frameRecord(wire.Up, known)
			if test.says(&w); d.disbelieves(known, &w, &test.by) {
				t.Errorf("%s: a while later it is not heard", test.what)
			}
		}
	}
}

// TestHadItsSay: who has said of others what this node knew better, as often as it may, is
// still heard when it says that this node is down: else that could not be refuted.
func TestHadItsSay(t *testing.T) {
	o := newTestOverlay(t, "near")
	d := newDetector(o.self, o.replica, o)
	o.byName["near"] = &conn{id: 1}
	o.live = []*conn{o.byName["near"]}
	says := func(of string, rank uint8) (taken bool) {
		known := o.replica.up.Get(of)
		w := frameRecord(wire.Up, known)
		w.Rank = rank
		return !d.disbelieves(known, &w, &asserter{name: "by"})
	}
	for said := 0; says("near", rankSuspect); said++ {
		if said == 50 {
			t.Fatal("it may say what it likes")
		}
	}
	own := 0
	for ; own < 100 && says("me", rankDown); own++ {
	}
	if own != refutes {
		t.Errorf("of its accusations of this node %d are heard", own)
	}
}
