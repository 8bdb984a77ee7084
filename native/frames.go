package native

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
)

// The kinds of a WebSocket's frames (RFC 6455, 5.2).
const (
	opMore   = 0 // of a message that has begun
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10

	finalBit  = 0x80 // of the first byte: it is the last frame of its message
	unusedBit = 0x70 // of the first byte: extensions would have a use for them
	maskedBit = 0x80 // of the second byte

	controlSize = 125 // bytes that a control frame has at most
	headSize    = 14  // bytes of the longest head of a frame
)

// head is how a frame begins.
type head struct {
	op     byte
	final  bool
	masked bool
	key    [4]byte
	size   uint64
}

func (h *head) isControl() bool { return h.op >= opClose }

var errHead = errors.New("not a frame of a WebSocket")

// parseHead returns the head that b begins with, and its length: 0 if b ends within it.
func parseHead(b []byte) (h head, length int, err error) {
	if len(b) < 2 {
		return h, 0, nil
	}
	h = head{op: b[0] & 15, final: b[0]&finalBit != 0, masked: b[1]&maskedBit != 0, size: uint64(b[1] &^ maskedBit)}
	if b[0]&unusedBit != 0 || h.op > opPong || h.op > opBinary && h.op < opClose ||
		h.isControl() && (!h.final || h.size > controlSize) {
		return h, 0, errHead
	}
	wide := 0
	switch h.size {
	case 126:
		wide = 2
	case 127:
		wide = 8
	}
	length = 2 + wide
	if h.masked {
		length += len(h.key)
	}
	if len(b) < length {
		return h, 0, nil
	}
	switch wide {
	case 2:
		h.size = uint64(binary.BigEndian.Uint16(b[2:]))
	case 8:
		h.size = binary.BigEndian.Uint64(b[2:])
	}
	if h.masked {
		copy(h.key[:], b[2+wide:])
	}
	return h, length, nil
}

// appendFrame appends a frame that is a message, or control. Who has dialled masks what it
// sends by a key that nobody can foresee, or a proxy could be led to take it for something else.
func appendFrame(b []byte, op byte, masked bool, payload []byte) []byte {
	mark := byte(0)
	if masked {
		mark = maskedBit
	}
	b = append(b, finalBit|op)
	switch size := len(payload); {
	case size < 126:
		b = append(b, mark|byte(size))
	case size < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, mark|126), uint16(size))
	default:
		b = binary.BigEndian.AppendUint64(append(b, mark|127), uint64(size))
	}
	if !masked {
		return append(b, payload...)
	}
	var key [4]byte
	rand.Read(key[:])
	b = append(append(b, key[:]...), payload...)
	mask(b[len(b)-len(payload):], key, 0)
	return b
}

// mask masks, or unmasks, bytes of a payload, of which so many were before them.
func mask(b []byte, key [4]byte, before int) {
	var eight [8]byte
	for i := range eight {
		eight[i] = key[(before+i)%4]
	}
	for k := binary.NativeEndian.Uint64(eight[:]); len(b) >= 8; b = b[8:] {
		binary.NativeEndian.PutUint64(b, binary.NativeEndian.Uint64(b)^k)
	}
	for i := range b {
		b[i] ^= eight[i]
	}
}

// closing returns the code and the text of a close frame's payload; ok is false of one that
// may not be sent.
func closing(payload []byte) (code uint16, ok bool) {
	switch len(payload) {
	case 0:
		return 1005, true // which says that there is none
	case 1:
		return 0, false
	}
	code = binary.BigEndian.Uint16(payload)
	switch {
	case code == 1004, code == 1005, code == 1006, code == 1015: // reserved
		return 0, false
	}
	return code, code >= 1000 && code <= 1014 || code >= 3000 && code <= 4999
}
