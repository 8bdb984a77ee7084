package lww

import (
	"cmp"
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// Record is the latest operation on one element: an add when its rank is 0, a
// removal when it is higher. A Record never changes, so sets may share it.
type Record struct {
	hash  uint64 // beside the name: a search looks at both
	Name  string
	Stamp int64
	Rank  uint8
	Value string

	// Parsed is what the set's user read in Value, to have it at hand. The set
	// does not look at it.
	Parsed any

	sum uint64
}

// New makes a record. It keeps both strings: clone what aliases a buffer.
func New(name string, stamp int64, rank uint8, value string) *Record {
	r := new(Record)
	r.Init(name, stamp, rank, value)
	return r
}

// Init makes of the zero Record what New makes, where it lies.
func (r *Record) Init(name string, stamp int64, rank uint8, value string) {
	r.Name, r.Stamp, r.Rank, r.Value = name, stamp, rank, value
	r.hash = HashName(name)
	r.sum = sumOf(name, stamp, rank, value)
}

// Next makes a record of another operation on the same element, with the same
// value.
func (r *Record) Next(stamp int64, rank uint8) *Record {
	next := *r
	next.Stamp, next.Rank, next.sum = stamp, rank, sumOf(r.Name, stamp, rank, r.Value)
	return &next
}

// Compare orders two operations on one element by stamp, then rank, so that a
// removal wins a tie, then the bytes of the value, so that no tie is left.
func (r *Record) Compare(o *Record) int {
	if c := cmp.Compare(r.Stamp, o.Stamp); c != 0 {
		return c
	}
	if c := cmp.Compare(r.Rank, o.Rank); c != 0 {
		return c
	}
	return cmp.Compare(r.Value, o.Value)
}

// Hash returns HashName of the record's name: its place in the tree.
func (r *Record) Hash() uint64 { return r.hash }

// Sum returns the hash of the whole record that fingerprints add up: xxHash64
// with seed 0 of the stamp (8 bytes), the rank (1), the length of the name
// (4, all big-endian), the name and the value. Nodes compare these sums, so
// all must compute the same.
func (r *Record) Sum() uint64 { return r.sum }

// HashName returns where an element lies in every set: xxHash64 of its name, with
// seed 0. It is no secret: names with the same hash can be made at will.
func HashName(name string) uint64 { return xxhash.Sum64String(name) }

// sumOf computes what Sum returns. All that comes before the value has a known length,
// so two records that differ never hash the same bytes.
func sumOf(name string, stamp int64, rank uint8, value string) uint64 {
	var short [128]byte // most records fit; append moves the others to the heap
	b := binary.BigEndian.AppendUint64(short[:0], uint64(stamp))
	b = append(b, rank)
	b = binary.BigEndian.AppendUint32(b, uint32(len(name)))
	b = append(b, name...)
	b = append(b, value...)
	return xxhash.Sum64(b)
}
