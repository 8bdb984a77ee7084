package wire

func (w *writer) hello(h *Hello) {
	w.mapOf(7 + count(h.Address != "", h.Ephemeral, h.Digests, h.LastContact != 0, len(h.IDs) > 0, h.Unite != 0))
	w.keyText('a', h.Address)
	w.keyTrue('e', h.Ephemeral)
	w.keyUint('f', h.Fingerprint)
	w.keyTrue('g', h.Digests)
	w.key('i')
	w.instance(&h.Instance)
	if h.LastContact != 0 {
		w.keyUint('l', uint64(h.LastContact))
	}
	w.keyUint('m', h.Members)
	w.key('n')
	w.string(h.Name)
	w.key('p')
	w.array(2)
	w.uint(uint64(h.Min))
	w.uint(uint64(h.Max))
	w.key('r')
	w.string(h.Ring)
	if len(h.IDs) > 0 {
		w.key('s')
		w.ids(h.IDs)
	}
	w.keyUint('t', uint64(h.Wall))
	if h.Unite != 0 {
		w.keyUint('u', uint64(h.Unite))
	}
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
			h.Fingerprint, seen = r.uint("hello.f"), seen|f
		case "g":
			h.Digests = r.yes("hello.g")
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
		case "s":
			h.IDs = r.ids("hello.s")
		case "t":
			h.Wall, seen = r.time("hello.t"), seen|t
		case "u":
			h.Unite = Unite(r.upTo(1, uint64(UniteAdd), "hello.u"))
		default:
			r.skip("hello")
		}
	}
	if seen != f|i|m|n|p|ring|t {
		r.fail(at, ErrShape, "hello", "without one of the keys f, i, m, n, p, r, t")
	}
}
