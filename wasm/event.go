package main

import (
	"strconv"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// object is a JSON object that grows, without what is empty.
type object struct{ b []byte }

func (o *object) open() { o.raw("{") }

func (o *object) close() { o.raw("}") }

//go:noinline
func (o *object) raw(s string) { o.b = append(o.b, s...) }

// text appends what stands between the quotes of a JSON string. What is no UTF-8
// becomes U+FFFD.
//
//go:noinline
func (o *object) text(s string) {
	if isPlain(s) {
		o.raw(s)
		return
	}
	for _, c := range s {
		switch {
		case c < ' ':
			o.raw(`\u00`)
			o.raw(hex[c>>4 : c>>4+1])
			o.raw(hex[c&15 : c&15+1])
		case c == '"', c == '\\':
			o.raw(`\`)
			fallthrough
		default:
			o.raw(string(c))
		}
	}
}

// key appends a key as it stands in JSON, from the comma before it to the colon.
//
//go:noinline
func (o *object) key(k string) {
	if o.b[len(o.b)-1] == '{' {
		k = k[1:]
	}
	o.raw(k)
}

// string takes a key that has the quote of its value too.
//
//go:noinline
func (o *object) string(k, v string) {
	if v != "" {
		o.key(k)
		o.text(v)
		o.raw(`"`)
	}
}

//go:noinline
func (o *object) int(k string, v int64) {
	if v != 0 {
		o.key(k)
		o.b = strconv.AppendInt(o.b, v, 10)
	}
}

func (o *object) uint(k string, v uint64) {
	if v != 0 {
		o.key(k)
		o.b = strconv.AppendUint(o.b, v, 10)
	}
}

// appendEvent appends an event as docs/abi.md has it.
func appendEvent(dst []byte, e *core.Event) []byte {
	o := object{dst}
	o.open()
	o.string(`,"kind":"`, e.Kind.String())
	switch e.Kind {
	case core.EventNode:
		o.key(`,"node":`)
		o.node(&e.Node)
	case core.EventResult, core.EventAnswer, core.EventDone:
		o.uint(`,"id":`, e.ID)
		o.uint(`,"seq":`, e.Seq)
	}
	o.string(`,"name":"`, e.Name)
	o.string(`,"address":"`, e.Addr)
	o.uint(`,"code":`, uint64(e.Code))
	o.string(`,"text":"`, e.Text)
	o.int(`,"ahead_micros":`, e.Skew)
	o.string(`,"topic":"`, e.Topic)
	if e.Payload != "" {
		o.key(`,"payload":"`)
		o.base64(e.Payload)
		o.raw(`"`)
	}
	if e.Told {
		o.key(`,"told":true`)
	}
	o.int(`,"wait_micros":`, e.Wait)
	o.uint(`,"question":`, e.Question)
	if len(e.Names) > 0 {
		o.key(`,"names":["`)
		for i, name := range e.Names {
			if i > 0 {
				o.raw(`","`)
			}
			o.text(name)
		}
		o.raw(`"]`)
	}
	o.close()
	return o.b
}

// base64 appends bytes as base64 (RFC 4648, section 4), which has to be quick: a
// message has up to 8 KiB.
func (o *object) base64(s string) {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for ; len(s) >= 3; s = s[3:] {
		v := uint(s[0])<<16 | uint(s[1])<<8 | uint(s[2])
		o.b = append(o.b, digits[v>>18], digits[v>>12&63], digits[v>>6&63], digits[v&63])
	}
	if n := len(s); n > 0 {
		o.base64(s + "\x00\x00"[n-1:])
		copy(o.b[len(o.b)-3+n:], "==")
	}
}

func (o *object) node(n *core.Node) {
	o.open()
	o.string(`,"name":"`, n.Name)
	o.string(`,"state":"`, n.State.String())
	if n.Ephemeral {
		o.key(`,"ephemeral":true`)
	}
	if n.Cordoned {
		o.key(`,"cordoned":true`)
	}
	o.string(`,"address":"`, n.Address)
	o.string(`,"via":"`, n.Via)
	o.int(`,"incarnation":`, n.Incarnation)
	if n.Instance != (wire.Instance{}) {
		var nonce [16]byte
		for i := range nonce {
			nonce[i] = hex[n.Instance.Nonce>>(60-4*i)&15]
		}
		o.key(`,"instance":"`)
		o.b = strconv.AppendInt(o.b, n.Instance.Start, 10)
		o.raw("-")
		o.raw(string(nonce[:]))
		o.raw(`"`)
	}
	o.int(`,"version":`, int64(n.Version))
	if len(n.Tags) > 0 {
		o.key(`,"tags":`)
		o.open()
		for i := range n.Tags {
			o.key(`,"`)
			o.text(n.Tags[i].Key)
			o.raw(`":"`)
			o.text(n.Tags[i].Value)
			o.raw(`"`)
		}
		o.close()
	}
	o.close()
}

// appendConfigError appends what create says.
func appendConfigError(dst []byte, err error) []byte {
	o := object{dst}
	o.open()
	if bad, ok := err.(*core.ConfigError); ok { // errors.As would link reflection
		o.string(`,"field":"`, bad.Field)
		err = bad.Err
	}
	o.string(`,"text":"`, err.Error())
	o.close()
	return o.b
}

const hex = "0123456789abcdef"

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
