package native

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

// taker is a response writer that gives a connection away.
type taker struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h *taker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// FuzzSocket: whatever a peer sends once its WebSocket is open, control frames, fragments and
// messages, at once or in pieces, the engine gets its binary messages and no others, each as it
// was sent and none that is too big; and the connection ends when the peer does, and gives back
// all that was held for it.
func FuzzSocket(f *testing.F) {
	whole := func(head byte, payload string) []byte { return socketFrame(head, payload) }
	for _, seed := range [][]byte{
		whole(0x82, "hello"),
		whole(0x81, "hello"),
		bytes.Join([][]byte{whole(0x02, "he"), whole(0x89, "ping"), whole(0x00, ""), whole(0x80, "llo"), whole(0x82, "x")}, nil),
		bytes.Join([][]byte{whole(0x02, "he"), whole(0x82, "other")}, nil), // a message in another
		whole(0x80, "of nothing"),
		bytes.Repeat(whole(0x89, ""), 20),
		whole(0x8a, "pong"),
		whole(0x88, "\x03\xe8bye"),
		whole(0x88, "\x03"),
		whole(0x88, "\x03\xedreserved"),
		whole(0x88, "\x0f\xa0\xff\xfe"),
		bytes.Join([][]byte{whole(0x88, ""), whole(0x82, "after")}, nil),
		whole(0x09, "in pieces"),
		whole(0x89, string(make([]byte, 126))),
		whole(0xc2, "compressed"),
		whole(0x83, "of no kind"),
		{0x82, 5, 'n', 'o', 'm', 'a', 's'},
		{0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0},
		{0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 'x'},
		whole(0x82, string(make([]byte, maxFirst+1))),
	} {
		f.Add(seed, byte(0))
		f.Add(seed, byte(1))
	}
	n := &Node{costs: newCosts(8)}
	f.Fuzz(func(t *testing.T, sent []byte, piece byte) {
		near, far := net.Pipe()
		// More than any connection takes: none is left open.
		stuck := time.AfterFunc(patience, func() { near.Close(); far.Close() })
		r := httptest.NewRequest("GET", "/ring", nil)
		r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="}, "Sec-Websocket-Protocol": {subprotocol}}
		l, err := upgrade(&taker{httptest.NewRecorder(), near}, r)
		if err != nil {
			t.Fatal(err)
		}
		answers := make(chan struct{})
		go func() { // it reads whatever comes
			io.Copy(io.Discard, far)
			close(answers)
		}()
		go func() {
			for rest := sent; len(rest) > 0; {
				part := rest
				if piece > 0 {
					part = rest[:min(int(piece), len(rest))]
				}
				if _, err := far.Write(part); err != nil {
					return
				}
				rest = rest[len(part):]
			}
			far.Close()
		}()
		c := n.newConn(1, l)
		c.cost = n.costs.open("somebody")
		cost := c.cost
		want := messagesIn(sent)
		for i, most := 0, maxFirst; ; i, most = i+1, wire.MaxFrame {
			frame, code, _ := c.read()
			if code != 0 {
				break
			}
			if i >= len(want) || !bytes.Equal(frame, want[i]) || len(frame) > most {
				t.Fatalf("message %d is %.99q: %d were sent, %.99q", i, frame, len(want), want)
			}
			c.release()
		}
		c.abort(wire.CodeLost)
		c.settle()
		n.wg.Wait()
		cost.close()
		<-answers
		if !stuck.Stop() {
			t.Fatal("the connection does not end")
		}
		if held := n.costs.held(costHeld); held != 0 {
			t.Fatalf("%d bytes are held for nobody", held)
		}
	})
}

// socketFrame is a frame of a client, masked with nothing.
func socketFrame(head byte, payload string) []byte {
	b := []byte{head}
	if len(payload) < 126 {
		b = append(b, 0x80|byte(len(payload)))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(len(payload)))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// messagesIn is what bytes of a client have of whole binary messages, up to where they are wrong
// by RFC 6455.
func messagesIn(b []byte) (all [][]byte) {
	var message []byte
	begun := false
	for len(b) >= 2 {
		final, opcode, size := b[0]&0x80 != 0, b[0]&15, uint64(b[1]&0x7f)
		if b[0]&0x70 != 0 || b[1]&0x80 == 0 {
			return all
		}
		b = b[2:]
		for _, wide := range []struct{ mark, bytes int }{{126, 2}, {127, 8}} {
			if size == uint64(wide.mark) {
				if len(b) < wide.bytes {
					return all
				}
				size = binary.BigEndian.Uint64(append(make([]byte, 8-wide.bytes), b[:wide.bytes]...))
				b = b[wide.bytes:]
				break
			}
		}
		if len(b) < 4 || size > uint64(len(b)-4) {
			return all
		}
		payload := bytes.Clone(b[4 : 4+size])
		for i := range payload {
			payload[i] ^= b[i%4]
		}
		b = b[4+size:]
		switch {
		case opcode >= 8:
			if opcode > 10 || !final || size > 125 || opcode == 8 {
				return all
			}
			continue
		case opcode == 2 && !begun:
			begun, message = true, payload
		case opcode == 0 && begun:
			message = append(message, payload...)
		default:
			return all
		}
		if final {
			all, begun, message = append(all, message), false, nil
		}
	}
	return all
}
