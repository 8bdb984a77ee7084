package lww

import (
	"fmt"
	"slices"
	"testing"
	"unsafe"
)

// fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// checkTree checks the shape of a tree and all that its nodes keep.
func checkTree(t fataler, s *Set) {
	t.Helper()
	var last *Record
	var check func(n *node, rg Range) Fingerprint
	check = func(n *node, rg Range) (sum Fingerprint) {
		t.Helper()
		if n.kids == nil {
			if len(n.recs) > splitAbove && rg.Depth < maxDepth {
				t.Fatalf("leaf %+v has %d records", rg, len(n.recs))
			}
			for _, r := range n.recs {
				if !rg.Contains(r.hash) {
					t.Fatalf("%q is astray in leaf %+v", r.Name, rg)
				}
				if last != nil && place(last).cmp(place(r)) >= 0 {
					t.Fatalf("%q comes after %q", r.Name, last.Name)
				}
				last = r
				sum.Count++
				sum.Sum += r.sum
			}
			for _, r := range n.recs[len(n.recs):cap(n.recs)] {
				if r != nil {
					t.Fatalf("leaf %+v keeps %q from being collected", rg, r.Name)
				}
			}
		} else {
			if n.recs != nil {
				t.Fatalf("inner node %+v has records of its own", rg)
			}
			for i, kid := range n.kids {
				if kid == nil {
					continue
				}
				below := check(kid, rg.Child(i))
				if below.Count == 0 {
					t.Fatalf("%+v has an empty child", rg)
				}
				sum.Count += below.Count
				sum.Sum += below.Sum
			}
			if sum.Count <= mergeAt {
				t.Fatalf("inner node %+v has but %d records", rg, sum.Count)
			}
		}
		if sum != n.sum {
			t.Fatalf("%+v keeps %+v, but has %+v", rg, n.sum, sum)
		}
		return sum
	}
	check(&s.root, Range{})
}

func TestTreeSplitsAndMergesWithSlack(t *testing.T) {
	var s Set
	name := func(i int) string { return fmt.Sprintf("node-%d", i) }
	for i := range splitAbove {
		s.Put(New(name(i), 1, 0, ""))
	}
	if s.root.kids != nil {
		t.Fatalf("%d records do not fit into a leaf", splitAbove)
	}
	s.Put(New(name(splitAbove), 1, 0, ""))
	if s.root.kids == nil {
		t.Fatalf("%d records are in one leaf", splitAbove+1)
	}
	for i := splitAbove; i >= mergeAt; i-- {
		if s.root.kids == nil {
			t.Fatalf("the tree fell back to a leaf with %d records", s.Len())
		}
		s.Remove(name(i))
	}
	if s.root.kids != nil {
		t.Fatalf("%d records are an inner node", s.Len())
	}
	if r := s.Remove("nobody"); r != nil || s.Len() != mergeAt {
		t.Fatalf("Remove of nobody returned %v and left %d records", r, s.Len())
	}
	checkTree(t, &s)
}

// Whoever can choose names can make their hashes equal. That costs time in one
// leaf, and no more.
func TestNamesThatShareAHash(t *testing.T) {
	var s Set
	names := collide(200)
	for i, name := range names {
		s.Merge(New(name, int64(i), 0, ""))
		checkTree(t, &s)
	}
	for i, name := range names {
		if r := s.Get(name); r == nil || r.Stamp != int64(i) {
			t.Fatalf("Get(%q) = %v", name, r)
		}
	}
	deepest := Range{HashName(names[0]), 16}
	if got := s.FingerprintOf(deepest); got != s.Fingerprint() {
		t.Errorf("FingerprintOf(%+v) = %+v, want %+v", deepest, got, s.Fingerprint())
	}
	if got := slices.Collect(s.In(deepest)); len(got) != len(names) {
		t.Errorf("In(%+v) has %d records", deepest, len(got))
	}
	for _, name := range names {
		if r := s.Remove(name); r == nil || r.Name != name || s.Get(name) != nil {
			t.Fatalf("Remove(%q) = %v", name, r)
		}
		checkTree(t, &s)
	}
	if s.Len() != 0 || s.Fingerprint() != (Fingerprint{}) || s.root.kids != nil {
		t.Errorf("something is left: %+v", s.root)
	}
}

// structureOf returns the bytes that a set takes beside its records.
func structureOf(s *Set) int {
	var bytes func(n *node) int
	bytes = func(n *node) int {
		sum := int(unsafe.Sizeof(*n)) + cap(n.recs)*int(unsafe.Sizeof((*Record)(nil)))
		if n.kids != nil {
			sum += int(unsafe.Sizeof(*n.kids))
			for _, kid := range n.kids {
				if kid != nil {
					sum += bytes(kid)
				}
			}
		}
		return sum
	}
	return bytes(&s.root)
}

// The simulator has 10^8 of these in one process; records are shared.
func TestStructureIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Record{}); size > 80 {
		t.Errorf("a record takes %d bytes", size)
	}
	for _, c := range []struct{ records, most int }{{64, 10}, {260, 13}, {1000, 10}, {2000, 10}, {4300, 13}, {10_000, 11}, {100_000, 12}} {
		s := setOfN(c.records)
		per := float64(structureOf(s)) / float64(c.records)
		t.Logf("%d records: %.1f bytes of structure a record", c.records, per)
		if per > float64(c.most) {
			t.Errorf("%d records: %.1f bytes of structure a record, want at most %d", c.records, per, c.most)
		}
	}
}

func TestReadsAndOldNewsAllocateNothing(t *testing.T) {
	s := setOfN(10_000)
	old := New("node-77", 0, 0, "")
	same := New("node-77", 1, 0, "")
	absent := "nobody"
	rg := Range{HashName("node-77"), 2}
	for what, f := range map[string]func(){
		"Get":                func() { s.Get("node-77") },
		"Get of nobody":      func() { s.Get(absent) },
		"Merge of the older": func() { s.Merge(old) },
		"Merge of the same":  func() { s.Merge(same) },
		"Put over another":   func() { s.Put(same) },
		"Fingerprint":        func() { s.Fingerprint() },
		"FingerprintOf":      func() { s.FingerprintOf(rg) },
		"Children":           func() { s.Children(rg) },
		"All": func() {
			for range s.All() {
			}
		},
	} {
		if n := testing.AllocsPerRun(10, f); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
}

func setOfN(n int) *Set {
	var s Set
	for i := range n {
		s.Merge(New(fmt.Sprintf("node-%d", i), 1, 0, ""))
	}
	return &s
}

// TestSearch: however the hashes of a leaf lie, an element is found where it is, and
// else where it belongs; and so is a range.
func TestSearch(t *testing.T) {
	for depth := uint8(0); depth <= maxDepth; depth += 4 {
		for spread := range 8 { // 0: all over the leaf; else in a corner of it
			leaf, open := new(node), 64-4*uint(depth)
			for i := range uint64(splitAbove) {
				hash := i * 0x9e3779b97f4a7c15 >> (8 * spread) // names can be picked
				if open == 0 {
					hash = 7
				} else {
					hash &= 1<<open - 1
				}
				r := New(fmt.Sprint("n", i), 1, 0, "")
				r.hash = hash
				at, found := leaf.search(r.hash, r.Name, depth)
				if found {
					t.Fatalf("depth %d, spread %d: %q is there already", depth, spread, r.Name)
				}
				leaf.insert(at, r)
			}
			if !slices.IsSortedFunc(leaf.recs, func(a, b *Record) int { return place(a).cmp(place(b)) }) {
				t.Fatalf("depth %d, spread %d: out of order", depth, spread)
			}
			for i, r := range leaf.recs {
				if at, found := leaf.search(r.hash, r.Name, depth); !found || at != i {
					t.Fatalf("depth %d, spread %d: number %d is found at %d, %v", depth, spread, i, at, found)
				}
				for d := depth; d <= maxDepth; d++ {
					rg := Range{r.hash, d}
					var want []*Record
					for _, one := range leaf.recs {
						if rg.Contains(one.hash) {
							want = append(want, one)
						}
					}
					if got := leaf.within(rg, depth); !slices.Equal(got, want) {
						t.Fatalf("depth %d, spread %d: %+v has %d records, not %d", depth, spread, rg, len(got), len(want))
					}
				}
			}
		}
	}
}
