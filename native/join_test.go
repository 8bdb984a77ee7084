package native

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// why waits until the node says something of an address, or a source.
func why(t *testing.T, n *Node, of, want string) {
	t.Helper()
	eventually(t, of+": "+want, func() bool {
		for _, tried := range n.Status().Join.Tried {
			if (tried.Address == of || tried.Address == "" && tried.Source == of) && strings.Contains(tried.Why, want) {
				return true
			}
		}
		return false
	})
}

// TestNotJoined: a node that is to join says of each address why it has not, and is not ready;
// and it joins as soon as one of its sources has the address of a node of its ring.
func TestNotJoined(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	web := &http.Server{Handler: http.NotFoundHandler()}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go web.Serve(l)
	defer web.Close()
	other := config(t, "other")
	other.Ring = "another"
	foreign := start(t, other)
	behind := config(t, "behind")
	behind.Clock = func() time.Time { return time.Now().Add(-time.Hour) }
	late := start(t, behind)

	cfg := config(t, "dev1")
	list := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(list, []byte("127.0.0.1:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := &logged{}
	cfg.Log = log.logger()
	cfg.Join = []string{"file:" + list, "file:" + list + ".none", silent.Addr().String(), l.Addr().String(), foreign.Addr(), late.Addr(), "exec:echo no address"}
	n := start(t, cfg)
	if s := n.Status().Join; s.State != "joining" || len(s.Sources) != len(cfg.Join) {
		t.Errorf("%+v", s)
	}
	why(t, n, "127.0.0.1:1", "connection refused")
	why(t, n, "file:"+list+".none", "no such file")
	why(t, n, silent.Addr().String(), "no answer within")
	why(t, n, l.Addr().String(), "HTTP status 404")
	why(t, n, foreign.Addr(), "other to another")
	why(t, n, late.Addr(), "clock")
	why(t, n, "exec:echo no address", "without a port")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Joined(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "connection refused") {
		t.Error(err)
	}
	isReady(t, n, 503, `"code":"joining"`)
	eventually(t, "it is in the log", func() bool {
		return log.count("this node has not joined") > 0 && log.count(foreign.Addr()+": ") > 0
	})

	// Itself, and at last one of the ring.
	dev2 := start(t, config(t, "dev2"))
	if err := dev2.Joined(soon(t)); err != nil || dev2.Status().Join.State != "alone" {
		t.Error("it has nothing to join", err)
	}
	if err := n.SetJoin([]string{n.Addr(), "127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	why(t, n, n.Addr(), "this node itself")
	if err := n.SetJoin([]string{"0.0.0.0:7"}); err == nil || !strings.Contains(err.Error(), "nobody") && !strings.Contains(err.Error(), "anybody") {
		t.Error(err)
	}
	if err := n.SetJoin([]string{"file:" + list}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(list, []byte(dev2.Addr()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := n.Joined(soon(t)); err != nil {
		t.Fatal(err)
	}
	if _, ok := n.Get("dev2"); !ok || n.Status().Join.State != "joined" || len(n.Status().Join.Tried) > 0 {
		t.Errorf("%+v", n.Status().Join)
	}
	isReady(t, n, 200, "ok")
	if err := dev2.Joined(soon(t)); err != nil { // whom another joins has joined, too
		t.Error(err)
	}
	eventually(t, "dev2 has joined", func() bool { return dev2.Status().Join.State == "joined" })
}

// TestReadyAlone: a node that found nobody for long is ready if it is to be, unless somebody has let it in
// whose ring does not come through.
func TestReadyAlone(t *testing.T) {
	for partly, want := range map[bool]bool{false: true, true: false} {
		cfg := config(t, "dev1")
		cfg.Join, cfg.ReadyAlone = []string{"127.0.0.1:1"}, 50*time.Millisecond
		n := start(t, cfg)
		if partly {
			n.noteJoin(&core.Event{Kind: core.EventLetIn, Name: "dev2"})
		} else if err := n.Joined(soon(t)); err != nil {
			t.Error(err)
		}
		eventually(t, "it was alone for long", func() bool { return time.Since(n.joins.since()) > cfg.ReadyAlone })
		n.joins.mu.Lock()
		n.joins.letInAt = n.joins.letInAt.Add(-time.Hour)
		n.joins.mu.Unlock()
		if n.joinReady() != want {
			t.Errorf("it is ready: %v", !want)
		}
		if _, why, _ := n.joinFacts(); strings.Contains(why, "dev2") != partly {
			t.Errorf("%q has let it in", why)
		}
	}
}

// TestLetInByOneThatDies: it is joining again, says of each address why, and joins when another of them answers.
func TestLetInByOneThatDies(t *testing.T) {
	late, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := late.Addr().String()
	late.Close()
	n := real(t, "dev1", join(addr))
	dying := func(name string) *websocket.Conn {
		t.Helper()
		ws := peer(t, n.Node)
		hello := wire.Hello{
			Name: name, Ring: testRing, Address: "127.0.0.1:1", Instance: wire.Instance{Start: time.Now().UnixMicro(), Nonce: 7}, Members: 3, Min: 1, Max: 1, Wall: time.Now().UnixMicro(), Fingerprint: 9,
		}
		write(t, ws, websocket.MessageBinary, (&wire.Frame{Kind: wire.KindHello, Hello: hello}).Append(nil))
		return ws
	}
	letIn := func(want string) {
		t.Helper()
		eventually(t, "let in by "+want, func() bool { s := n.Status().Join; return s.State == "joining" && s.LetInBy == want })
	}
	letIn("")
	one := dying("one")
	letIn("one")
	two := dying("two")
	n.joins.mu.Lock()
	n.joins.letInAt = n.joins.letInAt.Add(-joinPartial)
	n.joins.mu.Unlock()
	isReady(t, n.Node, 503, `"code":"partial-join"`)
	one.CloseNow()
	letIn("two")
	two.CloseNow()
	letIn("")
	isReady(t, n.Node, 503, `"code":"partial-join"`)
	n.joins.mu.Lock()
	n.joins.leftAt = n.joins.leftAt.Add(-joinPartial)
	n.joins.mu.Unlock()
	why(t, n.Node, addr, "connection refused")
	isReady(t, n.Node, 503, `"code":"joining"`)
	real(t, "dev2", func(c *Config) { c.Listen = addr })
	eventually(t, "it joins", func() bool { return n.Status().Join.State == "joined" })
}

// TestSaidRarely: that a node has not joined is said more and more rarely; that it has joined in part at once, however
// late that is.
func TestSaidRarely(t *testing.T) {
	began := time.Now()
	said := remark{at: began, rests: joinSaid}
	for _, test := range []struct {
		after  time.Duration
		partly bool
		want   bool
	}{
		{joinSaid - 1, false, false}, {joinSaid, false, true}, {joinPartial, false, false}, {joinSaid + joinPartial, false, true},
		{time.Hour, false, true}, {time.Hour + time.Second, false, false}, {time.Hour + 2*time.Second, true, true},
		{time.Hour + 3*time.Second, true, false}, {time.Hour + 5*time.Minute, false, false}, {time.Hour + 11*time.Minute, true, true},
	} {
		if got := said.due(began.Add(test.after), began, test.partly); got != test.want {
			t.Errorf("after %s, in part %v: %v", test.after, test.partly, got)
		}
	}
}

// TestToldSoonOfLaterAddresses: a wrong address that a node is given when it runs for long is told as soon as one with
// which it starts.
func TestToldSoonOfLaterAddresses(t *testing.T) {
	log := new(logged)
	n := real(t, "dev1", join("127.0.0.1:1"), func(c *Config) { c.Log = log.logger() })
	told := func(addr string) {
		t.Helper()
		eventually(t, "the warning of "+addr, func() bool { return log.count(addr+": connection refused") == 1 })
	}
	told("127.0.0.1:1")
	n.joins.mu.Lock() // once it is told: who begins to look after that finds nothing said for an hour
	n.joins.began = n.joins.began.Add(-time.Hour)
	n.joins.mu.Unlock()
	if err := n.SetJoin([]string{"127.0.0.1:2"}); err != nil {
		t.Fatal(err)
	}
	told("127.0.0.1:2")
	if since := n.Status().Join.Since; time.Since(since) > time.Minute {
		t.Errorf("it is joining since %s", since)
	}
}

// TestJoinedAfterSwap: an engine that takes over knows the addresses that were found.
func TestJoinedAfterSwap(t *testing.T) {
	n := start(t, func() Config { c := config(t, "dev1"); c.Join = []string{"localhost:1", "127.0.0.1:2"}; return c }())
	got := make(chan []string, 1)
	eventually(t, "both are found", func() bool {
		n.asides <- func(l *loop) { got <- l.config.Join }
		all := strings.Join(<-got, " ")
		return strings.Contains(all, "127.0.0.1:1") && strings.Contains(all, "127.0.0.1:2")
	})
}

func TestPlaces(t *testing.T) {
	lo, err := net.InterfaceByIndex(1)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		lo.Name + ":7946": "127.0.0.1:7946", "127.0.0.0/8:7946": "127.0.0.1:7946", "127.0.0.0/8": "127.0.0.1:1", lo.Name: "127.0.0.1:1",
		"10.0.0.1": "10.0.0.1:1", "fd00::1": "[fd00::1]:1", "[fd00::1]": "[fd00::1]:1",
		"10.0.0.1:7946": "10.0.0.1:7946", "example.org:7946": "example.org:7946",
	} {
		if got, err := place(text, "1"); got != want || err != nil {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	if _, err := place("203.0.113.0/24:7946", ""); err == nil || !strings.Contains(err.Error(), "in 203.0.113.0/24") || !strings.Contains(err.Error(), "127.0.0.1 ("+lo.Name+")") {
		t.Error(err)
	}
	if _, err := place("127.0.0.0/8", ""); err == nil || !strings.Contains(err.Error(), "without a port") {
		t.Error(err)
	}
	for _, test := range []struct{ listen, advertise, why string }{
		{"", "0.0.0.0:1", "anybody"}, {"", "[::ffff:10.0.0.1]:1", "write 10.0.0.1:1"}, {"", "224.0.0.1:1", "multicast"},
		{"", "[fe80::1]:1", "each host names"}, {"", "[fe80::1%eth0]:1", "link-local"}, {"127.0.0.1:1", "fe80::1", "link-local"}, {"127.0.0.1:1", "0.0.0.0", "anybody"}, {"", "10.0.0.1", "port"}, {"", "lo", "port"},
		{"224.0.0.1:1", "", "multicast"}, {"[fe80::1%" + lo.Name + "]:1", "", "link-local"}, {"203.0.113.0/24:1", "", "203.0.113.0/24"},
	} {
		cfg := config(t, "dev1")
		cfg.Listen, cfg.Advertise, cfg.Insecure = test.listen, test.advertise, true
		if n, err := Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), test.why) {
			t.Errorf("%+v: %v", test, err)
			if err == nil {
				n.Close()
			}
		}
	}
	cfg := config(t, "dev1")
	cfg.Listen, cfg.Advertise = "127.0.0.0/8:0", lo.Name
	n := start(t, cfg)
	if host, port, _ := net.SplitHostPort(n.Addr()); host != "127.0.0.1" || port == "0" {
		t.Errorf("it is at %s", n.Addr())
	}
}
