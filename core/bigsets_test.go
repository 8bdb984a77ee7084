package core_test

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// bigRing returns a started node that knows n others.
func bigRing(t testing.TB, name string, n int) *core.Ring {
	t.Helper()
	const wall = 1_800_000_000 * core.Second
	snapshot := wire.Snapshot{Ring: "r", Name: name, Wall: wall, LastContact: wall}
	keep := func(of string) {
		addr := of + ":7946"
		p := wire.Presence{Address: addr, Instance: wire.Instance{Start: wall, Nonce: 1}, Version: 1}
		snapshot.Records = append(snapshot.Records,
			wire.Record{Set: wire.Nodes, Name: of, Stamp: wall, Value: wire.Member{Address: addr}.Value()},
			wire.Record{Set: wire.Up, Name: of, Stamp: wall, Value: p.Value()})
	}
	keep(name)
	for i := range n {
		keep(fmt.Sprintf("node-%05d", i))
	}
	cfg := core.Config{Ring: "r", Name: name, Address: name + ":7946", Instance: wire.Instance{Start: wall + 1, Nonce: 7}}
	if n > 0 {
		cfg.Snapshot = snapshot.Append(nil)
	}
	r, err := core.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestFreshNodeMeetsTenThousand joins a new node to one that knows 10,000, by
// either side's dial: no frame is over the limit, no step of one that dials takes in all of
// a long one, and both end with the same.
func TestFreshNodeMeetsTenThousand(t *testing.T) {
	for _, freshDials := range []bool{true, false} {
		t.Run(fmt.Sprintf("fresh dials %v", freshDials), func(t *testing.T) {
			rings := [2]*core.Ring{bigRing(t, "fresh", 0), bigRing(t, "old", 10_000)}
			var views [2]core.View
			type input struct {
				to int
				in core.Input
			}
			var queue []input
			conn := [2]core.ConnID{1, 1} // the accepted end; the dialled one is learnt
			dialer, acceptor, dialed := 0, 1, false
			if !freshDials {
				dialer, acceptor = 1, 0
			}
			largest, most, now := 0, 0, int64(0)
			step := func(who int, in core.Input) {
				now += core.Millisecond
				in.Mono, in.Wall = now, 1_800_000_010*core.Second+now
				effects, _ := rings[who].Step(in)
				news := 0
				for i := range effects {
					switch e := &effects[i]; e.Kind {
					case core.Dial:
						if who == dialer && !dialed && e.Addr == []string{"fresh:7946", "old:7946"}[acceptor] {
							dialed, conn[dialer] = true, e.Conn
							queue = append(queue, input{acceptor, core.Input{Kind: core.Opened, Conn: 1}},
								input{dialer, core.Input{Kind: core.Opened, Conn: e.Conn}})
						}
					case core.Send:
						largest = max(largest, len(e.Frame))
						if e.Conn == conn[who] {
							queue = append(queue, input{1 - who, core.Input{Kind: core.Received, Conn: conn[1-who], Frame: append([]byte(nil), e.Frame...)}})
						}
					case core.Close:
						if e.Conn == conn[who] {
							t.Errorf("%d closes: %v %s", who, e.Code, e.Text)
						}
					case core.Emit:
						views[who].Apply(e.Event, 0)
						news++
					}
				}
				if in.Kind != core.Start {
					most = max(most, news)
				}
			}
			step(0, core.Input{Kind: core.Start})
			step(1, core.Input{Kind: core.Start})
			step(dialer, core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Add, Addr: []string{"fresh:7946", "old:7946"}[acceptor]}})
			for steps := 0; views[0].Len() != 10_002 || views[1].Len() != 10_002; steps++ {
				if steps > 20_000 {
					t.Fatalf("after %d steps one knows %d members and the other %d", steps, views[0].Len(), views[1].Len())
				}
				if len(queue) == 0 {
					step(0, core.Input{Kind: core.Tick})
					step(1, core.Input{Kind: core.Tick})
					continue
				}
				next := queue[0]
				queue = queue[1:]
				step(next.to, next.in)
			}
			if most > 768 {
				t.Errorf("one step took in %d records", most)
			}
			if largest > wire.MaxFrame {
				t.Errorf("the largest frame has %d bytes, %d are allowed", largest, wire.MaxFrame)
			}
		})
	}
}
