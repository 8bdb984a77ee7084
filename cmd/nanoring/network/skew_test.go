//go:build linux

package network

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nanoring/nanoring/native"
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
	n.until("all show it down, and why", func() string {
		for _, h := range others {
			if n.witness.shows(h, odd) != "down" || n.reason(h, odd) != "clock-skew" {
				return fmt.Sprintf("%s shows it %s, %s", h.name, n.witness.shows(h, odd), n.reason(h, odd))
			}
		}
		return ""
	})
	n.until("it says that it is its own", func() string {
		if n.clocks(odd).OwnClockSince.IsZero() {
			return fmt.Sprintf("it says %+v", n.clocks(odd))
		}
		return ""
	})
	odd.right()
	n.calm()
	n.until("no clock is wrong any more", func() string {
		for _, h := range n.hosts {
			if s := n.clocks(h); len(s.Clocks) > 0 || !s.OwnClockSince.IsZero() {
				return fmt.Sprintf("%s says %+v", h.name, s)
			}
		}
		return ""
	})
	n.add(odd, "heard-of")
	n.known("heard-of")
}

// reason returns why a node says that another is not let in.
func (n *network) reason(by, of *host) string {
	n.t.Helper()
	var node struct{ Reason string }
	if _, err := by.node.do(http.MethodGet, "/v1/nodes/"+of.name, nil, &node); err != nil {
		n.t.Fatal(err)
	}
	return node.Reason
}

// clocks returns what a node says of clocks.
func (n *network) clocks(h *host) (s native.Status) {
	n.t.Helper()
	if _, err := h.node.do(http.MethodGet, "/v1/status", nil, &s); err != nil {
		n.t.Fatal(err)
	}
	return s
}

// heard says whether a node told something of another that is not its state.
func (w *witness) heard(by *host, kind, name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.said[by.name], func(s said) bool { return s.kind == kind && s.name == name })
}
