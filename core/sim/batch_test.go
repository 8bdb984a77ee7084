package sim

import (
	"reflect"
	"testing"

	"github.com/nanoring/nanoring/core"
)

// What comes of a plan does not depend on how many workers step its engines.
func TestWorkers(t *testing.T) {
	t.Parallel()
	var first *Report
	for _, workers := range []int{1, 2, 5} {
		p := Plan{
			Seed: 11, Nodes: 60, Guests: 3, LatencyMin: core.Millisecond, LatencyMax: 40 * core.Millisecond,
			Loss: 10_000, ChurnEvery: core.Second, For: 20 * core.Second,
			Acts:    []Act{{Kind: Kill, At: 5 * core.Second, Nodes: 10}},
			workers: workers,
		}
		r, err := p.Run()
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = r
		}
		if !reflect.DeepEqual(r, first) {
			t.Errorf("%d workers: %+v, one: %+v", workers, r, first)
		}
	}
}
