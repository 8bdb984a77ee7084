//go:build linux

package network

import (
	"testing"
	"time"
)

// TestAway: a host is away for a while, as one is whose cable was pulled.
func TestAway(t *testing.T) {
	if !enter(t) {
		return
	}
	n := newNetwork(t, 8)
	n.ring()
	away := n.hosts[7:]
	others := n.but(away...)

	cut := time.Now()
	n.cut(away, others)
	n.until("it is shown down", func() string { return n.wrongAmong(others, away, "down") })
	found := n.came(cut, others, away, "down")
	time.Sleep(20*time.Second - time.Since(cut))

	healed := time.Now()
	n.heal()
	defer n.innocent(cut, others, others)
	n.healsSooner(healed, found)
}
