package core_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestGatewayThatIsLate: a gateway whose steps take long takes the fewer messages of its
// guests, by however many tokens they came; and the more again, when it keeps up.
func TestGatewayThatIsLate(t *testing.T) {
	g := start(t, me())
	const guests = 40
	var ids [guests]core.ConnID
	for i := range ids {
		g.party = fmt.Sprint("token", i)
		ids[i] = g.guest(fmt.Sprint("tab", i))
	}
	seq := uint64(0)
	taken := func(seconds int, late int64) (n int) {
		for range seconds * 10 {
			seq++
			for i, id := range ids {
				name := fmt.Sprint("tab", i)
				m := wire.Message{Name: name, Instance: g.guestHello(name).Instance, Seq: seq, Step: 1, Since: wire.Window, Verb: wire.VerbSend, Topic: "t", Payload: strings.Repeat("x", 512)}
				for _, f := range sent(t, g.receive(id, &wire.Frame{Kind: wire.KindMessage, Messages: []wire.Message{m}}), id) {
					if f.Kind == wire.KindSaid && f.Code == 0 {
						n += 3
					}
				}
			}
			for end := g.mono + core.Second/10; g.mono < end; {
				g.mono = min(max(g.wake, g.mono)+late, max(end, g.mono))
				g.wall += core.Second / 100
				g.step(core.Input{Kind: core.Tick})
			}
		}
		return n
	}
	taken(10, 0) // what is had at once is used up
	if n := taken(10, core.Millisecond); n < 10*700 || n > 10*1300 {
		t.Errorf("it keeps up, and takes %d a second", n/10)
	}
	taken(6, 100*core.Millisecond)
	if n := taken(10, 100*core.Millisecond); n > 10*128 || n < 10*32 {
		t.Errorf("it does not keep up, and takes %d a second", n/10)
	}
	taken(33, core.Millisecond)
	if n := taken(5, core.Millisecond); n < 5*700 {
		t.Errorf("it keeps up again, and takes %d a second", n/5)
	}
}
