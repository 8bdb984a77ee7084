package core

import (
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

// TestDeadlines: how long a name stays what it is, if nothing more is heard.
func TestDeadlines(t *testing.T) {
	guest := wire.Member{Ephemeral: true}
	type record = func(r *copyOf) wire.Record
	node := func(m wire.Member, ago int64, rank uint8) record {
		return func(r *copyOf) wire.Record { return r.node("x", ago, rank, m) }
	}
	up := func(ago int64, rank uint8) record {
		return func(r *copyOf) wire.Record { return r.presence("x", ago, rank, wire.Presence{Via: "p"}) }
	}
	says := func(rank uint8) record { // that it is reaped after a day
		return func(r *copyOf) wire.Record {
			return r.presence("x", Hour, rank, wire.Presence{Address: "x:1", ReapAfter: uint32(Day / Second)})
		}
	}
	for what, test := range map[string]struct {
		cfg     Config
		records []record
		after   int64  // nothing changes before
		then    string // what is known then; "" for nothing
	}{
		"a guest that is down":             {Config{}, []record{node(guest, Hour, rankAdd), up(Hour, rankDown)}, EphemeralTTL, "x:removed"},
		"a guest that left":                {Config{}, []record{node(guest, Hour, rankAdd), up(Hour, rankLeft)}, EphemeralTTL, "x:removed"},
		"a guest that is suspect":          {Config{}, []record{node(guest, Hour, rankAdd), up(Hour, rankSuspect)}, 40 * Day, "x:suspect"},
		"a guest of which nothing is said": {Config{}, []record{node(guest, Hour, rankAdd)}, EphemeralTTL, "x:removed"},
		"a guest's, to a guest":            {Config{Ephemeral: true}, []record{node(guest, Hour, rankAdd), up(Hour, rankDown)}, 40 * Day, "x:down"},
		"a node that is down":              {Config{}, []record{node(durable, Hour, rankAdd), up(Hour, rankDown)}, 40 * Day, "x:down"},
		"one that says so":                 {Config{}, []record{node(durable, Hour, rankAdd), says(rankDown)}, Day, "x:removed"},
		"one that says so, and left":       {Config{}, []record{node(durable, Hour, rankAdd), says(rankLeft)}, Day, "x:removed"},
		"one that says so, and is suspect": {Config{}, []record{node(durable, Hour, rankAdd), says(rankSuspect)}, 40 * Day, "x:suspect"},
		"one that says so, to a guest":     {Config{Ephemeral: true}, []record{node(durable, Hour, rankAdd), says(rankDown)}, 40 * Day, "x:down"},
		"another than says so":             {Config{ReapAfter: Day}, []record{node(durable, Hour, rankAdd), up(Hour, rankDown)}, 40 * Day, "x:down"},
		"one of which nothing is said":     {Config{ReapAfter: Day}, []record{node(durable, Hour, rankAdd)}, 40 * Day, "x:unknown"},
		"a guest that says so":             {Config{}, []record{node(guest, Hour, rankAdd), says(rankDown)}, EphemeralTTL, "x:removed"},
		"a deleted guest":                  {Config{}, []record{node(guest, 10*Minute, rankDel)}, EphemeralMinAge - 10*Minute, ""},
		"a deleted node":                   {Config{}, []record{node(durable, Hour, rankDel)}, TombstoneMinAge - Hour, ""},
		"a deletion ahead of the clock":    {Config{}, []record{node(durable, -Minute, rankDel)}, TombstoneMinAge + Minute, ""},
	} {
		r := newCopy(t, test.cfg)
		for _, make := range test.records {
			r.told(make(r))
		}
		was := r.says()
		r.pass(test.after - Second)
		if r.says() != was {
			t.Errorf("%s is %q too early", what, r.says())
		}
		r.pass(2 * Second)
		if r.says() != test.then {
			t.Errorf("%s is then %q, not %q", what, r.says(), test.then)
		}
	}
}

// TestDeadlinesInSleep: a tombstone is as old as its stamp says, also to a machine that
// was asleep, whose timers stood still; but for a period it stays in any case.
func TestDeadlinesInSleep(t *testing.T) {
	r := newCopy(t, Config{})
	x := r.presence("x", Hour, rankUp, wire.Presence{Address: "x:1"})
	r.told(r.node("x", Hour, rankAdd, durable), x, r.node("y", 2*TombstoneMinAge, rankAdd, durable), r.node("x", 0, rankDel, durable))
	r.wall += TombstoneMinAge - Minute
	if r.collect(); r.says() != "x:removed y:unknown" {
		t.Errorf("it was deleted less than a day ago, and there is %s", r.says())
	}
	r.wall += 2*Minute + 2*Second
	if r.collect(); r.says() != "y:unknown" || !r.isDeleted("x") {
		t.Errorf("it was deleted more than a day ago, and there is %s", r.says())
	}
}

// TestExpired: a durable node's tombstone past its time still overrules older adds,
// until nobody can have any.
func TestExpired(t *testing.T) {
	for _, bye := range []bool{true, false} {
		r := newCopy(t, Config{})
		old := r.node("x", Hour, rankAdd, durable)
		r.told(r.node("me", Hour, rankAdd, durable), old, r.presence("x", Hour, rankUp, wire.Presence{Address: "x:1"}))
		if bye {
			r.told(r.presence("x", Hour, rankLeft, wire.Presence{Address: "x:1"}))
		}
		r.told(r.node("x", 0, rankDel, durable))
		r.pass(TombstoneMinAge + Second)
		if v, _ := r.merge(&old, &r.peer); v != isOverruled || r.says() != "me:unknown" || !r.isDeleted("x") {
			t.Errorf("an add from before is %d, and there is %s", v, r.says())
		}
		me := r.presence("me", 0, rankUp, wire.Presence{Address: "me:1"})
		rec, _ := r.clone(&me, nil)
		r.put(wire.Up, rec)
		r.pass(StableFor + Second)
		if r.collect(); r.isDeleted("x") == bye {
			t.Errorf("with all up for long enough, and its bye said (%t), it is forgotten: %t", bye, !r.isDeleted("x"))
		}
		r.pass(TombstoneMaxAge)
		if r.collect(); r.isDeleted("x") {
			t.Error("it is never forgotten")
		}
	}
}
