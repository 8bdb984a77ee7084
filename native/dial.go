package native

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native/trust"
)

// connectWithin bounds a dial from the host's name to the connection of TCP. A slow line
// has longer: it is for its patience.
func (t Times) connectWithin() time.Duration { return max(2*time.Second, 4*t.AckTimeout) }

// dialWithin bounds a dial up to the WebSocket. Who has connected by TCP has a good part of it
// left: begun anew a handshake costs both sides as much again, and where they are
// busy with handshakes none of them would come to an end.
func (t Times) dialWithin() time.Duration { return max(8*time.Second, 16*t.AckTimeout) }

// newClient returns what dials. It says whose handshake did not come in time.
func newClient(k *trust.Keeper, t Times, late func(addr string)) *http.Client {
	// What dials for a request goes on when that is over, so it needs an end of its own:
	// a host that vanished answers minutes later, a process that is stopped never.
	dialer := &net.Dialer{Control: shortSegments, Timeout: t.connectWithin()}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := dialer.DialContext(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				return unended{c}, nil
			},
			DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				raw, err := dialer.DialContext(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				ctx, cancel := context.WithTimeout(ctx, t.dialWithin())
				defer cancel()
				secure := tls.Client(raw, k.Now().Client())
				if err := secure.HandshakeContext(ctx); err != nil {
					raw.Close()
					if ctx.Err() != nil {
						late(addr)
					}
					return nil, err
				}
				return unended{secure}, nil
			},
			DisableKeepAlives:      true, // each connection is a WebSocket, or of no use
			MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// dial carries out a Dial effect.
func (n *Node) dial(ctx context.Context, id core.ConnID, addr string) {
	c, code := n.open(ctx, id, addr)
	if code == wire.CodeRefused {
		n.rings.gone(addr)
	}
	if c == nil {
		n.post(input{kind: core.Closed, id: id, code: code})
		return
	}
	if !n.adopt(c, func() {}) {
		c.ws.CloseNow()
		n.post(input{kind: core.Closed, id: id, code: wire.CodeRotated}) // it says nothing of the other
	}
}

// open returns a connection, or why there is none.
func (n *Node) open(ctx context.Context, id core.ConnID, addr string) (*conn, wire.Code) {
	t := n.keeper.Now()
	var raw net.Conn
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { raw = info.Conn },
	})
	u := url.URL{Scheme: "ws", Host: addr, Path: "/ring"}
	if t.Secured() {
		u.Scheme = "wss"
	}
	// Who joins says soon why it has not, though the dial goes on.
	within := n.cfg.Times.connectWithin()
	slow := time.AfterFunc(within, func() { n.joins.miss(addr, unansweredWithin(within)) })
	ws, resp, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{
		HTTPClient:      n.client,
		Subprotocols:    []string{subprotocol},
		CompressionMode: websocket.CompressionDisabled,
	})
	slow.Stop()
	if err != nil {
		n.joins.miss(addr, whyMissed(err, resp, within))
		n.log.Debug("dial failed", "address", addr, "err", err)
		sayNoFiles(n.log, &n.rare, err)
		switch no := trust.HandshakeError(err); {
		case IsRefused(err):
			return nil, wire.CodeRefused
		case resp != nil && resp.StatusCode == http.StatusServiceUnavailable:
			return nil, wire.CodeBusy
		case resp != nil && (resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden):
			return nil, n.untrusted(addr, &trust.Error{Text: "it wants the ring's secret: start this node with it, too (--secret-file)"})
		case no != nil:
			return nil, n.untrusted(addr, no)
		}
		return nil, wire.CodeUnreachable
	}
	if ws.Subprotocol() != subprotocol {
		ws.CloseNow()
		n.joins.miss(addr, "it is no node of this version")
		return nil, wire.CodeVersion
	}
	n.joins.miss(addr, "")
	var who trust.Identity
	raw = raw.(unended).Conn
	if secure, ok := raw.(*tls.Conn); ok {
		// Its certificate was verified; that its secret is still there, adopt looks at.
		if who, err = t.Identify(secure.ConnectionState().PeerCertificates[0]); err != nil {
			ws.CloseNow()
			return nil, wire.CodeUntrusted
		}
		raw = secure.NetConn()
	}
	c := n.newConn(id, ws, raw)
	c.key, c.story.open.name = who.Key, who.Name
	return c, 0
}

// handshakeLate says in the log that an address takes connections, and no handshake.
func (n *Node) handshakeLate(addr string) {
	if n.rare.now("handshake", addr) {
		n.log.Warn("a node takes the connection, but the TLS handshake does not come through: it is stopped or very slow, or long packets vanish on the way: then set a smaller MTU on both hosts", "address", addr)
	}
}

// untrusted says in the log why a node that was dialled is not believed.
func (n *Node) untrusted(addr string, why *trust.Error) wire.Code {
	if n.rare.now("ours "+why.Lacks, addr) {
		n.log.Error("a node of the ring cannot be reached: no trust", "address", addr, "why", why)
	}
	return wire.CodeUntrusted
}
