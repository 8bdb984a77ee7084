package host_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// BenchmarkJoinLarge is a new node that joins a ring of 10,000 by one of them: how long
// all its steps take until it knows all, and the longest. The same step of each pass is
// the same work, so that the quickest of all passes counts: others' turns are left out.
func BenchmarkJoinLarge(b *testing.B) {
	const n = 10_000
	oldConfig, myConfig := config("old"), config("me")
	oldConfig.Snapshot, myConfig.Join = ringOf(n), []string{"old:7946"}
	for _, e := range engines {
		b.Run(e.name, func(b *testing.B) {
			var best []time.Duration
			for b.Loop() {
				old, err := core.New(oldConfig)
				if err != nil {
					b.Fatal(err)
				}
				took := join(b, e.make(b, myConfig), old, n+2)
				if best == nil {
					best = took
				}
				for i := range best {
					best[i] = min(best[i], took[i])
				}
			}
			var all, longest time.Duration
			for _, d := range best {
				all, longest = all+d, max(longest, d)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(len(best)), "steps")
			b.ReportMetric(all.Seconds(), "s/join")
			b.ReportMetric(longest.Seconds()*1000, "ms/longest-step")
		})
	}
}

// ringOf is the ring file of old, which knows n others.
func ringOf(n int) []byte {
	s := wire.Snapshot{Ring: "ring", Name: "old", Wall: epoch, LastContact: epoch}
	for i := range n {
		name := fmt.Sprintf("node-%05d", i)
		p := wire.Presence{Address: name + ":7946", Instance: wire.Instance{Start: epoch, Nonce: uint64(i)}, Version: 1}
		s.Records = append(s.Records,
			wire.Record{Set: wire.Nodes, Name: name, Stamp: epoch, Value: wire.Member{Address: name + ":7946"}.Value()},
			wire.Record{Set: wire.Up, Name: name, Stamp: epoch, Value: p.Value()})
	}
	return s.Append(nil)
}

// join has an engine join a ring by old, until it shows so many nodes, and returns how
// long each of its steps took. Whom else it dials does not answer.
func join(b *testing.B, me, old core.Engine, members int) (took []time.Duration) {
	defer me.Close()
	now := core.Second
	both := [2]core.Engine{me, old}
	var conns [2]core.ConnID
	var wakes [2]int64
	var view core.View
	type input struct {
		to int
		in core.Input
	}
	var queue []input
	step := func(who int, in core.Input) {
		now += 100
		in.Mono, in.Wall = now, epoch+now
		start := time.Now()
		effects, err := both[who].Step(in)
		if who == 0 {
			took = append(took, time.Since(start))
		}
		if err != nil {
			b.Fatal(err)
		}
		for i := range effects {
			switch e := &effects[i]; e.Kind {
			case core.Dial:
				if who == 0 && e.Addr == "old:7946" && conns[0] == 0 {
					conns = [2]core.ConnID{e.Conn, 1}
					queue = append(queue, input{1, core.Input{Kind: core.Opened, Conn: 1, Addr: "10.0.0.1:1"}}, input{0, core.Input{Kind: core.Opened, Conn: e.Conn}})
				}
			case core.Send:
				if e.Conn == conns[who] {
					queue = append(queue, input{1 - who, core.Input{Kind: core.Received, Conn: conns[1-who], Frame: append([]byte(nil), e.Frame...)}})
				}
			case core.Close:
				if e.Conn == conns[who] {
					b.Fatalf("%d closes: %v %s", who, e.Code, e.Text)
				}
			case core.Emit:
				if who == 0 {
					view.Apply(e.Event, 0)
				}
			case core.Wake:
				wakes[who] = e.At
			}
		}
	}
	step(1, core.Input{Kind: core.Start})
	step(0, core.Input{Kind: core.Start})
	for end := now + core.Minute; view.Len() < members; {
		if now > end {
			b.Fatalf("it knows %d of %d", view.Len(), members)
		}
		if len(queue) > 0 {
			next := queue[0]
			queue = queue[1:]
			step(next.to, next.in)
			continue
		}
		who := 0
		if wakes[1] < wakes[0] {
			who = 1
		}
		now = max(now, wakes[who])
		wakes[who] = 1 << 62
		step(who, core.Input{Kind: core.Tick})
	}
	return took
}
