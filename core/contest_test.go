package core

import (
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

// accused is the record by which somebody else says something of a node, as it is
// known here.
func (l *lookout) accused(name string, rank uint8) *wire.Record {
	p := l.replica.up.Get(name)
	w := frameRecord(wire.Up, p.Next(p.Stamp, rank))
	return &w
}

// TestContest: that a node is down is not taken from others while this one is in
// contact with it, but for as long as that node needs to refute it.
func TestContest(t *testing.T) {
	for _, c := range []struct {
		name     string
		before   func(l *lookout) *wire.Record
		contests bool
	}{
		{"heard", func(l *lookout) *wire.Record { return l.accused("a", rankDown) }, true},
		{"heard, and suspected by others", func(l *lookout) *wire.Record {
			l.replica.accuse("a", rankSuspect)
			l.settle()
			return l.accused("a", rankDown)
		}, true},
		{"said by itself", func(l *lookout) *wire.Record {
			l.by = "a"
			return l.accused("a", rankDown)
		}, false},
		{"suspected", func(l *lookout) *wire.Record { return l.accused("a", rankSuspect) }, false},
		{"left", func(l *lookout) *wire.Record { return l.accused("a", rankLeft) }, false},
		{"an older incarnation", func(l *lookout) *wire.Record {
			w := l.accused("a", rankDown)
			l.hear("a", 1, rankUp)
			return w
		}, false},
		{"a newer incarnation", func(l *lookout) *wire.Record {
			w := l.accused("a", rankDown)
			w.Stamp++
			return w
		}, false},
		{"whose turn has not come", func(l *lookout) *wire.Record {
			l.pass(Minute)
			return l.accused("a", rankDown)
		}, true},
		{"whose turn has not come, and suspected by others", func(l *lookout) *wire.Record {
			l.pass(Minute)
			l.replica.accuse("a", rankSuspect)
			l.settle()
			return l.accused("a", rankDown)
		}, true},
		{"suspected, and not heard since", func(l *lookout) *wire.Record {
			l.replica.accuse("a", rankSuspect)
			l.settle()
			l.pass(1700 * Millisecond)
			return l.accused("a", rankDown)
		}, false},
		{"doubted", func(l *lookout) *wire.Record {
			l.doubt("a", false)
			return l.accused("a", rankDown)
		}, false},
		{"not connected", func(l *lookout) *wire.Record {
			l.disconnect("a")
			return l.accused("a", rankDown)
		}, false},
		{"seen by a guest", func(l *lookout) *wire.Record {
			l.cfg.Ephemeral = true
			return l.accused("a", rankDown)
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLookout(t, "a", "b", "c", "d")
			l.by = "b"
			w := c.before(l)
			for range 3 { // as often as it is said
				if l.disbelieves(l.replica.up.Get(w.Name), w, &asserter{name: l.by}) != c.contests {
					t.Fatalf("contests: %v", !c.contests)
				}
			}
			if told := l.told("a"); told != c.contests {
				t.Errorf("told: %v", told)
			}
		})
	}
}

// told says whether a node was told, once, that it is down, in all that was sent to it.
func (l *lookout) told(name string) bool {
	times := 0
	for _, e := range l.effects {
		var f wire.Frame
		if e.Kind == Send && e.Conn == l.conns[name].id && f.Decode(e.Frame) == nil && f.Kind == wire.KindRumor {
			times++
		}
	}
	if times > 1 {
		l.Errorf("told %d times", times)
	}
	return times > 0
}

// TestContestEnds: who refutes was never down; who does not is, however often it is
// heard meanwhile.
func TestContestEnds(t *testing.T) {
	for _, refutes := range []bool{true, false} {
		l := newLookout(t, "a", "b")
		if !l.disbelieves(l.replica.up.Get("a"), l.accused("a", rankDown), &asserter{name: "b"}) {
			t.Fatal("not contested")
		}
		l.is("a", Alive)
		if refutes {
			l.hear("a", 1, rankUp)
		}
		for range 50 {
			l.conns["a"].heard = l.now
			l.pass(100 * Millisecond)
		}
		l.is("a", map[bool]State{true: Alive, false: Down}[refutes])
	}
}

// TestEndSuspicion: a suspect that has not refuted is down when its time is over,
// and one that is heard has a little more.
func TestEndSuspicion(t *testing.T) {
	for _, c := range []struct {
		name    string
		heard   bool
		refutes bool
		want    State // when the time is over,
		then    State // and later
	}{
		{"silent", false, false, Down, Down},
		{"heard", true, false, Suspect, Down},
		{"refuted", false, true, Alive, Alive},
		{"heard and refuted", true, true, Alive, Alive},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLookout(t, "a", "b")
			l.replica.accuse("a", rankSuspect)
			l.settle()
			l.pass(l.cfg.Patience - Millisecond)
			l.is("a", Suspect)
			if c.heard {
				l.conns["a"].heard = l.now
			}
			if c.refutes {
				l.hear("a", 1, rankUp)
			}
			l.pass(2 * Millisecond)
			l.is("a", c.want)
			l.pass(10 * Second)
			l.is("a", c.then)
		})
	}
}
