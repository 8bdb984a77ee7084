package core_test

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestAskedGuest: a guest that answers whatever others ask it is not at fault for that,
// and is asked no more than it can bear.
func TestAskedGuest(t *testing.T) {
	g := start(t, me())
	victim := g.guest("victim")
	var others []core.ConnID
	for i := range 20 {
		others = append(others, g.guest(fmt.Sprint("evil", i)))
	}
	in := g.guestHello("victim").Instance
	asked := 0
	for second := range 60 {
		for i, id := range others {
			for seq := range uint64(40) {
				probe := &wire.Frame{Kind: wire.KindProbe, Seq: seq}
				name := fmt.Sprint("evil", i)
				for _, f := range sent(t, g.receive(id, relayOf(name, "victim", 0, probe)), victim) {
					asked++
					g.receive(victim, relayOf("victim", f.From, 0, &wire.Frame{Kind: wire.KindAlive, Seq: seq, Instance: in}))
				}
			}
		}
		for range 60 { // what it has to say itself
			g.receive(victim, &wire.Frame{Kind: wire.KindProbe, Seq: 1})
		}
		if g.conns[victim] != open {
			t.Fatalf("it is thrown out after %d s", second)
		}
		g.tick(core.Second)
	}
	if asked < 60 || asked > 300 {
		t.Errorf("it was asked %d times in a minute", asked)
	}
}

// TestMessagedGuest: nor is one for the answers that questions take.
func TestMessagedGuest(t *testing.T) {
	g := start(t, me())
	victim := g.guest("victim")
	g.receive(victim, &wire.Frame{Kind: wire.KindHear, Topics: []string{"*"}})
	dev := g.peer("dev")
	said := g.hello("dev").Instance
	for seq := uint64(1); seq <= 60*100; seq++ { // a hundred a second
		ask := wire.Message{Name: "dev", Instance: said, Seq: seq, Step: 1, Since: wire.Window, Verb: wire.VerbAsk, Topic: "t", Wait: 1000}
		g.receive(dev, &wire.Frame{Kind: wire.KindMessage, Messages: []wire.Message{ask}})
		for _, f := range sent(t, g.tick(core.Second/100), victim) {
			for _, m := range f.Messages {
				answer := wire.Answer{Name: "victim", Payload: string(make([]byte, 4000))}
				g.receive(victim, &wire.Frame{Kind: wire.KindAnswers, Asker: m.Name, Instance: m.Instance, Seq: m.Seq, Answers: []wire.Answer{answer}})
			}
			g.receive(victim, &wire.Frame{Kind: wire.KindTook})
		}
		if g.conns[victim] != open {
			t.Fatalf("it is thrown out after %d questions", seq)
		}
	}
}

// TestRestlessGuest: what a guest says of itself reaches others once a second, and the last
// of it always.
func TestRestlessGuest(t *testing.T) {
	g := start(t, me())
	id := g.guest("tab")
	in := g.guestHello("tab").Instance
	told := 0
	count := func(effects []core.Effect) {
		for _, e := range events(effects, core.EventNode) {
			if e.Node.Name == "tab" {
				told++
			}
		}
	}
	tag := ""
	for i := range 600 { // twenty a second
		tag = fmt.Sprint(i)
		g.receive(id, rumor(g.presence("tab", wire.Presence{Via: "me", Instance: in, Version: 1, Ephemeral: true, Tags: []wire.Tag{{Key: "at", Value: tag}}})))
		count(g.effects)
		count(g.tick(core.Second / 20))
	}
	count(g.tick(2 * core.Second))
	if n, _ := g.view.Get("tab"); len(n.Tags) != 1 || n.Tags[0].Value != tag || n.State != core.Alive {
		t.Errorf("it is known by %+v, and the last is %s", n, tag)
	}
	if told < 20 || told > 42 {
		t.Errorf("others were told %d times in 30 s", told)
	}
	if g.conns[id] != open {
		t.Error("it is refused")
	}
}

// TestPartyOfGuests: one party leaves to others what is theirs, also when it comes and goes.
func TestPartyOfGuests(t *testing.T) {
	cfg := me()
	cfg.MaxGuests = 80
	g := start(t, cfg)
	g.party = "evil"
	in := 0
	for i := range 200 {
		id := g.accept(core.Guest)
		g.sayHello(id, g.guestHello(fmt.Sprint("evil", i)))
		if g.conns[id] == open {
			in++
			g.step(core.Input{Kind: core.Closed, Conn: id, Code: wire.CodeLost})
		}
	}
	if in != 10 {
		t.Errorf("%d names of one party", in)
	}
	for _, g.party = range []string{"alice", ""} {
		g.guest("tab" + g.party)
	}
}

// TestPartyFloods: many guests of one party have together what a few may have, also when each
// is another connection.
func TestPartyFloods(t *testing.T) {
	g := start(t, me())
	g.party = "evil"
	frames := 0
	for range 100 {
		id := g.accept(core.Guest)
		g.sayHello(id, g.guestHello("evil"))
		for n := range 400 {
			if g.conns[id] != open {
				break
			}
			frames++
			g.receive(id, &wire.Frame{Kind: wire.KindProbe, Seq: uint64(n)})
		}
	}
	if frames < 8000 || frames > 8300 {
		t.Errorf("%d frames of one party at once", frames)
	}
	g.party = "alice"
	g.guest("tab")
}

// TestCuriousGuests: guests of one party ask all the time, and do not read the answers. What
// that holds is bounded, and fits into a handover; others are answered.
func TestCuriousGuests(t *testing.T) {
	g := start(t, me())
	dev := g.peer("dev")
	g.party = "evil"
	var evil []core.ConnID
	for i := range 8 {
		evil = append(evil, g.guest(fmt.Sprint("evil", i)))
	}
	ask := func(id core.ConnID, name string, seq uint64) (open bool) {
		m := wire.Message{Name: name, Instance: g.guestHello(name).Instance, Seq: seq, Step: 1, Since: wire.Window, Verb: wire.VerbAsk, Topic: "t", Wait: wire.MaxWait}
		for _, f := range sent(t, g.receive(id, &wire.Frame{Kind: wire.KindMessage, Messages: []wire.Message{m}}), id) {
			if f.Kind == wire.KindSaid && f.Code == 0 {
				open = true
			} else if f.Kind == wire.KindSaid && f.Code != wire.CodeBusy {
				t.Fatalf("%s is told %d", name, f.Code)
			}
		}
		g.pass(core.Second / 50)
		return open
	}
	answer := func(name string, seq uint64) *wire.Frame {
		f := &wire.Frame{Kind: wire.KindAnswers, Asker: name, Instance: g.guestHello(name).Instance, Seq: seq}
		for i := range 7 {
			f.Answers = append(f.Answers, wire.Answer{Name: fmt.Sprint("dev", i), Payload: string(make([]byte, wire.MaxPayload))})
		}
		return f
	}
	open := 0
	for seq := uint64(1); seq <= 20; seq++ {
		for i, id := range evil {
			name := fmt.Sprint("evil", i)
			if !ask(id, name, seq) {
				continue
			}
			open++
			for range 20 {
				g.receive(dev, answer(name, seq))
			}
		}
	}
	if open != 128 {
		t.Errorf("%d questions of one party are open", open)
	}
	if b, err := g.ring.Handover(); err != nil || len(b) > 9<<20 {
		t.Errorf("the handover has %d bytes: %v", len(b), err)
	}
	if n := g.ring.Sizes().Answers; n > 5<<20 {
		t.Errorf("%d bytes of answers wait", n)
	}
	g.party = "alice"
	alice := g.guest("alice")
	if !ask(alice, "alice", 1) {
		t.Fatal("alice may not ask")
	}
	g.receive(dev, answer("alice", 1))
	answers := 0
	for _, f := range sent(t, g.tick(core.Second), alice) {
		for _, a := range f.Answers {
			if a.Code == 0 {
				answers++
			}
		}
	}
	if answers != 7 {
		t.Errorf("alice has %d answers", answers)
	}
	g.party = "evil"
	g.pass(wire.MaxWait * core.Millisecond)
	if n := g.ring.Sizes(); n.Answers != 0 {
		t.Errorf("%d bytes of answers are held in the end", n.Answers)
	}
	if !ask(g.guest("evil9"), "evil9", 1) {
		t.Error("nor may evil, when its questions are over")
	}
}

// TestDeafListener: a guest that hears all and reads nothing is owed what is news, and of what
// is none any more that it was lost.
func TestDeafListener(t *testing.T) {
	g := start(t, me())
	dev := g.peer("dev")
	deaf := g.guest("deaf")
	g.receive(deaf, &wire.Frame{Kind: wire.KindHear, Topics: []string{"*"}})
	in := g.hello("dev").Instance
	seq := uint64(0)
	for range 150 {
		f := &wire.Frame{Kind: wire.KindMessage}
		for range 100 {
			seq++
			f.Messages = append(f.Messages, wire.Message{Name: "dev", Instance: in, Seq: seq, Step: 1, Since: wire.Window, Verb: wire.VerbSend, Topic: "t", Payload: string(make([]byte, 1000))})
		}
		g.receive(dev, f)
		g.pass(core.Second)
	}
	if g.conns[deaf] != open {
		t.Fatal("it is closed")
	}
	if n := g.ring.Sizes().OwnNews; n > 2*30*100+2000 {
		t.Errorf("it is owed %d messages", n)
	}
	last, gaps := uint64(0), 0
	take := func(effects []core.Effect) {
		for _, f := range sent(t, effects, deaf) {
			for _, m := range f.Messages {
				if m.Seq < last {
					t.Fatalf("%d comes after %d", m.Seq, last)
				}
				if last = m.Seq; m.Verb == wire.VerbGap {
					gaps++
				}
			}
		}
	}
	for range 200 {
		g.receive(deaf, &wire.Frame{Kind: wire.KindTook})
		take(g.effects)
		take(g.tick(core.Second / 100))
	}
	if last != seq || gaps == 0 {
		t.Errorf("it hears up to %d of %d, with %d gaps", last, seq, gaps)
	}
}
