//go:build linux

package network

import (
	"testing"
	"time"
)

// TestPartition: half of the hosts cannot reach the other half for a while. The
// kernel waits longer and longer before it tries again, up to two minutes.
func TestPartition(t *testing.T) {
	lasts := []time.Duration{20 * time.Second}
	if *long {
		lasts = []time.Duration{time.Minute, 5 * time.Minute}
	}
	t.Parallel()
	for _, d := range lasts {
		t.Run(d.String(), func(t *testing.T) {
			if enter(t) {
				partition(t, d)
			}
		})
	}
}

func partition(t *testing.T, lasts time.Duration) {
	n := newNetwork(t, 8)
	n.ring()
	left, right := n.hosts[:4], n.hosts[4:]

	cut := time.Now()
	n.cut(left, right)
	n.until("each half shows the other down", func() string {
		if s := n.wrongAmong(left, right, "down"); s != "" {
			return s
		}
		return n.wrongAmong(right, left, "down")
	})
	found := max(n.came(cut, left, right, "down"), n.came(cut, right, left, "down"))
	n.add(left[0], "from-the-left")
	n.add(right[0], "from-the-right")
	time.Sleep(lasts - time.Since(cut))

	healed := time.Now()
	n.heal()
	defer n.innocent(cut, left, left)
	defer n.innocent(cut, right, right)
	n.healsSooner(healed, found)
	n.known("from-the-left", "from-the-right")
}
