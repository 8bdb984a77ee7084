package sim

import (
	"math/rand/v2"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// sampled begins a ring of which a sample is lived.
func sampled(t *testing.T, p Plan) *life {
	p.LatencyMin, p.LatencyMax, p.For = core.Millisecond, 40*core.Millisecond, core.Minute
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	w := New(Config{Seed: p.Seed, LatencyMin: p.LatencyMin, LatencyMax: p.LatencyMax, ConnectWithin: p.connectWithin(), DialWithin: p.dialWithin()})
	t.Cleanup(w.Close)
	w.beLean(1)
	w.CountCopies()
	l := &life{Plan: &p, w: w, rng: rand.New(rand.NewPCG(p.Seed, 0)), watch: newWatch(w, p.Nodes)}
	l.machines()
	if err := l.joinSample(); err != nil {
		t.Fatal(err)
	}
	if !w.RunUntil(core.Minute, func() bool { return l.watch.off == 0 }) {
		t.Fatalf("%d views are wrong", l.watch.off)
	}
	return l
}

// Who is of the rest, and is held for down while it lives, refutes that, and all show it.
func TestStandInRefutes(t *testing.T) {
	t.Parallel()
	l := sampled(t, Plan{Seed: 3, Nodes: 60, Sample: 20})
	w, r := l.w, l.w.rest
	m := w.Machine("n41")
	i, _ := r.at(m)
	r.accuse(m.Node(), hop{at: w.now, to: r.nodes[i].near[0], from: -1})
	if !w.RunUntil(10*core.Second, func() bool { return l.watch.deaths[0] > 0 }) {
		t.Fatal("nobody hears that it is down")
	}
	if !w.RunUntil(10*core.Second, func() bool { return l.watch.off == 0 }) {
		t.Errorf("%d views are wrong, since it has not refuted that", l.watch.off)
	}
	if rec := r.has(0, wire.Up, m.Node()); rec.Rank != 0 || rec.Stamp <= Epoch-longAgo {
		t.Errorf("the rest has it as %+v", rec)
	}
}

// News gets to all of the rest that live, and to nobody before whom it has it from could have
// sent it.
func TestEpidemic(t *testing.T) {
	t.Parallel()
	l := sampled(t, Plan{Seed: 4, Nodes: 2000, Sample: 10})
	w, r := l.w, l.w.rest
	r.nodes[7].dead = true
	rec := r.has(0, wire.Up, "n100").Next(Epoch+w.now, rankOfDown+1)
	n := r.newsOf(wire.Up, rec)
	r.flood(n, hop{at: w.now, to: 5, from: -1})
	late := 0
	for i := range r.nodes {
		i := int32(i)
		switch {
		case i == 5:
			continue
		case i == 7:
			if n.at[i] != never {
				t.Error("a dead node has heard of it")
			}
			continue
		case n.at[i] == never:
			t.Errorf("%s has not heard of it", r.machine(i).Name())
			continue
		}
		soonest := int64(never)
		for _, u := range r.nodes[i].near {
			if n.at[u] != never {
				soonest = min(soonest, n.at[u]+w.path(r.machine(u), r.machine(i)))
			}
		}
		if n.at[i] < soonest {
			t.Errorf("%s hears of it %d µs sooner than anybody can have told it", r.machine(i).Name(), soonest-n.at[i])
		}
		if n.at[i] > w.now+500*core.Millisecond {
			late++
		}
	}
	if late > 0 {
		t.Errorf("%d of %d hear of it after more than half a second", late, len(r.nodes))
	}
}

// Nobody of the rest begins with a fingerprint that is not that of all who are lived, and
// who is told something late has it in what it answers.
func TestStandInFingerprint(t *testing.T) {
	t.Parallel()
	l := sampled(t, Plan{Seed: 5, Nodes: 60, Sample: 20})
	w, r := l.w, l.w.rest
	w.Run(5 * core.Second)
	var s wire.Snapshot
	b, err := w.machines[0].Snapshot()
	if err == nil {
		err = s.Decode(b)
	}
	if err != nil {
		t.Fatal(err)
	}
	has := 0
	for id := range wire.Up + 1 {
		has += len(r.recordsIn(3, id, lww.Range{}))
	}
	if has != len(s.Records) {
		t.Errorf("one of the rest has %d records, a node that is lived %d", has, len(s.Records))
	}
	for _, rec := range s.Records {
		if mine := r.has(3, rec.Set, rec.Name); mine == nil || mine.Stamp != rec.Stamp || mine.Value != rec.Value {
			t.Errorf("%s: one of the rest has %+v, a node that is lived %+v", rec.Name, mine, rec)
		}
	}
	before := r.fingerprint(3)
	n := r.newsOf(wire.Up, r.has(3, wire.Up, "n50").Next(Epoch+w.now, 0))
	r.flood(n, hop{at: w.now, to: 30, from: -1})
	if r.fingerprint(3) != before {
		t.Error("it has a fingerprint with what it has not heard of")
	}
	w.Run(core.Second)
	if r.fingerprint(3) == before {
		t.Error("it has heard of it, and has the same fingerprint")
	}
}
