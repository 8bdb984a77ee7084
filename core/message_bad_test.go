package core_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"pgregory.net/rapid"
)

// TestBadSayings: what cannot be said, asked, answered or heard is refused at once, says
// why, and nothing is sent.
func TestBadSayings(t *testing.T) {
	g := start(t, me())
	g.peer("dev")
	long := strings.Repeat("x", wire.MaxPayload+1)
	for what, c := range map[string]core.Command{
		"no topic":                        {Op: core.SendMessage},
		"a topic of 65 bytes":             {Op: core.SendMessage, Topic: strings.Repeat("t", 65)},
		"a topic with a star":             {Op: core.Ask, Topic: "a*"},
		"a topic with a space":            {Op: core.Tell, Name: "dev", Topic: "a b"},
		"a payload that is too long":      {Op: core.SendMessage, Topic: "t", Payload: long},
		"likewise of a tell":              {Op: core.Tell, Name: "dev", Topic: "t", Payload: long},
		"likewise of a question":          {Op: core.Ask, Topic: "t", Payload: long},
		"likewise of an answer":           {Op: core.Answer, Question: 1, Payload: long},
		"a question of no time":           {Op: core.Ask, Topic: "t", Timeout: -1},
		"a question of hours":             {Op: core.Ask, Topic: "t", Timeout: core.Hour},
		"fewer than no answers":           {Op: core.Ask, Topic: "t", Limit: -1},
		"an answer that nobody awaits":    {Op: core.Answer, Question: 7},
		"an answer to nothing":            {Op: core.Answer},
		"calling off what nobody asked":   {Op: core.CallOff, Question: 7},
		"hearing what can be no topic":    {Op: core.Hear, Hear: core.Subscription{Messages: []string{"a b"}}},
		"answering what can be no topic":  {Op: core.Hear, Hear: core.Subscription{Questions: []string{""}}},
		"hearing too much":                {Op: core.Hear, Hear: core.Subscription{Messages: slices.Repeat([]string{"a"}, 33), Questions: slices.Repeat([]string{"a"}, 32)}},
		"hearing a pattern of 1000 stars": {Op: core.Hear, Hear: core.Subscription{Messages: []string{strings.Repeat("*", 1000)}}},
	} {
		c.ID = 5
		effects := g.step(core.Input{Kind: core.Do, Command: c})
		if e := answered(effects, 5); e == nil || e.Code != wire.CodeInvalid || e.Text == "" || len(of(effects, core.Send)) > 0 {
			t.Errorf("%s: %+v", what, effects)
		}
	}
	g.expects(g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 6, Op: core.Tell, Name: "ghost", Topic: "t"}}), 6, wire.CodeUnknown, "ghost")
}

// TestAnswersNobodyWants: an answer counts once, and only while somebody awaits it.
func TestAnswersNobodyWants(t *testing.T) {
	g := start(t, me())
	dev := g.peer("dev")
	g.peer("other")
	g.receive(dev, &wire.Frame{Kind: wire.KindGossip, Seq: 1, Wall: g.wall, Fingerprint: g.ring.Print()}) // it knows all
	me := me().Instance
	took := func(seq uint64, names ...string) (all []string) {
		f := &wire.Frame{Kind: wire.KindAnswers, Asker: "me", Instance: me, Seq: seq}
		for _, name := range names {
			f.Answers = append(f.Answers, wire.Answer{Name: name, Payload: "x"})
		}
		for _, e := range events(append(slices.Clone(g.receive(dev, f)), g.tick(core.Second/10)...), core.EventAnswer) {
			all = append(all, e.Name)
		}
		return all
	}
	expect := func(what string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: it takes %q, not %q", what, got, want)
		}
	}
	ask := func(id uint64, limit int) {
		t.Helper()
		g.expects(g.step(core.Input{Kind: core.Do, Command: core.Command{ID: id, Op: core.Ask, Topic: "q", Limit: limit, Timeout: core.Minute}}), id, 0, "")
	}
	expect("nobody asked", took(1, "dev"))
	for _, f := range []*wire.Frame{
		{Kind: wire.KindAnswers, Asker: "ghost", Instance: me, Seq: 1, Answers: []wire.Answer{{Name: "dev"}}},
		{Kind: wire.KindAnswers, Asker: "me", Instance: wire.Instance{Start: 3}, Seq: 1, Answers: []wire.Answer{{Name: "dev"}}},
	} {
		if effects := g.receive(dev, f); len(events(effects, core.EventAnswer))+len(of(effects, core.Close)) > 0 {
			t.Errorf("%+v", effects)
		}
	}
	ask(1, 0)
	expect("one whom nobody knows", took(1, "ghost"))
	expect("twice at once", took(1, "dev", "dev"), "dev")
	expect("again", took(1, "dev"))
	expect("another question", took(2, "other"))
	expect("the last", took(1, "other"), "other")
	expect("late", took(1, "dev", "other"))
	ask(2, 1)
	expect("more than are wanted", took(2, "other", "dev"), "other")
	ask(3, 0)
	g.expects(g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 9, Op: core.CallOff, Question: 3}}), 9, 0, "")
	expect("called off", took(4, "dev"))
	g.isUp("dev")
}

// TestOwnNumbers: nobody else sends in this process's name.
func TestOwnNumbers(t *testing.T) {
	g := start(t, me())
	dev := g.peer("dev")
	g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Hear, Hear: core.Subscription{Messages: []string{"*"}}}})
	forged := g.receive(dev, &wire.Frame{Kind: wire.KindMessage, Messages: []wire.Message{
		{Name: "me", Instance: me().Instance, Seq: 1 << 62, Step: 1, Since: wire.Window, Verb: wire.VerbSend, Topic: "t", Payload: "forged"}}})
	if n := len(events(forged, core.EventHeard)); n > 0 {
		t.Error("it hears what it has not said")
	}
	said := g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 2, Op: core.SendMessage, Topic: "t", Payload: "mine"}})
	if heard := events(said, core.EventHeard); len(heard) != 1 || heard[0].Payload != "mine" {
		t.Errorf("%+v", heard)
	}
}

// TestGuestSaysTooMuch: a guest that says what it may not is told so, or let go, and nobody
// else notices.
func TestGuestSaysTooMuch(t *testing.T) {
	begin := func(t *testing.T) (g *rig, id core.ConnID, in wire.Instance) {
		g = start(t, me())
		g.peer("dev")
		g.wall++
		id, g.next = g.next, g.next+2
		g.step(core.Input{Kind: core.Opened, Conn: id, Role: core.Guest, Addr: "1.2.3.4:5", Topics: &core.Topics{Send: []string{"chat.*"}, Hear: []string{"chat.*"}}})
		h := g.guestHello("tab")
		g.sayHello(id, h)
		g.receive(id, rumor(g.member("tab", wire.Member{Ephemeral: true}), g.presence("tab", wire.Presence{Ephemeral: true, Via: "me", Instance: h.Instance, Version: 1})))
		g.isUp("tab")
		return g, id, h.Instance
	}
	message := func(name string, in wire.Instance, seq uint64, topic string) *wire.Frame {
		return &wire.Frame{Kind: wire.KindMessage, Messages: []wire.Message{{Name: name, Instance: in, Seq: seq, Step: 1, Since: wire.Window, Verb: wire.VerbSend, Topic: topic}}}
	}
	stream := func(name string, in wire.Instance) wire.Stream {
		return wire.Stream{Name: name, Instance: in, Seqs: []uint64{1}}
	}
	tell := wire.Frame{Kind: wire.KindTell, Seq: 1, Instance: instanceOf("dev"), Tell: wire.Tell{Topic: "chat.a"}}
	for what, make := range map[string]func(in wire.Instance) *wire.Frame{
		"sends in another's name":     func(in wire.Instance) *wire.Frame { return message("dev", instanceOf("dev"), 1, "chat.a") },
		"sends in its gateway's name": func(in wire.Instance) *wire.Frame { return message("me", me().Instance, 1, "chat.a") },
		"sends as another process":    func(in wire.Instance) *wire.Frame { return message("tab", wire.Instance{Start: 9}, 1, "chat.a") },
		"tells in another's name": func(wire.Instance) *wire.Frame {
			return &wire.Frame{Kind: wire.KindRelay, From: "dev", To: "me", Inner: string(tell.Append(nil))}
		},
		"tells as another process": func(wire.Instance) *wire.Frame { return &tell },
		"tells another node as another process": func(wire.Instance) *wire.Frame {
			return &wire.Frame{Kind: wire.KindRelay, From: "tab", To: "dev", Inner: string(tell.Append(nil))}
		},
		"answers for another": func(wire.Instance) *wire.Frame {
			return &wire.Frame{Kind: wire.KindAnswers, Asker: "me", Instance: me().Instance, Seq: 1, Answers: []wire.Answer{{Name: "dev"}}}
		},
		"compares what another sent": func(wire.Instance) *wire.Frame {
			return &wire.Frame{Kind: wire.KindSeen, Streams: []wire.Stream{stream("dev", instanceOf("dev"))}}
		},
		"compares all": func(in wire.Instance) *wire.Frame {
			return &wire.Frame{Kind: wire.KindSeen, Window: 1000, Streams: []wire.Stream{stream("tab", in)}}
		},
		"tells what it has": func(in wire.Instance) *wire.Frame {
			return &wire.Frame{Kind: wire.KindHave, Streams: []wire.Stream{stream("tab", in)}}
		},
		"wants what others sent": func(wire.Instance) *wire.Frame {
			return &wire.Frame{Kind: wire.KindWant, Streams: []wire.Stream{stream("dev", instanceOf("dev"))}}
		},
	} {
		t.Run(what, func(t *testing.T) {
			g, id, in := begin(t)
			g.receive(id, make(in))
			g.refused(id, wire.CodeForbidden)
			g.isUp("dev")
		})
	}
	t.Run("a peer is no guest", func(t *testing.T) {
		g, _, _ := begin(t)
		other := g.peer("other")
		g.receive(other, &wire.Frame{Kind: wire.KindHear, Topics: []string{"*"}})
		g.refused(other, wire.CodeForbidden)
	})
	t.Run("topics and floods", func(t *testing.T) {
		g, id, in := begin(t)
		g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Hear, Hear: core.Subscription{Messages: []string{"*"}}}})
		said := func(effects []core.Effect) (code wire.Code) {
			for _, f := range sent(t, effects, id) {
				if f.Kind == wire.KindSaid {
					code = f.Code
				}
			}
			return code
		}
		if code := said(g.receive(id, message("tab", in, 1, "secret"))); code != wire.CodeForbidden {
			t.Errorf("it is told %v", code)
		}
		if effects := g.receive(id, message("tab", in, 2, "chat.a")); said(effects) != 0 || len(events(effects, core.EventHeard)) != 1 {
			t.Errorf("what it may send afterwards: %+v", effects)
		}
		heard, busy := 0, 0
		for seq := uint64(3); seq < 3000; {
			f := &wire.Frame{Kind: wire.KindMessage}
			for range 50 {
				f.Messages = append(f.Messages, message("tab", in, seq, "chat.a").Messages...)
				seq++
			}
			effects := g.receive(id, f)
			heard += len(events(effects, core.EventHeard))
			for _, f := range sent(t, effects, id) {
				if f.Kind == wire.KindSaid && f.Code == wire.CodeBusy {
					busy++
				}
			}
		}
		if heard < 1000 || heard > 1400 || busy == 0 {
			t.Errorf("%d of its 3000 messages are heard, and it was told %d times that its gateway is busy", heard, busy)
		}
		g.isUp("dev")
		g.isUp("tab")
	})
}

// TestBadFilters: whatever the filter of a message says, it picks this node or does not.
func TestBadFilters(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg := me()
		cfg.Tags = []wire.Tag{{Key: "a", Value: "b"}}
		g := start(t, cfg)
		dev := g.peer("dev")
		g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Hear, Hear: core.Subscription{Messages: []string{"*"}}}})
		term := rapid.OneOf(rapid.SampledFrom([]string{"", "!", "=", "!=", "!a=b", "a=b", "!a", "*", "up", "me", "a!=b"}), rapid.StringN(0, 8, 16))
		filter := rapid.SliceOfN(term, 2, 18).Draw(rt, "filter")
		effects := g.receive(dev, &wire.Frame{Kind: wire.KindMessage, Messages: []wire.Message{
			{Name: "dev", Instance: instanceOf("dev"), Seq: 1, Step: 1, Since: wire.Window, Verb: wire.VerbSend, Topic: "t", Filter: filter}}})
		if len(of(effects, core.Close)) > 0 {
			rt.Fatalf("%q: %+v", filter, effects)
		}
		own, _ := g.view.Get("me")
		want := 0
		if f := core.FilterOf(filter); f.Match(&own) {
			want = 1
		}
		if got := len(events(effects, core.EventHeard)); got != want {
			rt.Fatalf("%q: heard %d times, not %d", filter, got, want)
		}
	})
}

// TestThousandStars: nothing is tried twice: else this would not come to an end.
func TestThousandStars(t *testing.T) {
	n := &core.Node{Tags: []wire.Tag{{Key: "k", Value: strings.Repeat("a", 1000)}}}
	for _, test := range []struct {
		pattern string
		want    bool
	}{
		{strings.Repeat("*", 1000), true}, {strings.Repeat("*", 1000) + "b", false},
		{strings.Repeat("*a", 500), true}, {strings.Repeat("*a", 500) + "*b", false}, {strings.Repeat("a*", 500) + "b", false},
	} {
		f, err := core.ParseFilter([]string{"k=" + test.pattern}, "", "")
		if err != nil {
			t.Fatal(err)
		}
		if is := f.Match(n); is != test.want {
			t.Errorf("%s is like it: %v", test.pattern, is)
		}
	}
	if _, err := core.ParseFilter([]string{"k=" + strings.Repeat("*", 1100)}, "", ""); err == nil {
		t.Error("a filter is longer than may be")
	}
}

// TestHearsInItsGrace: whoever wishes to hear is taken down also while this node is about to
// leave, since it may stay.
func TestHearsInItsGrace(t *testing.T) {
	g := start(t, me())
	a := g.peer("a")
	del := g.member("me", wire.Member{Address: "me:7946"})
	g.wall++
	del.Rank, del.Stamp = 2, g.wall
	if g.receive(a, rumor(del)); len(events(g.effects, core.EventLeaving)) != 1 {
		t.Fatal("it does not take note of its deletion")
	}
	for op, want := range map[core.Op]wire.Code{core.Hear: 0, core.SendMessage: wire.CodeHalting} {
		result := events(g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 7, Op: op, Topic: "t", Hear: core.Subscription{Messages: []string{"*"}}}}), core.EventResult)
		if len(result) != 1 || result[0].Code != want {
			t.Errorf("%d: %+v, want code %d", op, result, want)
		}
	}
}
