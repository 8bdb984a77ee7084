package sim_test

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// heardByAll complains of messages that were lost, heard again or announced as lost,
// though all nodes were up.
func heardByAll(r *sim.Report) error {
	if s := r.Spoken; s.Lost+s.Again+s.Gaps+s.Missing > 0 {
		return fmt.Errorf("of %d messages %d were lost by a node, %d heard again, %d gaps, %d answers are missing", s.Messages, s.Lost, s.Again, s.Gaps, s.Missing)
	}
	return nil
}

func spoken(r *sim.Report) string {
	s := r.Spoken
	return fmt.Sprintf("%d messages: %.2f copies and %.0f bytes a node, heard by all within %d, %d, %d ms (half, 99 %%, the last); an answer within %d, %d, %d ms", s.Messages,
		s.Copies, s.Bytes, s.All.P50/1000, s.All.P99/1000, s.All.Max/1000, s.Answers.P50/1000, s.Answers.P99/1000, s.Answers.Max/1000)
}

// TestCopies: a node gets a large payload twice at most, on average.
func TestCopies(t *testing.T) {
	sizes := []int{64}
	if *long {
		sizes = append(sizes, 1000)
	}
	for _, n := range sizes {
		plan := sim.Plan{Nodes: n, LatencyMin: core.Millisecond, LatencyMax: 20 * core.Millisecond, For: 2 * core.Minute, Speech: sim.Speech{Messages: 300, Bytes: 1 << 10}}
		livePlan(t, 1, plan, func(r *sim.Report) error {
			t.Logf("%d nodes: %s", n, spoken(r))
			if r.Spoken.Copies > 2 {
				return fmt.Errorf("%.2f copies of a payload", r.Spoken.Copies)
			}
			return heardByAll(r)
		})
	}
}

// TestBrokenConnectionsLoseNothing: each connection breaks once a minute, on a lossy
// network, and everybody hears everything, once.
func TestBrokenConnectionsLoseNothing(t *testing.T) {
	n := 50
	if *long {
		n = 1000
	}
	plan := sim.Plan{Nodes: n, LatencyMin: core.Millisecond, LatencyMax: 20 * core.Millisecond, Loss: 20_000, For: 100 * core.Second, ResetEvery: core.Minute,
		Speech: sim.Speech{Messages: 1000, Bytes: 300}}
	livePlan(t, 1, plan, func(r *sim.Report) error {
		t.Logf("%d nodes: %s", n, spoken(r))
		return heardByAll(r)
	})
}

// TestAnswers: all answers to a question are there within four times the way of a
// rumor to all, nearly all.
func TestAnswers(t *testing.T) {
	n := 100
	if *long {
		n = 1000
	}
	plan := sim.Plan{Nodes: n, LatencyMin: core.Millisecond, LatencyMax: 20 * core.Millisecond, For: 2 * core.Minute, Speech: sim.Speech{Messages: 40, Bytes: 100, Asks: 20}}
	livePlan(t, 1, plan, func(r *sim.Report) error {
		t.Logf("%d nodes: %s", n, spoken(r))
		if s := r.Spoken; s.Answers.P99 > 4*s.All.P50 {
			return fmt.Errorf("99 %% of the answers take %d ms, and a message's way to all %d ms", s.Answers.P99/1000, s.All.P50/1000)
		}
		return heardByAll(r)
	})
}
