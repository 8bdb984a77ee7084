//go:build linux

package network

import (
	"testing"
	"time"
)

// TestForgotten: a middlebox forgets all connections at once, as one does that is
// restarted, or whose table is full. New ones can be opened, so nobody dies of it.
func TestForgotten(t *testing.T) {
	if !enter(t) {
		return
	}
	n := newNetwork(t, 8)
	n.ring()
	forgotten := time.Now()
	defer n.innocent(forgotten, n.hosts, n.hosts)
	n.forget()
	for _, h := range n.hosts {
		n.add(h, "news-of-"+h.name)
	}
	for _, h := range n.hosts {
		n.known("news-of-" + h.name)
	}
	n.calm()
}
