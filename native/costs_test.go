package native

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/ledger"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// lockedNode is a node with a secret, and how to sign tokens for it.
func lockedNode(t *testing.T, change ...func(*Config)) (*Node, func(trust.Token) string) {
	secret := trust.NewSecret()
	cfg := config(t, "dev1")
	cfg.Engine, cfg.SecretFile = newFake(nil).engine, secretFile(t, secret)
	for _, f := range change {
		f(&cfg)
	}
	return start(t, cfg), func(what trust.Token) string { return token(t, secretOf(t, secret), what) }
}

// TestReadersFlood: a reader opens connections and streams until it may not. Others have theirs,
// and get what was given back.
func TestReadersFlood(t *testing.T) {
	n, sign := lockedNode(t)
	evil, other, operator := sign(trust.Token{Role: trust.RoleReader}), sign(trust.Token{Role: trust.RoleReader, Expires: time.Now().Add(time.Minute)}), sign(trust.Token{Role: trust.RoleOperator})
	get := func(path, token string) (net.Conn, string) {
		c, err := net.Dial("tcp", n.Addr())
		must(t, err)
		t.Cleanup(func() { c.Close() })
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", path, n.Addr(), token)
		line, err := bufio.NewReader(c).ReadString('\n')
		must(t, err)
		return c, strings.Fields(line)[1]
	}
	flood := func(path string) (open []net.Conn, last string) {
		for range 200 {
			c, status := get(path, evil)
			if last = status; status != "200" {
				return open, last
			}
			open = append(open, c)
		}
		return open, last
	}
	table := costTable(1)
	streams, last := flood("/v1/events")
	if len(streams) != int(table[costStreams].Party.Burst) || last != "429" {
		t.Errorf("%d streams, and then %s", len(streams), last)
	}
	idle, last := flood("/v1/up")
	if all := len(streams) + len(idle); all != int(table[costReaders].Party.Burst) || last != "429" {
		t.Errorf("%d connections, and then %s", all, last)
	}
	for _, token := range []string{other, operator} {
		if _, status := get("/v1/events", token); status != "200" {
			t.Errorf("another's stream: %s", status)
		}
	}
	for _, c := range append(streams, idle...) {
		c.Close()
	}
	eventually(t, "a stream again", func() bool { _, status := get("/v1/events", evil); return status == "200" })
	eventually(t, "all is given back but three", func() bool { return n.costs.held(costReaders) <= 2 && n.costs.held(costStreams) <= 2 })
}

// TestReadersHurry: a reader asks as fast as it can, and others are answered.
func TestReadersHurry(t *testing.T) {
	n, sign := lockedNode(t)
	evil, url := sign(trust.Token{Role: trust.RoleReader}), "http://"+n.Addr()+"/v1/up"
	c, times := httpClient(t), 0
	for ; times < 5000; times++ {
		if got := ask(t, c, "GET", url, "", "Authorization", "Bearer "+evil); got.status == 429 {
			break
		} else if got.status != 200 {
			t.Fatalf("%+v", got)
		}
	}
	if times < 256 || times >= 5000 {
		t.Errorf("%d requests", times)
	}
	for _, role := range []string{trust.RoleReader, trust.RoleOperator} {
		if got := ask(t, c, "GET", url, "", "Authorization", "Bearer "+sign(trust.Token{Role: role, Expires: time.Now().Add(time.Minute)})); got.status != 200 {
			t.Errorf("another %s: %+v", role, got)
		}
	}
}

// TestGuestsComeAndGo: a token opens connections as fast as it can, and closes them. Others come in.
func TestGuestsComeAndGo(t *testing.T) {
	n, sign := lockedNode(t, func(c *Config) { c.MaxGuests = 16 })
	evil := sign(trust.Token{Role: trust.RoleGuest, Name: "evil*"})
	opened := 0
	for range 1000 {
		ws, status, says := dialLoose(t, n, nil, http.Header{"Authorization": {"Bearer " + evil}})
		if ws == nil {
			if status != 503 {
				t.Fatal(status, says)
			}
			if strings.Contains(says, "faster") {
				break
			}
			continue // the one before is still being closed
		}
		opened++
		ws.CloseNow()
	}
	if opened < 60 || opened > 900 {
		t.Errorf("it opened %d", opened)
	}
	eventually(t, "another comes in", func() bool {
		_, status, _ := dialTLS(t, n, nil, http.Header{"Authorization": {"Bearer " + sign(trust.Token{Role: trust.RoleGuest, Name: "alice"})}})
		return status == 101
	})
}

// TestDeafGuests: many guests of a token do not read what they are sent, nor end what they
// begin to send. What is held for all of them is bounded, and is let go with them.
func TestDeafGuests(t *testing.T) {
	frame := make([]byte, 200<<10)
	var taken, asked, ended atomic.Int32
	n, sign := lockedNode(t, func(c *Config) {
		c.MaxGuests = 400
		c.Engine = newFake(func(in core.Input) []core.Effect {
			if in.Kind == core.Closed {
				ended.Add(1)
			}
			if in.Kind != core.Received {
				return nil
			}
			defer taken.Add(1)
			return []core.Effect{{Kind: core.Send, Conn: in.Conn, Frame: frame}}
		}).engine
	})
	evil := sign(trust.Token{Role: trust.RoleGuest, Name: "evil*"})
	most := int(costTable(400)[costHeld].Party.Burst)
	held := 0
	look := func() int {
		now := n.costs.held(costHeld)
		if held = max(held, now); held > most {
			t.Fatalf("%d bytes are held, of %d", held, most)
		}
		return now
	}
	for range 50 {
		ws, status, says := dialLoose(t, n, nil, http.Header{"Authorization": {"Bearer " + evil}})
		if ws == nil {
			t.Fatal(status, says)
		}
		t.Cleanup(func() { ws.CloseNow() })
		before, gone := look(), ended.Load()
		asked.Store(taken.Load())
		eventually(t, "frames wait, beyond what the system takes", func() bool {
			if waits := look() > before+len(frame) || ended.Load() > gone; waits || taken.Load() < asked.Load() {
				return waits
			}
			asked.Add(1)
			return ws.Write(t.Context(), websocket.MessageBinary, []byte("x")) != nil // it was sent away
		})
		w, err := ws.Writer(t.Context(), websocket.MessageBinary)
		if err == nil {
			io.CopyN(w, zeros{}, wire.MaxFrame-1) // or until it is sent away
		}
		look()
	}
	if held < most/2 {
		t.Errorf("no more than %d bytes were held at a time: the test does nothing", held)
	}
	n.Close()
	if held := n.costs.held(costHeld) + n.costs.held(costGuests); held != 0 {
		t.Errorf("%d are held in the end", held)
	}
}

// TestGuestsTakeTurns: however many guests come by one token and have something to say, a guest by
// another and a node wait for one of them.
func TestGuestsTakeTurns(t *testing.T) {
	const guests = 12
	began, goOn := make(chan struct{}, 1), make(chan struct{})
	release := sync.OnceFunc(func() { close(goOn) })
	defer release()
	var order []string
	var opened, taken atomic.Int32
	secret := trust.NewSecret()
	cfg := config(t, "dev1")
	cfg.SecretFile = secretFile(t, secret)
	cfg.Engine = newFake(func(in core.Input) []core.Effect {
		if in.Kind == core.Opened {
			opened.Add(1)
		}
		if in.Kind != core.Received {
			return nil
		}
		defer taken.Add(1)
		order = append(order, string(in.Frame))
		if len(order) == 1 {
			began <- struct{}{}
			<-goOn
		}
		return nil
	}).engine
	n := start(t, cfg)
	guest := func(token string) *websocket.Conn {
		ws, status, says := dialLoose(t, n, nil, http.Header{"Authorization": {"Bearer " + token}})
		if ws == nil {
			t.Fatal(status, says)
		}
		t.Cleanup(func() { ws.CloseNow() })
		return ws
	}
	evil := token(t, secretOf(t, secret), trust.Token{Role: trust.RoleGuest, Name: "evil*"})
	var flood []*websocket.Conn
	for range guests {
		flood = append(flood, guest(evil))
	}
	honest := guest(token(t, secretOf(t, secret), trust.Token{Role: trust.RoleGuest, Name: "tab"}))
	node, status, says := dialTLS(t, n, asNode(t, secret, "dev2", time.Now()), nil)
	if node == nil {
		t.Fatal(status, says)
	}
	eventually(t, "all are open", func() bool { return opened.Load() == guests+2 })
	wait := func(waiting int) {
		t.Helper()
		eventually(t, "all others wait", func() bool {
			stacks := make([]byte, 4<<20)
			stacks = stacks[:runtime.Stack(stacks, true)]
			return bytes.Count(stacks, []byte("native.(*turn).take(")) == waiting
		})
	}
	must(t, flood[0].Write(t.Context(), websocket.MessageBinary, []byte("flood")))
	receive(t, "the first frame", began)
	for _, ws := range flood[1:] {
		must(t, ws.Write(t.Context(), websocket.MessageBinary, []byte("flood")))
	}
	wait(guests - 1)
	must(t, honest.Write(t.Context(), websocket.MessageBinary, []byte("honest")))
	wait(guests)
	waiting := len(n.inputs)
	must(t, node.Write(t.Context(), websocket.MessageBinary, []byte("node")))
	eventually(t, "the node's frame waits", func() bool { return len(n.inputs) > waiting })
	release()
	eventually(t, "all are taken", func() bool { return taken.Load() == guests+2 })
	n.Close()
	for _, who := range []string{"node", "honest"} {
		if at := slices.Index(order, who); at < 0 || at > 3 {
			t.Errorf("the %s one's is number %d of %d", who, at, len(order))
		}
	}
	if len(n.turns.parties) > 0 {
		t.Errorf("%d parties are left", len(n.turns.parties))
	}
}

// TestDeafGuestsThatEnd: what is held for a connection is let go with it, however it ends.
func TestDeafGuestsThatEnd(t *testing.T) {
	frame := make([]byte, 200<<10)
	var taken, asked atomic.Int32
	n, sign := lockedNode(t, func(c *Config) {
		c.Engine = newFake(func(in core.Input) []core.Effect {
			if in.Kind != core.Received {
				return nil
			}
			defer taken.Add(1)
			return []core.Effect{{Kind: core.Send, Conn: in.Conn, Frame: frame}}
		}).engine
	})
	evil := sign(trust.Token{Role: trust.RoleGuest, Name: "evil*"})
	for i := range 4 {
		ws, status, says := dialLoose(t, n, nil, http.Header{"Authorization": {"Bearer " + evil}})
		if ws == nil {
			t.Fatal(status, says)
		}
		defer ws.CloseNow()
		eventually(t, "much is held", func() bool { // beyond what the system takes
			if held := n.costs.held(costHeld) > (i+1)*len(frame)/2; held || taken.Load() < asked.Load() {
				return held
			}
			asked.Add(1)
			must(t, ws.Write(t.Context(), websocket.MessageBinary, []byte("x")))
			return false
		})
		must(t, ws.Write(t.Context(), websocket.MessageText, []byte("x")))
	}
	eventually(t, "nothing is held", func() bool { return n.costs.held(costHeld) == 0 })
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestCostsAreTold: docs/security.md has the table of what each may cost.
func TestCostsAreTold(t *testing.T) {
	docs, err := os.ReadFile("../docs/security.md")
	must(t, err)
	want := "| what | of one | of one token | of all | beyond it |\n| --- | --- | --- | --- | --- |\n"
	for _, table := range []ledger.Table{costTable(1000), core.GuestCosts(1000)} {
		for _, row := range table {
			want += fmt.Sprintf("| %s | %s | %s | %s | %s |\n", row.What, limitIn(row.One), limitIn(row.Party), limitIn(row.All), row.Beyond)
		}
	}
	got := regexp.MustCompile(`(?s)\| what \| of one \|.*?\n\n`).FindString(string(docs))
	if strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("docs/security.md has\n%s\nand it is\n%s", got, want)
	}
}

// limitIn is a limit in words.
func limitIn(l ledger.Limit) string {
	amount := func(n int64) string {
		switch {
		case n >= 1<<20 && n%(1<<20) == 0:
			return fmt.Sprintf("%d Mi", n>>20)
		case n >= 1<<14 && n%(1<<10) == 0:
			return fmt.Sprintf("%d Ki", n>>10)
		}
		return fmt.Sprint(n)
	}
	switch {
	case l.Burst == 0:
		return "–"
	case l.Rate == 0:
		return amount(l.Burst)
	}
	return amount(l.Burst) + ", " + amount(l.Rate) + "/s"
}
