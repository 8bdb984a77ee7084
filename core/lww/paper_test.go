package lww

import (
	"maps"
	"testing"

	"pgregory.net/rapid"
)

// paper is the LWW-element-set as Shapiro, Preguiça, Baquero and Zawirski have
// it (INRIA RR-7506, 3.3.3): A and R are grow-only sets of (element, timestamp),
// add puts a pair into A, remove puts one into R, merge is the union of both,
// and lookup finds an element that has an add which no remove in R masks.
type paper struct {
	A, R map[pair]bool
}

type pair struct {
	element   string
	timestamp int64
}

func newPaper() paper { return paper{make(map[pair]bool), make(map[pair]bool)} }

func (p paper) add(e string, t int64)    { p.A[pair{e, t}] = true }
func (p paper) remove(e string, t int64) { p.R[pair{e, t}] = true }
func (p paper) merge(o paper)            { maps.Copy(p.A, o.A); maps.Copy(p.R, o.R) }

// lookup is the paper's formula: there is a t such that for all t' > t,
// (e, t) is in A and (e, t') is not in R.
func (p paper) lookup(e string) bool { return p.unmasked(e, func(r, a int64) bool { return r > a }) }

// lookupBiased is lookup where a removal wins a tie: t' >= t. The paper's
// timestamps are unique, so there it makes no difference; the stamps of two
// nodes may be equal.
func (p paper) lookupBiased(e string) bool {
	return p.unmasked(e, func(r, a int64) bool { return r >= a })
}

func (p paper) unmasked(e string, masks func(remove, add int64) bool) bool {
	for a := range p.A {
		if a.element != e {
			continue
		}
		masked := false
		for r := range p.R {
			if r.element == e && masks(r.timestamp, a.timestamp) {
				masked = true
			}
		}
		if !masked {
			return true
		}
	}
	return false
}

// lookup is what a Set says.
func lookup(s *Set, e string) bool { r := s.Get(e); return r != nil && r.Rank == 0 }

// replicas are three Sets beside three of the paper's, to which the same happens.
type replicas struct {
	sets   [3]Set
	papers [3]paper
}

func newReplicas() *replicas {
	return &replicas{papers: [3]paper{newPaper(), newPaper(), newPaper()}}
}

func (w *replicas) add(i int, e string, stamp int64, value string) {
	w.sets[i].Merge(New(e, stamp, 0, value))
	w.papers[i].add(e, stamp)
}

func (w *replicas) remove(i int, e string, stamp int64, rank uint8) {
	w.sets[i].Merge(New(e, stamp, rank, ""))
	w.papers[i].remove(e, stamp)
}

func (w *replicas) merge(into, from int) {
	join(&w.sets[into], &w.sets[from])
	w.papers[into].merge(w.papers[from])
}

var elements = []string{"dev1", "dev2", "dev3"}

func TestSetIsThePapers(t *testing.T) {
	// Unique timestamps, as in the paper, in any order: its own formula, word for word.
	t.Run("unique", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			taken := make(map[int64]bool)
			runReplicas(t, func() int64 {
				stamp := rapid.Int64Range(0, 100).Draw(t, "stamp")
				for taken[stamp] {
					stamp++
				}
				taken[stamp] = true
				return stamp
			}, paper.lookup)
		})
	})
	// Stamps that are often equal.
	t.Run("ties", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			runReplicas(t, func() int64 { return rapid.Int64Range(0, 4).Draw(t, "stamp") }, paper.lookupBiased)
		})
	})
}

func runReplicas(t *rapid.T, now func() int64, want func(paper, string) bool) {
	w := newReplicas()
	replica := rapid.IntRange(0, 2)
	element := rapid.SampledFrom(elements)
	t.Repeat(map[string]func(*rapid.T){
		"add": func(t *rapid.T) {
			w.add(replica.Draw(t, "replica"), element.Draw(t, "element"), now(),
				rapid.SampledFrom([]string{"", "v"}).Draw(t, "value"))
		},
		"remove": func(t *rapid.T) {
			w.remove(replica.Draw(t, "replica"), element.Draw(t, "element"), now(),
				rapid.Uint8Range(1, 3).Draw(t, "rank"))
		},
		"merge": func(t *rapid.T) { w.merge(replica.Draw(t, "into"), replica.Draw(t, "from")) },
		"": func(t *rapid.T) {
			for i := range w.sets {
				for _, e := range elements {
					if got, want := lookup(&w.sets[i], e), want(w.papers[i], e); got != want {
						t.Fatalf("replica %d has %s: %v, the paper's: %v", i, e, got, want)
					}
				}
			}
		},
	})
}
