package native

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// tab is an honest guest, as a page is one: the engine, and a WebSocket.
type tab struct {
	testing.TB
	name, token string
	gone        chan struct{} // closed when its connection is
	closed      websocket.StatusCode
	mu          sync.Mutex
	view        core.View
	ws          *websocket.Conn
	commands    chan core.Command
	said        chan core.Event // of messages, and results
}

func newTab(t testing.TB, name, token string) *tab {
	return &tab{TB: t, name: name, token: token, gone: make(chan struct{}), commands: make(chan core.Command), said: make(chan core.Event, 256)}
}

// dial dials a gateway by the tab's token, and returns the HTTP status.
func (tab *tab) dial(n *Node) (status int) {
	tab.ws, status, _ = dialTLS(tab, n, nil, http.Header{"Authorization": {"Bearer " + tab.token}})
	return status
}

// join makes it a guest of a gateway, until the test ends or the gateway ends it.
func (tab *tab) join(n *Node) {
	tab.Helper()
	if status := tab.dial(n); tab.ws == nil {
		tab.Fatalf("%s gets no connection: %d", tab.name, status)
	}
	engine, err := core.New(core.Config{
		Ring: n.cfg.Ring, Name: tab.name, Ephemeral: true, Join: []string{"gateway:1"}, Seed: 1,
		Instance: wire.Instance{Start: time.Now().UnixMicro(), Nonce: 7},
	})
	if err != nil {
		tab.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	tab.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	frames := make(chan []byte)
	wg.Go(func() {
		defer close(frames)
		for {
			_, b, err := tab.ws.Read(ctx)
			if err != nil {
				tab.closed = websocket.CloseStatus(err)
				return
			}
			select {
			case frames <- b:
			case <-ctx.Done():
				return
			}
		}
	})
	wg.Go(func() {
		defer close(tab.gone)
		tab.run(ctx, engine, frames)
	})
}

func (tab *tab) run(ctx context.Context, engine core.Engine, frames <-chan []byte) {
	epoch := time.Now()
	wake := time.NewTimer(time.Hour)
	defer wake.Stop()
	var conn core.ConnID
	var step func(in core.Input)
	step = func(in core.Input) {
		in.Mono, in.Wall = time.Since(epoch).Microseconds(), time.Now().UnixMicro()
		effects, _ := engine.Step(in)
		dialed := false
		for _, e := range effects {
			switch e.Kind {
			case core.Dial:
				dialed, conn = conn == 0, e.Conn // once
			case core.Send:
				tab.ws.Write(ctx, websocket.MessageBinary, e.Frame)
			case core.Emit:
				tab.mu.Lock()
				tab.view.Apply(e.Event, 0)
				tab.mu.Unlock()
				if e.Event.Kind != core.EventNode {
					select {
					case tab.said <- *e.Event:
					default:
					}
				}
			case core.Wake:
				wake.Reset(time.Duration(e.At)*time.Microsecond - time.Since(epoch))
			}
		}
		if dialed {
			step(core.Input{Kind: core.Opened, Conn: conn})
		}
	}
	step(core.Input{Kind: core.Start})
	for {
		select {
		case b, ok := <-frames:
			if !ok {
				return
			}
			step(core.Input{Kind: core.Received, Conn: conn, Frame: b})
		case <-wake.C:
			step(core.Input{Kind: core.Tick})
		case c := <-tab.commands:
			step(core.Input{Kind: core.Do, Command: c})
		}
	}
}

// next returns the next event of a kind.
func (tab *tab) next(kind core.EventKind) core.Event {
	tab.Helper()
	for {
		select {
		case e := <-tab.said:
			if e.Kind == kind {
				return e
			}
		case <-time.After(patience):
			tab.Fatalf("waited in vain: %s at %s", kind, tab.name)
		}
	}
}

// sees says how a name stands, as the tab knows it.
func (tab *tab) sees(name string) core.State {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	n, ok := tab.view.Get(name)
	if !ok {
		return core.Removed
	}
	return n.State
}
