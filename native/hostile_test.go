package native

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// attacker is a guest with a good token for any name, and bad intentions.
type attacker struct {
	testing.TB
	token string
	n     *Node
}

// enter connects as a name, says hello, and adds itself.
func (a *attacker) enter(name string) *websocket.Conn {
	a.Helper()
	ws := a.open()
	a.send(ws, a.hello(name))
	return ws
}

func (a *attacker) open() *websocket.Conn {
	a.Helper()
	ws, status, says := dialLoose(a, a.n, nil, map[string][]string{"Authorization": {"Bearer " + a.token}})
	if ws == nil {
		a.Fatalf("the attacker does not get as far as the WebSocket: %d %s", status, says)
	}
	return ws
}

func (a *attacker) instance() wire.Instance { return wire.Instance{Start: 1, Nonce: 666} }

func (a *attacker) hello(name string) *wire.Frame {
	return &wire.Frame{Kind: wire.KindHello, Hello: wire.Hello{
		Name: name, Ring: testRing, Ephemeral: true, Instance: a.instance(), Members: 1, Min: 1, Max: 1, Wall: time.Now().UnixMicro(),
	}}
}

// send sends frames; that it is cut off meanwhile is what this is about.
func (a *attacker) send(ws *websocket.Conn, frames ...*wire.Frame) {
	ctx, cancel := context.WithTimeout(a.Context(), patience)
	defer cancel()
	for _, f := range frames {
		if ws.Write(ctx, websocket.MessageBinary, f.Append(nil)) != nil {
			return
		}
	}
}

// punished reads until the connection ends: by one error frame, and a close with its code.
func (a *attacker) punished(what string, ws *websocket.Conn, code wire.Code) {
	a.Helper()
	ctx, cancel := context.WithTimeout(a.Context(), patience)
	defer cancel()
	defer ws.CloseNow()
	refusals := 0
	for {
		_, b, err := ws.Read(ctx)
		if err != nil {
			if got := wire.Code(websocket.CloseStatus(err)); got != code || refusals != 1 {
				a.Errorf("%s: %d error frames, then %v", what, refusals, err)
			}
			return
		}
		var f wire.Frame
		if err := f.Decode(b); err != nil {
			a.Fatal(err)
		}
		if f.Kind == wire.KindError && f.Code == code {
			refusals++
		}
	}
}

func (a *attacker) presence(name string, rank uint8, stamp time.Time, p wire.Presence) wire.Record {
	p.Version = 1
	return wire.Record{Set: wire.Up, Name: name, Rank: rank, Stamp: stamp.UnixMicro(), Value: p.Value()}
}

// heap is what is in use after all garbage is collected.
func heap() uint64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestHostileGuest lets somebody with a guest's token do its worst to a ring of
// four: afterwards all durable nodes are as they were, and memory too, and who is
// honest was served all the time.
func TestHostileGuest(t *testing.T) {
	secret := trust.NewSecret()
	s := secretOf(t, secret)
	lock := locked(secretFile(t, secret))
	steady := func(cfg *Config) { cfg.Tune = func(*core.Config) {} } // in its own time
	nodes := []*mortal{real(t, "dev1", lock, steady)}
	for i := 2; i <= 4; i++ {
		nodes = append(nodes, real(t, fmt.Sprint("dev", i), lock, steady, join(nodes[0].Addr())))
	}
	agree(t, "dev1 dev2 dev3 dev4", nodes...)
	gateway := nodes[0].Node

	honest := newTab(t, "honest", token(t, s, trust.Token{Role: trust.RoleGuest, Name: "honest"}))
	honest.join(gateway)
	for _, n := range nodes {
		sees(t, n, "honest", core.Alive)
	}

	// Who is honest is served meanwhile, and nothing is said of durable nodes.
	ctx, cancel := context.WithCancel(t.Context())
	var watchers sync.WaitGroup
	var mu sync.Mutex
	var said []string
	for _, n := range nodes {
		watchers.Go(func() {
			for e, err := range n.Watch(ctx) {
				if err == nil && e.Kind == core.EventNode && (strings.HasPrefix(e.Node.Name, "dev") || e.Node.Name == "honest" || strings.HasPrefix(e.Node.Name, "forged")) && e.Node.State != core.Alive {
					mu.Lock()
					said = append(said, fmt.Sprintf("%s sees %s %s", n.Name(), e.Node.Name, e.Node.State))
					mu.Unlock()
				}
			}
		})
	}
	reader := token(t, s, trust.Token{Role: trust.RoleReader})
	c := httpClient(t)
	served := func(what string) {
		t.Helper()
		if got := ask(t, c, "GET", "http://"+gateway.Addr()+"/v1/up", "", "Authorization", "Bearer "+reader); got.status != 200 || !strings.Contains(got.body, "honest") {
			t.Errorf("%s: the API answers %d %s", what, got.status, got.body)
		}
		name := strings.ReplaceAll("honest "+what, " ", "-")
		tab := newTab(t, name, token(t, s, trust.Token{Role: trust.RoleGuest, Name: name}))
		tab.join(gateway)
		sees(t, nodes[3], name, core.Alive)
		eventually(t, what+": the tab knows dev4", func() bool { return tab.sees("dev4") == core.Alive })
		tab.ws.Close(websocket.StatusNormalClosure, "")
		receive(t, "its bye", tab.gone)
		sees(t, nodes[3], name, core.Left)
	}
	served("before")
	// Go keeps the descriptors of goroutines that have ended, to use them again: so
	// many have been there before, too.
	var crowd sync.WaitGroup
	crowded := make(chan struct{})
	for range 3000 {
		crowd.Go(func() { <-crowded })
	}
	close(crowded)
	crowd.Wait()
	before := heap()

	a := &attacker{TB: t, n: gateway, token: token(t, s, trust.Token{Role: trust.RoleGuest, Name: "*"})}
	now := time.Now()
	dev2, _ := gateway.Get("dev2")
	victim := wire.Presence{Address: dev2.Address, Instance: dev2.Instance}
	at2 := time.UnixMicro(dev2.Incarnation)

	// It forges, asserts, accuses and deletes.
	ws := a.enter("evil1")
	inner := (&wire.Frame{Kind: wire.KindProbe, Seq: 1}).Append(nil)
	a.send(ws, &wire.Frame{Kind: wire.KindRelay, From: "dev2", To: "dev3", Inner: string(inner)})
	a.punished("a forged from", ws, wire.CodeForbidden)
	for what, rec := range map[string]wire.Record{
		"an accusation":                a.presence("dev2", 2, at2, victim),
		"a bye of another":             a.presence("dev2", 3, at2, victim),
		"a presence of another":        a.presence("dev2", 0, now, wire.Presence{Address: "127.0.0.1:1", Instance: a.instance()}),
		"one of the year 2100":         a.presence("dev2", 0, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), victim),
		"a removal of another":         {Set: wire.Nodes, Name: "dev3", Rank: 2, Stamp: now.UnixMicro(), Value: wire.Member{}.Value()},
		"a removal of its own gateway": {Set: wire.Nodes, Name: "dev1", Rank: 2, Stamp: now.UnixMicro(), Value: wire.Member{}.Value()},
		"a new durable node":           {Set: wire.Nodes, Name: "forged", Stamp: now.UnixMicro(), Value: wire.Member{Address: "127.0.0.1:1"}.Value()},
	} {
		ws := a.enter("evil2")
		a.send(ws, &wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{rec, rec}})
		a.punished(what, ws, wire.CodeForbidden)
	}
	// It says of itself what is not: that is ignored.
	ws = a.enter("evil3")
	a.send(ws, &wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{
		{Set: wire.Nodes, Name: "evil3", Stamp: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(), Value: wire.Member{Ephemeral: true}.Value()},
		a.presence("evil3", 0, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), wire.Presence{Ephemeral: true, Via: "dev1", Instance: a.instance()}),
		{Set: wire.Nodes, Name: "evil3", Stamp: now.UnixMicro(), Value: wire.Member{Address: "127.0.0.1:1"}.Value()},
	}}, a.hello("evil3"))
	a.punished("a second hello", ws, wire.CodeOrder)
	if n, there := gateway.Get("evil3"); there {
		t.Errorf("evil3 is there: %+v", n)
	}
	// It claims names: of a durable node, of the gateway, of a guest that lives.
	for name, code := range map[string]wire.Code{"dev2": wire.CodeForbidden, "dev1": wire.CodeNameTaken, "honest": wire.CodeNameTaken} {
		a.punished("the name "+name, a.enter(name), code)
	}
	served("after forgeries")

	// It floods, with frames and with bytes.
	ws = a.enter("evil4")
	flood := make(chan struct{})
	go func() {
		defer close(flood)
		for range 2000 {
			a.send(ws, &wire.Frame{Kind: wire.KindProbe, Seq: 1})
		}
	}()
	for cut := false; !cut; { // told why, if it reads as fast as it writes
		_, _, err := ws.Read(t.Context())
		cut = err != nil
	}
	ws.CloseNow()
	<-flood
	junk := make([]byte, wire.MaxFrame)
	for range 20 {
		ws := a.enter("evil5")
		if err := ws.Write(t.Context(), websocket.MessageBinary, junk); err == nil {
			a.punished("junk", ws, wire.CodeBadFrame)
		}
		ws = a.open() // and as a hello, which is not as long
		ws.Write(t.Context(), websocket.MessageBinary, junk)
		ws.CloseNow()
	}
	served("after floods")

	// It opens 5,000 connections: of all sorts, and leaves them open.
	var open []io.Closer
	for i := range 5000 {
		if i%10 == 0 {
			if ws, _, _ := dialLoose(t, gateway, nil, map[string][]string{"Authorization": {"Bearer " + a.token}}); ws != nil {
				open = append(open, closer(ws.CloseNow))
			}
			continue
		}
		raw, err := net.Dial("tcp", gateway.Addr())
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, raw)
		switch i % 10 {
		case 1, 2, 3: // a request that does not end
			io.WriteString(raw, "GET /ring HTTP/1.1\r\nHost: "+gateway.Addr()+"\r\nX-Slow: ")
		case 4, 5, 6: // a TLS handshake that does not
			raw.Write([]byte{recordTLS, 3, 1, 2, 0, 1, 0})
		case 7: // an answer that is not read
			io.WriteString(raw, strings.Repeat("GET /nanoring.wasm HTTP/1.1\r\nHost: "+gateway.Addr()+"\r\n\r\n", 5))
		}
	}
	served("among 5000 connections")

	// It sends a byte a second, and never reads.
	slow := make(chan struct{})
	drip, err := net.Dial("tcp", gateway.Addr())
	if err != nil {
		t.Fatal(err)
	}
	go func() { // until it is cut off
		defer close(slow)
		for _, b := range []byte("GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 100)) {
			if _, err := drip.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	}()
	a.token = token(t, s, trust.Token{Role: trust.RoleGuest, Name: "evil*"}) // the other one has had its share
	deaf := a.enter("evil6")
	for range 100 {
		a.send(deaf, &wire.Frame{Kind: wire.KindSync, Seq: 1, Items: []wire.Item{{Kind: wire.ItemFingerprint, Range: wire.Range{Set: wire.Nodes}}}})
	}
	receive(t, "the slow one's end", slow)
	served("with slow ones")

	for _, c := range open {
		c.Close()
	}
	drip.Close()
	deaf.CloseNow()
	c.CloseIdleConnections()
	for _, n := range nodes {
		sees(t, n, "honest", core.Alive)
		for i := range nodes {
			sees(t, n, fmt.Sprint("dev", i+1), core.Alive)
		}
	}
	cancel()
	watchers.Wait()
	for _, what := range said {
		t.Error(what)
	}
	limit := before + before/10
	eventually(t, "memory as it was", func() bool { return heap() <= limit })
}

type closer func() error

func (c closer) Close() error { return c() }

// saidOrOver reads until a guest is told what became of what it said, or its connection is over, and
// says bye.
func (a *attacker) saidOrOver(ws *websocket.Conn) {
	a.Helper()
	ctx, cancel := context.WithTimeout(a.Context(), patience)
	defer cancel()
	for {
		_, b, err := ws.Read(ctx)
		if err != nil {
			break
		}
		var f wire.Frame
		if f.Decode(b) == nil && f.Kind == wire.KindSaid {
			break
		}
	}
	ws.Close(websocket.StatusNormalClosure, "")
}
