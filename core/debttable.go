package core

import "github.com/nanoring/nanoring/core/lww"

// debtTable finds the debt of a record, by what the record hashes to: whoever hears of
// what is known already, which is most of what is heard, looks there. The zero table is
// empty.
type debtTable struct {
	buckets []*debt // a power of two, or none
	len     int
}

// at returns where in its bucket the debt of a record is, or would be.
//
//go:noinline
func (t *debtTable) at(rec *lww.Record) **debt {
	at := &t.buckets[int(rec.Sum())&(len(t.buckets)-1)]
	for *at != nil && (*at).rec != rec {
		at = &(*at).chain
	}
	return at
}

// get returns the debt of a record, nil if there is none, or no record.
func (t *debtTable) get(rec *lww.Record) *debt {
	if rec == nil || t.len == 0 {
		return nil
	}
	return *t.at(rec)
}

// find returns the debt of a record with a digest, nil if there is none.
func (t *debtTable) find(digest uint64) *debt {
	if t.len == 0 {
		return nil
	}
	d := t.buckets[int(digest)&(len(t.buckets)-1)]
	for d != nil && !d.rec.IsHalf(digest) {
		d = d.chain
	}
	return d
}

// put adds a debt of a record that has none yet.
func (t *debtTable) put(d *debt) {
	if t.len == len(t.buckets) {
		before := t.buckets
		t.buckets = make([]*debt, max(8, 2*len(before)))
		for _, one := range before {
			for one != nil {
				next := one.chain
				one.chain = nil
				*t.at(one.rec) = one
				one = next
			}
		}
	}
	*t.at(d.rec) = d
	t.len++
}

// remove takes the debt of a record out, and returns it.
func (t *debtTable) remove(rec *lww.Record) *debt {
	d := t.get(rec)
	if d != nil {
		*t.at(rec), d.chain = d.chain, nil
		t.len--
	}
	return d
}
