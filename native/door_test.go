package native

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
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

// TestStrangersOfOneAddress: one address cannot have all the room there is for
// strangers. Its own oldest goes, and nobody else's; who is known stays.
func TestStrangersOfOneAddress(t *testing.T) {
	d := closedDoor(t)
	honest := from("192.0.2.1")
	d.enter(honest)
	friend := from("192.0.2.66")
	d.enter(friend).known()
	var flood []*somebody
	for range 3 * maxFromOne {
		c := from("192.0.2.66")
		flood = append(flood, c)
		d.enter(c)
	}
	for i, c := range flood {
		if gone := c.closed.Load() > 0; gone != (i < 2*maxFromOne) {
			t.Fatalf("connection %d of %d: closed is %t", i, len(flood), gone)
		}
	}
	if honest.closed.Load() > 0 || friend.closed.Load() > 0 {
		t.Error("it was another that was closed")
	}
	six := from("2001:db8:0:1::1") // one host, with as many addresses as it likes
	d.enter(six)
	for i := range maxFromOne {
		d.enter(from(fmt.Sprintf("2001:db8:0:1::1:%x", i)))
	}
	if six.closed.Load() == 0 {
		t.Error("a host with many addresses counts as many")
	}
}

// TestStrangersInTotal: of all strangers the oldest goes, whoever is known stays,
// and when there is room for nobody, nobody is let in.
func TestStrangersInTotal(t *testing.T) {
	d := closedDoor(t)
	friend := from("127.0.0.1")
	d.enter(friend).known()
	var flood []*visitor
	for range maxStrangers + 100 {
		flood = append(flood, d.enter(from("127.0.0.1"))) // loopback: perhaps a proxy
	}
	for i, v := range flood {
		if gone := v.Conn.(*somebody).closed.Load() > 0; gone != (i < 100) {
			t.Fatalf("connection %d: closed is %t", i, gone)
		}
		v.Close()
		v.Close()
	}
	if friend.closed.Load() > 0 || d.total != 1 || d.strangers.Len() != 0 || len(d.from) != 0 {
		t.Errorf("%d connections, %d strangers, %d addresses", d.total, d.strangers.Len(), len(d.from))
	}
	for range d.most - 1 {
		d.enter(from("192.0.2.1")).known()
	}
	last := from("192.0.2.1")
	if d.enter(last) != nil || last.closed.Load() == 0 {
		t.Error("there is no end to it")
	}
}
