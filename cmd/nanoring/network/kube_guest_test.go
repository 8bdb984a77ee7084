//go:build linux

package network

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// api is the Service for guests: whoever is ready, and does not drain.
const api = "nanoring-api." + namespace + ".svc:7946"

// withGuest has a guest be in the ring while something happens to it that pods are told of: nobody
// shows it down, or gone, and it is up in the end.
func (k *kube) withGuest(do func()) {
	k.t.Helper()
	began, name := time.Now(), "tab"
	ctx, cancel := context.WithCancel(k.t.Context())
	left := make(chan struct{})
	go k.guest(ctx, name, left)
	shown := func() string { return k.wrongAmong(k.hosts, []*host{{name: name}}, "up") }
	k.until("the guest is up", shown)
	do()
	k.until("the guest is up again", shown)
	for _, s := range k.witness.since(began) {
		if s.of == name && s.state != "up" && s.state != "suspect" {
			k.t.Errorf("%s showed the guest %q after %s, and it was there", s.by, s.state, s.at.Sub(began))
		}
	}
	cancel()
	<-left
}

// guest is one, as a page's node is, until its time is over.
func (k *kube) guest(ctx context.Context, name string, left chan struct{}) {
	defer close(left)
	token, err := exec.Command(os.Getenv(inside), "token", "--secret-file", k.secret, "--name", name).Output()
	if err != nil {
		k.t.Errorf("nanoring token: %v", err)
		return
	}
	engine, err := core.New(core.Config{
		Ring: "nanoring", Name: name, Ephemeral: true, Join: []string{api}, Seed: 1,
		Instance: wire.Instance{Start: time.Now().UnixMicro(), Nonce: rand.Uint64()},
	})
	if err != nil {
		k.t.Error(err)
		return
	}
	began, inputs, opened := time.Now(), make(chan core.Input, 64), make(chan line, 8)
	lines := make(map[core.ConnID]*websocket.Conn)
	wake := time.NewTimer(0)
	tell := func(in core.Input) {
		select {
		case inputs <- in:
		case <-ctx.Done():
		}
	}
	dial := func(id core.ConnID, addr string) {
		if addr == api {
			addr = k.gateway() + ":7946"
		}
		within, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		ws, _, err := websocket.Dial(within, "wss://"+addr+"/ring", &websocket.DialOptions{
			HTTPClient: &http.Client{Transport: prober.Transport}, Subprotocols: []string{"nanoring.v1", "nanoring.token." + strings.TrimSpace(string(token))},
		})
		if err != nil {
			tell(core.Input{Kind: core.Closed, Conn: id, Code: wire.CodeUnreachable})
			return
		}
		defer ws.CloseNow()
		ws.SetReadLimit(wire.MaxFrame)
		select {
		case opened <- line{id, ws}:
		case <-ctx.Done():
			return
		}
		for {
			_, b, err := ws.Read(ctx)
			if err != nil {
				code := wire.CodeLost
				if status := websocket.CloseStatus(err); status > 0 && status != websocket.StatusAbnormalClosure {
					code = wire.Code(status)
				}
				tell(core.Input{Kind: core.Closed, Conn: id, Code: code})
				return
			}
			tell(core.Input{Kind: core.Received, Conn: id, Frame: b})
		}
	}
	step := func(in core.Input) {
		in.Mono, in.Wall = time.Since(began).Microseconds(), time.Now().UnixMicro()
		effects, _ := engine.Step(in)
		for _, e := range effects {
			ws := lines[e.Conn]
			switch {
			case e.Kind == core.Dial:
				go dial(e.Conn, e.Addr)
			case e.Kind == core.Send && ws != nil:
				ws.Write(ctx, websocket.MessageBinary, bytes.Clone(e.Frame))
			case e.Kind == core.Close && ws != nil:
				delete(lines, e.Conn)
				go ws.Close(websocket.StatusCode(e.Code), e.Text[:min(len(e.Text), 120)])
			case e.Kind == core.Wake:
				wake.Reset(time.Duration(e.At)*time.Microsecond - time.Since(began))
			case e.Kind == core.Halt:
				k.t.Errorf("the guest halts: %s %s", e.Reason, e.Text)
			}
		}
	}
	step(core.Input{Kind: core.Start})
	for {
		select {
		case <-ctx.Done():
			return
		case l := <-opened:
			lines[l.id] = l.ws
			step(core.Input{Kind: core.Opened, Conn: l.id})
		case in := <-inputs:
			if in.Kind == core.Closed {
				delete(lines, in.Conn)
			}
			step(in)
		case <-wake.C:
			step(core.Input{Kind: core.Tick})
		}
	}
}

// line is a guest's connection.
type line struct {
	id core.ConnID
	ws *websocket.Conn
}
