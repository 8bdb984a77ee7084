//go:build linux

package network

import (
	"testing"
	"time"
)

// firewalls are what a middlebox does to connections of one age alone. There is a
// way left to everybody, so nobody dies of it.
var firewalls = []struct {
	name string
	do   func(n *network, half, rest []*host)
}{
	{"new ones between halves are dropped", func(n *network, half, rest []*host) { n.shut(half, rest); n.shut(rest, half) }},
	{"new ones between halves are refused", func(n *network, half, rest []*host) { n.refuse(half, rest); n.refuse(rest, half) }},
	{"new ones to one are dropped", func(n *network, _, rest []*host) { n.shut(n.but(rest[0]), rest[:1]) }},
	{"new ones to one are refused", func(n *network, _, rest []*host) { n.refuse(n.but(rest[0]), rest[:1]) }},
	{"old ones are dropped", func(n *network, _, _ []*host) { n.forget() }},
	{"old ones are reset", func(n *network, _, _ []*host) { n.forgetLoudly() }},
	{"old ones between halves are dropped", func(n *network, half, rest []*host) { n.forgetBetween(half, rest, "drop") }},
	{"old ones are reset, new ones to one refused", func(n *network, _, rest []*host) {
		n.refuse(n.but(rest[0]), rest[:1])
		n.forgetLoudly()
	}},
	{"old ones are dropped, new ones to one dropped", func(n *network, _, rest []*host) {
		n.shut(n.but(rest[0]), rest[:1])
		n.forget()
	}},
}

func TestFirewall(t *testing.T) {
	t.Parallel()
	for _, w := range firewalls {
		t.Run(w.name, func(t *testing.T) {
			if !enter(t) {
				return
			}
			n := newNetwork(t, size())
			n.ring()
			half, rest := n.hosts[:len(n.hosts)/2], n.hosts[len(n.hosts)/2:]
			n.lives(fault{begin: func() { w.do(n, half, rest) }, tell: []*host{half[0], rest[0]}, lasts: ifLong(time.Minute, 15*time.Second)})
		})
	}
}
