package native

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// peer is the other end of a connection to a node, without a node behind it.
func peer(t *testing.T, n *Node) *websocket.Conn {
	t.Helper()
	return peerOf(t, n, nil)
}

func peerOf(t *testing.T, n *Node, header http.Header) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), "ws://"+n.Addr()+"/ring", &websocket.DialOptions{
		HTTPClient: n.client, HTTPHeader: header, Subprotocols: []string{subprotocol},
	})
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	t.Cleanup(func() { ws.CloseNow() })
	return ws
}

func write(t *testing.T, ws *websocket.Conn, typ websocket.MessageType, b []byte) {
	t.Helper()
	if err := ws.Write(soon(t), typ, b); err != nil {
		t.Fatal(err)
	}
}

// closeOf reads until the peer's close frame.
func closeOf(t *testing.T, ws *websocket.Conn) websocket.CloseError {
	t.Helper()
	for {
		if _, _, err := ws.Read(soon(t)); err != nil {
			var e websocket.CloseError
			if status := websocket.CloseStatus(err); status == -1 {
				t.Fatalf("no close frame: %v", err)
			} else {
				e.Code = status
			}
			_, e.Reason, _ = strings.Cut(err.Error(), "reason = ")
			return e
		}
	}
}

func TestFramesGoBothWays(t *testing.T) {
	f := newFake(func(in core.Input) []core.Effect {
		if in.Kind != core.Received {
			return nil
		}
		return []core.Effect{{Kind: core.Send, Conn: in.Conn, Frame: in.Frame}} // an echo; the frame is the reader's
	})
	n := startFake(t, f)
	ws := peer(t, n)
	opened := f.next(t, core.Opened)
	if opened.Conn%2 != 1 || opened.Role != core.Peer || opened.Addr == "" {
		t.Fatalf("%+v", opened)
	}
	for _, size := range []int{0, 1, 511, 512, 513, 5000, wire.MaxFrame, 7} {
		frame := bytes.Repeat([]byte{'x'}, size)
		write(t, ws, websocket.MessageBinary, frame)
		typ, got, err := ws.Read(soon(t))
		if err != nil || typ != websocket.MessageBinary || !bytes.Equal(got, frame) {
			t.Fatalf("%d bytes come back as %d, %v", size, len(got), err)
		}
		if in := f.next(t, core.Received); in.Conn != opened.Conn || !bytes.Equal(in.Frame, frame) {
			t.Fatalf("the engine got %d bytes of %d", len(in.Frame), size)
		}
	}
	eventually(t, "the count", func() bool { return n.Status().Connections == 1 })
	ws.Close(websocket.StatusCode(wire.CodeRotated), "")
	if closed := f.next(t, core.Closed); closed.Conn != opened.Conn || closed.Code != wire.CodeRotated {
		t.Fatalf("%+v", closed)
	}
	eventually(t, "the count", func() bool { return n.Status().Connections == 0 })
}

func TestBadMessages(t *testing.T) {
	for _, test := range []struct {
		name string
		typ  websocket.MessageType
		size int
		code wire.Code
	}{
		{"oversize", websocket.MessageBinary, wire.MaxFrame + 1, wire.CodeTooBig},
		{"oversize for a hello", websocket.MessageBinary, maxFirst + 1, wire.CodeTooBig},
		{"very oversize", websocket.MessageBinary, 8 * wire.MaxFrame, wire.CodeTooBig},
		{"text", websocket.MessageText, 10, wire.CodeBadFrame},
		{"long text", websocket.MessageText, wire.MaxFrame, wire.CodeBadFrame},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(nil)
			ws := peer(t, startFake(t, f))
			go ws.Write(t.Context(), test.typ, bytes.Repeat([]byte{'x'}, test.size))
			if e := closeOf(t, ws); wire.Code(e.Code) != test.code {
				t.Fatalf("closed with %v", e)
			}
			if in := f.next(t, core.Closed); in.Code != test.code {
				t.Fatalf("the engine hears %v", in.Code)
			}
		})
	}
}

func TestOversizeLater(t *testing.T) {
	f := newFake(nil)
	ws := peer(t, startFake(t, f))
	for _, size := range []int{maxFirst, wire.MaxFrame} {
		write(t, ws, websocket.MessageBinary, make([]byte, size))
		if in := f.next(t, core.Received); len(in.Frame) != size {
			t.Fatal(len(in.Frame))
		}
	}
	go ws.Write(soon(t), websocket.MessageBinary, make([]byte, wire.MaxFrame+1))
	if e := closeOf(t, ws); wire.Code(e.Code) != wire.CodeTooBig {
		t.Fatalf("%+v", e)
	}
}

// TestCloseIsAnswered: a close frame is answered by its code alone, whatever text it has: what is
// no UTF-8 would be wrong of the node, too.
func TestCloseIsAnswered(t *testing.T) {
	f := newFake(nil)
	n := startFake(t, f)
	for payload, answer := range map[string]string{"": "", "\x03\xe8": "\x03\xe8", "\x03\xe8bye": "\x03\xe8", "\x0f\xa1\xff\xfe": "\x0f\xa1"} {
		c := rawPeer(t, n)
		defer c.Close()
		c.Write(socketFrame(0x88, payload))
		c.SetReadDeadline(time.Now().Add(patience))
		want := append([]byte{0x88, byte(len(answer))}, answer...)
		if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q is answered by %q, %v", payload, got, err)
		}
	}
}

func TestLostConnection(t *testing.T) {
	f := newFake(nil)
	peer(t, startFake(t, f)).CloseNow()
	if in := f.next(t, core.Closed); in.Code != wire.CodeLost {
		t.Fatal(in.Code)
	}
}

func TestEngineCloses(t *testing.T) {
	long := strings.Repeat("ö", 100)
	f := newFake(func(in core.Input) []core.Effect {
		if in.Kind != core.Opened {
			return nil
		}
		return []core.Effect{
			{Kind: core.Send, Conn: in.Conn, Frame: []byte("first")},
			{Kind: core.Close, Conn: in.Conn, Code: wire.CodeRing, Text: long},
			{Kind: core.Send, Conn: in.Conn, Frame: []byte("too late")},
		}
	})
	ws := peer(t, startFake(t, f))
	if _, b, err := ws.Read(soon(t)); err != nil || string(b) != "first" {
		t.Fatal(string(b), err)
	}
	e := closeOf(t, ws)
	if wire.Code(e.Code) != wire.CodeRing || !strings.Contains(e.Reason, long[:122]) || strings.Contains(e.Reason, long[:124]) {
		t.Fatalf("%+v", e)
	}
}

// deadlined is a connection of which a test can let the write deadline pass.
type deadlined struct {
	net.Conn
	mu sync.Mutex
	is time.Time
}

func (d *deadlined) SetWriteDeadline(at time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.is = at
	return d.Conn.SetWriteDeadline(at)
}

func (d *deadlined) pass() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.is.IsZero() {
		d.Conn.SetWriteDeadline(time.Unix(1, 0))
	}
}

// TestCloseLongAfterTheLastFrame: the time that a frame has to be read in is over
// with it, so that whoever is silent for long still gets a close frame.
func TestCloseLongAfterTheLastFrame(t *testing.T) {
	var n Node
	conns := make(chan *conn, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l, err := upgrade(w, r)
		if err != nil {
			t.Error(err)
			return
		}
		l.raw = &deadlined{Conn: l.raw}
		c := n.newConn(1, l)
		conns <- c
		c.read()
	}))
	defer server.Close()
	ws, _, err := websocket.Dial(t.Context(), server.URL, &websocket.DialOptions{Subprotocols: []string{subprotocol}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	c := receive(t, "the connection", conns)
	c.send([]byte("the last frame"))
	if _, _, err := ws.Read(soon(t)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the writer's end", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return !c.writing
	})
	c.raw.(*deadlined).pass()
	c.close(wire.CodeTimeout, "silent for too long")
	if e := closeOf(t, ws); wire.Code(e.Code) != wire.CodeTimeout {
		t.Fatalf("%+v", e)
	}
	n.wg.Wait()
}

// TestSlowPeer has an engine that talks to peers without end: the one that does
// not read is dropped, the other one misses nothing.
func TestSlowPeer(t *testing.T) {
	var conns []core.ConnID
	frame := make([]byte, wire.MaxFrame/4)
	f := newFake(func(in core.Input) []core.Effect {
		switch in.Kind {
		case core.Opened:
			conns = append(conns, in.Conn)
		case core.Received:
			var effects []core.Effect
			for _, c := range conns {
				effects = append(effects, core.Effect{Kind: core.Send, Conn: c, Frame: frame})
			}
			return effects
		}
		return nil
	})
	n := startFake(t, f)
	slow := peer(t, n)
	slowID := f.next(t, core.Opened).Conn
	quick := peer(t, n)
	f.next(t, core.Opened)
	for {
		write(t, quick, websocket.MessageBinary, []byte("more"))
		if _, b, err := quick.Read(soon(t)); err != nil || len(b) != len(frame) {
			t.Fatal(len(b), err)
		}
		select {
		case in := <-f.inputs:
			if in.Kind != core.Closed {
				continue
			}
			if in.Conn != slowID || in.Code != wire.CodeSlow {
				t.Fatalf("%+v", in)
			}
			eventually(t, "the slow peer's end", func() bool {
				_, _, err := slow.Read(soon(t))
				return err != nil
			})
			return
		default:
		}
	}
}

func TestHandshakeRefused(t *testing.T) {
	n := startFake(t, newFake(nil))
	dial := func(header http.Header, protocols ...string) (int, string) {
		ws, resp, err := websocket.Dial(t.Context(), "ws://"+n.Addr()+"/ring", &websocket.DialOptions{
			HTTPClient: n.client, HTTPHeader: header, Subprotocols: protocols,
		})
		if err == nil {
			ws.CloseNow()
			return http.StatusSwitchingProtocols, ""
		}
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b)
	}
	v1 := []string{subprotocol}
	origin := func(s string) http.Header { return http.Header{"Origin": {s}} }
	for _, test := range []struct {
		name   string
		header http.Header
		protos []string
		status int
		says   string
	}{
		{"no subprotocol", nil, nil, 400, `"code":"subprotocol"`},
		{"another subprotocol", nil, []string{"nanoring.v2"}, 400, `"code":"subprotocol"`},
		{"one of two", nil, []string{"nanoring.v2", subprotocol}, 101, ""},
		{"same origin", origin("http://" + n.Addr()), v1, 101, ""},
		{"loopback origin", origin("http://localhost:3000"), v1, 101, ""},
		{"foreign origin", origin("https://evil.example"), v1, 403, `"code":"cross-origin"`},
		{"no origin to speak of", origin("null"), v1, 403, `"code":"cross-origin"`},
	} {
		if status, says := dial(test.header, test.protos...); status != test.status || !strings.Contains(says, test.says) {
			t.Errorf("%s: %d %s", test.name, status, says)
		}
	}
	resp, err := http.Get("http://" + n.Addr() + "/ring")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("no WebSocket at all: %s", resp.Status)
	}
}

func TestGuests(t *testing.T) {
	f := newFake(nil)
	n := startFake(t, f)
	peerOf(t, n, http.Header{"Origin": {"http://127.0.0.1:8080"}})
	if in := f.next(t, core.Opened); in.Role != core.Guest {
		t.Fatalf("%+v", in)
	}
}

// TestSilentConnections opens more WebSockets than may be silent: the oldest go,
// and who speaks is heard.
func TestSilentConnections(t *testing.T) {
	f := newFake(nil)
	n := startFake(t, f)
	speaker := peer(t, n)
	f.next(t, core.Opened)
	write(t, speaker, websocket.MessageBinary, []byte("hello"))
	f.next(t, core.Received)
	first := peer(t, n)
	f.next(t, core.Opened) // the oldest, then
	more := n.inbound.most / silentShare
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range more / 16 {
				ws, _, err := websocket.Dial(t.Context(), "ws://"+n.Addr()+"/ring", &websocket.DialOptions{HTTPClient: n.client, Subprotocols: []string{subprotocol}})
				if err != nil {
					t.Error(err)
					return
				}
				t.Cleanup(func() { ws.CloseNow() })
			}
		})
	}
	if e := closeOf(t, first); wire.Code(e.Code) != wire.CodeTimeout {
		t.Fatalf("%+v", e)
	}
	wg.Wait()
	write(t, speaker, websocket.MessageBinary, []byte("still there"))
	if in := f.next(t, core.Received); string(in.Frame) != "still there" {
		t.Fatalf("%+v", in)
	}
	for range 100 { // and plain TCP connections that say nothing
		c, err := net.Dial("tcp", n.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if ws := peer(t, n); ws.Subprotocol() != subprotocol {
		t.Fatal("nobody gets in")
	}
	n.Close() // they do not hold up the end
}

func TestTooManyConnections(t *testing.T) {
	f := newFake(nil)
	n := startFake(t, f)
	n.inbound.mu.Lock()
	n.inbound.total = n.inbound.most
	n.inbound.mu.Unlock()
	_, resp, err := websocket.Dial(t.Context(), "ws://"+n.Addr()+"/ring", &websocket.DialOptions{HTTPClient: n.client, Subprotocols: []string{subprotocol}})
	if err == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Fatal(err)
	}
	if _, code := n.open(t.Context(), 2, n.Addr()); code != wire.CodeBusy {
		t.Fatal(code)
	}
}

// dialing is an engine that dials an address at the start.
func dialing(addr string) *fake {
	return newFake(func(in core.Input) []core.Effect {
		switch in.Kind {
		case core.Start:
			return []core.Effect{{Kind: core.Dial, Conn: 2, Addr: addr}}
		case core.Opened:
			return []core.Effect{{Kind: core.Send, Conn: in.Conn, Frame: []byte("hello")}}
		}
		return nil
	})
}

func TestDial(t *testing.T) {
	other := newFake(nil)
	n := startFake(t, other)
	f := dialing(n.Addr())
	m := startFake(t, f)
	if in := f.next(t, core.Opened); in.Conn != 2 {
		t.Fatalf("%+v", in)
	}
	if in := other.next(t, core.Received); string(in.Frame) != "hello" {
		t.Fatalf("%+v", in)
	}
	m.Close()
	if in := other.next(t, core.Closed); in.Code != wire.CodeBye {
		t.Fatalf("%+v", in)
	}
}

// TestCutMessage: of who ends within a frame nothing is taken, whoever has dialled, and wherever in
// it that is.
func TestCutMessage(t *testing.T) {
	for name, cut := range map[string]func(t *testing.T, f *fake, begin func(size int) []byte){
		"who is dialled": func(t *testing.T, f *fake, begin func(int) []byte) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				l, err := upgrade(w, r)
				if err != nil {
					t.Error(err)
				}
				b := begin(512)
				b[1] &^= 0x80 // the server's are not masked
				l.raw.Write(append(b[:4], b[8:]...))
				l.raw.Close()
			})}
			go s.Serve(l)
			t.Cleanup(func() { s.Close() })
			f.script = dialing(l.Addr().String()).script
			startFake(t, f)
		},
		"who dials": func(t *testing.T, f *fake, begin func(int) []byte) {
			c := rawPeer(t, startFake(t, f))
			c.Write(begin(512)) // as many as a buffer has: the next read is the end
			c.Close()
		},
		"who dials, and ends at once": func(t *testing.T, f *fake, begin func(int) []byte) {
			c := rawPeer(t, startFake(t, f))
			c.Write(begin(0))
			c.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(nil)
			cut(t, f, func(sent int) []byte {
				return append([]byte{0x82, 0x80 | 126, 4, 0, 0, 0, 0, 0}, make([]byte, sent)...)
			})
			for {
				switch in := receive(t, "the end of the connection", f.inputs); in.Kind {
				case core.Received:
					t.Fatalf("%d bytes of 1024 are taken for a frame", len(in.Frame))
				case core.Closed:
					if in.Code != wire.CodeLost {
						t.Errorf("it ended with %s", in.Code)
					}
					return
				}
			}
		})
	}
}

func TestDialFails(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	for addr, code := range map[string]wire.Code{
		free.Addr().String():   wire.CodeRefused,
		silent.Addr().String(): wire.CodeUnreachable,
		"no such host:1":       wire.CodeUnreachable,
	} {
		f := dialing(addr)
		startFake(t, f)
		if in := f.next(t, core.Closed); in.Conn != 2 || in.Code != code {
			t.Errorf("%s: %+v", addr, in)
		}
	}
}

// TestDialNoLongerWanted closes a connection while it is being dialled.
func TestDialNoLongerWanted(t *testing.T) {
	other := newFake(nil)
	n := startFake(t, other)
	f := newFake(func(in core.Input) []core.Effect {
		if in.Kind != core.Start {
			return nil
		}
		return []core.Effect{
			{Kind: core.Dial, Conn: 2, Addr: n.Addr()},
			{Kind: core.Close, Conn: 2, Code: wire.CodeRotated},
			{Kind: core.Dial, Conn: 4, Addr: n.Addr()},
		}
	})
	startFake(t, f)
	if in := f.next(t, core.Opened); in.Conn != 4 {
		t.Fatalf("%+v", in)
	}
}

func TestDroppedInputs(t *testing.T) {
	var late core.ConnID
	f := newFake(func(in core.Input) []core.Effect {
		if in.Kind == core.Received {
			late = in.Conn
			return []core.Effect{{Kind: core.Close, Conn: in.Conn, Code: wire.CodeOrder}, {Kind: core.Emit, Event: &core.Event{Kind: core.EventStale}}}
		}
		return nil
	})
	n := startFake(t, f)
	ws := peer(t, n)
	for i := range 20 { // all but the first are of a connection that is closed
		if ws.Write(t.Context(), websocket.MessageBinary, fmt.Append(nil, i)) != nil {
			break
		}
	}
	closeOf(t, ws)
	eventually(t, "the event", func() bool { return n.Status().Stale })
	n.Close()
	for len(f.inputs) > 0 {
		if in := <-f.inputs; in.Conn == late && in.Kind == core.Closed || in.Kind == core.Received && string(in.Frame) != "0" {
			t.Fatalf("after its end: %+v", in)
		}
	}
}

func TestTruncate(t *testing.T) {
	for _, test := range []struct {
		s    string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"aöö", 3, "aö"}, {"aöö", 4, "aö"}, {"ö", 1, ""}, {"", 0, ""}} {
		if got := truncate(test.s, test.n); got != test.want {
			t.Errorf("truncate(%q, %d) = %q", test.s, test.n, got)
		}
	}
}

// TestSilentConnectionIsFreed: what the engine gives up is freed although its peer
// takes no bytes any more, and the write under way waits.
func TestSilentConnectionIsFreed(t *testing.T) {
	silent := core.ConnID(0)
	f := newFake(func(in core.Input) (effects []core.Effect) {
		switch {
		case in.Kind == core.Opened && silent == 0:
			silent = in.Conn
			for range queueBytes / wire.MaxFrame {
				effects = append(effects, core.Effect{Kind: core.Send, Conn: in.Conn, Frame: make([]byte, wire.MaxFrame)})
			}
		case in.Kind == core.Received && string(in.Frame) == "fill":
			effects = append(effects, core.Effect{Kind: core.Send, Conn: silent, Frame: make([]byte, wire.MaxFrame/4)})
		case in.Kind == core.Received:
			effects = append(effects, core.Effect{Kind: core.Close, Conn: silent, Code: wire.CodeTimeout})
		}
		return effects
	})
	n := startFake(t, f)
	peer(t, n) // it reads nothing
	f.next(t, core.Opened)
	other := peer(t, n)
	f.next(t, core.Opened)
	conns := func() (count, queued int) {
		n.mu.Lock()
		defer n.mu.Unlock()
		for c := range n.conns {
			c.mu.Lock()
			queued += c.queued
			c.mu.Unlock()
		}
		return len(n.conns), queued
	}
	eventually(t, "a write that waits", func() bool {
		_, queued := conns()
		if queued < queueBytes/2 {
			write(t, other, websocket.MessageBinary, []byte("fill"))
			f.next(t, core.Received)
		}
		return queued >= queueBytes/2
	})
	write(t, other, websocket.MessageBinary, []byte("close"))
	eventually(t, "the silent one's end", func() bool { count, _ := conns(); return count == 1 })
}

func TestCloseDoesNotWaitForPeers(t *testing.T) {
	f := newFake(func(in core.Input) []core.Effect {
		if in.Kind == core.Opened {
			return []core.Effect{{Kind: core.Send, Conn: in.Conn, Frame: make([]byte, wire.MaxFrame)}}
		}
		return nil
	})
	n := startFake(t, f)
	for range 10 {
		peer(t, n) // none reads, none answers a close frame
		f.next(t, core.Opened)
	}
	go n.Close()
	receive(t, "the end", n.Done())
}
