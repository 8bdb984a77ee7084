package native

import (
	"errors"
	"net"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

// What others may send of WebSocket's own, frames' heads, pings and empty fragments, which the
// engine never sees: who is honest sends some ten bytes with each message.
const (
	chaffBurst = wire.MaxFrame + 16<<10 // bytes at once, a message that is not taken yet among them,
	chaffRate  = 1 << 10                // and a second
	headSize   = 14                     // bytes of the longest head of a frame

	messageWait = 10 * time.Second // for a message that has begun, and
	messageRate = 4 << 10          // a second more for so many bytes of it
)

var errChaff = errors.New("more control frames, or empty ones, than anybody needs")

// sieve is a connection that breaks when what comes is no part of messages.
type sieve struct {
	net.Conn
	opened time.Time
	all    int64 // bytes that came,
	used   int64 // and those that were messages, with a head each
}

// Read is the WebSocket's, by the goroutine that takes messages, too.
func (s *sieve) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	s.all += int64(n)
	if chaff := s.all - s.used; chaff > chaffBurst && chaff > chaffBurst+chaffRate*int64(time.Since(s.opened)/time.Second) {
		s.Conn.Close()
		return 0, errChaff
	}
	return n, err
}

// taken takes note of bytes of a message.
func (s *sieve) taken(n int) {
	if s != nil { // it was not dialled
		s.used += int64(n)
	}
}
