package core

import (
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

// TestAskerOutOfReach: answers for who cannot be reached any more wait without work. They go out when a way is
// looked for in a round, or when who asked is connected.
func TestAskerOutOfReach(t *testing.T) {
	ms := newTestMessages(t, "a", "b")
	a, b := ms.peers[0], ms.peers[1]
	m := from(1, 1, 0, wire.Window)
	m.Verb, m.Wait = wire.VerbAsk, 60000
	ms.take(m, a)
	ms.overlay.drop(a)
	ms.receive(b, &wire.Frame{Kind: wire.KindAnswers, Asker: "x", Instance: m.Instance, Seq: 1, Answers: []wire.Answer{{Name: "y"}}}, 0)
	one := ms.questions.open[0]
	if len(one.answers) == 0 {
		t.Fatalf("no answer waits")
	}
	tries := 0
	for range 40 { // a second of flushes
		if ms.questions.now >= one.rests {
			tries++
		}
		if ms.questions.flush() {
			t.Fatal("it is to be tried again at once")
		}
		ms.now += flushEvery
	}
	if tries < 1 || tries > 3 {
		t.Errorf("a way was looked for %d times in a second", tries)
	}
	x := &conn{id: 99, state: connEstablished, asserter: asserter{name: "x"}}
	ms.overlay.conns[x.id] = x
	ms.overlay.admit(x)
	ms.effects = nil
	ms.meet(x)
	ms.questions.flush()
	answered := false
	for _, f := range ms.sent(x) {
		answered = answered || f.Kind == wire.KindAnswers
	}
	if !answered {
		t.Error("who asked is connected, and is not answered")
	}
}
