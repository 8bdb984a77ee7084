package main

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// swallower is a way to a node, by TCP, which loses all that is under way once it is told to, and tells neither side: so
// it is when a laptop changes its network. New connections pass.
type swallower struct {
	addr string

	mu    sync.Mutex
	conns []chan struct{} // closed when they are lost
}

func newSwallower(t *testing.T, to string) *swallower {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &swallower{addr: l.Addr().String()}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			lost := make(chan struct{})
			s.mu.Lock()
			s.conns = append(s.conns, lost)
			s.mu.Unlock()
			all.Go(func() { serve(t, client, to, lost) })
		}
	})
	t.Cleanup(all.Wait)
	t.Cleanup(func() { l.Close() })
	return s
}

func serve(t *testing.T, client net.Conn, to string, lost chan struct{}) {
	defer client.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	copied := make(chan struct{}, 2)
	pass := func(dst io.Writer, src io.Reader) {
		defer func() { copied <- struct{}{} }()
		for b := make([]byte, 32<<10); ; {
			n, err := src.Read(b)
			select {
			case <-lost: // what was sent is lost, and so is the end
				return
			default:
			}
			if _, werr := dst.Write(b[:n]); err != nil || werr != nil {
				return
			}
		}
	}
	go pass(server, client)
	go pass(client, server)
	select {
	case <-copied:
		select {
		case <-lost:
		default:
			return
		}
	case <-lost:
	}
	<-t.Context().Done() // neither side learns of it
}

// lose loses the connections that there are.
func (s *swallower) lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, lost := range s.conns {
		close(lost)
	}
	s.conns = nil
}

// testHalfOpen: a tab whose network changes hears nothing more on its connection, and is told of no end. It is in by
// another before anybody holds it for down, and is suspected once at most.
func testHalfOpen(t *testing.T, b *browser) {
	dev1, dev2 := startPair(t, unwatchedNodes(t))
	way1, way2 := newSwallower(t, dev1.addr), newSwallower(t, dev2.addr)
	first, both := []string{"ws://" + way1.addr + "/ring"}, []string{"ws://" + way1.addr + "/ring", "ws://" + way2.addr + "/ring"}
	var tabs []*tab
	var watched [][2]func() []string
	for _, given := range [][]string{both, first, both, first} { // by another gateway, or by the one that holds the old connection still
		tab := b.open(t, b.page(dev1, joinOptions{"gateways": given}))
		tab.becomes("joined")
		name := tab.name()
		for _, p := range []*process{dev1, dev2} {
			p.becomes(t, name, "up")
		}
		tabs = append(tabs, tab)
		watched = append(watched, [2]func() []string{seen(t, dev1, name), seen(t, dev2, name)})
	}
	for range 2 {
		for _, tab := range tabs {
			tab.until("nanoring.state === 'joined' && nanoring.gateway")
			eval[any](tab, "(window.log.length = 0, 0)")
		}
		way1.lose()
		way2.lose()
		for _, tab := range tabs {
			tab.until("log.some((line) => line.startsWith('lost')) && log.at(-1).startsWith('joined')")
		}
	}
	for i, tab := range tabs {
		for _, p := range []*process{dev1, dev2} {
			p.becomes(t, tab.name(), "up")
		}
		for _, states := range watched[i] {
			got := strings.Join(states(), " ")
			if strings.Contains(got, "down") || strings.Contains(got, "left") || strings.Count(got, "suspect") > 2 {
				t.Errorf("a tab whose network changed twice was seen %s", got)
			}
		}
	}
}
