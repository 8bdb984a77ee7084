package native

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
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

// TestChaffOfWhoIsDialled: who is dialled, and answers with nothing but pings or pongs, is cut off like who dials.
func TestChaffOfWhoIsDialled(t *testing.T) {
	for what, frame := range map[string][]byte{"pings": {0x89, 0x00}, "pongs": {0x8a, 0x00}} {
		cut := make(chan struct{})
		evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			l, err := upgrade(w, r)
			if err != nil {
				t.Error(err)
				return
			}
			defer close(cut)
			defer l.raw.Close()
			go io.Copy(io.Discard, l.raw)
			for many := bytes.Repeat(frame, 1000); ; {
				if _, err := l.raw.Write(many); err != nil {
					return
				}
			}
		}))
		startFake(t, dialing(evil.Listener.Addr().String()))
		receive(t, what+" end", cut)
		evil.Close()
	}
}

// TestChaffIsNotSavedUp: who was silent for an hour, or sent many messages, has no more of it than others.
func TestChaffIsNotSavedUp(t *testing.T) {
	for what, before := range map[string]struct {
		messages int
		silent   time.Duration
	}{"silence": {0, time.Hour}, "small messages": {50_000, 0}} {
		near, far := net.Pipe()
		s := &sieve{ReadWriteCloser: near, at: time.Now()}
		over := make(chan struct{})
		go func() {
			defer close(over)
			for range before.messages {
				far.Write([]byte{0x82, 0x81, 0, 0, 0, 0, 1})
			}
			for pings := bytes.Repeat([]byte{0x89, 0x80, 0, 0, 0, 0}, 100); ; {
				if _, err := far.Write(pings); err != nil {
					return
				}
			}
		}()
		for range before.messages {
			if _, err := io.ReadFull(s, make([]byte, 7)); err != nil {
				t.Fatal(err)
			}
			s.taken(1)
			s.taken(headSize)
		}
		s.at = s.at.Add(-before.silent)
		began, got := time.Now(), 0
		for b := make([]byte, 600); ; {
			n, err := s.Read(b)
			if got += n; err != nil {
				break
			}
			if most := chaffBurst + int(time.Since(began).Seconds()+1)*chaffRate; got > most {
				t.Errorf("%d bytes of pings are borne after %s, not %d", got, what, most)
				break
			}
		}
		near.Close()
		<-over
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
