package sim_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core/sim"
)

var (
	seeds  = flag.Int("sim.seeds", 200, "how many random stories TestSeeds lives")
	first  = flag.Uint64("sim.seed", 1, "the first of their seeds")
	acts   = flag.String("sim.acts", "", "which acts of a story TestSeeds lives, as in 3,9:250,14; all by default")
	nodes  = flag.Int("sim.nodes", 0, "how many nodes it begins with at most")
	names  = flag.Int("sim.crowd", 0, "have each story begin with a ring that knows so many names at most; negative: none does")
	calm   = flag.Bool("sim.calm", false, "have the network hold up nothing, lose nothing and break nothing")
	talks  = flag.Bool("sim.talk", false, "have something said all the time")
	tries  = flag.Int("sim.shrink", 400, "how many stories are tried to find a short one that goes as wrong")
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

// TestSeeds lives one random story for each seed, up to its quiet end. Of one that
// goes wrong it tells what is left when all is taken out of it that is not needed.
func TestSeeds(t *testing.T) {
	all := t
	for seed := *first; seed < *first+uint64(*seeds); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			if !*traced {
				t.Parallel()
			}
			tale := sim.Tale{Seed: seed, Nodes: *nodes, Crowd: *names, Calm: *calm, Talk: *talks}
			var err error
			if *acts != "" {
				if tale.Acts, err = sim.ParseScenes(*acts); err != nil {
					t.Fatal(err)
				}
			}
			w, err := tale.Live(sim.Config{Trace: traceOf()})
			if err == nil {
				w.Close()
				return
			}
			t.Errorf("%v\n%s", err, replay(all, flags(tale)))
			if short := sim.Shrink(tale, sim.Config{}, *tries); short != nil {
				t.Errorf("in short (of %d stories tried):\n\n%s\n\n%v\n\n%s", short.Runs,
					strings.Join(short.Story, "\n"), short.Err, replay(all, flags(short.Tale)))
			}
		})
	}
}

// flags are those that have TestSeeds live a tale.
func flags(t sim.Tale) string {
	s := fmt.Sprintf(" -sim.seeds=1 -sim.seed=%d", t.Seed)
	if t.Nodes > 0 {
		s += fmt.Sprintf(" -sim.nodes=%d", t.Nodes)
	}
	if t.Crowd != 0 {
		s += fmt.Sprintf(" -sim.crowd=%d", t.Crowd)
	}
	if t.Calm {
		s += " -sim.calm"
	}
	if t.Talk {
		s += " -sim.talk"
	}
	if t.Acts != nil {
		s += " -sim.acts=" + t.String()
	}
	return s
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
