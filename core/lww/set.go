package lww

import "iter"

// Set is a replica of a last-writer-wins element set. The zero Set is empty and
// ready. A Set is for one goroutine, and must not be copied once it is in use.
//
// Merge alone is the CRDT: whatever records replicas Merge, in whatever order
// and however often, those that have merged the same are the same. An element
// is in the set when Get returns a record of rank 0; a higher rank is a
// tombstone, which has to stay until no replica can bring an older add back.
//
// The iterators go in ascending order of (hash, name), whatever the order of
// insertion was. The set must not change while one runs: its records may then
// be missed or come twice.
type Set struct {
	root  node
	looks uint64
}

// Get returns an element's record, or nil.
func (s *Set) Get(name string) *Record { return s.Find(HashName(name), name) }

// Find is Get for whoever has the name's HashName: one hash serves several sets.
func (s *Set) Find(hash uint64, name string) *Record {
	s.looks++
	return s.root.get(hash, name)
}

// mostAlike is how many records that share half a hash are looked through for one.
const mostAlike = 8

// Half finds a record by the first half of its Hash, which is that of half, and the second
// half of its Sum, which is the other. It may miss one of names that were made to share it.
func (s *Set) Half(half uint64) *Record {
	s.looks++
	n, depth := s.root.at(Range{half, maxDepth / 2})
	if n == nil {
		return nil
	}
	i, _ := n.search(half>>32<<32, "", depth)
	for _, r := range n.recs[i:min(i+mostAlike, len(n.recs))] {
		if r.IsHalf(half) {
			return r
		}
	}
	return nil
}

// IsHalf says whether half is the first half of the record's Hash and the second of its Sum.
func (r *Record) IsHalf(half uint64) bool {
	return r.hash>>32 == half>>32 && uint32(r.sum) == uint32(half)
}

// Merge joins a record into the set: of it and the element's record the later
// stays. It tells whether the record went in.
func (s *Set) Merge(r *Record) bool {
	s.looks++
	if old := s.root.get(r.hash, r.Name); old != nil && r.Compare(old) <= 0 {
		return false
	}
	s.root.put(r, 0)
	return true
}

// Put replaces whatever the set has of the element, also by something older.
// That is no CRDT operation, and another replica's Merge can undo it: it is for
// what this replica alone decides, like its own presence minted anew after its
// clock was put right, or a tombstone that it sets aside.
func (s *Set) Put(r *Record) {
	s.looks++
	s.root.put(r, 0)
}

// Remove forgets an element, tombstone and all, and returns its record, or nil.
// Like Put it is no CRDT operation: to take an element out of all replicas,
// Merge a record of a higher rank.
func (s *Set) Remove(name string) *Record {
	s.looks++
	return s.root.remove(HashName(name), name, 0)
}

// Len returns how many elements have a record, tombstones included.
func (s *Set) Len() int { return int(s.root.sum.Count) }

// At returns the i-th record, from 0 to Len()-1, in the order of All; nil
// beyond. It costs O(log n), so that one can be picked at random.
func (s *Set) At(i int) *Record {
	if i < 0 || i >= s.Len() {
		return nil
	}
	s.looks++
	n := &s.root
	for n.kids != nil {
		for _, kid := range n.kids {
			if kid == nil {
				continue
			}
			if below := int(kid.sum.Count); i >= below {
				i -= below
				continue
			}
			n = kid
			break
		}
	}
	return n.recs[i]
}

// Looks returns how much was looked at in this set so far, as a measure of work that
// is the same on every machine: one for each way down the tree, whatever it is for,
// and one for each record, or fingerprint of a child, that is gone through there. What
// is always at hand costs nothing. Differences of it count what was done between.
func (s *Set) Looks() uint64 { return s.looks }

// Fingerprint returns the fingerprint of all records. It is always at hand.
func (s *Set) Fingerprint() Fingerprint { return s.root.sum }

// FingerprintOf returns the fingerprint of a range's records.
func (s *Set) FingerprintOf(rg Range) Fingerprint {
	s.looks++
	n, depth := s.root.at(rg)
	if n == nil {
		return Fingerprint{}
	}
	if depth == rg.Depth {
		return n.sum
	}
	var f Fingerprint
	for _, r := range n.within(rg, depth) {
		f.add(r)
	}
	s.looks += f.Count
	return f
}

// Children returns the fingerprints of a range's children: the i-th is that of
// rg.Child(i). They are zero for a range of depth 16, which has none.
func (s *Set) Children(rg Range) (f [16]Fingerprint) {
	s.looks++
	n, depth := s.root.at(rg)
	if n == nil || rg.Depth >= maxDepth {
		return f
	}
	if n.kids != nil {
		s.looks += uint64(len(n.kids))
		for i, kid := range n.kids {
			if kid != nil {
				f[i] = kid.sum
			}
		}
		return f
	}
	recs := n.within(rg, depth)
	s.looks += uint64(len(recs))
	for _, r := range recs {
		f[nibble(r.hash, rg.Depth)].add(r)
	}
	return f
}

// All returns all records; see Set for their order.
func (s *Set) All() iter.Seq[*Record] { return s.In(Range{}) }

// Records returns those of a range in a slice of their own: the set may change
// while one goes through it. See Set for their order.
func (s *Set) Records(rg Range) (all []*Record) {
	s.walk(rg, func(r *Record) bool { all = append(all, r); return true })
	return all
}

// In returns the records of a range; see Set for their order.
func (s *Set) In(rg Range) iter.Seq[*Record] {
	return func(yield func(*Record) bool) { s.walk(rg, yield) }
}

func (s *Set) walk(rg Range, yield func(*Record) bool) {
	s.looks++
	n, depth := s.root.at(rg)
	if n == nil {
		return
	}
	if n.kids != nil {
		s.looks += n.sum.Count
		n.each(yield)
		return
	}
	recs := n.within(rg, depth)
	s.looks += uint64(len(recs))
	for _, r := range recs {
		if !yield(r) {
			return
		}
	}
}
