package native

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/disk"
)

var errPoison = errors.New("poison")

// brittle makes engines that break of what has the word in it: a frame, or a name
// to add. They count how many were made.
func brittle(made *int) func(core.Config) (core.Engine, error) {
	return func(cfg core.Config) (core.Engine, error) {
		*made++
		r, err := core.New(cfg)
		return &altered{r, func(in core.Input, effects []core.Effect) ([]core.Effect, error) {
			if bytes.Contains(in.Frame, []byte("poison")) || in.Command.Name == "poison" {
				return nil, errPoison
			}
			return effects, nil
		}}, err
	}
}

// brittleRing is three nodes, of which the first has a brittle engine.
func brittleRing(t *testing.T, log *logged, made *int) []*mortal {
	t.Helper()
	cfg := config(t, "dev1")
	cfg.Engine, cfg.Log, cfg.Tune = brittle(made), log.logger(), fast
	n := start(t, cfg)
	nodes := []*mortal{{n, cfg, nil}, real(t, "dev2", join(n.Addr())), real(t, "dev3", join(n.Addr()))}
	agree(t, "", nodes...)
	rest(t, nodes)
	return nodes
}

// poison sends a poisonous frame on a connection of its own, and returns how that ends.
func poison(t *testing.T, n *Node) websocket.CloseError {
	t.Helper()
	ws := peer(t, n)
	write(t, ws, websocket.MessageBinary, []byte("poison"))
	return closeOf(t, ws)
}

// TestEngineIsStartedAgain: a node whose engine broke goes on with all connections but the
// one that it broke of, nobody takes it for down, and it keeps what broke it.
func TestEngineIsStartedAgain(t *testing.T) {
	log, made := new(logged), 0
	nodes := brittleRing(t, log, &made)
	n := nodes[0].Node
	if _, err := n.Add(t.Context(), "late", "127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	agree2 := func() bool {
		for _, n := range nodes {
			if names(n.All()) != "dev1 dev2 dev3 late" {
				return false
			}
		}
		return true
	}
	eventually(t, "all know late", agree2)
	was := make(map[string]core.Node)
	for _, name := range []string{"dev1", "dev2", "dev3"} {
		was[name], _ = n.Get(name)
	}
	var watchers []*watched
	for _, n := range nodes {
		watchers = append(watchers, watch(t, n.Node))
	}
	conns := open(t, n)
	for times := 1; times <= 2; times++ {
		if e := poison(t, n); wire.Code(e.Code) != wire.CodeBadFrame {
			t.Errorf("the poisonous connection ends with %v", e)
		}
		s, err := n.Engine(soon(t))
		if err != nil || s.Traps != times || s.LastTrap != "poison" || made != 1+times {
			t.Errorf("%+v, %v, after %d engines", s, err, made)
		}
		if now := open(t, n); !reflect.DeepEqual(now, conns) {
			t.Errorf("it has the connections %v, and had %v", now, conns)
		}
		eventually(t, "all know late", agree2)
	}
	if err := nodes[1].Del(t.Context(), "late"); err != nil {
		t.Fatal(err)
	}
	agreeButFor := func() bool { _, ok := n.Get("late"); return !ok }
	eventually(t, "news reaches it", agreeButFor)
	if err := n.Del(t.Context(), "dev3"); err != nil {
		t.Fatal(err)
	}
	sees(t, nodes[1], "dev3", core.Removed)
	delete(was, "dev3")
	for i, w := range watchers {
		w.heldUp(t, nodes[i].Name(), was)
	}
	if log.count("the engine broke") != 2 || log.count("the engine was started again") != 2 {
		t.Errorf("it logs\n%s", log.b.Bytes())
	}

	var kept []string
	eventually(t, "what broke it", func() bool {
		kept, _ = filepath.Glob(filepath.Join(n.cfg.Data, "traps", "*.json"))
		return len(kept) == 2
	})
	b, err := os.ReadFile(kept[0])
	var trap disk.Trap
	if err == nil {
		err = json.Unmarshal(b, &trap)
	}
	if err != nil || trap.Error != "poison" || trap.Input.Kind != "received" || string(trap.Input.Frame) != "poison" {
		t.Errorf("%v: %s", err, b)
	}
}

// TestEngineBreaksOfCommand: who asked for it is told.
func TestEngineBreaksOfCommand(t *testing.T) {
	log, made := new(logged), 0
	brittle := brittleRing(t, log, &made)
	n := brittle[0]
	if _, err := n.Add(t.Context(), "poison", "127.0.0.1:1"); !errors.Is(err, ErrBroke) {
		t.Error(err)
	}
	agree(t, "dev1 dev2 dev3", brittle...) // what it may have missed, the others tell
	if _, err := n.Add(t.Context(), "dev9", "127.0.0.1:1"); err != nil {
		t.Error(err)
	}
}

// TestEngineBreaksAgainAndAgain: it is started four times in a minute, and no more.
func TestEngineBreaksAgainAndAgain(t *testing.T) {
	log, made := new(logged), 0
	nodes := brittleRing(t, log, &made)
	n := nodes[0].Node
	for range maxBreaks - 1 {
		poison(t, n)
	}
	ws := peer(t, n)
	write(t, ws, websocket.MessageBinary, []byte("poison"))
	receive(t, "its end", n.Done())
	if err := n.Err(); !errors.Is(err, errPoison) || !strings.Contains(err.Error(), "5 times within a minute") || !strings.Contains(err.Error(), filepath.Join(n.cfg.Data, "traps")) {
		t.Error(err)
	}
	if made != maxBreaks {
		t.Errorf("%d engines were made", made)
	}
	sees(t, nodes[1], "dev1", core.Down)
}

// TestGuestBreaksEngine: a guest breaks it once, and not again, nor do those from
// the same place, however many connections they have open.
func TestGuestBreaksEngine(t *testing.T) {
	log, made := new(logged), 0
	nodes := brittleRing(t, log, &made)
	n := nodes[0].Node
	origin := http.Header{"Origin": {"http://" + n.Addr()}}
	var tabs []*websocket.Conn
	for range maxBreaks {
		tabs = append(tabs, peerOf(t, n, origin))
	}
	for _, tab := range tabs {
		_ = tab.Write(soon(t), websocket.MessageBinary, []byte("poison")) // it may be closed already
	}
	for _, tab := range tabs {
		if e := closeOf(t, tab); wire.Code(e.Code) != wire.CodeBadFrame {
			t.Errorf("a guest's connection ends with %v", e)
		}
	}
	_, res, err := websocket.Dial(t.Context(), "ws://"+n.Addr()+"/ring", &websocket.DialOptions{
		HTTPClient: n.client, HTTPHeader: origin, Subprotocols: []string{subprotocol},
	})
	if err == nil || res == nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("a guest is taken again: %v, %v", res, err)
	}
	if s, err := n.Engine(soon(t)); err != nil || s.Traps != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if got := open(t, n); len(got) != 2 {
		t.Errorf("it has the connections %v", got)
	}
	peer(t, n) // another node may come
}

// TestBarEnds: it is not for ever.
func TestBarEnds(t *testing.T) {
	var i inbound
	i.bar("10.0.0.1", time.Now().Add(time.Hour))
	i.bar("10.0.0.2", time.Now().Add(-time.Second))
	if !i.isBarred("10.0.0.1") || i.isBarred("10.0.0.2") || i.isBarred("10.0.0.3") {
		t.Errorf("%v", i.barred)
	}
}

// TestBarIsOfNetwork: who has broken an engine does not come back from another address of its
// IPv6 network.
func TestBarIsOfNetwork(t *testing.T) {
	n := startFake(t, newFake(nil))
	n.inbound.bar("[2001:db8::1]:4711", time.Now().Add(time.Hour))
	for from, want := range map[string]string{"[2001:db8::1]:1": "barred", "[2001:db8::ffff:2]:1": "barred", "[2001:db8:0:1::1]:1": "", "192.0.2.1:1": ""} {
		r := httptest.NewRequest("GET", "http://"+n.Addr()+"/ring/why", nil)
		r.RemoteAddr = from
		r.Header.Set("Origin", "http://localhost:3000") // a page, and so a guest
		w := httptest.NewRecorder()
		n.Handler().ServeHTTP(w, r)
		var why RingWhyJSON
		if err := json.Unmarshal(w.Body.Bytes(), &why); err != nil || why.Code != want {
			t.Errorf("%s: %d %s", from, w.Code, w.Body)
		}
	}
}

// TestEngineBreaksOfMessages: an engine that cannot take over what was going on is started
// without the messages.
func TestEngineBreaksOfMessages(t *testing.T) {
	log := new(logged)
	cfg := config(t, "dev1")
	cfg.Log, cfg.Tune = log.logger(), fast
	cfg.Engine = func(c core.Config) (core.Engine, error) {
		var s wire.Snapshot
		if c.Takeover && (s.Decode(c.Snapshot) != nil || len(s.News.Notes) > 0) {
			return nil, errors.New("out of memory")
		}
		r, err := core.New(c)
		return &altered{r, func(in core.Input, effects []core.Effect) ([]core.Effect, error) {
			if bytes.Contains(in.Frame, []byte("poison")) {
				return nil, errPoison
			}
			return effects, nil
		}}, err
	}
	n := start(t, cfg)
	other := real(t, "dev2", join(n.Addr()))
	agree(t, "", &mortal{n, cfg, nil}, other)
	poison(t, n)
	eventually(t, "it goes on", func() bool { return log.count("the engine was started again") == 1 })
	if log.count("without them") != 1 {
		t.Error("it does not say what it is without")
	}
	agree(t, "", &mortal{n, cfg, nil}, other)
}
