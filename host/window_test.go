package host_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestWindowOfALargeRing: in a ring of 10,000 an engine with the memory that it has by default holds as many
// bytes of messages as there may be, hears all of them, can hand over, and goes on when they are no news any more.
func TestWindowOfALargeRing(t *testing.T) {
	const ring, frames, each = 10_000, 100, 24 // 20 MB of messages, of which 16 are kept
	e := sandboxed(t, config("me"))
	p := newPeer(t, e, ring)
	p.step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Hear, Hear: core.Subscription{Messages: []string{"*"}}}})
	alive := (&wire.Frame{Kind: wire.KindAlive}).Append(nil)
	before, heard := e.MemorySize(), 0
	said := func(effects []core.Effect) {
		for _, f := range effects {
			if f.Kind == core.Emit && f.Event.Kind == core.EventHeard {
				heard++
			}
		}
	}
	pass := func(time int64, frame []byte) {
		p.now += time
		said(p.step(core.Input{Kind: core.Tick}))
		said(p.receive(frame))
	}
	payload := strings.Repeat("x", wire.MaxPayload)
	for i := range frames {
		f := wire.Frame{Kind: wire.KindMessage}
		for k := range each {
			f.Messages = append(f.Messages, wire.Message{Name: fmt.Sprintf("node-%04d", i*each+k), Instance: wire.Instance{Start: epoch, Nonce: 1},
				Seq: 1, Step: 1, Since: wire.Window, Verb: wire.VerbSend, Topic: "deploy", Payload: payload})
		}
		pass(50*core.Millisecond, f.Append(nil))
	}
	if _, err := e.Handover(); err != nil {
		t.Fatal(err)
	}
	for range 400 {
		pass(100*core.Millisecond, alive)
	}
	if heard != frames*each {
		t.Errorf("%d of %d are heard", heard, frames*each)
	}
	t.Logf("%d KiB before, %d after", before>>10, e.MemorySize()>>10)
}
