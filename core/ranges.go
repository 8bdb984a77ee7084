package core

import (
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// sendWhole decides whether a range of count records is sent as it is.
func (rc *reconciler) sendWhole(count, theirs uint64, known bool) bool {
	return count <= fewRecords || known && count <= manyRecords && theirs <= count/sparse
}

func lwwRange(rg wire.Range) lww.Range { return lww.Range{Prefix: rg.Prefix, Depth: rg.Depth} }

func (rc *reconciler) fingerprintOf(rg wire.Range) wire.Fingerprint {
	return wire.Fingerprint(rc.replica.set(rg.Set).FingerprintOf(lwwRange(rg)))
}

func (rc *reconciler) recordsIn(rg wire.Range) []wire.Record {
	records, _ := rc.page(rg, "", 1<<30)
	return records
}

// page takes the records of a range behind a name, as many as have so many bytes,
// one at least, and says whether that is all of them. A name is for the last level,
// where names made to collide can be any number; there they are in the order of names.
func (rc *reconciler) page(rg wire.Range, after string, most int) (records []wire.Record, whole bool) {
	whole = true
	for _, rec := range rc.replica.set(rg.Set).Records(lwwRange(rg)) {
		rc.looked++
		if rec.Name > after {
			w := frameRecord(rg.Set, rec)
			if most -= w.Size(); most < 0 && len(records) > 0 {
				whole = false
				break
			}
			records = append(records, w)
		}
	}
	return records, whole
}

//go:noinline
func sizeOf(records []wire.Record) (n int) {
	for i := range records {
		n += records[i].Size()
	}
	return n
}

// fits says whether a frame has room for records, whatever else is in it.
func fits(records []wire.Record) bool {
	return len(records) <= fewRecords || sizeOf(records) <= syncBytes
}

// mergeRange takes in all that a peer has in a range, and returns what of this
// node's records in it the peer lacks or has older. What an authority lacks is
// dropped: see drops.
func (rc *reconciler) mergeRange(c *conn, rg wire.Range, records []wire.Record, authority bool) (some []wire.Record) {
	theirs := make(map[string]*wire.Record, len(records))
	for i := range records {
		w := &records[i]
		theirs[w.Name] = w
		if rc.merge(w, c) == isRefused && w.Set == wire.Nodes && rc.replica.expired[w.Name] != nil {
			some = append(some, frameRecord(wire.Nodes, rc.replica.expired[w.Name].record))
		}
		if rc.refusedAll(c) {
			return nil
		}
	}
	var drop []string
	for _, rec := range rc.replica.set(rg.Set).Records(lwwRange(rg)) {
		rc.looked++
		w := theirs[rec.Name]
		if w != nil && rc.replica.compare(rec, w) <= 0 || rc.cfg.Ephemeral && w != nil && rec.Name != rc.cfg.Name {
			continue
		}
		if authority && (w == nil || isGuests(w) && isKept(rec)) && rc.drops(rec) { // a guest may have a name that was a node's
			push(&drop, rec.Name)
			continue
		}
		some = append(some, frameRecord(rg.Set, rec))
	}
	for _, name := range drop {
		if name == rc.cfg.Name {
			rc.sync.denied = true
		} else {
			rc.replica.forget(rg.Set, name)
		}
	}
	return some
}
