package main

import (
	"strconv"
	"unicode/utf8"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// object appends a JSON object without what is empty.
type object []byte

func (o *object) open() { *o = append(*o, '{') }

func (o *object) close() { *o = append(*o, '}') }

// key appends a key as it stands in JSON, with its quotes and colon.
func (o *object) key(k string) {
	if (*o)[len(*o)-1] != '{' {
		*o = append(*o, ',')
	}
	*o = append(*o, k...)
}

func (o *object) string(k, v string) {
	if v != "" {
		o.key(k)
		*o = appendString(*o, v)
	}
}

func (o *object) int(k string, v int64) {
	if v != 0 {
		o.key(k)
		*o = strconv.AppendInt(*o, v, 10)
	}
}

func (o *object) uint(k string, v uint64) {
	if v != 0 {
		o.key(k)
		*o = strconv.AppendUint(*o, v, 10)
	}
}

// appendEvent appends an event as docs/abi.md has it.
func appendEvent(dst []byte, e *core.Event) []byte {
	o := object(dst)
	o.open()
	o.string(`"kind":`, e.Kind.String())
	switch e.Kind {
	case core.EventNode:
		o.key(`"node":`)
		o.node(&e.Node)
	case core.EventResult:
		o.uint(`"id":`, e.ID)
		o.uint(`"seq":`, e.Seq)
	}
	o.string(`"name":`, e.Name)
	o.string(`"address":`, e.Addr)
	o.uint(`"code":`, uint64(e.Code))
	o.string(`"text":`, e.Text)
	o.int(`"ahead_micros":`, e.Skew)
	o.close()
	return o
}

func (o *object) node(n *core.Node) {
	o.open()
	o.string(`"name":`, n.Name)
	o.string(`"state":`, n.State.String())
	if n.Ephemeral {
		o.key(`"ephemeral":`)
		*o = append(*o, "true"...)
	}
	o.string(`"address":`, n.Address)
	o.string(`"via":`, n.Via)
	o.int(`"incarnation":`, n.Incarnation)
	if n.Instance != (wire.Instance{}) {
		o.key(`"instance":`)
		*o = append(strconv.AppendInt(append(*o, '"'), n.Instance.Start, 10), '-')
		var nonce [17]byte
		for i := range 16 {
			nonce[i] = hex[n.Instance.Nonce>>(60-4*i)&15]
		}
		nonce[16] = '"'
		*o = append(*o, nonce[:]...)
	}
	o.uint(`"version":`, uint64(n.Version))
	if len(n.Tags) > 0 {
		o.key(`"tags":`)
		o.open()
		for _, t := range n.Tags {
			o.key(string(append(appendString(nil, t.Key), ':')))
			*o = appendString(*o, t.Value)
		}
		o.close()
	}
	o.close()
}

// appendConfigError appends what create says.
func appendConfigError(dst []byte, err error) []byte {
	o := object(dst)
	o.open()
	if bad, ok := err.(*core.ConfigError); ok { // errors.As would link reflection
		o.string(`"field":`, bad.Field)
		err = bad.Err
	}
	o.string(`"text":`, err.Error())
	o.close()
	return o
}

// plain bytes stand for themselves in a JSON string.
var plain = func() (plain [256]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

const hex = "0123456789abcdef"

// appendString appends a JSON string. What is no UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, s[from:i]...)
		switch {
		case c >= utf8.RuneSelf:
			dst = append(dst, "\ufffd"...)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, '\\', c)
		}
		i += size
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}
