//go:build linux

package network

import (
	"testing"
	"time"
)

// machines are what becomes of hosts themselves.
var machines = []struct {
	name string
	make func(n *network, some, others []*host) fault
}{
	// Their cables are pulled: no reset tells the others, the network does.
	{"some vanish", func(n *network, some, others []*host) fault {
		return fault{begin: func() {
			for _, h := range some {
				n.unplug(h)
			}
		}, end: func() {
			for _, h := range some {
				n.plug(h)
			}
		}, lost: each(some, others), may: each(some, some), tell: others[:1]}
	}},
	// Power is lost, and comes back.
	{"some reboot", func(n *network, some, others []*host) fault {
		return fault{begin: func() {
			for _, h := range some {
				n.unplug(h)
				n.kill(h)
			}
		}, end: func() {
			for _, h := range some {
				n.plug(h)
				n.start(h)
			}
		}, lost: []view{{others, some}}, may: each(some, n.hosts), tell: others[:1]}
	}},
	{"all reboot", func(n *network, _, _ []*host) fault {
		return fault{begin: func() {
			for _, h := range n.hosts {
				n.unplug(h)
			}
			for _, h := range n.hosts {
				n.kill(h)
			}
		}, end: func() {
			for _, h := range n.hosts {
				n.plug(h)
				n.start(h)
			}
		}, may: []view{{n.hosts, n.hosts}}}
	}},
	{"two swap addresses", func(n *network, some, others []*host) fault {
		a, b := some[0], some[1]
		return fault{begin: func() {
			n.kill(a)
			n.kill(b)
			a.machine, b.machine = b.machine, a.machine
			a.addr, b.addr = b.addr, a.addr
			n.start(a)
			n.start(b)
		}, may: each(some, n.hosts), tell: []*host{a, others[0]}}
	}},
	{"two swap addresses while they are down", func(n *network, some, others []*host) fault {
		a, b := some[0], some[1]
		return fault{begin: func() {
			n.kill(a)
			n.kill(b)
		}, end: func() {
			a.machine, b.machine = b.machine, a.machine
			a.addr, b.addr = b.addr, a.addr
			n.start(a)
			n.start(b)
		}, lost: []view{{others, some[:2]}}, may: each(some, n.hosts), tell: others[:1]}
	}},
}

func TestMachines(t *testing.T) {
	t.Parallel()
	for _, m := range machines {
		if left(m.name) {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			if !enter(t) {
				return
			}
			n := newNetwork(t, size())
			n.ring()
			f := m.make(n, n.hosts[len(n.hosts)-2:], n.hosts[:len(n.hosts)-2])
			f.lasts = ifLong(time.Minute, 15*time.Second)
			n.lives(f)
		})
	}
}
