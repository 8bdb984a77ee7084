package main

import (
	"fmt"
	"time"

	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/native"
)

// patiences are what is tried, each half as much again as the one before, or so.
var patiences = []time.Duration{
	time.Second, 1500 * time.Millisecond, 2 * time.Second, 3 * time.Second, 4 * time.Second, 6 * time.Second,
	8 * time.Second, 12 * time.Second, 16 * time.Second, 24 * time.Second, 32 * time.Second, time.Minute,
}

// trial is how a ring did with some patience.
type trial struct {
	patience time.Duration
	report   *sim.Report
}

// use has all nodes of the plan have these times, which are complete.
func (s *simulation) use(t native.Times) {
	s.inForce, s.plan.Period, s.plan.AckTimeout, s.plan.Patience = t, t.Period.Microseconds(), t.AckTimeout.Microseconds(), t.Patience.Microseconds()
	s.plan.RemovalGrace, s.plan.ReapAfter = t.RemovalGrace.Microseconds(), t.ReapAfter.Microseconds()
}

// live lives the plan; if it is to recommend a patience, once for each that it tries. The report
// is that of the shortest with which nobody who lives was suspected, or of the longest.
func (s *simulation) live() (*sim.Report, []trial, error) {
	if !s.recommend {
		r, err := s.plan.Run()
		return r, nil, err
	}
	var tried []trial
	var best *trial
	lo, hi := 0, len(patiences) // the first that will do is among these
	for lo < hi {
		i := (lo + hi) / 2
		times := s.times.times
		times.Patience = patiences[i]
		times, err := times.Complete()
		if err != nil {
			return nil, nil, err
		}
		s.use(times)
		r, err := s.plan.Run()
		if err != nil {
			return nil, nil, err
		}
		t := trial{patiences[i], r}
		tried = append(tried, t)
		if isCalm(r) {
			hi, best = i, &t
		} else {
			lo = i + 1
		}
	}
	if best == nil {
		best = &tried[len(tried)-1]
	}
	times := s.times.times
	times.Patience = best.patience
	times, err := times.Complete()
	s.use(times)
	return best.report, tried, err
}

// isCalm says whether the ring came to stand, and no node that lives was suspected.
func isCalm(r *sim.Report) bool { return r.Stood && r.FalseSuspicions == 0 && r.FalseDeaths == 0 }

func printTried(out printer, tried []trial) error {
	if len(tried) == 0 {
		return nil
	}
	w := out.table("TRIED", "FALSE SUSPICIONS", "FALSE DEATHS")
	for _, t := range tried {
		w.row(t.patience.String(), fmt.Sprint(t.report.FalseSuspicions), fmt.Sprint(t.report.FalseDeaths))
	}
	w.row()
	return w.Flush()
}

// nodeFlags are the flags that make such nodes: what follows from the patience is left out.
func (s *simulation) nodeFlags() []string {
	t := s.inForce
	follows, _ := native.Times{Patience: t.Patience}.Complete()
	flags := []string{"--patience", t.Patience.String()}
	for _, f := range []struct {
		name      string
		is, usual time.Duration
	}{
		{"period", t.Period, follows.Period}, {"ack-timeout", t.AckTimeout, follows.AckTimeout},
		{"removal-grace", t.RemovalGrace, follows.RemovalGrace}, {"reap-after", t.ReapAfter, follows.ReapAfter},
	} {
		if f.is != f.usual {
			flags = append(flags, "--"+f.name, f.is.String())
		}
	}
	return flags
}
