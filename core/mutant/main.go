package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var m campaign
	flag.IntVar(&m.count, "n", 150, "how many mutants, picked at random; 0 for all")
	flag.Uint64Var(&m.seed, "seed", 1, "of the picking")
	flag.BoolVar(&m.glue, "glue", false, "mutants of what connects the owners, too")
	flag.BoolVar(&m.long, "long", false, "tests of the simulator that take half a minute, too")
	flag.BoolVar(&m.chosen, "quick", false, "only mutants that are built together: no constants")
	flag.StringVar(&m.only, "only", "", "mutants of which this is a part of FILE:LINE")
	flag.StringVar(&m.log, "log", "", "a file of verdicts: who is in it is not tried again")
	flag.BoolVar(&m.again, "again", false, "try those again that survived, by -log")
	flag.IntVar(&m.workers, "j", 2, "how many at once")
	flag.BoolVar(&m.list, "list", false, "print mutants, and try none")
	flag.DurationVar(&m.patience, "patience", 5*time.Minute, "how long the tests of a mutant, or a search for a fault, may take")
	faults := flag.Bool("faults", false, "put faults back, those that the arguments name; all if there are none")
	seeds := flag.Int("seeds", 1500, "with -faults: of how many storms; 0: only what the faults name")
	all := flag.Bool("all", false, "with -faults: run every search and test, though one has found it")
	flag.Parse()
	if err := run(ctx, &m, *faults, *seeds, *all); err != nil {
		fmt.Fprintln(os.Stderr, "mutant:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, m *campaign, faults bool, seeds int, all bool) error {
	if faults {
		return putBack(ctx, flag.Args(), seeds, all, m.patience)
	}
	return m.run(ctx)
}
