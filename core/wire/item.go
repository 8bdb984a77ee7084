package wire

func (w *writer) items(items []Item) {
	w.array(len(items))
	for i := range items {
		w.item(&items[i])
	}
}

func (w *writer) item(it *Item) {
	w.array(5 + count(it.Kind == ItemFingerprint))
	w.uint(uint64(it.Kind))
	w.uint(uint64(it.Range.Set))
	w.uint(uint64(it.Range.Depth))
	w.uint(it.Range.Prefix)
	switch it.Kind {
	case ItemFingerprint:
		w.fingerprint(&it.Fingerprint)
	case ItemChildren:
		w.array(2 * RangeChildren)
		for i := range it.Children {
			w.fingerprint(&it.Children[i])
		}
	case ItemAfter:
		w.string(it.After)
	default:
		w.records(it.Records)
	}
}

//go:noinline
func (w *writer) fingerprint(p *Fingerprint) {
	w.uint(p.Count)
	w.uint(p.Sum)
}

// items takes an array of items into into's space, that of their records included.
func (r *reader) items(into []Item) []Item {
	into = into[:0]
	at := r.i
	n := r.array("items")
	if n > MaxItems {
		r.fail(at, ErrRange, "items", "more than a frame may have")
		return into
	}
	for ; n > 0; n-- {
		if len(into) < cap(into) {
			into = into[:len(into)+1]
		} else {
			into = append(into, Item{})
		}
		if r.item(&into[len(into)-1]); r.err != nil {
			return into[:0]
		}
	}
	return into
}

func (r *reader) item(it *Item) {
	*it = Item{Records: it.Records[:0]}
	at := r.i
	n := r.array("item")
	kindAt := r.i
	kind := r.uint("item.kind")
	if kind > uint64(ItemAfter) {
		r.fail(kindAt, ErrKind, "item.kind", "no such kind")
	}
	it.Kind = ItemKind(kind)
	want := 5
	if it.Kind == ItemFingerprint {
		want = 6
	}
	if r.err == nil && n != want {
		r.fail(at, ErrShape, "item", "an array of another length than it has")
	}
	it.Range.Set = r.set("item.set")
	least, deepest := uint64(0), uint64(RangeDepth)
	switch it.Kind {
	case ItemChildren:
		deepest-- // below the last nibble there are none
	case ItemAfter:
		least = deepest
	}
	it.Range.Depth = uint8(r.upTo(least, deepest, "item.depth"))
	prefixAt := r.i
	it.Range.Prefix = r.uint("item.prefix")
	if it.Range.Prefix<<(4*it.Range.Depth) != 0 {
		r.fail(prefixAt, ErrRange, "item.prefix", "bits beyond its depth")
	}
	switch it.Kind {
	case ItemFingerprint:
		it.Fingerprint = r.fingerprint("item.print")
	case ItemChildren:
		r.shape(2*RangeChildren, "item.children")
		for i := range it.Children {
			it.Children[i] = r.fingerprint("item.children")
		}
	case ItemAfter:
		it.After = r.name("item.after")
	default:
		recordsAt := r.i
		it.Records = r.records(it.Records)
		for i := range it.Records {
			if it.Records[i].Set != it.Range.Set {
				r.fail(recordsAt, ErrShape, "item.records", "a record of another set than its item's")
				return
			}
		}
	}
}

func (r *reader) fingerprint(where string) Fingerprint {
	return Fingerprint{Count: r.uint(where), Sum: r.uint(where)}
}
