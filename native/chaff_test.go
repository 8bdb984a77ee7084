package native

import (
	"bytes"
	"net"
	"testing"
	"time"
)

// TestChaff: who sends nothing but pings, or fragments without a byte, is cut off; so is a
// message that does not end.
func TestChaff(t *testing.T) {
	n := startFake(t, newFake(nil))
	for what, frame := range map[string][]byte{
		"pings":           {0x89, 0x80, 0, 0, 0, 0},
		"empty fragments": {0x00, 0x80, 0, 0, 0, 0},
	} {
		c := rawPeer(t, n)
		if what == "empty fragments" {
			c.Write([]byte{0x02, 0x80, 0, 0, 0, 0}) // a message that begins
		}
		go func() {
			for b := make([]byte, 4096); ; {
				if _, err := c.Read(b); err != nil {
					return
				}
			}
		}()
		cut := make(chan struct{})
		go func() {
			defer close(cut)
			for many := bytes.Repeat(frame, 100); ; {
				if _, err := c.Write(many); err != nil {
					return
				}
			}
		}()
		receive(t, what+" end", cut)
		c.Close()
	}
	c := rawPeer(t, n)
	defer c.Close()
	c.Write([]byte{0x82, 0x80 | 100, 0, 0, 0, 0, 1}) // one byte of a hundred
	c.SetReadDeadline(time.Now().Add(2 * messageWait))
	for b := make([]byte, 4096); ; {
		if _, err := c.Read(b); err != nil {
			if late, ok := err.(net.Error); ok && late.Timeout() {
				t.Error("a message that does not end is waited for")
			}
			return
		}
	}
}

// rawPeer opens a WebSocket by hand.
func rawPeer(t *testing.T, n *Node) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", n.Addr())
	if err != nil {
		t.Fatal(err)
	}
	c.Write([]byte("GET /ring HTTP/1.1\r\nHost: " + n.Addr() + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: nanoring.v1\r\n\r\n"))
	if _, err := c.Read(make([]byte, 4096)); err != nil {
		t.Fatal(err)
	}
	return c
}
