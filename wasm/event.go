package main

import (
	"strconv"
	"unicode/utf8"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// object is the beginning of a JSON object, which grows without what is empty.
type object []byte

func open(dst []byte) object { return append(dst, '{') }

func (o object) close() []byte { return append(o, '}') }

// key appends a key as it stands in JSON, from the comma before it to the colon.
//
//go:noinline
func (o object) key(k string) object {
	if o[len(o)-1] == '{' {
		k = k[1:]
	}
	return append(o, k...)
}

// string takes a key that has the quote of its value too.
func (o object) string(k, v string) object {
	if v == "" {
		return o
	}
	return append(appendText(o.key(k), v), '"')
}

func (o object) int(k string, v int64) object {
	if v == 0 {
		return o
	}
	return strconv.AppendInt(o.key(k), v, 10)
}

func (o object) uint(k string, v uint64) object {
	if v == 0 {
		return o
	}
	return strconv.AppendUint(o.key(k), v, 10)
}

// appendEvent appends an event as docs/abi.md has it.
func appendEvent(dst []byte, e *core.Event) []byte {
	o := open(dst).string(`,"kind":"`, e.Kind.String())
	switch e.Kind {
	case core.EventNode:
		o = appendNode(o.key(`,"node":`), &e.Node)
	case core.EventResult:
		o = o.uint(`,"id":`, e.ID).uint(`,"seq":`, e.Seq)
	}
	o = o.string(`,"name":"`, e.Name).string(`,"address":"`, e.Addr)
	o = o.uint(`,"code":`, uint64(e.Code)).string(`,"text":"`, e.Text)
	return o.int(`,"ahead_micros":`, e.Skew).close()
}

func appendNode(dst []byte, n *core.Node) []byte {
	o := open(dst).string(`,"name":"`, n.Name).string(`,"state":"`, n.State.String())
	if n.Ephemeral {
		o = o.key(`,"ephemeral":true`)
	}
	o = o.string(`,"address":"`, n.Address).string(`,"via":"`, n.Via).int(`,"incarnation":`, n.Incarnation)
	if n.Instance != (wire.Instance{}) {
		o = append(strconv.AppendInt(o.key(`,"instance":"`), n.Instance.Start, 10), '-')
		var nonce [17]byte
		for i := range 16 {
			nonce[i] = hex[n.Instance.Nonce>>(60-4*i)&15]
		}
		nonce[16] = '"'
		o = append(o, nonce[:]...)
	}
	o = o.uint(`,"version":`, uint64(n.Version))
	if len(n.Tags) > 0 {
		tags := open(o.key(`,"tags":`))
		for _, t := range n.Tags {
			tags = append(appendText(tags.key(`,"`), t.Key), '"')
			tags = append(appendText(append(tags, `:"`...), t.Value), '"')
		}
		o = tags.close()
	}
	return o.close()
}

// appendConfigError appends what create says.
func appendConfigError(dst []byte, err error) []byte {
	o := open(dst)
	if bad, ok := err.(*core.ConfigError); ok { // errors.As would link reflection
		o = o.string(`,"field":"`, bad.Field)
		err = bad.Err
	}
	return o.string(`,"text":"`, err.Error()).close()
}

const hex = "0123456789abcdef"

// appendText appends what stands between the quotes of a JSON string. What is no
// UTF-8 becomes U+FFFD.
func appendText(dst []byte, s string) []byte {
	if isPlain(s) {
		return append(dst, s...)
	}
	for i, c := range s {
		switch {
		case c == utf8.RuneError:
			dst = append(dst, "\ufffd"...)
		case c >= utf8.RuneSelf:
			dst = utf8.AppendRune(dst, c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c == '"', c == '\\':
			dst = append(dst, '\\', s[i])
		default:
			dst = append(dst, s[i])
		}
	}
	return dst
}

// isPlain says whether all bytes of s stand for themselves in a JSON string, as
// those of nearly all strings do: it looks at eight of them at a time.
func isPlain(s string) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	var found uint64
	for i := 0; i < len(s); i += 8 {
		from := max(0, min(i, len(s)-8))
		x := uint64(' ') * ones
		if b := s[from:]; len(b) >= 8 {
			x = uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
				uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		} else {
			for _, c := range []byte(b) {
				x = x<<8 | uint64(c)
			}
		}
		found |= x | (x - ' '*ones) | ((x ^ '"'*ones) - ones) | ((x ^ '\\'*ones) - ones)
	}
	return found&high == 0
}
