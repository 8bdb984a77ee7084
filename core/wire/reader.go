package wire

import "math"

// reader takes canonical msgpack from a string. Its first error stays; from
// then on it is at its end and gives zeros, so that callers may check late.
type reader struct {
	s   string
	i   int // next byte
	err *Error
}

// fail notes the first error.
//
//go:noinline
func (r *reader) fail(at int, class Class, where, detail string) {
	if r.err == nil {
		r.err = &Error{Class: class, Where: where, Detail: detail, Offset: at}
		r.s, r.i = "", 0
	}
}

// done ends the reading: nothing may follow.
func (r *reader) done(where string) error {
	if r.i != len(r.s) {
		r.fail(r.i, ErrTrailing, where, "bytes follow its end")
	}
	if r.err != nil {
		return r.err
	}
	return nil
}

// head takes what opens a value of the wanted form: its integer or length.
func (r *reader) head(want form, where string) uint64 {
	f, n, next, class := head(r.s, r.i)
	if class == 0 && f != want {
		class = ErrType
		if f == formNegative && want == formUint {
			class = ErrRange
		}
	}
	if class != 0 {
		r.fail(r.i, class, where, class.detail())
		return 0
	}
	r.i = next
	return n
}

// uint takes an integer that is not negative.
func (r *reader) uint(where string) uint64 {
	if r.i < len(r.s) && r.s[r.i] < 0x80 {
		r.i++
		return uint64(r.s[r.i-1])
	}
	return r.head(formUint, where)
}

// upTo takes an integer from least to most.
func (r *reader) upTo(least, most uint64, where string) uint64 {
	at := r.i
	n := r.uint(where)
	if n < least || n > most {
		r.fail(at, ErrRange, where, ErrRange.detail())
		return 0
	}
	return n
}

// time takes microseconds: an int64 that is not negative.
func (r *reader) time(where string) int64 {
	at := r.i
	n := r.head(formUint, where)
	if n > math.MaxInt64 {
		r.fail(at, ErrRange, where, ErrRange.detail())
		return 0
	}
	return int64(n)
}

// later takes a time that is left out when it is 0.
func (r *reader) later(where string) int64 {
	at := r.i
	t := r.time(where)
	if t == 0 {
		r.fail(at, ErrCanonical, where, "zero; it must be left out")
	}
	return t
}

// array takes an array's header. It never returns more than there are bytes left.
//
//go:noinline
func (r *reader) array(where string) int { return int(r.head(formArray, where)) }

// shape takes the header of an array of exactly n elements.
func (r *reader) shape(n int, where string) {
	at := r.i
	if n < 16 && at < len(r.s) && r.s[at] == 0x90|byte(n) {
		r.i++
		return
	}
	if got := r.array(where); got != n {
		r.fail(at, ErrShape, where, "an array of another length than it has")
	}
}

// text takes a string.
func (r *reader) text(where string) string {
	text, next, class := scanText(r.s, r.i)
	if class != 0 {
		r.fail(r.i, class, where, class.detail())
		return ""
	}
	r.i = next
	return text
}

// bytes takes a byte string.
func (r *reader) bytes(where string) string {
	n := int(r.head(formBytes, where))
	r.i += n
	return r.s[r.i-n : r.i]
}

// skip takes any value in a map that may have keys that are not known.
func (r *reader) skip(where string) {
	next, class := scan(r.s, r.i, 1)
	if class != 0 {
		r.fail(next, class, where, class.detail())
		return
	}
	r.i = next
}

// keys is where in a map a reader is.
type keys struct {
	left  int
	first bool
	last  string
}

// keys takes a map's header.
func (r *reader) keys(where string) keys {
	return keys{left: int(r.head(formMap, where)), first: true}
}

// next takes the next key; ok is false when there is none.
func (k *keys) next(r *reader, where string) (key string, ok bool) {
	if k.left == 0 || r.err != nil {
		return "", false
	}
	at := r.i
	key = r.text(where)
	if !k.first && !after(key, k.last) {
		r.fail(at, ErrCanonical, where, ErrCanonical.detail())
	}
	k.left, k.first, k.last = k.left-1, false, key
	return key, r.err == nil
}

// name takes a node's or a ring's name.
func (r *reader) name(where string) string {
	n := short(r.s, r.i)
	if n >= 0 {
		r.i++
	} else {
		n = int(r.head(formText, where))
	}
	name := r.s[r.i : r.i+n]
	if off, class, detail := checkName(name); class != 0 {
		r.fail(r.i+off, class, where, detail)
		return ""
	}
	r.i += n
	return name
}

// address takes a HOST:PORT that is not empty.
func (r *reader) address(where string) string {
	at := r.i
	s := r.text(where)
	if s == "" {
		r.fail(at, ErrCanonical, where, "empty; it must be left out")
	} else if detail := checkAddress(s); detail != "" {
		r.fail(at, ErrAddress, where, detail)
		return ""
	}
	return s
}

// yes takes the value of a flag, which is left out when false.
func (r *reader) yes(where string) bool {
	f, _, next, class := head(r.s, r.i)
	switch {
	case class != 0:
		r.fail(r.i, class, where, class.detail())
	case f == formFalse:
		r.fail(r.i, ErrCanonical, where, "false; it must be left out")
	case f != formTrue:
		r.fail(r.i, ErrType, where, ErrType.detail())
	default:
		r.i = next
		return true
	}
	return false
}

// instance takes [start, nonce].
func (r *reader) instance(where string) Instance {
	r.shape(2, where)
	return Instance{Start: r.time(where), Nonce: r.uint(where)}
}
