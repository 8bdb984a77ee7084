package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// hostile is a guest that does what the protocol lets it, with whatever text it likes.
type hostile struct {
	commands chan core.Command
}

// hostileGuest enters a ring at a node as a guest, which answers every question with a text.
func hostileGuest(t *testing.T, address string, config core.Config, answers string) *hostile {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ws, _, err := websocket.Dial(ctx, "ws://"+address+"/ring", &websocket.DialOptions{Subprotocols: []string{"nanoring.v1"}})
	must(t, err)
	config.Ephemeral, config.Join, config.Instance = true, []string{"gateway:1"}, wire.Instance{Start: time.Now().UnixMicro(), Nonce: 7}
	engine, err := core.New(config)
	must(t, err)
	h := &hostile{commands: make(chan core.Command)}
	frames := make(chan []byte)
	var wg sync.WaitGroup
	t.Cleanup(func() { cancel(); ws.CloseNow(); wg.Wait() })
	wg.Go(func() {
		for {
			_, b, err := ws.Read(ctx)
			if err != nil {
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
		epoch, conn, wake := time.Now(), core.ConnID(0), time.NewTimer(time.Hour)
		todo := []core.Input{{Kind: core.Start}}
		for {
			for len(todo) > 0 {
				in := todo[0]
				todo = todo[1:]
				in.Mono, in.Wall = time.Since(epoch).Microseconds(), time.Now().UnixMicro()
				effects, _ := engine.Step(in)
				for _, e := range effects {
					switch {
					case e.Kind == core.Dial && conn == 0:
						conn = e.Conn
						todo = append(todo, core.Input{Kind: core.Opened, Conn: conn})
					case e.Kind == core.Send:
						ws.Write(ctx, websocket.MessageBinary, e.Frame)
					case e.Kind == core.Wake:
						wake.Reset(time.Duration(e.At)*time.Microsecond - time.Since(epoch))
					case e.Kind == core.Emit && e.Event.Kind == core.EventHeard && e.Event.Question != 0:
						todo = append(todo, core.Input{Kind: core.Do, Command: core.Command{Op: core.Answer, Question: e.Event.Question, Payload: answers}})
					}
				}
			}
			select {
			case b := <-frames:
				todo = append(todo, core.Input{Kind: core.Received, Conn: conn, Frame: b})
			case <-wake.C:
				todo = append(todo, core.Input{Kind: core.Tick})
			case c := <-h.commands:
				todo = append(todo, core.Input{Kind: core.Do, Command: c})
			case <-ctx.Done():
				return
			}
		}
	})
	return h
}

// hostileNode is what a node is told to dial: it refuses with a text, in its error and its close.
func hostileNode(t *testing.T, text string) (address string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"nanoring.v1"}})
		if err != nil {
			return
		}
		defer ws.CloseNow()
		f := wire.Frame{Kind: wire.KindError, Code: wire.CodeRing, Text: text}
		ws.Write(r.Context(), websocket.MessageBinary, f.Append(nil))
		ws.Close(websocket.StatusCode(wire.CodeRing), text)
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().(*net.TCPAddr).String()
}
