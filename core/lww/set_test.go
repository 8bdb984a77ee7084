package lww

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func setOf(records ...*Record) *Set {
	s := new(Set)
	for _, r := range records {
		s.Merge(r)
	}
	return s
}

func join(into, from *Set) *Set {
	for _, r := range slices.Collect(from.All()) {
		into.Merge(r)
	}
	return into
}

// contents is all that a set shows: two with the same contents are the same.
func contents(s *Set) []Record {
	var all []Record
	for r := range s.All() {
		all = append(all, *r)
	}
	return all
}

func equal(a, b *Set) bool { return slices.Equal(contents(a), contents(b)) }

func TestMergeIsAJoin(t *testing.T) {
	names := append([]string{"dev1", "dev2", "dev3"}, collide(2)...)
	records := rapid.SliceOfN(anyRecord(names...), 0, 12)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := records.Draw(t, "a"), records.Draw(t, "b"), records.Draw(t, "c")
		if !equal(join(setOf(a...), setOf(b...)), join(setOf(b...), setOf(a...))) {
			t.Fatal("not commutative")
		}
		left := join(join(setOf(a...), setOf(b...)), setOf(c...))
		right := join(setOf(a...), join(setOf(b...), setOf(c...)))
		if !equal(left, right) {
			t.Fatal("not associative")
		}
		if !equal(join(setOf(a...), setOf(a...)), setOf(a...)) {
			t.Fatal("not idempotent")
		}
		for r := range left.All() {
			if left.Merge(r) {
				t.Fatal("a record that was there went in")
			}
		}

		all := slices.Concat(a, b, c)
		again := rapid.Permutation(slices.Concat(all, b)).Draw(t, "another order")
		if !equal(setOf(all...), setOf(again...)) {
			t.Fatal("order or repetition of the records matters")
		}
	})
}

func TestMergeIsMonotonic(t *testing.T) {
	names := []string{"dev1", "dev2"}
	rapid.Check(t, func(t *rapid.T) {
		s := setOf(rapid.SliceOf(anyRecord(names...)).Draw(t, "before")...)
		r := anyRecord(names...).Draw(t, "record")
		before := map[string]*Record{}
		for _, name := range names {
			before[name] = s.Get(name)
		}
		in := s.Merge(r)
		for _, name := range names {
			was, is := before[name], s.Get(name)
			switch {
			case name != r.Name && is != was:
				t.Fatalf("%s changed by a record of %s", name, r.Name)
			case name == r.Name && in != (is == r):
				t.Fatalf("Merge says %v, but the set has %+v", in, *is)
			case was != nil && (is == nil || is.Compare(was) < 0):
				t.Fatalf("%s went back from %+v", name, *was)
			case was != nil && is != was && is.Compare(was) == 0:
				t.Fatalf("%s was replaced by its like", name)
			}
		}
		if s.Get(r.Name).Compare(r) < 0 {
			t.Fatal("the record was lost")
		}
	})
}

func TestFingerprintsAreEqualIffSetsAre(t *testing.T) {
	names := append([]string{"dev1"}, collide(2)...)
	records := rapid.SliceOfN(anyRecord(names...), 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		a, b := setOf(records.Draw(t, "a")...), setOf(records.Draw(t, "b")...)
		if rapid.Bool().Draw(t, "joined") { // else they are hardly ever equal
			join(a, b)
			join(b, a)
		}
		if equal(a, b) != (a.Fingerprint() == b.Fingerprint()) {
			t.Fatalf("%+v\n%+v", contents(a), contents(b))
		}
		for r := range a.All() { // one byte of one record
			c := join(new(Set), a)
			c.Put(New(r.Name, r.Stamp, r.Rank, r.Value+"x"))
			if c.Fingerprint() == a.Fingerprint() {
				t.Fatalf("a changed value of %q does not show", r.Name)
			}
		}
	})
}

// TestSetIsAMap does anything to a Set and to a slice with a place for each
// name of the pool, in order, and demands that all that the Set says is what
// one finds by going through the slice.
func TestSetIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Set
		names := pool()
		want := make([]*Record, len(names))
		index := rapid.IntRange(0, len(names)-1)
		record := func(t *rapid.T, i int) *Record { return anyRecord(names[i]).Draw(t, "record") }
		merge := func(t *rapid.T, r *Record, i int) {
			in := want[i] == nil || r.Compare(want[i]) > 0
			if s.Merge(r) != in {
				t.Fatalf("Merge(%+v) = %v", *r, !in)
			}
			if in {
				want[i] = r
			}
		}
		remove := func(t *rapid.T, i int) {
			if got := s.Remove(names[i]); got != want[i] {
				t.Fatalf("Remove(%q) = %v, want %v", names[i], got, want[i])
			}
			want[i] = nil
		}
		some := func(t *rapid.T) (int, int) {
			lo := index.Draw(t, "from")
			return lo, min(len(names), lo+1<<rapid.IntRange(0, 11).Draw(t, "log"))
		}
		t.Repeat(map[string]func(*rapid.T){
			"merge": func(t *rapid.T) { i := index.Draw(t, "i"); merge(t, record(t, i), i) },
			"put": func(t *rapid.T) {
				i := index.Draw(t, "i")
				want[i] = record(t, i)
				s.Put(want[i])
			},
			"remove": func(t *rapid.T) { remove(t, index.Draw(t, "i")) },
			"merge many": func(t *rapid.T) {
				stamp := rapid.Int64Range(0, 3).Draw(t, "stamp")
				lo, hi := some(t)
				for i := lo; i < hi; i++ {
					merge(t, New(names[i], stamp, 0, ""), i)
				}
			},
			"remove many": func(t *rapid.T) {
				lo, hi := some(t)
				for i := lo; i < hi; i++ {
					remove(t, i)
				}
			},
			"": func(t *rapid.T) {
				checkTree(t, &s)
				i := index.Draw(t, "look at")
				if got := s.Get(names[i]); got != want[i] {
					t.Fatalf("Get(%q) = %v, want %v", names[i], got, want[i])
				}
				checkRange(t, &s, want, Range{})
				depth := uint8(rapid.IntRange(1, 16).Draw(t, "depth"))
				checkRange(t, &s, want, Range{HashName(names[i]), depth})
			},
		})
	})
}

// checkRange holds all that a set says of a range against a slice of records
// that has them in order, with holes.
func checkRange(t *rapid.T, s *Set, want []*Record, rg Range) {
	t.Helper()
	var in []*Record
	var print Fingerprint
	for _, r := range want {
		if r != nil && rg.Contains(r.hash) {
			in = append(in, r)
			again := New(r.Name, r.Stamp, r.Rank, r.Value) // from scratch
			print.Count++
			print.Sum += again.Sum()
		}
	}
	if got := slices.Collect(s.In(rg)); !slices.Equal(got, in) {
		t.Fatalf("In(%+v) has %d records, want %d, or another order", rg, len(got), len(in))
	}
	if got := s.FingerprintOf(rg); got != print {
		t.Fatalf("FingerprintOf(%+v) = %+v, want %+v", rg, got, print)
	}
	if rg.Depth == 0 && (s.Fingerprint() != print || s.Len() != len(in) || !slices.Equal(slices.Collect(s.All()), in)) {
		t.Fatalf("All, Len or Fingerprint differ from the range of all")
	}
	children := s.Children(rg)
	if rg.Depth >= maxDepth {
		if children != ([16]Fingerprint{}) {
			t.Fatalf("%+v has children", rg)
		}
		return
	}
	var sum Fingerprint
	for i, child := range children {
		if got := s.FingerprintOf(rg.Child(i)); got != child {
			t.Fatalf("child %d of %+v is %+v, FingerprintOf says %+v", i, rg, child, got)
		}
		sum.Count += child.Count
		sum.Sum += child.Sum
	}
	if sum != print {
		t.Fatalf("the children of %+v add up to %+v, not to %+v", rg, sum, print)
	}
}

func TestOrderIsIndependentOfHistory(t *testing.T) {
	names := pool()
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		keep := rapid.IntRange(0, len(names)).Draw(t, "keep")
		history := func() *Set { // all come, in any order; most go again, in any order
			var s Set
			for _, i := range random.Perm(len(names)) {
				s.Merge(New(names[i], 1, 0, ""))
			}
			for _, i := range random.Perm(len(names)) {
				if i >= keep {
					s.Remove(names[i])
				}
			}
			return &s
		}
		var fresh Set
		for _, name := range names[:keep] {
			fresh.Merge(New(name, 1, 0, ""))
		}
		if s := history(); !equal(s, &fresh) || s.Children(Range{}) != fresh.Children(Range{}) {
			t.Fatal("history shows")
		}
	})
}

func TestIteratorsStop(t *testing.T) {
	var s Set
	for _, name := range pool() {
		s.Merge(New(name, 1, 0, ""))
	}
	for _, stop := range []int{1, 2, 100, s.Len()} {
		n := 0
		for range s.All() {
			if n++; n == stop {
				break
			}
		}
		if n != stop {
			t.Errorf("stopped after %d records, not %d", n, stop)
		}
	}
}

func TestRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hash := rapid.Uint64().Draw(t, "hash")
		rg := Range{Prefix: rapid.Uint64().Draw(t, "junk")} // bits that mean nothing
		for depth := range uint8(16) {
			if rg.Depth != depth || !rg.Contains(hash) {
				t.Fatalf("%+v lost %#x", rg, hash)
			}
			next := rg
			for i := range 16 {
				child := rg.Child(i)
				if on := i == nibble(hash, depth); child.Contains(hash) != on {
					t.Fatalf("%+v contains %#x: %v", child, hash, !on)
				} else if on {
					next = child
				}
			}
			rg = next
		}
		if rg != (Range{hash, 16}) || rg.Child(3) != rg {
			t.Fatalf("the path of %#x ends in %+v", hash, rg)
		}
		if deeper := (Range{hash, 255}); !deeper.Contains(hash) || deeper.Contains(hash^1) {
			t.Fatal("a range that is too deep is not taken for one of depth 16")
		}
	})
	var s Set
	for _, name := range pool() {
		s.Merge(New(name, 1, 0, ""))
	}
	for _, name := range pool() { // from a lying frame
		deep, deepest := Range{HashName(name), 200}, Range{HashName(name), 16}
		if s.FingerprintOf(deep) != s.FingerprintOf(deepest) || s.Children(deep) != ([16]Fingerprint{}) {
			t.Fatalf("a range of depth 200 differs from one of 16 for %q", name)
		}
	}
}

func TestStateIsOfElementsNotOperations(t *testing.T) {
	var s Set
	random := rand.New(rand.NewPCG(1, 2))
	for stamp := range int64(100_000) {
		s.Merge(New(fmt.Sprintf("node-%d", random.IntN(100)), stamp, uint8(stamp%4), ""))
	}
	if s.Len() != 100 {
		t.Errorf("100,000 operations on 100 names leave %d records", s.Len())
	}
	structure := structureOf(&s)
	for i := range 100_000 { // throw-away names, collected
		name := fmt.Sprintf("tab-%d", i)
		s.Merge(New(name, 1, 0, ""))
		s.Remove(name)
	}
	if s.Len() != 100 || structureOf(&s) > structure+splitAbove*8*16 {
		t.Errorf("100,000 throw-away names leave %d records and %d bytes of structure, from %d", s.Len(), structureOf(&s), structure)
	}
}

// TestHalf: a record is found by half of each of its hashes, in leaves and below them, and
// another version of it is not.
func TestHalf(t *testing.T) {
	var s Set
	if s.Half(1) != nil {
		t.Error("the empty set has something")
	}
	for i := range 3000 {
		s.Put(New(fmt.Sprint("n", i), 1, 0, "v"))
	}
	for r := range s.All() {
		half := r.Hash()>>32<<32 | r.Sum()&(1<<32-1)
		if got := s.Half(half); got != r {
			t.Fatalf("for %s there is %v", r.Name, got)
		}
		if got := s.Half(half ^ 1); got != nil {
			t.Fatalf("for another version of %s there is %v", r.Name, got)
		}
	}
}
