//go:build linux

package siege

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// guest is an honest one, as a page is: it has the core, dials gateways over TLS, sends
// its token as a subprotocol, and goes to another gateway when it loses one.
type guest struct {
	name, token string
	gateways    []string
	http        *http.Client

	bytes  atomic.Int64 // that it was sent
	frames atomic.Int64
	mu     sync.Mutex
	lost   map[string]int // connections that ended, by how
	halted string

	ctx    context.Context
	inputs chan input
	epoch  time.Time
	lines  map[core.ConnID]*line // run's
}

type input struct {
	core.Input
	line *line // Opened
}

// line is a WebSocket, and what waits to be sent on it.
type line struct {
	ws    *websocket.Conn
	queue chan []byte
}

// honest starts so many guests, each by a token of its own, which are there until the
// test ends.
func (r *ring) honest(count int) (guests []*guest) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	for i := range count {
		g := &guest{
			name: fmt.Sprintf("tab-%d", i), gateways: r.addrs(), http: client, lost: make(map[string]int),
			ctx: ctx, inputs: make(chan input, 64), epoch: time.Now(), lines: make(map[core.ConnID]*line),
		}
		g.gateways = slices.Concat(g.gateways[i%len(g.gateways):], g.gateways[:i%len(g.gateways)])
		g.token = r.token(trust.Token{Role: trust.RoleGuest, Name: g.name, Send: []string{"chat.*"}, Hear: []string{"chat.*"}})
		guests = append(guests, g)
		wg.Go(func() { g.run(uint64(i)) })
	}
	r.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return guests
}

func (g *guest) run(seed uint64) {
	engine, err := core.New(core.Config{
		Ring: ringName, Name: g.name, Ephemeral: true, Join: g.gateways, Seed: seed,
		Instance: wire.Instance{Start: time.Now().UnixMicro(), Nonce: rand.Uint64()},
	})
	if err != nil {
		g.halt(err.Error())
		return
	}
	wake := time.NewTimer(time.Hour)
	defer wake.Stop()
	step := func(in core.Input) {
		in.Mono, in.Wall = time.Since(g.epoch).Microseconds(), time.Now().UnixMicro()
		effects, _ := engine.Step(in)
		for _, e := range effects {
			switch e.Kind {
			case core.Dial:
				go g.dial(e.Conn, e.Addr)
			case core.Send:
				if l := g.lines[e.Conn]; l != nil {
					select {
					case l.queue <- bytes.Clone(e.Frame):
					default: // it is not read
						l.ws.CloseNow()
					}
				}
			case core.Close:
				g.count(fmt.Sprintf("left: %s: %s", e.Code, e.Text))
				g.end(e.Conn, e.Code, e.Text)
			case core.Wake:
				wake.Reset(time.Duration(e.At)*time.Microsecond - time.Since(g.epoch))
			case core.Halt:
				g.halt(e.Reason.String() + " " + e.Text)
			}
		}
	}
	step(core.Input{Kind: core.Start})
	step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Hear, Hear: core.Subscription{Messages: []string{"chat.*"}}}})
	for {
		select {
		case <-g.ctx.Done():
			return
		case in := <-g.inputs:
			switch in.Kind {
			case core.Opened:
				g.lines[in.Conn] = in.line
			case core.Closed:
				g.end(in.Conn, wire.CodeGoingAway, "")
			}
			step(in.Input)
		case <-wake.C:
			step(core.Input{Kind: core.Tick})
		}
	}
}

func (g *guest) end(id core.ConnID, code wire.Code, text string) {
	if l := g.lines[id]; l != nil {
		delete(g.lines, id)
		close(l.queue)
		go l.ws.Close(websocket.StatusCode(code), text[:min(len(text), 120)])
	}
}

func (g *guest) tell(in input) {
	select {
	case g.inputs <- in:
	case <-g.ctx.Done():
	}
}

// dial opens a connection, and reads what comes on it.
func (g *guest) dial(id core.ConnID, addr string) {
	ctx, cancel := context.WithTimeout(g.ctx, 10*time.Second)
	ws, resp, err := websocket.Dial(ctx, "wss://"+addr+"/ring", &websocket.DialOptions{
		HTTPClient: g.http, Subprotocols: []string{"nanoring.v1", "nanoring.token." + g.token},
	})
	cancel()
	if err != nil {
		code, how := wire.CodeUnreachable, "no connection"
		if resp != nil {
			how = resp.Status
			if resp.StatusCode == http.StatusServiceUnavailable {
				code = wire.CodeBusy
			}
		}
		g.count("dialled: " + how)
		g.tell(input{Input: core.Input{Kind: core.Closed, Conn: id, Code: code}})
		return
	}
	ws.SetReadLimit(wire.MaxFrame)
	l := &line{ws: ws, queue: make(chan []byte, 1024)}
	go func() {
		for b := range l.queue {
			if ws.Write(g.ctx, websocket.MessageBinary, b) != nil {
				ws.CloseNow()
			}
		}
	}()
	g.tell(input{Input: core.Input{Kind: core.Opened, Conn: id}, line: l})
	for {
		_, b, err := ws.Read(g.ctx)
		if err != nil {
			ws.CloseNow()
			code := wire.CodeLost
			if status := websocket.CloseStatus(err); status > 0 && status != websocket.StatusAbnormalClosure {
				code = wire.Code(status)
			}
			if g.ctx.Err() == nil {
				g.count("lost: " + code.String())
			}
			g.tell(input{Input: core.Input{Kind: core.Closed, Conn: id, Code: code}})
			return
		}
		g.bytes.Add(int64(len(b)))
		g.frames.Add(1)
		g.tell(input{Input: core.Input{Kind: core.Received, Conn: id, Frame: b}})
	}
}

func (g *guest) count(how string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lost[how]++
}

func (g *guest) halt(why string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.halted = why
}

// forget forgets what ended.
func (g *guest) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.lost)
}
