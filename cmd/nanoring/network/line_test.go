//go:build linux

package network

import (
	"testing"
	"time"
)

// lines are what becomes of the ways between all hosts. Nodes get used to it: who
// answers late is not dead.
var lines = []struct {
	name  string
	steps []way
}{
	{"slower", []way{{delay: 200 * time.Millisecond, vary: 50 * time.Millisecond}}},
	{"slower and slower", []way{
		{delay: 20 * time.Millisecond, vary: 5 * time.Millisecond},
		{delay: 100 * time.Millisecond, vary: 25 * time.Millisecond},
		{delay: 250 * time.Millisecond, vary: 50 * time.Millisecond},
		{delay: 500 * time.Millisecond, vary: 100 * time.Millisecond},
	}},
	{"uneven", []way{{delay: 150 * time.Millisecond, vary: 150 * time.Millisecond}}},
	{"a third is lost", []way{{loss: 0.3}}},
	{"narrow", []way{{rate: 3000}}},
}

func TestLines(t *testing.T) {
	t.Parallel()
	for _, l := range lines {
		if left(l.name) {
			continue
		}
		t.Run(l.name, func(t *testing.T) {
			if !enter(t) {
				return
			}
			n := newNetwork(t, size())
			s := n.throughSwitch(1)
			n.ring()
			opened := n.opened()
			n.lives(fault{begin: func() {
				began := time.Now()
				for i, w := range l.steps {
					s.set(n.hosts, n.hosts, w)
					n.note("%+v", w)
					time.Sleep(ifLong(time.Minute, 20*time.Second)*time.Duration(i+1)/time.Duration(len(l.steps)) - time.Since(began))
				}
			}, end: func() { s.clear(n) }, tell: n.hosts})
			n.note("%d more connections", n.opened()-opened)
		})
	}
}
