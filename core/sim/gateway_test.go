package sim_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// A gateway with 500 guests keeps its rounds with its peers.
func TestGatewayOf500(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c")
	rounds := func() (n int) {
		s.OnTrace(func(line string) {
			f := strings.Fields(line) // time, who, →, to whom, connection, kind
			if len(f) > 5 && f[1] == "a" && f[2] == "→" && (f[3] == "b" || f[3] == "c") && f[5] == "gossip" {
				n++
			}
		})
		s.Run(core.Minute)
		s.OnTrace(traceOf())
		return n
	}
	before := rounds()
	for i := range 500 {
		tab := fmt.Sprintf("tab%d", i)
		s.Add(tab, sim.Options{Guest: true})
		s.start(tab, "a")
	}
	s.settle(core.Minute)
	after := rounds()
	if before < 50 || after < before*9/10 {
		t.Errorf("%d rounds in a minute, %d with 500 guests", before, after)
	}
	if n := len(s.Machine("c").View().Up()); n != 503 {
		t.Errorf("c shows %d up", n)
	}
}
