//go:build linux

package network

import (
	"testing"
	"time"
)

// partitions are what hosts cannot reach for a while. The kernel waits longer and
// longer before it tries again, up to two minutes.
var partitions = []struct {
	name string
	make func(n *network, half, rest []*host) fault
}{
	{"half", func(n *network, half, rest []*host) fault {
		return fault{begin: func() { n.cut(half, rest) }, lost: each(half, rest), tell: []*host{half[0], rest[0]}}
	}},
	{"half for long", func(n *network, half, rest []*host) fault {
		return fault{begin: func() { n.cut(half, rest) }, lost: each(half, rest), tell: []*host{half[0], rest[0]}, lasts: 5 * time.Minute}
	}},
	{"one", func(n *network, _, rest []*host) fault {
		one := rest[len(rest)-1:]
		others := n.but(one...)
		return fault{begin: func() { n.cut(one, others) }, lost: each(one, others), tell: others[:1]}
	}},
	// What one sends comes nowhere, so no answer of the others helps it.
	{"one is not heard", func(n *network, _, rest []*host) fault {
		one := rest[len(rest)-1:]
		others := n.but(one...)
		return fault{begin: func() { n.cutOneWay(one, others) }, lost: each(one, others), tell: others[:1]}
	}},
	{"half is not heard", func(n *network, half, rest []*host) fault {
		return fault{begin: func() { n.cutOneWay(half, rest) }, lost: each(half, rest), tell: []*host{half[0], rest[0]}}
	}},
	{"one is not heard by half", func(n *network, half, rest []*host) fault {
		one := rest[len(rest)-1:]
		return fault{begin: func() { n.cutOneWay(one, half) }, tell: []*host{one[0], half[0]}}
	}},
	// Through the one that it reaches it is heard by all, and hears all.
	{"one reaches one", func(n *network, half, rest []*host) fault {
		one, friend := rest[len(rest)-1], half[0]
		return fault{begin: func() { n.cut([]*host{one}, n.but(one, friend)) }, tell: []*host{one, friend, half[1]}}
	}},
	{"all reach one", func(n *network, half, rest []*host) fault {
		middle := half[0]
		return fault{begin: func() {
			for _, h := range n.but(middle) {
				n.cut([]*host{h}, n.but(h, middle))
			}
		}, tell: []*host{middle, half[1], rest[0]}}
	}},
	// The one half cannot reach the other, then the even ones cannot reach the odd
	// ones, and so on. Who is on the same side both times is never cut off.
	{"two halves in turn", func(n *network, half, rest []*host) fault {
		var even, odd []*host
		for i, h := range n.hosts {
			if i%2 == 0 {
				even = append(even, h)
			} else {
				odd = append(odd, h)
			}
		}
		return fault{begin: func() {
			for range 2 {
				n.cut(half, rest)
				n.until("each half shows the other down", func() string { return n.wrongAmong(half, rest, "down") + n.wrongAmong(rest, half, "down") })
				n.heal()
				n.cut(even, odd)
				n.until("the odd ones show the even ones down, and they them", func() string { return n.wrongAmong(even, odd, "down") + n.wrongAmong(odd, even, "down") })
				n.heal()
			}
			n.cut(half, rest)
		}, may: append(each(half, rest), each(even, odd)...), lost: each(half, rest), tell: []*host{half[0], half[1], rest[0]}, loud: 10}
	}},
}

func TestPartition(t *testing.T) {
	t.Parallel()
	for _, p := range partitions {
		if left(p.name) {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			if !enter(t) {
				return
			}
			n := newNetwork(t, size())
			n.ring()
			f := p.make(n, n.hosts[:len(n.hosts)/2], n.hosts[len(n.hosts)/2:])
			if f.lasts == 0 || !*long {
				f.lasts = ifLong(time.Minute, 20*time.Second)
			}
			n.lives(f)
		})
	}
}
