package native

import (
	"io"
	"net"
)

// unended is a connection whose end is never that of a message: the WebSocket library takes an
// io.EOF for one, also where the connection ends between two reads of a message, so that of a
// peer that has ended half a frame would be taken for a whole one.
type unended struct{ net.Conn }

// Read reads, and says of the end that it came unexpectedly.
func (u unended) Read(b []byte) (int, error) {
	n, err := u.Conn.Read(b)
	return n, unexpected(err)
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
