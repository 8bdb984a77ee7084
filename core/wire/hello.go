package wire

func appendHello(dst []byte, h *Hello) []byte {
	n := 7
	if h.Address != "" {
		n++
	}
	if h.Ephemeral {
		n++
	}
	if h.LastContact != 0 {
		n++
	}
	dst = appendMap(dst, n)
	if h.Address != "" {
		dst = appendString(appendKey(dst, 'a'), h.Address)
	}
	if h.Ephemeral {
		dst = append(appendKey(dst, 'e'), 0xc3)
	}
	dst = appendUint(appendKey(dst, 'f'), h.Print)
	dst = appendInstance(appendKey(dst, 'i'), h.Instance)
	if h.LastContact != 0 {
		dst = appendUint(appendKey(dst, 'l'), uint64(h.LastContact))
	}
	dst = appendUint(appendKey(dst, 'm'), h.Members)
	dst = appendString(appendKey(dst, 'n'), h.Name)
	dst = append(appendKey(dst, 'p'), 0x92)
	dst = appendUint(dst, uint64(h.Min))
	dst = appendUint(dst, uint64(h.Max))
	dst = appendString(appendKey(dst, 'r'), h.Ring)
	return appendUint(appendKey(dst, 't'), uint64(h.Wall))
}

func (r *reader) hello(h *Hello) {
	const f, i, m, n, p, ring, t = 1, 2, 4, 8, 16, 32, 64
	var seen uint8
	at := r.i
	k := r.keys("hello")
	for {
		key, ok := k.next(r, "hello")
		if !ok {
			break
		}
		switch key {
		case "a":
			h.Address = r.address("hello.a")
		case "e":
			h.Ephemeral = r.yes("hello.e")
		case "f":
			h.Print, seen = r.uint("hello.f"), seen|f
		case "i":
			h.Instance, seen = r.instance("hello.i"), seen|i
		case "l":
			h.LastContact = r.later("hello.l")
		case "m":
			h.Members, seen = r.uint("hello.m"), seen|m
		case "n":
			h.Name, seen = r.name("hello.n"), seen|n
		case "p":
			r.shape(2, "hello.p")
			h.Min = uint8(r.upTo(1, 255, "hello.p"))
			h.Max = uint8(r.upTo(uint64(h.Min), 255, "hello.p"))
			seen |= p
		case "r":
			h.Ring, seen = r.name("hello.r"), seen|ring
		case "t":
			h.Wall, seen = r.time("hello.t"), seen|t
		default:
			r.skip("hello")
		}
	}
	if seen != f|i|m|n|p|ring|t {
		r.fail(at, ErrShape, "hello", "without one of the keys f, i, m, n, p, r, t")
	}
}
