package lww

import (
	"math/bits"
	"slices"
)

// A leaf that grows above splitAbove records gets children; an inner node that
// falls to mergeAt becomes a leaf again. The distance between the two keeps
// a record that comes and goes from splitting and merging each time. Leaves are long
// for the sake of memory: one of 16, which is what the children begin with, has half
// as much again beside its records.
const (
	splitAbove = 256
	mergeAt    = 128
)

// likely is how many looks a search mostly takes.
const likely = 8

// node is a leaf (no kids) or an inner node (no recs) of the tree. Its shape
// depends on history, but nothing that Set shows does.
type node struct {
	sum  Fingerprint // of all records below
	recs []*Record   // ascending by (hash, name)
	kids *[16]*node  // by the hash's nibble at the node's depth; nil: no records there
}

// nibble returns a hash's nibble at a depth from 0 to 15.
func nibble(hash uint64, depth uint8) int { return int(hash >> (60 - 4*depth) & 15) }

// search returns where in a leaf, which lies at a depth, an element is, or
// belongs. Hashes are spread evenly: it looks where this one is likely to be, as seen
// from the one that it looked at last. Those that are not, since names can be picked,
// it finds by halving.
func (n *node) search(hash uint64, name string, depth uint8) (int, bool) {
	lo, hi := 0, len(n.recs)
	span, low := uint64(hi), 4*depth
	at, _ := bits.Mul64(hash<<low, span)
	mid := int(at)
	for looks := 0; lo < hi; looks++ {
		r := n.recs[mid]
		switch {
		case r.hash == hash && r.Name == name:
			return mid, true
		case r.hash < hash || r.hash == hash && r.Name < name: // names can be made to share a hash
			lo = mid + 1
			at, _ = bits.Mul64((hash-r.hash)<<low, span)
			mid = min(lo+int(at), hi-1)
		default:
			hi = mid
			at, _ = bits.Mul64((r.hash-hash)<<low, span)
			mid = max(hi-1-int(at), lo)
		}
		if looks >= likely || depth == maxDepth {
			mid = int(uint(lo+hi) / 2)
		}
	}
	return lo, false
}

// within returns those records of a leaf, which lies at a depth, that are in a range.
func (n *node) within(rg Range, depth uint8) []*Record {
	if depth >= rg.Depth {
		return n.recs
	}
	from, _ := n.search(rg.Prefix>>rg.low()<<rg.low(), "", depth)
	end := from
	for end < len(n.recs) && rg.Contains(n.recs[end].hash) {
		end++
	}
	return n.recs[from:end]
}

// at returns the deepest node on a range's path, nil if the range is empty, and
// its depth. A leaf may come before the range's depth, and have other records too.
func (n *node) at(rg Range) (*node, uint8) {
	depth := uint8(0)
	for n != nil && n.kids != nil && depth < rg.Depth {
		n = n.kids[nibble(rg.Prefix, depth)]
		depth++
	}
	return n, depth
}

func (n *node) get(hash uint64, name string) *Record {
	n, depth := n.at(Range{hash, maxDepth})
	if n != nil {
		if i, ok := n.search(hash, name, depth); ok {
			return n.recs[i]
		}
	}
	return nil
}

// put inserts or replaces, and returns the record that was there.
func (n *node) put(r *Record, depth uint8) (old *Record) {
	if n.kids != nil {
		kid := &n.kids[nibble(r.hash, depth)]
		if *kid == nil {
			*kid = new(node)
		}
		old = (*kid).put(r, depth+1)
	} else if i, ok := n.search(r.hash, r.Name, depth); ok {
		old, n.recs[i] = n.recs[i], r
	} else {
		n.insert(i, r)
	}
	if old != nil {
		n.sum.sub(old)
	}
	n.sum.add(r)
	if len(n.recs) > splitAbove {
		n.split(depth)
	}
	return old
}

// insert puts a record into a leaf, which grows by an eighth: of what append would take a
// quarter would be empty.
func (n *node) insert(i int, r *Record) {
	was := n.recs
	if len(was) == cap(was) {
		n.recs = make([]*Record, 0, len(was)+len(was)/8+2)
		n.recs = append(n.recs, was[:i]...)
	}
	n.recs = n.recs[:len(was)+1]
	copy(n.recs[i+1:], was[i:])
	n.recs[i] = r
}

// remove takes a record out and returns it, or nil.
func (n *node) remove(hash uint64, name string, depth uint8) (old *Record) {
	if n.kids != nil {
		kid := &n.kids[nibble(hash, depth)]
		if *kid == nil {
			return nil
		}
		if old = (*kid).remove(hash, name, depth+1); old == nil {
			return nil
		}
		if (*kid).sum.Count == 0 {
			*kid = nil
		}
	} else if i, ok := n.search(hash, name, depth); ok {
		old = n.recs[i]
		last := len(n.recs) - 1
		copy(n.recs[i:], n.recs[i+1:])
		n.recs[last] = nil
		n.recs = n.recs[:last]
	} else {
		return nil
	}
	n.sum.sub(old)
	if n.kids != nil && n.sum.Count <= mergeAt {
		n.merge()
	}
	return old
}

// split makes a leaf an inner node. Names that share a whole hash stay in one
// leaf, at the bottom.
func (n *node) split(depth uint8) {
	if depth == maxDepth {
		return
	}
	n.kids = new([16]*node)
	for rest := n.recs; len(rest) > 0; {
		i, end := nibble(rest[0].hash, depth), 0
		kid := new(node)
		for end < len(rest) && nibble(rest[end].hash, depth) == i {
			kid.sum.add(rest[end])
			end++
		}
		kid.recs = slices.Clone(rest[:end])
		if end > splitAbove {
			kid.split(depth + 1)
		}
		n.kids[i], rest = kid, rest[end:]
	}
	n.recs = nil
}

// merge makes an inner node a leaf.
func (n *node) merge() {
	recs := make([]*Record, 0, n.sum.Count)
	n.each(func(r *Record) bool { recs = append(recs, r); return true })
	n.recs, n.kids = recs, nil
}

// each yields the records below, until it is told to stop.
func (n *node) each(yield func(*Record) bool) bool {
	for _, r := range n.recs {
		if !yield(r) {
			return false
		}
	}
	if n.kids != nil {
		for _, kid := range n.kids {
			if kid != nil && !kid.each(yield) {
				return false
			}
		}
	}
	return true
}
