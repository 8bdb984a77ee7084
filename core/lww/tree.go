package lww

import (
	"math/bits"
	"slices"
)

// A leaf that grows above splitAbove records gets children; an inner node that
// falls to mergeAt becomes a leaf again. The distance between the two keeps
// a record that comes and goes from splitting and merging each time.
const (
	splitAbove = 64
	mergeAt    = 32
)

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
// belongs. Hashes are spread evenly: it begins where this one is likely to be.
func (n *node) search(hash uint64, name string, depth uint8) (int, bool) {
	lo, hi := 0, len(n.recs)
	at, _ := bits.Mul64(hash<<(4*depth), uint64(hi))
	for mid := int(at); lo < hi; {
		r := n.recs[mid]
		switch {
		case r.hash == hash && r.Name == name:
			return mid, true
		case r.hash < hash || r.hash == hash && r.Name < name: // names can be made to share a hash
			lo = mid + 1
			mid = lo
		default:
			hi = mid
			mid = hi - 1
		}
		if depth == maxDepth {
			mid = int(uint(lo+hi) / 2)
		}
	}
	return lo, false
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
		n.recs = append(n.recs, nil)
		copy(n.recs[i+1:], n.recs[i:])
		n.recs[i] = r
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
	n.each(Range{}, func(r *Record) bool { recs = append(recs, r); return true })
	n.recs, n.kids = recs, nil
}

// each yields the records below that are in a range, until it is told to stop.
func (n *node) each(rg Range, yield func(*Record) bool) bool {
	for _, r := range n.recs {
		if rg.Contains(r.hash) && !yield(r) {
			return false
		}
	}
	if n.kids != nil {
		for _, kid := range n.kids {
			if kid != nil && !kid.each(rg, yield) {
				return false
			}
		}
	}
	return true
}
