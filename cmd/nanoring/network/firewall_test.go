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
	dies bool // the first of the rest looks as if its process had ended, until it dials
}{
	{"new ones between halves are dropped", func(n *network, half, rest []*host) { n.shut(half, rest); n.shut(rest, half) }, false},
	{"new ones between halves are refused", func(n *network, half, rest []*host) { n.refuse(half, rest); n.refuse(rest, half) }, false},
	{"new ones to one are dropped", func(n *network, _, rest []*host) { n.shut(n.but(rest[0]), rest[:1]) }, false},
	{"new ones to one are refused", func(n *network, _, rest []*host) { n.refuse(n.but(rest[0]), rest[:1]) }, false},
	{"old ones are dropped", func(n *network, _, _ []*host) { n.forget() }, false},
	{"old ones are reset", func(n *network, _, _ []*host) { n.forgetLoudly() }, false},
	{"old ones between halves are dropped", func(n *network, half, rest []*host) { n.forgetBetween(half, rest, "drop") }, false},
	{"old ones are reset, new ones to one refused", func(n *network, _, rest []*host) {
		n.refuse(n.but(rest[0]), rest[:1])
		n.forgetLoudly()
	}, true},
	{"old ones are dropped, new ones to one dropped", func(n *network, _, rest []*host) {
		n.shut(n.but(rest[0]), rest[:1])
		n.forget()
	}, false},
}

func TestFirewall(t *testing.T) {
	t.Parallel()
	for _, w := range firewalls {
		if left(w.name) {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			if !enter(t) {
				return
			}
			n := newNetwork(t, size())
			n.ring()
			half, rest := n.hosts[:len(n.hosts)/2], n.hosts[len(n.hosts)/2:]
			var may []view
			if w.dies {
				may = []view{{n.but(rest[0]), rest[:1]}}
			}
			n.lives(fault{begin: func() { w.do(n, half, rest) }, tell: []*host{half[0], rest[0]}, may: may, lasts: ifLong(time.Minute, 15*time.Second)})
		})
	}
}
