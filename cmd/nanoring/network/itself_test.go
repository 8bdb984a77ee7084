//go:build linux

package network

import (
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
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

// TestSwitchItself: what the switch is told to do to packets it does, in one
// direction.
func TestSwitchItself(t *testing.T) {
	if !enter(t) {
		return
	}
	n := newNetwork(t, 2)
	s := n.throughSwitch(1)
	a, b := n.hosts[:1], n.hosts[1:]
	if got := n.ping(100, 20); got != 20 {
		t.Errorf("of 20 packets %d come through a switch that does nothing", got)
	}
	s.set(b, a, way{most: 500})
	if small, long := n.ping(100, 3), n.ping(1000, 3); small != 3 || long != 0 {
		t.Errorf("of 3 packets, %d short and %d long ones come through a hole for long ones", small, long)
	}
	s.set(b, a, way{})
	s.both(a, b, way{loss: 0.3})
	if got := n.ping(100, 200); got < 50 || got > 150 {
		t.Errorf("of 200 packets %d come back, where 98 are to", got)
	}
	s.both(a, b, way{rate: 10_000})
	if got := n.ping(1000, 200); got < 5 || got > 100 {
		t.Errorf("of 200 KB at once %d come back, where 5 are kept", got)
	}
	s.clear(n)
	if got := n.ping(1000, 20); got != 20 {
		t.Errorf("of 20 packets %d come through when all is as before", got)
	}
}

// ping sends packets of so many bytes from the first host to the second, which
// sends them back, and returns how many come.
func (n *network) ping(size, count int) int {
	n.t.Helper()
	to, from := n.hosts[1].socket(n.t), n.hosts[0].socket(n.t)
	defer to.Close()
	defer from.Close()
	go func() {
		for b := make([]byte, size); ; {
			got, back, err := to.ReadFrom(b)
			if err != nil {
				return
			}
			to.WriteTo(b[:got], back)
		}
	}()
	for range count {
		if _, err := from.WriteTo(make([]byte, size), to.LocalAddr()); err != nil {
			n.t.Fatal(err)
		}
	}
	came := 0
	for b := make([]byte, size); came < count; came++ {
		from.SetReadDeadline(time.Now().Add(time.Second)) // what has not come by then is lost
		if _, _, err := from.ReadFrom(b); err != nil {
			break
		}
	}
	return came
}

// socket returns a socket for UDP on a host.
func (h *host) socket(t *testing.T) net.PacketConn {
	t.Helper()
	type made struct {
		conn net.PacketConn
		err  error
	}
	done := make(chan made)
	go func() {
		runtime.LockOSThread() // for ever: the thread stays on the host, and ends
		ns, err := os.Open(h.namespace())
		if err == nil {
			defer ns.Close()
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
		}
		var conn net.PacketConn
		if err == nil {
			conn, err = net.ListenPacket("udp4", h.addr+":0")
		}
		done <- made{conn, err}
	}()
	m := <-done
	if m.err != nil {
		t.Fatal(m.err)
	}
	return m.conn
}
