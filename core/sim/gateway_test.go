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

// A gateway falls silent: its connections stay open, and bring nothing. Its guest
// goes to another by itself, and is never down.
func TestSilentGateway(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b", "c")
	s.Add("t", sim.Options{Guest: true})
	s.start("t", "a", "b")
	s.settle(core.Minute)
	s.OnEvent(func(m *sim.Machine, e *core.Event) {
		if e.Kind == core.EventNode && e.Node.Name == "t" && e.Node.State == core.Down {
			t.Errorf("%s shows the guest down", m.Name())
		}
	})
	s.Machine("a").PowerOff()
	s.wait(10*core.Second, "the guest is back through b", func() bool {
		n, _ := s.Machine("c").View().Get("t")
		return n.Via == "b" && n.State == core.Alive
	})
	s.settle(core.Minute)
}
