package native

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// dialTimeout bounds a dial, from the host's name to the WebSocket.
const dialTimeout = 2 * time.Second

func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{}).DialContext,
			DisableKeepAlives:      true, // each connection is a WebSocket, or of no use
			MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// dial carries out a Dial effect.
func (n *Node) dial(ctx context.Context, id core.ConnID, addr string) {
	c, code := n.open(ctx, id, addr)
	if c == nil {
		n.post(input{Input: core.Input{Kind: core.Closed, Conn: id, Code: code}})
		return
	}
	if !n.adopt(c, core.Input{}, func() {}) {
		c.ws.CloseNow()
	}
}

func (n *Node) open(ctx context.Context, id core.ConnID, addr string) (*conn, wire.Code) {
	var raw net.Conn
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { raw = info.Conn },
	})
	u := url.URL{Scheme: "ws", Host: addr, Path: "/ring"}
	ws, resp, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{
		HTTPClient:      n.client,
		Subprotocols:    []string{subprotocol},
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		n.log.Debug("dial failed", "address", addr, "err", err)
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			return nil, wire.CodeRefused
		case resp != nil && resp.StatusCode == http.StatusServiceUnavailable:
			return nil, wire.CodeBusy
		}
		return nil, wire.CodeUnreachable
	}
	if ws.Subprotocol() != subprotocol {
		ws.CloseNow()
		return nil, wire.CodeVersion
	}
	return n.newConn(id, ws, raw), 0
}
