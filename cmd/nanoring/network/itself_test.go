//go:build linux

package network

import (
	"testing"
	"time"
)

// TestNetworkItself: what is cut is cut and what is healed is healed, and who
// forgets connections lets new ones through.
func TestNetworkItself(t *testing.T) {
	if !enter(t) {
		return
	}
	n := newNetwork(t, 3)
	n.ring()
	far := n.hosts[2]
	near := n.but(far)

	cut := time.Now()
	n.cut([]*host{far}, near)
	n.until("they show each other down", func() string {
		return n.wrongAmong(near, []*host{far}, "down") + n.wrongAmong([]*host{far}, near, "down")
	})
	n.innocent(cut, near, near)
	n.heal()
	n.until("all show all up", n.wrong)
	n.add(near[0], "news")
	n.known("news")

	n.forget()
	n.start(n.attach(), "--join", far.listen())
	n.known("n4")
}
