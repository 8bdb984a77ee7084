package wire

// writer builds an encoding, of the msgpack formats that frames use, each in its
// shortest form. It is what reader takes apart.
//
// Its methods go by a pointer and are not inlined: the module would be a
// hundredth larger.
type writer struct{ b []byte }

//go:noinline
func (w *writer) byte(b byte) { w.b = append(w.b, b) }

//go:noinline
func (w *writer) raw(s string) { w.b = append(w.b, s...) }

//go:noinline
func (w *writer) uint(v uint64) {
	switch {
	case v < 1<<7:
		w.byte(byte(v))
	case v < 1<<8:
		w.long(0xcc, v, 1)
	case v < 1<<16:
		w.long(0xcd, v, 2)
	case v < 1<<32:
		w.long(0xce, v, 4)
	default:
		w.long(0xcf, v, 8)
	}
}

// long appends what opens a value, and a number of that many bytes.
//
//go:noinline
func (w *writer) long(opens byte, v uint64, width int) {
	v <<= 64 - 8*width
	all := [...]byte{opens, byte(v >> 56), byte(v >> 48), byte(v >> 40), byte(v >> 32),
		byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
	w.b = append(w.b, all[:1+width]...)
}

func uintSize(v uint64) int {
	switch {
	case v < 1<<7:
		return 1
	case v < 1<<8:
		return 2
	case v < 1<<16:
		return 3
	case v < 1<<32:
		return 5
	}
	return 9
}

//go:noinline
func (w *writer) string(s string) {
	switch n := len(s); {
	case n < 1<<5:
		w.byte(0xa0 | byte(n))
	case n < 1<<8:
		w.long(0xd9, uint64(n), 1)
	case n < 1<<16:
		w.long(0xda, uint64(n), 2)
	default:
		w.long(0xdb, uint64(n), 4)
	}
	w.raw(s)
}

func stringSize(s string) int {
	n := len(s)
	switch {
	case n < 1<<5:
		return 1 + n
	case n < 1<<8:
		return 2 + n
	case n < 1<<16:
		return 3 + n
	}
	return 5 + n
}

func (w *writer) bytes(s string) {
	switch n := len(s); {
	case n < 1<<8:
		w.long(0xc4, uint64(n), 1)
	case n < 1<<16:
		w.long(0xc5, uint64(n), 2)
	default:
		w.long(0xc6, uint64(n), 4)
	}
	w.raw(s)
}

//go:noinline
func (w *writer) array(n int) { w.container(0x90, 0xdc, n) }

func (w *writer) mapOf(n int) { w.container(0x80, 0xde, n) }

// container opens one of n elements: by short, if they are few, else by a number
// of two bytes, behind long, or of four.
//
//go:noinline
func (w *writer) container(short, long byte, n int) {
	switch {
	case n < 1<<4:
		w.byte(short | byte(n))
	case n < 1<<16:
		w.long(long, uint64(n), 2)
	default:
		w.long(long+1, uint64(n), 4)
	}
}

// key appends a map's key of one letter.
func (w *writer) key(k byte) { w.long(0xa1, uint64(k), 1) }

// keyUint and the two after it append a key with its value.
//
//go:noinline
func (w *writer) keyUint(k byte, v uint64) {
	w.key(k)
	w.uint(v)
}

// keyText leaves out what is empty.
//
//go:noinline
func (w *writer) keyText(k byte, s string) {
	if s != "" {
		w.key(k)
		w.string(s)
	}
}

// keyTrue leaves out what is false.
//
//go:noinline
func (w *writer) keyTrue(k byte, is bool) {
	if is {
		w.key(k)
		w.byte(0xc3)
	}
}

//go:noinline
func (w *writer) instance(in *Instance) {
	w.array(2)
	w.uint(uint64(in.Start))
	w.uint(in.Nonce)
}

// count returns how many are true.
func count(all ...bool) (n int) {
	for _, is := range all {
		if is {
			n++
		}
	}
	return n
}
