//go:build linux

package siege

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report is what was measured in a time.
type report struct {
	asked    answers // an operator's
	read     answers // a reader's
	perGuest float64
	nodes    []usage
	told     map[string]int
	length   time.Duration
	upMissed int
	looks    int
	missedBy map[string]int
	came     int // newcomers
	waited   time.Duration
	refused  map[string]int
}

// report is what was measured since forget, or the last report.
func (w *watch) report(operator, reader *asker, n *newcomers) report {
	r := report{asked: operator.since(), read: reader.since(), perGuest: w.perGuest(), nodes: slices.Clone(w.nodes), length: time.Since(w.from), looks: w.looks, missedBy: maps.Clone(w.missed)}
	r.came, r.waited, r.refused = n.since()
	for _, n := range w.missed {
		r.upMissed += n
	}
	return r
}

// table shows it.
func table(w *watch, calm, storm *report) string {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nNODE\tENGINE\tCPU\tWAITED\tBEFORE MB\tPEAK\tAFTER\tAGAIN\tMODULE\tLINES/MIN\tTRAPS\tSUSPECTED\tGOROUTINES\tSILENT")
	for i, u := range storm.nodes {
		n := w.ring.nodes[i]
		fmt.Fprintf(t, "%s\t%s\t%.0f %%\t%.0f %%\t%d\t%d\t%d\t%d\t%.0f\t%d\t%v\t%v\t%v\t%d\n", n.name, n.engine, 100*u.used().Seconds()/storm.length.Seconds(), 100*(u.waited-u.waited0).Seconds()/storm.length.Seconds(),
			calm.nodes[i].rss>>10, u.peak>>10, u.after>>10, u.again>>10, u.module/(1<<20), u.worstMinute, u.traps-u.traps0, u.suspicions-u.suspicions0, u.goroutines, u.unanswered)
	}
	t.Flush()
	fmt.Fprintf(&b, "honest guests: up in %.3f %% of %d looks; sent %.1f KB/s, %.1f before\n",
		100-100*float64(storm.upMissed)/float64(max(storm.looks, 1)), storm.looks, storm.perGuest/1e3, calm.perGuest/1e3)
	if len(storm.missedBy) > 0 {
		fmt.Fprintf(&b, "  not up, by node and guest: %v\n", storm.missedBy)
	}
	ratio := 0.0
	if calm.asked.worst > 0 {
		ratio = storm.asked.worst.Seconds() / calm.asked.worst.Seconds()
	}
	fmt.Fprintf(&b, "operator: worst %s (%s), p99 %s, median %s of %d (%d failed); before %s, %s, %s of %d; worst is %.1f times as long\n", storm.asked.worst, storm.asked.of, storm.asked.p99, storm.asked.median,
		storm.asked.count, storm.asked.failed, calm.asked.worst, calm.asked.p99, calm.asked.median, calm.asked.count, ratio)
	for how, n := range storm.asked.how {
		fmt.Fprintf(&b, "  %d× %s\n", n, how)
	}
	fmt.Fprintf(&b, "another reader: worst %s of %d (%d failed): %v; before %s\n", storm.read.worst, storm.read.count, storm.read.failed, storm.read.how, calm.read.worst)
	fmt.Fprintf(&b, "newcomers: %d, of whom these were not let in: %v; worst wait %s; before %d, %v, %s\n", storm.came, storm.refused, storm.waited, calm.came, calm.refused, calm.waited)
	ends := make(map[string]int)
	for _, g := range w.guests {
		g.mu.Lock()
		for how, n := range g.lost {
			ends[how] += n
		}
		g.mu.Unlock()
	}
	list := func(what string, all map[string]int) {
		fmt.Fprintln(&b, what)
		for _, key := range slices.Sorted(maps.Keys(all)) {
			fmt.Fprintf(&b, "  %7d  %s\n", all[key], key)
		}
	}
	list("connections of honest guests that ended:", ends)
	list("the attack:", storm.told)
	return b.String()
}
