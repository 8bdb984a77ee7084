package native

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hall is a listener to whom connections come from any address.
type hall struct {
	came   chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (h *hall) Accept() (net.Conn, error) {
	select {
	case c := <-h.came:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *hall) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

func (h *hall) Addr() net.Addr { return &net.TCPAddr{} }

// piped is one end of a pipe, from somewhere.
type piped struct {
	net.Conn
	from net.Addr
}

func (s piped) RemoteAddr() net.Addr { return s.from }

// TestHandshakesTakeTurns: strangers begin handshakes from many addresses. As many are worked at as there are
// processors; a node or an operator from where one came in before has the next turn but one, and who made
// room for another costs nothing more.
func TestHandshakesTakeTurns(t *testing.T) {
	const strangers = 60
	at := runtime.GOMAXPROCS(0)
	var mu sync.Mutex
	var begun []string
	held := make(chan struct{}) // takes one at a time that goes on, in the end all
	release := sync.OnceFunc(func() { close(held) })
	config := &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		mu.Lock()
		begun = append(begun, hostname(hello.Conn.RemoteAddr().String()))
		mu.Unlock()
		<-held
		return nil, fmt.Errorf("it goes no further here")
	}}
	h := &hall{came: make(chan net.Conn), closed: make(chan struct{})}
	d := newDoor(h, patience, defaultConnections, config, slog.New(slog.DiscardHandler), new(rarely))
	defer d.Close()
	defer release()
	d.enter(from("192.0.2.1")).known(true)

	var wg sync.WaitGroup
	shake := func(ip string) {
		theirs, own := net.Pipe()
		h.came <- piped{own, from(ip).from}
		wg.Go(func() {
			tls.Client(theirs, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(t.Context())
			theirs.Close()
		})
	}
	waiting := func(row int) int {
		d.queue.mu.Lock()
		defer d.queue.mu.Unlock()
		return len(d.queue.rows[row])
	}
	for i := range strangers {
		shake(fmt.Sprintf("198.51.100.%d", i))
	}
	eventually(t, "the others wait", func() bool { return waiting(0) == strangers-at })
	shake("192.0.2.1")
	eventually(t, "the friend waits", func() bool { return waiting(1) == 1 })
	for range at + 1 {
		d.makeRoom() // the oldest, of whom the first are worked at, or all but one
	}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(begun)
	}
	if n := count(); n != at {
		t.Errorf("%d are worked at, by %d processors", n, at)
	}
	for i := range 2 { // one turn after the other, or who has the later may say so first
		held <- struct{}{}
		eventually(t, "the next one begins", func() bool { return count() == at+i+1 })
	}
	release()
	wg.Wait()
	if n := slices.Index(begun, "192.0.2.1"); n < at || n > at+1 {
		t.Errorf("the friend is number %d of %d: %q", n, len(begun), begun)
	}
	if len(begun) > strangers || len(begun) < strangers-at {
		t.Errorf("%d handshakes were worked at of %d, of which %d had made room", len(begun), strangers+1, at+1)
	}
}

// TestLateHandshake: who has waited for a turn for longer than a handshake may take is not worked at.
func TestLateHandshake(t *testing.T) {
	var begun atomic.Int32
	config := &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		begun.Add(1)
		return nil, fmt.Errorf("it goes no further here")
	}}
	h := &hall{came: make(chan net.Conn), closed: make(chan struct{})}
	d := newDoor(h, 50*time.Millisecond, defaultConnections, config, slog.New(slog.DiscardHandler), new(rarely))
	defer d.Close()
	for range runtime.GOMAXPROCS(0) {
		d.queue.enter(false) // all turns are taken
	}
	theirs, own := net.Pipe()
	h.came <- piped{own, from("198.51.100.1").from}
	if err := tls.Client(theirs, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(t.Context()); err == nil {
		t.Fatal("there was a handshake")
	}
	for range runtime.GOMAXPROCS(0) {
		d.queue.leave()
	}
	eventually(t, "nobody has a turn", func() bool {
		d.queue.mu.Lock()
		defer d.queue.mu.Unlock()
		return d.queue.free == runtime.GOMAXPROCS(0) && d.drops()["handshake"] == 1
	})
	if n := begun.Load(); n > 0 {
		t.Errorf("%d handshakes were worked at", n)
	}
}
