package wire

import "unicode/utf8"

// form is what a msgpack value is, however long its format.
type form uint8

const (
	formNone     form = iota // a type that frames do not have
	formNil                  // nil
	formFalse                // false
	formTrue                 // true
	formUint                 // an integer that is not negative
	formNegative             // an integer that is
	formFloat                // a float64
	formText                 // a string
	formBytes                // a byte string
	formArray
	formMap
)

// formats are those that a byte from 0xc0 to 0xdf opens. A big-endian number of
// width bytes follows: the integer, or the length. Only from least to most is
// there no shorter format for it.
var formats = [32]struct {
	form        form
	width       uint8
	least, most uint64
}{
	0x00: {form: formNil},
	0x02: {form: formFalse},
	0x03: {form: formTrue},
	0x04: {formBytes, 1, 0, 0xff},
	0x05: {formBytes, 2, 1 << 8, 0xffff},
	0x06: {formBytes, 4, 1 << 16, 0xffffffff},
	0x0b: {formFloat, 8, 0, 1<<64 - 1},
	0x0c: {formUint, 1, 1 << 7, 0xff},
	0x0d: {formUint, 2, 1 << 8, 0xffff},
	0x0e: {formUint, 4, 1 << 16, 0xffffffff},
	0x0f: {formUint, 8, 1 << 32, 1<<64 - 1},
	0x10: {formNegative, 1, 0x80, 0xdf},
	0x11: {formNegative, 2, 0x8000, 0xff7f},
	0x12: {formNegative, 4, 0x80000000, 0xffff7fff},
	0x13: {formNegative, 8, 1 << 63, 0xffffffff7fffffff},
	0x19: {formText, 1, 1 << 5, 0xff},
	0x1a: {formText, 2, 1 << 8, 0xffff},
	0x1b: {formText, 4, 1 << 16, 0xffffffff},
	0x1c: {formArray, 2, 1 << 4, 0xffff},
	0x1d: {formArray, 4, 1 << 16, 0xffffffff},
	0x1e: {formMap, 2, 1 << 4, 0xffff},
	0x1f: {formMap, 4, 1 << 16, 0xffffffff},
}

// head reads what opens the value at s[i]: its form, its integer or length, and
// where it goes on. A length is never more than there are bytes for.
func head(s string, i int) (f form, n uint64, next int, class Class) {
	if i >= len(s) {
		return 0, 0, i, ErrTruncated
	}
	c := s[i]
	i++
	switch {
	case c < 0x80:
		return formUint, uint64(c), i, 0
	case c < 0x90:
		f, n = formMap, uint64(c&0x0f)
	case c < 0xa0:
		f, n = formArray, uint64(c&0x0f)
	case c < 0xc0:
		f, n = formText, uint64(c&0x1f)
	case c >= 0xe0:
		return formNegative, 0, i, 0
	default:
		format := &formats[c-0xc0]
		f = format.form
		if f == formNone {
			return 0, 0, i, ErrType
		}
		width := int(format.width)
		switch {
		case len(s)-i >= 8: // one load, whatever the width
			n = big(s[i:i+8]) >> (64 - 8*width)
		case len(s)-i >= width:
			for j := i; j < i+width; j++ {
				n = n<<8 | uint64(s[j])
			}
		default:
			return 0, 0, i, ErrTruncated
		}
		if n < format.least || n > format.most {
			return 0, 0, i, ErrCanonical
		}
		i += width
	}
	left := uint64(len(s) - i)
	switch f {
	case formText, formBytes, formArray:
		if n > left {
			return 0, 0, i, ErrTruncated
		}
	case formMap:
		if n > left/2 {
			return 0, 0, i, ErrTruncated
		}
	}
	return f, n, i, 0
}

// scan finds the end of the value at s[i], which may be of any form and stands
// in depth containers. Where it finds a value wrong, it returns that one's start.
func scan(s string, i, depth int) (next int, class Class) {
	if short(s, i) >= 0 {
		_, next, class = scanText(s, i)
		return next, class
	}
	f, n, next, class := head(s, i)
	if class != 0 {
		return i, class
	}
	switch f {
	case formText:
		if next += int(n); !validText(s[next-int(n) : next]) {
			return i, ErrUTF8
		}
	case formBytes:
		next += int(n)
	case formFloat:
		if n>>52&0x7ff == 0x7ff { // not finite; that has many encodings, and no JSON
			return i, ErrRange
		}
	case formArray:
		if depth >= MaxDepth {
			return i, ErrDepth
		}
		for ; n > 0; n-- {
			if next, class = scan(s, next, depth+1); class != 0 {
				return next, class
			}
		}
	case formMap:
		if depth >= MaxDepth {
			return i, ErrDepth
		}
		return scanMap(s, next, int(n), depth)
	}
	return next, 0
}

// scanMap finds the end of a map of n keys, the first of which is at s[i].
func scanMap(s string, i, n, depth int) (next int, class Class) {
	last := ""
	for first := true; n > 0; n, first = n-1, false {
		key, next, class := scanText(s, i)
		if class != 0 {
			return i, class
		}
		if !first && !after(key, last) {
			return i, ErrCanonical
		}
		last = key
		if i, class = scan(s, next, depth+1); class != 0 {
			return i, class
		}
	}
	return i, 0
}

// scanText reads the string at s[i].
func scanText(s string, i int) (text string, next int, class Class) {
	if n := short(s, i); n >= 0 {
		next = i + 1 + n
		text = s[i+1 : next]
		if !validText(text) {
			return "", i, ErrUTF8
		}
		return text, next, 0
	}
	f, n, next, class := head(s, i)
	if class != 0 {
		return "", i, class
	}
	if f != formText {
		return "", i, ErrType
	}
	text = s[next : next+int(n)]
	if !validText(text) {
		return "", i, ErrUTF8
	}
	return text, next + int(n), 0
}

// short is the length of the string at s[i] when one byte opens it, else -1.
func short(s string, i int) int {
	if i < len(s) && s[i]&0xe0 == 0xa0 {
		if n := int(s[i] & 0x1f); n < len(s)-i {
			return n
		}
	}
	return -1
}

// after says whether a map's key may come after last.
func after(key, last string) bool {
	if len(key) > 0 && len(last) > 0 && key[0] != last[0] { // nearly always
		return key[0] > last[0]
	}
	return key > last
}

// validText says whether s is UTF-8. Nearly all strings are short, and ASCII.
func validText(s string) bool {
	var all uint64
	if n := len(s); n >= 8 {
		for i := 0; i < n-8; i += 8 {
			all |= big(s[i : i+8])
		}
		all |= big(s[n-8:])
	} else {
		for i := 0; i < n; i++ {
			all |= uint64(s[i])
		}
	}
	const high = 0x8080808080808080
	return all&high == 0 || utf8.ValidString(s)
}

// big is the big-endian number of 8 bytes.
func big(s string) uint64 {
	_ = s[7]
	return uint64(s[7]) | uint64(s[6])<<8 | uint64(s[5])<<16 | uint64(s[4])<<24 |
		uint64(s[3])<<32 | uint64(s[2])<<40 | uint64(s[1])<<48 | uint64(s[0])<<56
}
