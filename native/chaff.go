package native

import (
	"errors"
	"io"
	"sync"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

// What others may send of WebSocket's own, frames' heads, pings and empty fragments, which the
// engine never sees: who is honest sends some ten bytes with each message.
const (
	chaffBurst = wire.MaxFrame + 16<<10 // bytes at once, a message that is not taken yet among them,
	chaffRate  = 1 << 10                // and a second

	messageWait = 10 * time.Second // for a message that has begun, and
	messageRate = 4 << 10          // a second more for so many bytes of it
)

var errChaff = errors.New("more control frames, or empty ones, than anybody needs")

// sieve is a connection that breaks when what comes is no part of messages.
type sieve struct {
	io.ReadWriteCloser
	mu    sync.Mutex
	chaff int64 // bytes that came and were no message, so far, less what is forgotten since
	at    time.Time
}

// Read is the WebSocket's: it is called by who takes messages, and by who closes it.
func (s *sieve) Read(b []byte) (int, error) {
	n, err := s.ReadWriteCloser.Read(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	forgotten := int64(now.Sub(s.at) * chaffRate / time.Second)
	s.chaff, s.at = max(s.chaff-forgotten, 0)+int64(n), now
	if s.chaff > chaffBurst {
		s.Close()
		return 0, errChaff
	}
	return n, err
}

// taken takes note of bytes of a message.
func (s *sieve) taken(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chaff = max(s.chaff-int64(n), 0)
}
