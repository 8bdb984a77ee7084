//go:build linux

package siege

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

// Opcodes of WebSocket frames.
const (
	opMore   = 0
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9

	fin = 0x80
)

// socket is the client's end of a WebSocket that need not keep to any rule.
type socket struct {
	net.Conn
	node     int
	name     string
	instance wire.Instance
	proper   bool // it came in as guests do

	deaf  atomic.Bool   // it does not read
	let   chan struct{} // closed when the first message has come
	read  chan struct{} // closed when the connection is over
	ended string        // how, once it is
	got   atomic.Int64  // bytes
	write sync.Mutex
	buf   []byte
}

// upgrade makes a connection a WebSocket, and reads all that comes on it. It says
// the HTTP status; 0 for none.
func upgrade(c net.Conn, host, headers string) (*socket, int) {
	c.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(c, "GET /ring HTTP/1.1\r\nHost: "+host+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: nanoring.v1\r\n"+headers+"\r\n")
	r := bufio.NewReaderSize(c, 1024)
	first, err := r.ReadString('\n')
	status := 0
	if f := strings.Fields(first); err == nil && len(f) > 1 {
		status, _ = strconv.Atoi(f[1])
	}
	for line := first; err == nil && line != "\r\n"; {
		line, err = r.ReadString('\n')
	}
	if err != nil || status != 101 {
		return nil, status
	}
	c.SetDeadline(time.Time{})
	s := &socket{Conn: c, let: make(chan struct{}), read: make(chan struct{}), ended: "broken"}
	go s.listen(r)
	return s, status
}

// listen reads until the connection is over.
func (s *socket) listen(r *bufio.Reader) {
	defer close(s.read)
	var head [8]byte
	for first := true; ; {
		for s.deaf.Load() {
			time.Sleep(50 * time.Millisecond)
			if s.SetReadDeadline(time.Time{}) != nil {
				return
			}
		}
		if _, err := io.ReadFull(r, head[:2]); err != nil {
			return
		}
		op, n := head[0]&0xf, int64(head[1])
		var err error
		switch n {
		case 126:
			_, err = io.ReadFull(r, head[:2])
			n = int64(binary.BigEndian.Uint16(head[:]))
		case 127:
			_, err = io.ReadFull(r, head[:8])
			n = int64(binary.BigEndian.Uint64(head[:]))
		}
		s.got.Add(n)
		if err == nil && op == opClose && n >= 2 {
			b := make([]byte, min(n, 125))
			if _, err = io.ReadFull(r, b); err == nil {
				s.ended = fmt.Sprintf("%s: %s", wire.Code(binary.BigEndian.Uint16(b)), b[2:])
			}
			s.Conn.Close()
			return
		}
		if err == nil {
			_, err = r.Discard(int(n))
		}
		if first && op == opBinary && err == nil {
			first = false
			close(s.let)
		}
		if err != nil {
			return
		}
	}
}

// over says whether the connection is.
func (s *socket) over() bool {
	select {
	case <-s.read:
		return true
	default:
		return false
	}
}

// say sends a frame, and says whether it could.
func (s *socket) say(f *wire.Frame) bool { return s.put(fin|opBinary, f.Append(nil)) }

// put sends a WebSocket frame, whose first byte it is told. Its mask is 0.
func (s *socket) put(first byte, payload []byte) bool {
	s.write.Lock()
	defer s.write.Unlock()
	b := append(s.buf[:0], first)
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	s.buf = append(append(b, 0, 0, 0, 0), payload...)
	return s.raw(s.buf)
}

func (s *socket) raw(b []byte) bool {
	s.SetWriteDeadline(time.Now().Add(20 * time.Second))
	_, err := s.Conn.Write(b)
	return err == nil && !s.over()
}

// bye closes it in order.
func (s *socket) bye(code uint16, text string) {
	s.put(fin|opClose, append(binary.BigEndian.AppendUint16(nil, code), text...))
}
