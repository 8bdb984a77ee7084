package lww

// Fingerprint stands for a set of records: two sets with the same fingerprint
// are the same but for a chance of about one in 2^64. The empty set's is zero.
type Fingerprint struct {
	Count uint64 // of the records
	Sum   uint64 // of their records' Sum, modulo 2^64
}

func (f *Fingerprint) add(r *Record) { f.Count++; f.Sum += r.sum }
func (f *Fingerprint) sub(r *Record) { f.Count--; f.Sum -= r.sum }

// Hashes have 16 nibbles, so ranges and the tree end at that depth.
const maxDepth = 16

// Range is the records whose hash begins with the first Depth nibbles of
// Prefix, high nibbles first; what follows in Prefix means nothing. The zero
// Range is all records. Depth is at most 16, where only hashes that are equal
// share a range; what is beyond that is taken for 16.
type Range struct {
	Prefix uint64
	Depth  uint8
}

// low returns how many low bits of a hash the range leaves open.
func (rg Range) low() uint { return 64 - 4*uint(min(rg.Depth, maxDepth)) }

// Contains tells whether a record with this hash is in the range.
func (rg Range) Contains(hash uint64) bool { return (hash^rg.Prefix)>>rg.low() == 0 }

// Child returns the i-th, from 0 to 15, of the 16 ranges that a range consists
// of. A range of depth 16 has no children, and is returned as it is.
func (rg Range) Child(i int) Range {
	if rg.Depth >= maxDepth {
		return rg
	}
	prefix := rg.Prefix >> rg.low() << rg.low()
	return Range{prefix | uint64(i&15)<<(rg.low()-4), rg.Depth + 1}
}
