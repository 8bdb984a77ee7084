package host_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

var (
	seeds = flag.Int("host.seeds", 8, "how many of the simulator's random stories TestStorms lives")
	first = flag.Uint64("host.seed", 1, "the first of their seeds")
)

// TestStorms lives random stories of core/sim, whole rings with all that can
// befall them, on machines that run both engines.
func TestStorms(t *testing.T) {
	for seed := *first; seed < *first+uint64(*seeds); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			w, err := sim.Storm(sim.Config{Seed: seed, New: twins(t)})
			w.Close()
			if err != nil {
				t.Fatalf("%v\nagain:\n\n    go test ./host -run TestStorms -host.seeds=1 -host.seed=%d\n", err, seed)
			}
		})
	}
}

// TestTalks lives stories in which something is said all the time: half as many, for they take long.
func TestTalks(t *testing.T) {
	for seed := *first; seed < *first+uint64(*seeds+1)/2; seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			tale := sim.Tale{Seed: seed, Crowd: -1, Talk: true}
			w, err := tale.Live(sim.Config{New: twins(t)})
			w.Close()
			if err != nil {
				t.Fatalf("%v\nagain:\n\n    go test ./host -run TestTalks -host.seeds=1 -host.seed=%d\n", err, seed)
			}
		})
	}
}

// TestLargeRing merges and synchronizes sets of thousands of records.
func TestLargeRing(t *testing.T) {
	t.Parallel()
	engine, err := newTwin(t, config("me"))
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	p := newPeer(t, engine, 3000)
	for i := range 5 {
		p.receive(presences(100*i, 1000, 2+i))
	}
	p.step(core.Input{Kind: core.Closed, Conn: 1})
	for range 100 {
		p.now += core.Second
		p.step(core.Input{Kind: core.Tick})
	}
	if _, err := engine.Snapshot(); err != nil {
		t.Fatal(err)
	}
}
