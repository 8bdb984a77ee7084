//go:build linux

package network

import "time"

// healsSooner waits until all is right and stays so, and holds that it took less
// than half the time that it took to find the fault.
func (n *network) healsSooner(healed time.Time, found time.Duration) {
	n.t.Helper()
	n.until("all show all up", n.wrong)
	right := time.Now()
	took := n.came(healed, n.hosts, n.hosts, "up")
	n.note("found after %.2f s, right %.2f s after healing", found.Seconds(), took.Seconds())
	if 2*took > found {
		n.t.Errorf("it took %s to be right again, more than half of the %s to find the fault", took, found)
	}
	defer n.innocent(right, n.hosts, n.hosts)
	n.calm()
}

// came returns how long after from it was that the observers came to show the others so, if they do.
func (n *network) came(from time.Time, observers, others []*host, state string) time.Duration {
	var last time.Time
	for _, s := range n.witness.since(from) {
		if has(observers, s.by) && has(others, s.of) && s.state == state {
			last = s.at
		}
	}
	return last.Sub(from)
}
