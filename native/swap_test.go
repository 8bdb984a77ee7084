package native

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// open returns the ids of a node's connections.
func open(t *testing.T, n *Node) (ids []core.ConnID) {
	t.Helper()
	if err := n.aside(soon(t), func(l *loop) {
		for id, c := range l.conns {
			if c.story.first != nil && c.story.said {
				ids = append(ids, id)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	return ids
}

// rest waits until the nodes are a full mesh in which nothing is about to change.
func rest(t *testing.T, nodes []*mortal) {
	t.Helper()
	eventually(t, "a full mesh that rests", func() bool {
		return !slices.ContainsFunc(nodes, func(n *mortal) bool { return !rests(t, n.Node, len(nodes)-1) })
	})
}

// rests says whether a node has so many connections, of as many peers, and none
// that is about to close: of two nodes that dialled each other, one closes.
func rests(t *testing.T, n *Node, count int) bool {
	t.Helper()
	peers, dials := make(map[string]bool), 0
	if err := n.aside(soon(t), func(l *loop) {
		dials = len(l.dials)
		own := 0
		for id := range l.conns {
			own += int(1 - id%2)
		}
		if own > 6 { // one of its own is too many, and closes
			return
		}
		for _, c := range l.conns {
			var f wire.Frame
			if f.Decode(c.story.first) == nil && c.story.said {
				peers[f.Hello.Name] = true
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return dials == 0 && len(peers) == count && len(n.conns) == count
}

// watched collects the events of a node until the test ends.
type watched struct {
	mu     sync.Mutex
	events []core.Event
	err    error
}

func watch(t *testing.T, n *Node) *watched {
	w := new(watched)
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		for e, err := range n.Watch(ctx) {
			w.mu.Lock()
			w.events, w.err = append(w.events, e.Event), err
			w.mu.Unlock()
		}
	}()
	t.Cleanup(func() { cancel(); <-over })
	return w
}

// heldUp expects of what was watched that no event came twice, and that none of
// the named nodes was ever anything but up.
func (w *watched) heldUp(t *testing.T, watcher string, named map[string]core.Node) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		t.Errorf("%s lost events: %v", watcher, w.err)
	}
	last := make(map[string]core.Node)
	for _, e := range w.events {
		if e.Kind != core.EventNode {
			continue
		}
		if reflect.DeepEqual(last[e.Node.Name], e.Node) {
			t.Errorf("%s says twice: %+v", watcher, e.Node)
		}
		last[e.Node.Name] = e.Node
		if before, ok := named[e.Node.Name]; ok && !reflect.DeepEqual(e.Node, before) {
			t.Errorf("to %s, %s became %+v, and was %+v", watcher, before.Name, e.Node, before)
		}
	}
}

// TestSwapUnderTraffic swaps the engine of each of eight nodes, again and again,
// while nodes are added and deleted: no connection closes, no node is ever
// anything but up to another, nothing that was done is lost and no event repeated.
func TestSwapUnderTraffic(t *testing.T) {
	nodes := ring(t, 8)
	rest(t, nodes)
	was := make(map[string]core.Node)
	var watchers []*watched
	var conns [][]core.ConnID
	for _, n := range nodes {
		was[n.Name()], _ = n.Get(n.Name())
		watchers = append(watchers, watch(t, n.Node))
		conns = append(conns, open(t, n.Node))
	}
	var stop atomic.Bool
	var traffic sync.WaitGroup
	wanted := make([]string, 3)
	for who := range wanted {
		traffic.Go(func() {
			for i := 0; !stop.Load(); i++ {
				n, name := nodes[(who*3+i)%8], fmt.Sprintf("x%d-%d", who, i)
				if _, err := n.Add(t.Context(), name, "127.0.0.1:1"); err != nil {
					t.Errorf("%s cannot add %s: %v", n.Name(), name, err)
				}
				if wanted[who] != "" {
					if err := n.Del(t.Context(), wanted[who]); err != nil {
						t.Errorf("%s cannot delete %s: %v", n.Name(), wanted[who], err)
					}
				}
				wanted[who] = name
				agreeAll(t, name, nodes)
			}
		})
	}
	for range 4 {
		for _, n := range nodes {
			if err := n.SwapNative(soon(t)); err != nil {
				t.Error(err)
			}
		}
	}
	stop.Store(true)
	traffic.Wait()
	for i, n := range nodes {
		if now := open(t, n.Node); !reflect.DeepEqual(now, conns[i]) {
			t.Errorf("%s has the connections %v, and had %v", n.Name(), now, conns[i])
		}
		s, err := n.Engine(soon(t))
		if err != nil || s.Engine != "native" || s.Traps != 0 || s.Protocol != wire.Version || s.Since.Before(n.Status().Started) {
			t.Errorf("%+v, %v", s, err)
		}
		watchers[i].heldUp(t, n.Name(), was)
	}
	want := []string{}
	for name := range was {
		want = append(want, name)
	}
	for _, name := range wanted {
		if name != "" {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	for _, n := range nodes {
		eventually(t, "one view", func() bool { return names(n.All()) == strings.Join(want, " ") })
	}
}

// agreeAll waits until all nodes know a name.
func agreeAll(t *testing.T, name string, nodes []*mortal) {
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if !slices.ContainsFunc(nodes, func(n *mortal) bool { _, ok := n.Get(name); return !ok }) {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("not all know %s", name)
			return
		}
	}
}

// TestSwapWithAddUnderWay: an add whose node has not answered is answered all the same.
func TestSwapWithAddUnderWay(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a := real(t, "dev1")
	added := make(chan error, 1)
	go func() {
		_, err := a.Add(t.Context(), "dev2", l.Addr().String())
		added <- err
	}()
	waits := func() (n int) {
		if err := a.aside(soon(t), func(l *loop) { n = len(l.dials) }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	eventually(t, "a dial", func() bool { return waits() == 1 })
	if err := a.SwapNative(soon(t)); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, "the add's end", added); err != nil {
		t.Error(err)
	}
	if _, ok := a.Get("dev2"); !ok {
		t.Error("dev2 was not added")
	}
}

// altered is an engine that does as a test says.
type altered struct {
	core.Engine
	step func(core.Input, []core.Effect) ([]core.Effect, error)
}

func (e *altered) Step(in core.Input) ([]core.Effect, error) {
	effects, err := e.Engine.Step(in)
	if err == nil && e.step != nil {
		return e.step(in, effects)
	}
	return effects, err
}

// TestSwapRolledBack: whatever is wrong with an engine that is to take over, the
// one before runs on as if nothing had been.
func TestSwapRolledBack(t *testing.T) {
	broken := errors.New("broken")
	atStart := func(do func([]core.Effect) ([]core.Effect, error)) func(core.Config) (core.Engine, error) {
		return func(cfg core.Config) (core.Engine, error) {
			r, err := core.New(cfg)
			return &altered{r, func(in core.Input, effects []core.Effect) ([]core.Effect, error) {
				if in.Kind == core.Start {
					return do(effects)
				}
				return effects, nil
			}}, err
		}
	}
	withSnapshot := func(change func([]byte) []byte) func(core.Config) (core.Engine, error) {
		return func(cfg core.Config) (core.Engine, error) {
			cfg.Snapshot = change(slices.Clone(cfg.Snapshot))
			return core.New(cfg)
		}
	}
	made := 0
	for what, test := range map[string]struct {
		make func(core.Config) (core.Engine, error)
		says string
	}{
		"it cannot be loaded": {func(core.Config) (core.Engine, error) { return nil, broken }, "broken"},
		"it is loaded but once": {func(cfg core.Config) (core.Engine, error) {
			if made++; made > 1 {
				return nil, broken
			}
			return core.New(cfg)
		}, "broken"},
		"it breaks at its start": {atStart(func([]core.Effect) ([]core.Effect, error) { return nil, broken }), "broken"},
		"it breaks of a connection": {func(cfg core.Config) (core.Engine, error) {
			r, err := core.New(cfg)
			return &altered{r, func(in core.Input, effects []core.Effect) ([]core.Effect, error) {
				if in.Kind == core.Opened {
					return nil, broken
				}
				return effects, nil
			}}, err
		}, "broken"},
		"it halts": {atStart(func(effects []core.Effect) ([]core.Effect, error) {
			return append(effects, core.Effect{Kind: core.Halt, Reason: core.HaltLeft}), nil
		}), "halts at once: left"},
		"it does not know a node": {atStart(func(effects []core.Effect) ([]core.Effect, error) {
			return slices.DeleteFunc(effects, func(e core.Effect) bool { return e.Event != nil && e.Event.Node.Name == "dev2" }), nil
		}), "does not know dev2"},
		"it knows one too many": {atStart(func(effects []core.Effect) ([]core.Effect, error) {
			return append(effects, nodeEvent("dev9", core.Alive)), nil
		}), "not there"},
		"it takes one for down": {atStart(func(effects []core.Effect) ([]core.Effect, error) {
			for _, e := range effects {
				if e.Event != nil && e.Event.Node.Name == "dev3" {
					e.Event.Node.State = core.Down
				}
			}
			return effects, nil
		}), "dev3"},
		"it starts anew": {func(cfg core.Config) (core.Engine, error) {
			cfg.Snapshot, cfg.Takeover = nil, false
			return core.New(cfg)
		}, "does not know dev2"},
		"the snapshot is damaged":         {withSnapshot(func(b []byte) []byte { return b[:len(b)-3] }), "truncated"},
		"the snapshot is of a newer form": {withSnapshot(func(b []byte) []byte { b[1]++; return b }), "version 2"},
	} {
		t.Run(what, func(t *testing.T) {
			nodes := ring(t, 3)
			n := nodes[0]
			rest(t, nodes)
			n.cfg.Sandbox = func(_ context.Context, _ []byte, cfg core.Config) (core.Engine, error) { return test.make(cfg) }
			n.Node.cfg.Sandbox = n.cfg.Sandbox
			conns, all := open(t, n.Node), n.All()
			w := watch(t, n.Node)
			before, err := n.Engine(soon(t))
			if err != nil {
				t.Fatal(err)
			}
			err = n.SwapModule(soon(t), []byte("a module"))
			var kept *SwapError
			if !errors.As(err, &kept) || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("%v, and not %q", err, test.says)
			}
			after, err := n.Engine(soon(t))
			if err != nil || after.Since != before.Since || after.Traps != 0 {
				t.Errorf("%+v, %v", after, err)
			}
			if now := open(t, n.Node); !reflect.DeepEqual(now, conns) || !reflect.DeepEqual(n.All(), all) {
				t.Errorf("connections %v, %+v; before: %v, %+v", now, n.All(), conns, all)
			}
			if err := n.Del(t.Context(), "dev3"); err != nil {
				t.Error(err)
			}
			sees(t, nodes[1], "dev3", core.Removed)
			w.heldUp(t, "dev1", nil)
		})
	}
}

func TestSwapRefused(t *testing.T) {
	n := real(t, "dev1")
	var kept *SwapError
	if err := n.SwapModule(soon(t), nil); !errors.As(err, &kept) || !strings.Contains(err.Error(), "no sandbox") {
		t.Error(err)
	}
	// Two at a time.
	making, release := make(chan struct{}), make(chan struct{})
	n.Node.cfg.Sandbox = func(_ context.Context, _ []byte, cfg core.Config) (core.Engine, error) {
		close(making)
		<-release
		return nil, errors.New("released")
	}
	first := make(chan error)
	go func() { first <- n.SwapModule(t.Context(), nil) }()
	receive(t, "the first", making)
	if err := n.SwapNative(soon(t)); !errors.As(err, &kept) || !strings.Contains(err.Error(), "under way") {
		t.Error(err)
	}
	close(release)
	if err := receive(t, "its end", first); err == nil || !strings.Contains(err.Error(), "released") {
		t.Error(err)
	}
	n.Close()
	if err := n.SwapNative(soon(t)); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	if _, err := n.Engine(soon(t)); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
}

func TestEngineAPI(t *testing.T) {
	n := real(t, "dev1")
	c := socketClient(t, n.Node)
	got := ask(t, c, "GET", "http://localhost/v1/engine", "")
	if got.status != 200 || !strings.Contains(got.body, `"engine":"native"`) {
		t.Errorf("%+v", got)
	}
	for what, test := range map[string]struct {
		client       string
		kind, body   string
		status       int
		code, detail string
	}{
		"not over TCP":     {"tcp", "application/json", `{"engine":"native"}`, 403, "socket-only", "socket in the node's data folder"},
		"native":           {"unix", "application/json", `{"engine":"native"}`, 200, "", ""},
		"no sandbox":       {"unix", "application/json", `{"engine":"builtin"}`, 409, "not-swapped", "no sandbox"},
		"no such engine":   {"unix", "application/json", `{"engine":"steam"}`, 400, "bad-request", "steam"},
		"no such kind":     {"unix", "text/plain", "native", 415, "unsupported-media-type", ""},
		"a module, though": {"unix", "application/wasm", "\x00asm", 409, "not-swapped", "no sandbox"},
		"too large":        {"unix", "application/wasm", strings.Repeat("x", maxModule+1), 413, "too-large", "8 MiB"},
	} {
		t.Run(what, func(t *testing.T) {
			client, url := c, "http://localhost/v1/engine"
			if test.client == "tcp" {
				client, url = httpClient(t), "http://"+n.Addr()+"/v1/engine"
			}
			got := ask(t, client, "POST", url, test.body, "Content-Type", test.kind)
			if got.status != test.status || !strings.Contains(got.body, test.code) || !strings.Contains(got.body, test.detail) {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
}
