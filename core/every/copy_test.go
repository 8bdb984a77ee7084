package every

import (
	"testing"
)

// TestCopiesGoOnAlike copies each engine before each step: the world of the copies has
// to stay the world of those that were never copied.
func TestCopiesGoOnAlike(t *testing.T) {
	for _, sc := range Scenes() {
		t.Run(sc.Name, func(t *testing.T) {
			w := sc.begin()
			if w.wrong != "" {
				t.Fatal(w.wrong)
			}
			copied := w.clone()
			again := sc.begin()
			for i := range 3000 {
				all := copied.choices()
				if len(all) == 0 {
					break
				}
				pick := 0
				if i%7 == 3 && i < 500 { // what is possible may differ from state to state
					pick = (i * 31) % len(all)
				}
				before := copied.sum()
				next := copied.clone()
				next.apply(all[pick])
				if copied.sum() != before {
					t.Fatalf("after %d steps a copy changes what it was made of", i)
				}
				copied = next
				again.apply(again.choices()[pick])
				for j, n := range again.nodes {
					n.known, copied.nodes[j].known = false, false
				}
				if copied.sum() != again.sum() {
					t.Fatalf("after %d steps the copies are not as those that were never copied", i)
				}
			}
		})
	}
}
