package sim_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/nanoring/nanoring/core/sim"
)

var (
	seeds  = flag.Int("sim.seeds", 300, "how many random stories TestSeeds lives")
	first  = flag.Uint64("sim.seed", 1, "the first of their seeds")
	traced = flag.Bool("sim.trace", false, "print the trace of every world; for one test at a time")
)

// traceOf returns a sink for a world's trace: standard output when it is asked for.
func traceOf() func(string) {
	if !*traced {
		return nil
	}
	return func(line string) { os.Stdout.WriteString(line + "\n") }
}

// replay tells how to see what happened.
func replay(t *testing.T, more string) string {
	return fmt.Sprintf("replay with a trace:\n\n    go test ./core/sim -run '^%s$' -v -sim.trace%s\n", t.Name(), more)
}

// TestSeeds lives one random story for each seed, up to its quiet end.
func TestSeeds(t *testing.T) {
	for seed := *first; seed < *first+uint64(*seeds); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			if !*traced {
				t.Parallel()
			}
			again := replay(t, fmt.Sprintf(" -sim.seeds=1 -sim.seed=%d", seed))
			defer func() {
				if r := recover(); r != nil {
					t.Error(again)
					panic(r)
				}
			}()
			if _, err := sim.Storm(sim.Config{Seed: seed, Trace: traceOf()}); err != nil {
				t.Fatalf("%v\n%s", err, again)
			}
		})
	}
}

// TestDeterminism lives stories twice and expects them to be the same, byte for byte.
func TestDeterminism(t *testing.T) {
	for seed := *first; seed < *first+10; seed++ {
		a, _ := sim.Storm(sim.Config{Seed: seed})
		b, _ := sim.Storm(sim.Config{Seed: seed})
		if a.Digest() != b.Digest() || a.Steps() != b.Steps() {
			t.Errorf("seed %d: two runs differ: %x after %d inputs, %x after %d", seed, a.Digest(), a.Steps(), b.Digest(), b.Steps())
		}
	}
}
