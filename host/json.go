package host

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// reader reads one JSON value. It knows what events need, and is strict: no
// numbers but integers, no strings that are not UTF-8. After its first error it
// finds nothing any more.
type reader struct {
	b       []byte
	i       int
	err     error
	scratch []byte // of the last string that had escapes
}

func (r *reader) reset(b []byte) { r.b, r.i, r.err = b, 0, nil }

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = errors.New(what)
	}
	r.i = len(r.b)
}

// end expects that there is no more.
func (r *reader) end() error {
	if r.next() != 0 || r.i < len(r.b) {
		r.fail("there is more than one value")
	}
	return r.err
}

// next returns the next byte that is no space; 0 at the end.
func (r *reader) next() byte {
	for ; r.i < len(r.b); r.i++ {
		switch c := r.b[r.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// take consumes c.
func (r *reader) take(c byte) {
	if r.next() != c || r.i >= len(r.b) {
		r.fail("no '" + string(rune(c)) + "' where one has to be")
		return
	}
	r.i++
}

// more opens an object, or goes on in it, and tells whether a key follows.
func (r *reader) more(first bool) bool {
	if first {
		r.take('{')
	}
	if r.next() == '}' {
		r.i++
		return false
	}
	if !first {
		r.take(',')
	}
	return r.err == nil
}

func (r *reader) key() []byte {
	k := r.bytes()
	r.take(':')
	return k
}

// bytes reads a string. It is valid until the next one is read.
func (r *reader) bytes() []byte {
	r.take('"')
	start, ascii := r.i, true
	for ; r.i < len(r.b); r.i++ {
		switch c := r.b[r.i]; {
		case c == '"':
			s := r.b[start:r.i]
			if !ascii && !utf8.Valid(s) {
				r.fail("a string that is not UTF-8")
				return nil
			}
			r.i++
			return s
		case c == '\\':
			return r.escaped(start)
		case c < ' ':
			r.fail("a control character in a string")
			return nil
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	r.fail("a string without an end")
	return nil
}

// escaped reads the string from start, which has escapes from here on.
func (r *reader) escaped(start int) []byte {
	s := append(r.scratch[:0], r.b[start:r.i]...)
	for r.i < len(r.b) {
		c := r.b[r.i]
		r.i++
		switch {
		case c == '"':
			r.scratch = s
			if !utf8.Valid(s) {
				r.fail("a string that is not UTF-8")
			}
			return s
		case c < ' ':
			r.fail("a control character in a string")
		case c == '\\':
			s = r.escape(s)
		default:
			s = append(s, c)
		}
	}
	r.fail("a string without an end")
	return nil
}

func (r *reader) escape(s []byte) []byte {
	if r.i >= len(r.b) {
		return s
	}
	c := r.b[r.i]
	r.i++
	switch c {
	case '"', '\\', '/':
		return append(s, c)
	case 'b':
		return append(s, '\b')
	case 'f':
		return append(s, '\f')
	case 'n':
		return append(s, '\n')
	case 'r':
		return append(s, '\r')
	case 't':
		return append(s, '\t')
	case 'u':
		v := r.unicode()
		if utf16.IsSurrogate(v) {
			low := rune(-1)
			if r.i+1 < len(r.b) && r.b[r.i] == '\\' && r.b[r.i+1] == 'u' {
				r.i += 2
				low = r.unicode()
			}
			if v = utf16.DecodeRune(v, low); v == utf8.RuneError {
				r.fail("half a surrogate pair")
			}
		}
		return utf8.AppendRune(s, v)
	}
	r.fail("an escape that there is not")
	return s
}

func (r *reader) unicode() (v rune) {
	if r.i+4 > len(r.b) {
		r.fail("a string without an end")
		return 0
	}
	for _, c := range r.b[r.i : r.i+4] {
		d := hexDigit(c)
		if d > 15 {
			r.fail("an escape that there is not")
			return 0
		}
		v = v<<4 | rune(d)
	}
	r.i += 4
	return v
}

func hexDigit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// uint reads an integer of so many bits.
func (r *reader) uint(bits int) (v uint64) {
	most := uint64(math.MaxUint64) >> (64 - bits)
	r.next()
	start := r.i
	for ; r.i < len(r.b); r.i++ {
		d := uint64(r.b[r.i] - '0')
		if r.b[r.i] < '0' || d > 9 {
			break
		}
		if v > most/10 || v*10 > most-d {
			r.fail("a number that is too large")
			return 0
		}
		v = v*10 + d
	}
	if r.i == start || r.b[start] == '0' && r.i > start+1 {
		r.fail("no integer where one has to be")
	}
	return v
}

func (r *reader) int() int64 {
	if r.next() != '-' {
		return int64(r.uint(63))
	}
	r.i++
	v := r.uint(64)
	if v > 1<<63 {
		r.fail("a number that is too large")
	}
	return -int64(v)
}

func (r *reader) bool() bool {
	if r.next() == 't' {
		r.word("true")
		return true
	}
	r.word("false")
	return false
}

func (r *reader) word(w string) {
	r.next()
	if len(r.b)-r.i < len(w) || string(r.b[r.i:r.i+len(w)]) != w {
		r.fail("no " + w + " where one has to be")
		return
	}
	r.i += len(w)
}

// skip passes over a value that this host does not know.
func (r *reader) skip(depth int) {
	if depth > 16 {
		r.fail("it is nested too deep")
		return
	}
	switch r.next() {
	case '{':
		for first := true; r.more(first); first = false {
			r.key()
			r.skip(depth + 1)
		}
	case '[':
		r.i++
		for first := true; r.err == nil && r.next() != ']'; first = false {
			if !first {
				r.take(',')
			}
			r.skip(depth + 1)
		}
		r.take(']')
	case '"':
		r.bytes()
	case 't', 'f':
		r.bool()
	case 'n':
		r.word("null")
	default:
		r.number()
	}
}

// number passes over a number of any kind.
func (r *reader) number() {
	start := r.i
	for r.i < len(r.b) && strings.IndexByte("+-.0123456789Ee", r.b[r.i]) >= 0 {
		r.i++
	}
	if !json.Valid(r.b[start:r.i]) {
		r.fail("no value where one has to be")
	}
}
