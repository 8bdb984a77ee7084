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

// TestAnswersAreNoGift: a guest answers once, for itself, and is charged for what nobody asked.
func TestAnswersAreNoGift(t *testing.T) {
	big := wire.Frame{Kind: wire.KindAnswers, Asker: "nobody", Instance: wire.Instance{Start: 1, Nonce: 1}, Seq: 1, Answers: []wire.Answer{{Name: "tab", Payload: string(make([]byte, wire.MaxPayload))}}}
	t.Run("a flood", func(t *testing.T) {
		g := start(t, me())
		id, n := g.guest("tab"), 0
		for ; n < 2000 && g.conns[id] == open; n++ {
			g.receive(id, &big)
		}
		if n > 200 {
			t.Errorf("%d answers to nothing are taken", n)
		}
	})
	forged := big
	forged.Answers = []wire.Answer{{Name: "dev", Payload: "x"}}
	many := big
	many.Answers = []wire.Answer{{Name: "tab"}, {Name: "tab"}}
	for what, f := range map[string]*wire.Frame{"in another's name": &forged, "many at once": &many} {
		for _, relay := range []bool{false, true} {
			t.Run(what, func(t *testing.T) {
				g := start(t, me())
				id := g.guest("tab")
				g.peer("dev")
				if g.receive(id, f); relay {
					id = g.guest("tab2")
					g.receive(id, relayOf("tab2", "dev", 0, f))
				}
				g.refused(id, wire.CodeForbidden)
			})
		}
	}
	t.Run("by another gateway", func(t *testing.T) {
		g := start(t, me())
		gw := g.peer("gw")
		in := wire.Instance{Start: epoch, Nonce: 3}
		g.receive(gw, rumor(g.member("far", wire.Member{Ephemeral: true}), g.presence("far", wire.Presence{Ephemeral: true, Via: "gw", Instance: in, Version: 1})))
		g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 9, Op: core.Ask, Topic: "t", Timeout: core.Minute}})
		forged.Asker, forged.Instance, forged.Seq = "me", g.cfg.Instance, 1
		forged.Answers = []wire.Answer{{Name: "gw", Payload: "x"}}
		g.receive(gw, relayOf("far", "me", 1, &forged))
		if got := events(g.tick(core.Second), core.EventAnswer); len(got) > 0 {
			t.Errorf("it is answered by %+v", got[0])
		}
	})
}

// TestNewcomerInCrowd: who comes when a party has said all that it may is up a little later.
func TestNewcomerInCrowd(t *testing.T) {
	g := start(t, me())
	g.party = "many"
	for i := range 64 {
		name := fmt.Sprint("tab", i)
		id := g.guest(name)
		for at := range 6 {
			g.receive(id, rumor(g.presence(name, wire.Presence{Ephemeral: true, Via: "me", Instance: g.guestHello(name).Instance, Version: 1, Tags: []wire.Tag{{Key: "at", Value: fmt.Sprint(at)}}})))
		}
	}
	id := g.accept(core.Guest)
	h := g.guestHello("late")
	g.sayHello(id, h)
	g.receive(id, rumor(g.member("late", wire.Member{Ephemeral: true}), g.presence("late", wire.Presence{Ephemeral: true, Via: "me", Instance: h.Instance, Version: 1})))
	if n, _ := g.view.Get("late"); n.State != core.Unknown {
		t.Fatal("it is not late: the test does nothing")
	}
	g.pass(5 * core.Second)
	g.isUp("late")
}
