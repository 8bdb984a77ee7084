package native

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// thief is what runs at an address that a ring was told of: it lets its friend in, and tells all
// others that their name is taken, or that it is they itself, by turns.
type thief struct {
	friend string
	told   atomic.Int32
}

func (f *thief) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}})
	if err != nil {
		return
	}
	defer ws.CloseNow()
	var in wire.Frame
	if _, b, err := ws.Read(r.Context()); err != nil || in.Decode(b) != nil || in.Kind != wire.KindHello {
		return
	}
	send := func(f *wire.Frame) { ws.Write(r.Context(), websocket.MessageBinary, f.Append(nil)) }
	h := in.Hello
	if h.Name != f.friend {
		if f.told.Add(1)%2 == 0 {
			h.Instance = wire.Instance{Start: 1}
			send(&wire.Frame{Kind: wire.KindHello, Hello: h})
		} else {
			send(&wire.Frame{Kind: wire.KindError, Code: wire.CodeNameTaken, Text: "the name is taken"})
		}
		ws.Close(websocket.StatusCode(wire.CodeNameTaken), "the name is taken")
		return
	}
	h.Name, h.Address, h.Instance = "evil", r.Host, wire.Instance{Start: time.Now().UnixMicro(), Nonce: 666}
	send(&wire.Frame{Kind: wire.KindHello, Hello: h})
	for {
		var f wire.Frame
		_, b, err := ws.Read(r.Context())
		if err != nil {
			return
		}
		switch f.Decode(b); f.Kind {
		case wire.KindProbe:
			send(&wire.Frame{Kind: wire.KindAlive, Seq: f.Seq, Instance: h.Instance})
		case wire.KindGossip:
			send(&wire.Frame{Kind: wire.KindAck, Seq: f.Seq, Wall: time.Now().UnixMicro(), Fingerprint: f.Fingerprint})
		}
	}
}

// TestOneAddressEndsNobody: in a ring without a secret a member's address that refuses nodes
// since their names were taken, or is they itself, ends none of them; two processes of one name
// that the others know are still found out: see TestNameIsTaken.
func TestOneAddressEndsNobody(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("there is no second address of loopback: ", err)
	}
	evil := &thief{friend: "dev2"}
	server := httptest.NewUnstartedServer(evil)
	server.Listener.Close()
	server.Listener = l
	server.Start()
	defer server.Close()
	defer server.CloseClientConnections()

	var log logged
	one := real(t, "dev1", func(c *Config) { c.Log = log.logger() })
	two := real(t, "dev2", join(one.Addr()))
	agree(t, "dev1 dev2", one, two)
	if _, err := two.Add(soon(t), "evil", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "dev1 is told four times", func() bool { return evil.told.Load() >= 4 })
	sees(t, two, "dev1", core.Alive)
	sees(t, one, "dev2", core.Alive)
	select {
	case <-one.Done():
		t.Fatal(one.Err())
	default:
	}
	if log.count("name-taken") == 0 {
		t.Error("the log does not say so")
	}
	one.Close()
	two.Close()
}
