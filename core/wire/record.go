package wire

import "slices"

// leastRecord is the size of the smallest record.
const leastRecord = 7

// AppendRecord appends the record's encoding.
func AppendRecord(dst []byte, r Record) []byte {
	w := writer{dst}
	w.record(&r)
	return w.b
}

//go:noinline
func (w *writer) record(r *Record) {
	w.array(5)
	w.uint(uint64(r.Set))
	w.string(r.Name)
	w.uint(uint64(r.Stamp))
	w.uint(uint64(r.Rank))
	w.raw(r.Value)
}

// Size returns how many bytes AppendRecord appends.
func (r Record) Size() int {
	return 1 + uintSize(uint64(r.Set)) + stringSize(r.Name) +
		uintSize(uint64(r.Stamp)) + uintSize(uint64(r.Rank)) + len(r.Value)
}

//go:noinline
func (w *writer) records(rs []Record) {
	w.array(len(rs))
	for i := range rs {
		w.record(&rs[i])
	}
}

// records takes an array of records into into's space.
func (r *reader) records(into []Record) []Record {
	into = into[:0]
	n := r.array("records")
	into = slices.Grow(into, min(n, (len(r.s)-r.i)/leastRecord)) // n may lie
	for ; n > 0; n-- {
		if len(into) < cap(into) {
			into = into[:len(into)+1] // record sets all of it
		} else {
			into = append(into, Record{})
		}
		if r.record(&into[len(into)-1]); r.err != nil {
			return into[:0]
		}
	}
	return into
}

func (r *reader) record(rec *Record) {
	r.shape(5, "record")
	rec.Set = r.set("record.set")
	rec.Name = r.name("record.name")
	rec.Stamp = r.time("record.stamp")
	rec.Rank = uint8(r.upTo(0, 3, "record.rank"))
	rec.Value = r.value("record.value")
}

func (r *reader) set(where string) SetID {
	at := r.i
	v := r.uint(where)
	if v > uint64(Up) {
		r.fail(at, ErrKind, where, "no such set")
		return 0
	}
	return SetID(v)
}

// value takes a record's value: any canonical map, verbatim.
func (r *reader) value(where string) string {
	at := r.i
	n := int(r.head(formMap, where))
	next, class := scanMap(r.s, r.i, n, 0)
	switch {
	case r.err != nil:
		return ""
	case class != 0:
		r.fail(next, class, where, class.detail())
		return ""
	case next-at > MaxValue:
		r.fail(at, ErrTooBig, where, "longer than 4096 bytes")
		return ""
	}
	r.i = next
	return r.s[at:next]
}
