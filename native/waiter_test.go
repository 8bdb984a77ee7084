package native

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// cutting is a connection that writes a part of what is next, and the rest when that is let.
type cutting struct {
	net.Conn
	next atomic.Pointer[func()] // waits
}

func (c *cutting) Write(b []byte) (int, error) {
	wait := c.next.Swap(nil)
	if wait == nil {
		return c.Conn.Write(b)
	}
	n, err := c.Conn.Write(b[:len(b)/2])
	if err != nil {
		return n, err
	}
	(*wait)()
	m, err := c.Conn.Write(b[n:])
	return n + m, err
}

// idlers are peers of a node whose engine answers each frame with itself, and closes the
// connection of one that says so.
type idlers struct {
	*fake
	n     *Node
	peers []*websocket.Conn
	lines []*cutting
	ids   []core.ConnID
}

func newIdlers(t *testing.T, count int, secret bool) *idlers {
	i := &idlers{fake: newFake(func(in core.Input) []core.Effect {
		switch {
		case in.Kind != core.Received:
			return nil
		case string(in.Frame) == "close":
			return []core.Effect{{Kind: core.Close, Conn: in.Conn, Code: wire.CodeTimeout}}
		}
		return []core.Effect{{Kind: core.Send, Conn: in.Conn, Frame: in.Frame}}
	})}
	cfg, scheme := config(t, "dev1"), "ws"
	cfg.Engine = i.engine
	var client *tls.Config
	if secret {
		cfg.SecretFile = secretFile(t, trust.NewSecret())
		k, err := trust.NewKeeper(trust.Config{Name: "dev2", SecretFile: cfg.SecretFile})
		must(t, err)
		client, scheme = k.Now().Client(), "wss"
	}
	i.n = start(t, cfg)
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		cut := &cutting{Conn: c}
		i.lines = append(i.lines, cut)
		if !secret {
			return cut, nil
		}
		secure := tls.Client(cut, client)
		return secure, secure.HandshakeContext(ctx)
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: dial, DialTLSContext: dial}
	for range count {
		ws, _, err := websocket.Dial(t.Context(), scheme+"://"+i.n.Addr()+"/ring", &websocket.DialOptions{
			HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{subprotocol},
		})
		must(t, err)
		t.Cleanup(func() { ws.CloseNow() })
		i.peers, i.ids = append(i.peers, ws), append(i.ids, i.next(t, core.Opened).Conn)
	}
	return i
}

// says has a peer say something, and hear it back.
func (i *idlers) says(t *testing.T, peer int, what string) {
	t.Helper()
	write(t, i.peers[peer], websocket.MessageBinary, []byte(what))
	if in := i.next(t, core.Received); in.Conn != i.ids[peer] || string(in.Frame) != what {
		t.Fatalf("of %s the engine gets %+v", what, in)
	}
	if _, b, err := i.peers[peer].Read(soon(t)); err != nil || string(b) != what {
		t.Fatalf("of %s comes back %q, %v", what, b, err)
	}
}

// weightless waits until no connection has a buffer or a goroutine, nor the node one that looks at files.
func (i *idlers) weightless(t *testing.T, open int) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	eventually(t, "idle connections without weight", func() bool {
		i.n.mu.Lock()
		defer i.n.mu.Unlock()
		for c := range i.n.conns {
			c.mu.Lock()
			idle := c.parked && c.arriving.raw == nil && c.arriving.message == nil && c.queue == nil && !c.writing
			c.mu.Unlock()
			if !idle {
				return false
			}
		}
		all := stacks[:runtime.Stack(stacks, true)]
		for _, busy := range []string{"(*Node).serve", "(*conn).write", "(*Node).keepTrust"} {
			if bytes.Contains(all, []byte(busy)) {
				return false
			}
		}
		return len(i.n.conns) == open
	})
}

// TestIdleConnections: where nothing comes a connection has neither a goroutine nor a buffer.
// It hears what comes then, whole or in parts, and of each end that it has.
func TestIdleConnections(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere each connection has a reader that waits")
	}
	for _, secret := range []bool{false, true} {
		t.Run(fmt.Sprintf("secret=%t", secret), func(t *testing.T) {
			i := newIdlers(t, 5, secret)
			i.weightless(t, 5)
			for round := range 3 {
				for p := range i.peers {
					i.says(t, p, fmt.Sprint("frame ", round, p))
				}
				i.weightless(t, 5)
			}
			i.says(t, 0, string(bytes.Repeat([]byte{'x'}, 5*bufferSize)))
			i.weightless(t, 5)

			reached := i.n.Status().Connections
			half := func() { // by TLS half a record is nothing yet, and it waits without a reader
				if secret {
					i.weightless(t, reached)
				}
			}
			i.lines[1].next.Store(&half)
			i.says(t, 1, "in two parts")
			for n := range 200 { // that come at once
				write(t, i.peers[1], websocket.MessageBinary, fmt.Append(nil, n))
			}
			for n := range 200 {
				if in := i.next(t, core.Received); string(in.Frame) != fmt.Sprint(n) {
					t.Fatalf("%q came for %d", in.Frame, n)
				}
			}

			i.weightless(t, 5)
			i.peers[1].CloseNow()
			if in := i.next(t, core.Closed); in.Conn != i.ids[1] || in.Code != wire.CodeLost {
				t.Fatalf("%+v", in)
			}
			go i.peers[2].Close(websocket.StatusCode(wire.CodeRotated), "")
			if in := i.next(t, core.Closed); in.Conn != i.ids[2] || in.Code != wire.CodeRotated {
				t.Fatalf("%+v", in)
			}
			i.weightless(t, 3)
			for p, answers := range map[int]bool{3: true, 4: false} { // one that does not is cut off
				write(t, i.peers[p], websocket.MessageBinary, []byte("close"))
				if answers {
					if e := closeOf(t, i.peers[p]); wire.Code(e.Code) != wire.CodeTimeout {
						t.Errorf("%+v", e)
					}
				}
			}
			i.weightless(t, 1)
			i.n.Close() // with one that is idle
		})
	}
}

// TestSizeOfConn: what each connection has for its life fits into the class of 640 bytes, of which the
// runtime takes 8.
func TestSizeOfConn(t *testing.T) {
	if size := unsafe.Sizeof(conn{}); size > 632 {
		t.Errorf("a conn has %d bytes", size)
	}
}

// TestCloseWhileParked: however often a node cuts off a connection just as it comes to rest, there is
// none left.
func TestCloseWhileParked(t *testing.T) {
	f := newFake(nil)
	n := startFake(t, f)
	for range 50 {
		ws := peer(t, n)
		f.next(t, core.Opened)
		n.mu.Lock()
		for c := range n.conns {
			go c.abort(wire.CodeSlow)
		}
		n.mu.Unlock()
		ws.Read(soon(t))
	}
	eventually(t, "the end of all", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return len(n.conns) == 0
	})
}

// alarmed is a connection that counts how often its reader sets a deadline for soon.
type alarmed struct {
	net.Conn
	soon *atomic.Int64
}

func (a alarmed) SetReadDeadline(at time.Time) error {
	if left := time.Until(at); left > 0 && left < partWait/2 {
		a.soon.Add(1)
	}
	return a.Conn.SetReadDeadline(at)
}

func (a alarmed) SyscallConn() (syscall.RawConn, error) { return a.Conn.(syscall.Conn).SyscallConn() }

type alarming struct {
	net.Listener
	soon *atomic.Int64
}

func (l alarming) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return alarmed{c, l.soon}, err
}

// TestFrameSetsNoAlarm: a frame that comes where nothing came for a while has the process wake up once, and
// not again when a deadline passes that nobody waits for any more.
func TestFrameSetsNoAlarm(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere a reader waits without a deadline")
	}
	f := newFake(nil)
	n := startFake(t, f)
	var soonSet atomic.Int64
	server := httptest.NewUnstartedServer(n.Handler())
	server.Listener = alarming{server.Listener, &soonSet}
	server.Start()
	defer server.Close()
	ws, _, err := websocket.Dial(t.Context(), server.URL+"/ring", &websocket.DialOptions{Subprotocols: []string{subprotocol}})
	must(t, err)
	defer ws.CloseNow()
	f.next(t, core.Opened)
	for k := range 10 {
		eventually(t, "a connection on which nothing comes", func() (idle bool) {
			n.mu.Lock()
			defer n.mu.Unlock()
			for c := range n.conns {
				c.mu.Lock()
				idle = c.parked && time.Since(c.arriving.parked) > idleAfter
				c.mu.Unlock()
			}
			return idle
		})
		if k == 0 {
			soonSet.Store(0) // what came to open it
		}
		write(t, ws, websocket.MessageBinary, []byte("frame"))
		f.next(t, core.Received)
	}
	if set := soonSet.Load(); set != 0 {
		t.Errorf("%d deadlines for soon were set for 10 frames", set)
	}
}
