package sim_test

import (
	"testing"

	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// records counts what is in a machine's snapshot.
func records(t *testing.T, m *sim.Machine) (nodes, up int) {
	t.Helper()
	b, err := m.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var s wire.Snapshot
	if err := s.Decode(b); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.Records {
		if r.Set == wire.Nodes {
			nodes++
		} else {
			up++
		}
	}
	return nodes, up
}
