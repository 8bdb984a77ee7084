//go:build linux

package network

import (
	"strings"
	"testing"
	"time"
)

// TestReachesOne: a host is cut off from all but one other. Through that one it
// is heard by all, and hears all, so nobody is down.
func TestReachesOne(t *testing.T) {
	if !enter(t) {
		return
	}
	n := newNetwork(t, 8)
	n.ring()
	lonely, friend := n.hosts[7], n.hosts[6]

	before := n.lines()
	cut := time.Now()
	n.cut([]*host{lonely}, n.but(lonely, friend))
	defer n.innocent(cut, n.hosts, n.hosts)
	time.Sleep(ifLong(40*time.Second, 20*time.Second))
	n.quiet(before)
	for _, h := range []*host{lonely, friend, n.hosts[0]} {
		n.add(h, "news-of-"+h.name)
		n.known("news-of-" + h.name)
	}
	n.heal()
	n.calm()
}

// quiet holds that since there were that many lines in the logs each node said
// something of each at most once.
func (n *network) quiet(before int) {
	n.t.Helper()
	lines := n.lines() - before
	n.note("%d more lines in all logs", lines)
	if most := len(n.hosts) * len(n.hosts); lines > most {
		n.t.Errorf("the nodes logged %d lines, more than %d", lines, most)
	}
}

// lines counts the lines of all logs.
func (n *network) lines() int {
	count := 0
	for _, h := range n.hosts {
		count += strings.Count(n.logOf(h), "\n")
	}
	return count
}
