//go:build linux

package network

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestClockSteps: the clock of a running node jumps by an hour. Nobody talks to it
// until the clock is right, so nobody shows it up, both sides say why, and it takes
// no changes that none would ever hear of.
func TestClockSteps(t *testing.T) {
	if !enter(t) {
		return
	}
	n := newNetwork(t, 5)
	odd, others := n.hosts[4], n.hosts[:4]
	for i, h := range others {
		n.start(h, n.joins(i)...)
	}
	n.startClocked(odd, "--join", others[0].listen())
	n.until("all show all up", n.wrong)

	began := time.Now()
	defer n.innocent(began, others, others)
	odd.anHourAhead()
	n.until("all say that its clock is wrong", func() string {
		for _, h := range others {
			if !n.witness.heard(h, "skew", odd.name) {
				return h.name + " says nothing"
			}
			if !n.witness.heard(odd, "skew", h.name) {
				return odd.name + " says nothing of " + h.name
			}
		}
		return ""
	})
	if took, why := n.add(odd, "never-heard-of"); took {
		t.Errorf("%s took an add that nobody hears of", odd.name)
	} else if !strings.Contains(why, "clock") {
		t.Errorf("%s refuses an add: %q, which does not say that its clock is wrong", odd.name, why)
	}
	n.until("none shows it up", func() string {
		for _, h := range others {
			if n.witness.shows(h, odd) == "up" {
				return h.name + " does"
			}
		}
		return ""
	})
	odd.right()
	n.calm()
	n.add(odd, "heard-of")
	n.known("heard-of")
}

// heard says whether a node told something of another that is not its state.
func (w *witness) heard(by *host, kind, name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.said[by.name], func(s said) bool { return s.kind == kind && s.name == name })
}
