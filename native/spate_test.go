package native

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nanoring/nanoring/core"
)

// TestAnyMinute: lines are bounded within any minute, and not only within those that begin with a first line; what was
// held back is told in each.
func TestAnyMinute(t *testing.T) {
	for what, test := range map[string]heldBack{
		"of strangers": rareLines(),
		"of guests": flapLines(guestLines, func(i int) core.Node {
			return core.Node{Name: fmt.Sprint("tab", i), Ephemeral: true, State: core.Alive}
		}),
		"of nodes":    flapLines(nodeLines, func(i int) core.Node { return core.Node{Name: fmt.Sprint("dev", i), State: core.Alive} }),
		"of one node": flapLines(mostLines, func(i int) core.Node { return core.Node{Name: "dev1", State: core.Down} }),
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var lines []time.Time
				all := 0
				for _, wait := range []time.Duration{0, 59 * time.Second, 2 * time.Second, 57 * time.Second, 3 * time.Second} {
					time.Sleep(wait)
					burst := 2 * test.most
					if wait == 0 {
						burst = 1
					}
					for range burst {
						if all++; test.line(all) {
							lines = append(lines, time.Now())
						}
					}
				}
				worst := 0
				for i, from := range lines {
					n := 0
					for _, at := range lines[i:] {
						if at.Sub(from) < time.Minute {
							n++
						}
					}
					worst = max(worst, n)
				}
				if worst != test.most {
					t.Errorf("up to %d lines within a minute", worst)
				}
				time.Sleep(linesTime)
				synctest.Wait()
				if told := int(test.told.Load()); len(lines)+told != all {
					t.Errorf("%d lines, and %d more are told of, of %d", len(lines), told, all)
				}
			})
		})
	}
}

// heldBack is what bounds lines of a kind.
type heldBack struct {
	most int
	line func(i int) bool
	told *atomic.Int64
}

func rareLines() heldBack {
	told := new(atomic.Int64)
	r := &rarely{sum: func(more int) { told.Add(int64(more)) }}
	return heldBack{strangerLines, func(i int) bool { return r.now("refused", fmt.Sprintf("192.0.2.%d:1", i)) }, told}
}

func flapLines(most int, node func(i int) core.Node) heldBack {
	told := new(atomic.Int64)
	f := new(flapping)
	sum := func(_ string, _ core.State, more int) { told.Add(int64(more)) }
	return heldBack{most, func(i int) bool { return f.may(node(i), sum) }, told}
}
