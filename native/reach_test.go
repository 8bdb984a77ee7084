package native

import (
	"fmt"
	"slices"
	"testing"

	"github.com/nanoring/nanoring/core"
)

// TestAllAreDialledBySome: in a ring of more nodes than one of them dials each is dialled by as many as any.
func TestAllAreDialledBySome(t *testing.T) {
	const size = 3 * mostDialled
	var all []core.Node
	for i := range size {
		all = append(all, core.Node{Name: fmt.Sprintf("dev%04d", i), Address: "10.0.0.1:1"})
	}
	dialled := make(map[string]int)
	for _, self := range all {
		to, more := toDial(all, self.Name, "")
		if len(to) != mostDialled || more != size-1-mostDialled {
			t.Fatalf("%s dials %d, and leaves out %d", self.Name, len(to), more)
		}
		for _, node := range to {
			dialled[node.Name]++
		}
	}
	for _, node := range all {
		if dialled[node.Name] != mostDialled {
			t.Errorf("%d dial %s", dialled[node.Name], node.Name)
		}
	}

	all[1].Address, all[2].State = "", core.Left
	names := func(self, only string) (names []string) {
		to, _ := toDial(all[:5], self, only)
		for _, node := range to {
			names = append(names, node.Name)
		}
		return names
	}
	for _, test := range []struct {
		self, only string
		want       []string
	}{
		{"dev0003", "", []string{"dev0004", "dev0000"}},
		{"guest", "", []string{"dev0000", "dev0003", "dev0004"}},
		{"dev0003", "dev0000\ndev0001\nnobody\ndev0003", []string{"dev0000"}},
	} {
		if got := names(test.self, test.only); !slices.Equal(got, test.want) {
			t.Errorf("%s dials %q, not %q", test.self, got, test.want)
		}
	}
}
