package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// settings is what the flags say that a round has to know.
type settings struct {
	Reps, Burners             int
	Bound, Idle, Slow, Starve time.Duration
	MemProfile                string
	Dir                       string // for the nodes' files
}

// bench is a run.
type bench struct {
	settings
	cpuProfile string
	rings      atomic.Int64 // so many were made, in this process
	profiles   atomic.Int64
}

// samples is what rounds of a measurement gave, by what was measured.
type samples map[string][]float64

func (s samples) add(key string, v float64) { s[key] = append(s[key], v) }

// A measurement is one or more rounds for each system. The systems take turns,
// so that what else the machine does meets all of them.
type measurement struct {
	name     string // as -only has it
	rounds   func(*bench) int
	together bool                                                        // all systems at once: most of it is waiting
	about    func(b *bench, n int) time.Duration                         // a round of a system takes, roughly
	round    func(context.Context, *bench, system, int) (samples, error) // its seconds are +Inf if it took longer than the bound
}

var measurements = []measurement{
	{"join-storm", (*bench).each, false, lasts(2 * time.Second), storm},
	{"sequential-join", thrice, false, lasts(2 * time.Second), sequential},
	{"one", (*bench).visitors, false, lasts(20 * time.Second), one},
	{"crash", thrice, false, lasts(21 * time.Second), crash},
	{"silent", nine, false, lasts(25 * time.Second), silent},
	{"message", once, false, lasts(15 * time.Second), message},
	{"busy", thrice, false, lasts(90 * time.Second), busy},
	{"idle", once, false, func(b *bench, _ int) time.Duration { return b.Idle + 15*time.Second }, idle},
	{"stopped-2s", once, true, slowly, slow(10*time.Second, 2*time.Second, false)},
	{"stopped-3.5s", once, true, slowly, slow(20*time.Second, 3500*time.Millisecond, false)},
	{"stopped-6s", once, true, slowly, slow(20*time.Second, 6*time.Second, true)},
	{"starved", once, false, func(b *bench, _ int) time.Duration { return b.Starve + 5*time.Second }, starved},
}

func (b *bench) each() int     { return b.Reps }
func (b *bench) visitors() int { return (b.Reps + visits - 1) / visits }
func thrice(b *bench) int      { return min(3, b.Reps) }
func once(*bench) int          { return 1 }

// nine is for what chance alone makes twice as long or half as long: until a node that fell silent is asked.
func nine(b *bench) int { return min(9, b.Reps) }

func slowly(b *bench, _ int) time.Duration { return b.Slow + 2*settle }

// lasts is the time of a round that takes d with 64 nodes.
func lasts(d time.Duration) func(*bench, int) time.Duration {
	return func(_ *bench, n int) time.Duration { return d * time.Duration(64+n) / 128 }
}

// group is rings of one size, to be compared with one another.
type group struct {
	n       int
	systems []system
}

func (g group) has(name string) bool {
	return slices.ContainsFunc(g.systems, func(s system) bool { return s.name == name })
}

func (b *bench) estimate(groups []group, chosen []measurement) time.Duration {
	var sum time.Duration
	for _, g := range groups {
		for _, m := range chosen {
			rounds := m.rounds(b)
			if !m.together {
				rounds *= len(g.systems)
			}
			sum += time.Duration(rounds) * m.about(b, g.n)
		}
	}
	return sum
}

// outcome is what came of a measurement of a system.
type outcome struct {
	samples samples
	err     error // instead
}

// run carries out all measurements of a group. Only the end of ctx ends it
// early: a system that fails is left out of the measurement, and said to be.
func (b *bench) run(ctx context.Context, g group, chosen []measurement) (map[string]map[string]*outcome, error) {
	all := make(map[string]map[string]*outcome)
	for i, m := range chosen {
		begin := time.Now()
		fmt.Fprintf(os.Stderr, "%d nodes, %d/%d: %s ", g.n, i+1, len(chosen), m.name)
		of := make(map[string]*outcome)
		for _, s := range g.systems {
			of[s.name] = &outcome{samples: samples{}}
		}
		for range m.rounds(b) {
			b.round(ctx, g, m, of)
			fmt.Fprint(os.Stderr, ".")
			if ctx.Err() != nil {
				fmt.Fprintln(os.Stderr)
				return nil, context.Cause(ctx)
			}
		}
		fmt.Fprintf(os.Stderr, " %v\n", time.Since(begin).Round(100*time.Millisecond))
		all[m.name] = of
	}
	return all, nil
}

// round lets each system that has not failed have one round.
func (b *bench) round(ctx context.Context, g group, m measurement, of map[string]*outcome) {
	var wg sync.WaitGroup
	for _, s := range g.systems {
		o := of[s.name]
		if o.err != nil {
			continue
		}
		wg.Go(func() {
			got, err := b.apart(ctx, m, s, g.n)
			if err != nil {
				o.err = fmt.Errorf("%s of %s: %w", m.name, s.name, err)
				return
			}
			for key, values := range got {
				o.samples[key] = append(o.samples[key], values...)
			}
		})
		if !m.together {
			wg.Wait()
		}
	}
	wg.Wait()
}

func systemOf(name string) (system, error) {
	return find("system", name, systems, func(s system) string { return s.name })
}

func measurementOf(name string) (measurement, error) {
	return find("measurement", name, measurements, func(m measurement) string { return m.name })
}

func find[T any](what, name string, among []T, nameOf func(T) string) (T, error) {
	text := "no " + what + " " + name + ": there are"
	for _, x := range among {
		if nameOf(x) == name {
			return x, nil
		}
		text += " " + nameOf(x)
	}
	var none T
	return none, errors.New(text)
}
