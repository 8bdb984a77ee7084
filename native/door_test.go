package native

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// somebody is a connection from any address, that tells when it is closed.
type somebody struct {
	net.Conn
	from   net.Addr
	closed atomic.Int32
}

func (s *somebody) RemoteAddr() net.Addr { return s.from }

func (s *somebody) Close() error {
	s.closed.Add(1)
	return nil
}

func from(ip string) *somebody {
	return &somebody{from: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), 1))}
}

// closedDoor is a door through which only a test lets anybody in.
func closedDoor(t *testing.T) *door {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := newDoor(l, Times{}.dialWithin(), defaultConnections, nil, slog.New(slog.DiscardHandler), new(rarely))
	d.Close()
	return d
}

// TestNetworkOfStrangers: a host that has as many addresses of IPv6 as it likes is one stranger all the same.
func TestNetworkOfStrangers(t *testing.T) {
	d := closedDoor(t)
	six, other := from("2001:db8:0:1::1"), from("2001:db8:0:2::1")
	d.enter(six)
	d.enter(other)
	for i := range maxFromOne {
		d.enter(from(fmt.Sprintf("2001:db8:0:1::1:%x", i)))
	}
	if six.closed.Load() == 0 || other.closed.Load() > 0 {
		t.Error("a host with many addresses counts as many")
	}
}

// TestStrangersInTotal: somebody opens more connections than strangers may have, and says nothing on them. Of all
// strangers the oldest go; whoever is known stays, and others are let in.
func TestStrangersInTotal(t *testing.T) {
	cfg := config(t, "dev1")
	cfg.Engine, cfg.Times.Patience = newFake(nil).engine, 2*time.Minute // it is long before it has waited enough
	n := start(t, cfg)
	dial := func() net.Conn { // from loopback: perhaps a proxy's, for many
		t.Helper()
		c, err := net.Dial("tcp", n.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(patience))
		return c
	}
	asks := func(c net.Conn) {
		t.Helper()
		io.WriteString(c, "GET /v1/status HTTP/1.1\r\nHost: "+n.Addr()+"\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp.Status, err)
		}
	}
	known := dial()
	asks(known)
	const more = 100
	var flood []net.Conn
	for range maxStrangers + more {
		flood = append(flood, dial())
	}
	for i, c := range flood[:more] {
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("connection %d is not closed: %v", i, err)
		}
	}
	asks(known)
	asks(flood[len(flood)-1]) // it is no stranger any more
	asks(dial())
	if made := n.door.drops()["made-room"]; made != more {
		t.Errorf("%d made room", made)
	}
	for _, c := range flood {
		c.Close()
	}
	eventually(t, "nobody is counted who has gone", func() bool {
		n.door.mu.Lock()
		defer n.door.mu.Unlock()
		return n.door.strangers.Len() == 0 && n.door.total <= 2
	})
}

// TestDoorIsFull: when there is room for nobody, nobody is let in; who goes is not counted twice.
func TestDoorIsFull(t *testing.T) {
	d := closedDoor(t)
	first := d.enter(from("192.0.2.1"))
	first.Close()
	first.Close()
	for range d.most {
		d.enter(from("192.0.2.1")).known(false)
	}
	last := from("192.0.2.1")
	if d.enter(last) != nil || last.closed.Load() == 0 || d.total != d.most {
		t.Error("there is no end to it")
	}
}
