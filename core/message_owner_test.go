package core

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
	"pgregory.net/rapid"
)

// testMessages are messages that no Ring drives, of a node that hears all, with some peers.
type testMessages struct {
	messages
	testing.TB
	peers []*conn
}

func newTestMessages(t testing.TB, peers ...string) *testMessages {
	t.Helper()
	cfg := Config{Ring: "ring", Name: "me", Address: "me:1", Seed: 1, Instance: wire.Instance{Start: 1}}
	if err := cfg.complete(); err != nil {
		t.Fatal(err)
	}
	s := newSelf(cfg)
	s.wall, s.mono, s.now = Hour, Hour, Hour
	rep := newReplica(&s)
	o := newOverlay(&s, &rep)
	ms := &testMessages{TB: t}
	ms.init(&s, &rep, &o)
	for i, name := range peers {
		c := &conn{id: ConnID(2*i + 1), state: connEstablished, asserter: asserter{name: name}}
		c.place.slot = i
		o.conns[c.id] = c
		o.admit(c)
		ms.spread.meet(c)
		ms.peers = append(ms.peers, c)
	}
	ms.do(&Command{Op: Hear, Hear: Subscription{Messages: []string{"*"}}})
	return ms
}

// from is a message of x.
func from(seq, step, age, since uint64) *wire.Message {
	return &wire.Message{Name: "x", Instance: wire.Instance{Start: 7}, Seq: seq, Step: step, Age: age, Since: since, Verb: wire.VerbSend, Topic: "t", Payload: fmt.Sprint(seq)}
}

// pass lets time pass.
func (ms *testMessages) pass(d int64) {
	ms.mono, ms.now, ms.wall = ms.mono+d, ms.now+d, ms.wall+d
	for t := ms.due(ms.now); t != nil; t = ms.due(ms.now) {
		switch t.kind {
		case newsDue:
			ms.flush()
		case wantDue:
			ms.spread.wantNext()
		case askDue:
			ms.endAsk(t.id)
		}
	}
	ms.round(nil)
}

// told returns what was heard since it was last asked, gaps as "-".
func (ms *testMessages) told() (all string) {
	for _, e := range ms.effects {
		switch {
		case e.Kind == Emit && e.Event.Kind == EventHeard:
			all += " " + e.Event.Payload[:min(len(e.Event.Payload), 4)]
		case e.Kind == Emit && e.Event.Kind == EventGap:
			all += " -"
		}
	}
	ms.effects, ms.events = nil, nil
	return strings.TrimSpace(all)
}

// sent returns the frames that went to a peer since it was last asked.
func (ms *testMessages) sent(c *conn) (all []*wire.Frame) {
	var left []Effect
	for _, e := range ms.effects {
		if e.Kind != Send || e.Conn != c.id {
			left = append(left, e)
			continue
		}
		f := new(wire.Frame)
		if err := f.Decode(e.Frame); err != nil {
			ms.Fatal(err)
		}
		all = append(all, f)
	}
	ms.effects = left
	return all
}

// TestStream: what one process sends is heard once, in order; what does not come is a
// gap when it is no news any more, and what was before this process is not missed.
func TestStream(t *testing.T) {
	type in = *wire.Message
	young := func(ms *testMessages) { ms.window.since = ms.mono - 5*Second }
	tests := map[string]struct {
		first func(*testMessages)
		in    []in
		want  string // at once, and then after 31 s
		later string
	}{
		"in order":                       {in: []in{from(1, 1, 0, 30000), from(2, 1, 0, 0), from(3, 1, 0, 0)}, want: "1 2 3"},
		"the wrong way round":            {in: []in{from(3, 1, 0, 5), from(2, 1, 0, 5), from(1, 1, 0, 30000)}, want: "1 2 3"},
		"twice":                          {in: []in{from(1, 1, 0, 30000), from(1, 1, 900, 30000), from(2, 1, 0, 0), from(1, 1, 0, 30000), from(2, 1, 0, 0)}, want: "1 2"},
		"one does not come":              {in: []in{from(1, 1, 0, 30000), from(3, 1, 0, 500)}, want: "1", later: "- 3"},
		"it is no news any more":         {in: []in{from(1, 1, 0, 30000), from(3, 1, 100, 29900)}, want: "1 - 3"},
		"it comes late":                  {in: []in{from(1, 1, 0, 30000), from(3, 1, 0, 500), from(2, 1, 800, 9)}, want: "1 2 3"},
		"numbers that are left out":      {in: []in{from(1, 1, 0, 30000), from(4097, 4096, 0, 500), from(4098, 1, 0, 0)}, want: "1 4097 4098"},
		"before this process":            {first: young, in: []in{from(8, 1, 6000, 0), from(9, 1, 3000, 3000)}, want: "9"},
		"what was before does not come":  {first: young, in: []in{from(9, 1, 3000, 3000)}, want: "9"},
		"what was since then is awaited": {first: young, in: []in{from(9, 1, 1000, 1000)}, later: "- 9"},
		"the first of a stream":          {in: []in{from(77, 77, 0, 30000)}, want: "77"},
		"too old":                        {in: []in{from(1, 1, 30000, 30000)}},
		"the last number that there is":  {in: []in{from(1<<63-1, 1, 0, 30000), from(5, 1, 0, 30000)}, want: "9223"},
		"an old one that is sent again":  {in: []in{from(5, 5, 0, 30000), from(4, 4, 20000, 30000)}, want: "5"},
		"another process of that name":   {in: []in{from(5, 5, 0, 30000), {Name: "x", Instance: wire.Instance{Start: 8}, Seq: 1, Step: 1, Verb: wire.VerbSend, Topic: "t", Payload: "new"}}, want: "5 new"},
		"void and off are not heard":     {in: []in{from(1, 1, 0, 30000), {Name: "x", Instance: wire.Instance{Start: 7}, Seq: 2, Step: 1}, from(3, 1, 0, 0)}, want: "1 3"},
		"of a topic that nobody hears":   {first: func(ms *testMessages) { ms.do(&Command{Op: Hear}) }, in: []in{from(1, 1, 0, 30000)}},
		"many wait for one that is lost": {in: []in{from(1, 1, 0, 30000), from(3, 1, 0, 5), from(4, 1, 0, 5), from(6, 1, 0, 5)}, want: "1", later: "- 3 4 - 6"},
		"a filter that picks another":    {in: []in{{Name: "x", Instance: wire.Instance{Start: 7}, Seq: 1, Step: 1, Verb: wire.VerbSend, Topic: "t", Filter: []string{"", "you"}}}},
	}
	for what, test := range tests {
		t.Run(what, func(t *testing.T) {
			ms := newTestMessages(t, "a")
			if test.first != nil {
				test.first(ms)
			}
			for _, m := range test.in {
				m := *m
				ms.take(&m, ms.peers[0])
			}
			if got := ms.told(); got != test.want {
				t.Errorf("at once it hears %q, not %q", got, test.want)
			}
			for range 31 {
				ms.pass(Second)
			}
			if got := ms.told(); got != test.later {
				t.Errorf("later it hears %q, not %q", got, test.later)
			}
			if w := &ms.window; len(w.list)+len(w.active)+w.bytes > 0 {
				t.Errorf("it holds %d messages, %d bytes", len(w.list), w.bytes)
			}
		})
	}
}

// TestAnyOrder: whatever the order, and however often: once, and in order.
func TestAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ms := newTestMessages(t, "a", "b", "c")
		var all []*wire.Message
		var want []string
		last := uint64(0)
		for _, step := range rapid.SliceOfN(rapid.Uint64Range(1, 5), 1, 12).Draw(rt, "steps") {
			last += step
			all = append(all, from(last, step, 0, 100))
			want = append(want, fmt.Sprint(last))
		}
		all[0].Step = all[0].Seq
		again := rapid.SliceOfN(rapid.SampledFrom(all), 0, 12).Draw(rt, "again")
		for _, m := range rapid.Permutation(slices.Concat(all, again)).Draw(rt, "order") {
			m := *m
			ms.take(&m, ms.peers[rapid.IntRange(0, 2).Draw(rt, "of")])
		}
		if got := ms.told(); got != strings.Join(want, " ") {
			rt.Fatalf("heard %s, not %s", got, strings.Join(want, " "))
		}
	})
}

// TestTree: a large message goes as an id, until somebody wants it, and from then on
// at once; who has it already wants ids again.
func TestTree(t *testing.T) {
	ms := newTestMessages(t, "a", "b")
	a, b := ms.peers[0], ms.peers[1]
	large := &Command{Op: SendMessage, Topic: "t", Payload: strings.Repeat("x", 1000)}
	ms.do(large)
	ms.pass(coalesce)
	for _, c := range ms.peers {
		if f := ms.sent(c); len(f) != 1 || f[0].Kind != wire.KindHave || f[0].Streams[0].Seqs[0] != 1 {
			t.Fatalf("%s is sent %+v", c.name, f)
		}
	}
	ms.receive(a, &wire.Frame{Kind: wire.KindWant, Streams: []wire.Stream{{Name: "me", Instance: ms.cfg.Instance, Seqs: []uint64{1}}}}, 0)
	ms.pass(coalesce)
	if f := ms.sent(a); len(f) != 1 || len(f[0].Messages) != 1 || f[0].Messages[0].Seq != 1 {
		t.Fatalf("it is sent %+v", f)
	}
	ms.pass(coalesce)
	ms.do(large)
	if f := ms.sent(a); len(f) != 1 || len(f[0].Messages) != 1 || f[0].Messages[0].Seq != 2 || len(ms.sent(b)) > 0 {
		t.Fatalf("it is sent %+v", f)
	}
	ms.do(large)
	ms.do(large)
	if f := ms.sent(a); len(f) > 0 {
		t.Fatalf("it is sent %+v at once, with others to follow", f)
	}
	ms.pass(coalesce)
	if f := ms.sent(a); len(f) != 1 || len(f[0].Messages) != 2 {
		t.Fatalf("it is sent %+v", f)
	}
	ms.pass(openFor)
	ms.sent(a)
	m := *from(1, 1, 0, 30000)
	m.Payload = large.Payload
	for _, c := range []*conn{b, a} {
		again := m
		ms.take(&again, c)
	}
	if f := ms.sent(a); len(f) != 2 || f[1].Kind != wire.KindWant || len(f[1].Streams) != 0 || a.line.eager {
		t.Fatalf("who sends what is there already hears %+v", f)
	}
}

// TestManyCopies: of many copies that come one after the other each does not end an eager
// connection, or all of a circle would be ended before anybody hears of it; but some does.
func TestManyCopies(t *testing.T) {
	ms := newTestMessages(t, "a", "b")
	a, b := ms.peers[0], ms.peers[1]
	ended := 0
	for seq := range uint64(2000) {
		m := *from(seq+1, 1, 0, 30000)
		m.Payload = strings.Repeat("x", 1000)
		for _, c := range []*conn{b, a} {
			again := m
			ms.take(&again, c)
		}
		for _, f := range ms.sent(a) {
			if f.Kind == wire.KindWant && len(f.Streams) == 0 {
				ended++
			}
		}
		ms.mono, ms.now, ms.wall = ms.mono+Millisecond, ms.now+Millisecond, ms.wall+Millisecond
	}
	if ended == 0 || ended > 10 {
		t.Errorf("2000 copies within 2 s, and %d times it was said that no more should come", ended)
	}
}

// TestWantsOfOne: of much that did not come one other is asked, in few frames, which are
// no longer than frames may be; when that one says nothing it is the next one's turn.
func TestWantsOfOne(t *testing.T) {
	ms := newTestMessages(t, "a", "b", "c")
	ms.peers[2].line.eager = true
	name := strings.Repeat("x", wire.MaxName)
	for seq := range uint64(1000) {
		have := &wire.Frame{Kind: wire.KindHave, Streams: []wire.Stream{{Name: name, Instance: wire.Instance{Start: 7}, Seqs: []uint64{seq + 1}}}}
		for i := range ms.peers[:2] {
			ms.receive(ms.peers[(uint64(i)+seq)%2], have, 0)
		}
	}
	asked := ""
	for range 10 {
		ms.pass(2 * eagerNext)
		for _, c := range ms.peers {
			ids := 0
			for _, f := range ms.sent(c) {
				ids += len(f.Streams)
				if size := len(f.Append(nil)); size > wire.MaxFrame {
					t.Errorf("a frame has %d bytes", size)
				}
			}
			if ids > 0 {
				asked += fmt.Sprint(c.name, ids, " ")
			}
		}
	}
	if asked != "a1000 b1000 " {
		t.Errorf("it asks %s", asked)
	}
}

// TestWants: what others have is awaited for a while where it may come by itself, and
// then one of them is asked after the other.
func TestWants(t *testing.T) {
	ms := newTestMessages(t, "a", "b", "c")
	a, b, c := ms.peers[0], ms.peers[1], ms.peers[2]
	c.line.eager = true
	have := &wire.Frame{Kind: wire.KindHave, Streams: []wire.Stream{{Name: "x", Instance: wire.Instance{Start: 7}, Seqs: []uint64{1}}}}
	ms.receive(a, have, 0)
	ms.receive(b, have, 0)
	ms.pass(eagerNext)
	for i, want := range []string{"", "a", "b", ""} {
		if i > 0 {
			ms.pass(2 * eagerNext)
		}
		asked := ""
		for _, c := range ms.peers {
			for _, f := range ms.sent(c) {
				if f.Kind == wire.KindWant {
					asked += c.name
				}
			}
		}
		if asked != want {
			t.Errorf("the time %d it asks %q, not %q", i, asked, want)
		}
	}
	if len(ms.spread.lacking)+len(ms.spread.lacks) > 0 {
		t.Error("it still waits")
	}
}

// TestUnderWay: a peer that does not say that it takes anything is sent so much and no
// more; nothing is lost if it does in time.
func TestUnderWay(t *testing.T) {
	ms := newTestMessages(t, "a")
	a := ms.peers[0]
	a.line.eager = true
	for range 20 {
		ms.do(&Command{Op: SendMessage, Topic: "t", Payload: strings.Repeat("x", wire.MaxPayload)})
	}
	sent := func() (n, bytes int) {
		ms.pass(flushEvery)
		for _, f := range ms.sent(a) {
			n += len(f.Messages)
			bytes += len(f.Append(nil))
		}
		return n, bytes
	}
	n, bytes := sent()
	if more, _ := sent(); more > 0 || bytes > underWay+2*newsBytes || bytes < underWay {
		t.Errorf("%d bytes are under way, and %d more messages", bytes, more)
	}
	for i := 0; i < 20 && n < 20; i++ {
		ms.receive(a, &wire.Frame{Kind: wire.KindTook, Bytes: tookEvery}, 0)
		more, _ := sent()
		n += more
	}
	if n != 20 {
		t.Errorf("it was sent %d messages of 20", n)
	}
}

// TestCompare: who shows what was seen is sent what it lacks, but for what may be under
// way still, and what it had no time for.
func TestCompare(t *testing.T) {
	ms := newTestMessages(t, "a")
	a := ms.peers[0]
	for seq := uint64(1); seq <= 6; seq++ {
		m := from(seq, 1, 20000-3000*seq, 3000)
		m.Name = "y"
		if m.Seq == 1 {
			m.Step, m.Since = 1, wire.Window
		}
		ms.take(m, a)
	}
	ms.take(from(1, 1, 10000, wire.Window), a)
	ms.take(from(2, 1, 0, 0), a)
	lacks := func(window uint64, streams ...wire.Stream) string {
		ms.effects, a.line.own = nil, nil
		ms.receive(a, &wire.Frame{Kind: wire.KindSeen, Window: window, Streams: streams}, 0)
		ms.pass(coalesce)
		all := ""
		for _, f := range ms.sent(a) {
			for i := range f.Messages {
				all += " " + f.Messages[i].Name + fmt.Sprint(f.Messages[i].Seq)
			}
		}
		return strings.TrimSpace(all)
	}
	x, y := wire.Stream{Name: "x", Instance: wire.Instance{Start: 7}}, wire.Stream{Name: "y", Instance: wire.Instance{Start: 7}}
	for _, test := range []struct {
		window  uint64
		streams []wire.Stream
		want    string
	}{
		{28000, nil, "y1 y2 y3 y4 y5 y6 x1"},
		{9000, nil, "y4 y5 y6"},
		{28000, []wire.Stream{{Name: "y", Instance: y.Instance, Upto: 3, Seqs: []uint64{5}}}, "y4 y6 x1"},
		{0, []wire.Stream{{Name: "y", Instance: y.Instance, Upto: 4}}, "y5 y6"},
		{28000, []wire.Stream{{Name: "y", Instance: y.Instance, Upto: 6}, {Name: "x", Instance: x.Instance, Upto: 2}}, ""},
	} {
		if got := lacks(test.window, test.streams...); got != test.want {
			t.Errorf("%+v: %q, not %q", test.streams, got, test.want)
		}
	}
	ms.now += 2 * Second
	lacks(28000, wire.Stream{Name: "z", Instance: x.Instance, Old: 4, Upto: 5}, wire.Stream{Name: "y", Instance: y.Instance, Old: 6, Upto: 6})
	ms.now += 2 * Second
	ms.receive(a, &wire.Frame{Kind: wire.KindSeen, Streams: []wire.Stream{{Name: "z", Instance: x.Instance, Old: 4, Upto: 5}, {Name: "y", Instance: y.Instance, Old: 6, Upto: 6}}}, 0)
	f := ms.sent(a)
	if len(f) != 1 || f[0].Kind != wire.KindSeen || f[0].Window != 0 || len(f[0].Streams) != 1 || f[0].Streams[0].Name != "z" {
		t.Errorf("of what this node lacks it says %+v", f)
	}
}

// TestNothingWhenIdle: with nothing that is news, nothing is said in a round, nor to a new peer.
func TestNothingWhenIdle(t *testing.T) {
	ms := newTestMessages(t, "a")
	ms.do(&Command{Op: SendMessage, Topic: "t", Payload: "x"})
	for range 31 {
		ms.pass(Second)
	}
	ms.effects = nil
	ms.round(ms.peers[0])
	ms.meet(ms.peers[0])
	ms.pass(Second)
	if len(ms.effects) > 0 {
		t.Errorf("it does %+v", ms.effects)
	}
	if next := ms.next(); next != nil {
		t.Errorf("it waits for %+v", next)
	}
}

// TestBusy: beyond its rate a sender is told so at once, and nothing is sent.
func TestBusy(t *testing.T) {
	ms := newTestMessages(t, "a")
	send := func(n int) (sent int) {
		for range n {
			if code, _ := ms.do(&Command{Op: SendMessage, Topic: "t", Payload: strings.Repeat("x", 255)}); code == 0 {
				sent++
			} else if code != wire.CodeBusy {
				t.Fatal(code)
			}
		}
		return sent
	}
	if n := send(4000); n != senderBurst/2 {
		t.Errorf("%d at once", n)
	}
	ms.pass(Second)
	if n := send(4000); n < senderRate/2-1 || n > senderRate/2+1 {
		t.Errorf("%d in a second", n)
	}
	if ms.seq != uint64(len(ms.window.list)) {
		t.Errorf("%d numbers for %d messages", ms.seq, len(ms.window.list))
	}
}

// TestTells: a node takes in what it is told in order, once, whatever is sent again.
func TestTells(t *testing.T) {
	ms := newTestMessages(t, "a")
	a := ms.peers[0]
	tell := func(seq, before, age uint64) string {
		ms.receive(a, &wire.Frame{Kind: wire.KindTell, Seq: seq, Instance: wire.Instance{Start: 7}, Tell: wire.Tell{Before: before, Age: age, Topic: "t", Payload: fmt.Sprint(seq)}}, 0)
		said := ""
		for _, f := range ms.sent(a) {
			if f.Kind == wire.KindSaid {
				said += fmt.Sprint(" said ", f.Seq, " ", uint16(f.Code))
			}
		}
		return ms.told() + said
	}
	for i, test := range []struct {
		seq, before, age uint64
		want             string
	}{
		{3, 2, 0, ""}, {2, 0, 0, "2 said 2 0"}, {3, 2, 0, "3 said 3 0"}, {2, 0, 0, " said 2 0"}, {9, 5, 0, ""}, {5, 0, 0, "5 said 5 0"}, {9, 5, 0, "9 said 9 0"},
	} {
		if got := tell(test.seq, test.before, test.age); got != test.want {
			t.Errorf("%d: %q, not %q", i, got, test.want)
		}
	}
	ms.window.since = ms.mono - Second
	if got := tell(10, 0, 2000); got != " said 10 3" {
		t.Errorf("told before it was up: %q", got)
	}
	ms.do(&Command{Op: Hear})
	if got := tell(11, 0, 0); got != " said 11 7" {
		t.Errorf("nobody hears: %q", got)
	}
}

// TestSilent: who has not answered is told of in order.
func TestSilent(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ms := newTestMessages(t)
		i := ms.questions.begun(1, 1, 0, Second)
		for _, name := range rapid.SliceOfDistinct(rapid.StringN(1, 3, 8), rapid.ID).Draw(rt, "names") {
			i.asks(name, false)
		}
		ms.questions.finish(i)
		names := ms.events[len(ms.events)-1].Names
		if len(names) != len(i.names) || !slices.IsSorted(names) {
			rt.Fatalf("of %q it says %q", i.names, names)
		}
	})
}

// TestHeardQuestion: who hears a question hears for how long it is open, whether it answers
// or not.
func TestHeardQuestion(t *testing.T) {
	for _, answers := range []bool{false, true} {
		ms := newTestMessages(t, "a")
		if answers {
			ms.do(&Command{Op: Hear, Hear: Subscription{Questions: []string{"t"}}})
		}
		m := from(1, 1, 400, wire.Window)
		m.Verb, m.Wait = wire.VerbAsk, 1000
		ms.take(m, ms.peers[0])
		ms.take(from(2, 1, 0, 0), ms.peers[0])
		var waits []int64
		for _, e := range ms.effects {
			if e.Kind == Emit && e.Event.Kind == EventHeard {
				waits = append(waits, e.Event.Wait)
				if (e.Event.Question != 0) != answers {
					t.Errorf("the question's number is %d", e.Event.Question)
				}
			}
		}
		if want := []int64{600 * Millisecond, 0}; !slices.Equal(waits, want[:len(waits)]) || len(waits) == 0 || !answers && len(waits) < 2 {
			t.Errorf("they are open for %d, not %d", waits, want)
		}
	}
}

// TestTooManyAnswers: what waits to go to who asked is bounded, whatever comes: first the
// payloads are left out, and then the answers.
func TestTooManyAnswers(t *testing.T) {
	ms := newTestMessages(t, "a", "b")
	a, b := ms.peers[0], ms.peers[1]
	m := from(1, 1, 0, wire.Window)
	m.Verb, m.Wait = wire.VerbAsk, 60000
	ms.take(m, a)
	f := &wire.Frame{Kind: wire.KindAnswers, Asker: "x", Instance: m.Instance, Seq: 1}
	for range 1000 {
		f.Answers = append(f.Answers, wire.Answer{Name: "y", Payload: strings.Repeat("z", 100)})
	}
	for range 200 {
		ms.receive(b, f, 0)
	}
	one := ms.questions.open[0]
	if one.size < mostAnswers || one.size > 2*mostAnswers+1<<10 || len(one.answers) > 2*mostAnswers/48+1 {
		t.Errorf("%d bytes of %d answers wait", one.size, len(one.answers))
	}
	if last := one.answers[len(one.answers)-1]; last.Code != wire.CodeBusy || last.Payload != "" {
		t.Errorf("the last one is %+v", last)
	}
	for range 1000 { // all of it goes, in the end
		ms.receive(a, &wire.Frame{Kind: wire.KindTook, Bytes: 1 << 20}, 0)
		ms.pass(flushEvery)
		ms.effects = nil
	}
	if one.size != 0 || one.gone != len(one.answers) || one.kept > keptAnswers {
		t.Errorf("%d bytes are left, and %d of %d answers are on their way", one.size, one.gone, len(one.answers))
	}
}

// TestAnswerOfUnknown: while a node does not know who is up, who answers may be anybody.
func TestAnswerOfUnknown(t *testing.T) {
	for _, knows := range []bool{false, true} {
		ms := newTestMessages(t, "a")
		ms.questions.learn(knows)
		m, p := wire.Member{Address: "b:1"}, wire.Presence{Address: "b:1", Version: 1}
		node, up := lww.New("b", Hour, rankAdd, m.Value()), lww.New("b", Hour, rankUp, p.Value())
		node.Parsed, up.Parsed = &m, &p
		ms.replica.put(wire.Nodes, node)
		ms.replica.put(wire.Up, up)
		ms.do(&Command{Op: Ask, ID: 1, Topic: "q", Timeout: Minute})
		ms.receive(ms.peers[0], &wire.Frame{Kind: wire.KindAnswers, Asker: "me", Instance: ms.cfg.Instance, Seq: 1, Answers: []wire.Answer{{Name: "z", Payload: "z"}}}, 0)
		ms.pass(coalesce)
		answers := 0
		for _, e := range ms.effects {
			if e.Kind == Emit && e.Event.Kind == EventAnswer {
				answers++
			}
		}
		if knows != (answers == 0) {
			t.Errorf("it knows who is up: %v, and takes %d answers of who is not known to be", knows, answers)
		}
	}
}

// TestHeirOfASleeper: an engine that takes over while frames may still come that have
// waited while the process, or its machine, slept knows of that as the one before did,
// or finds it out itself.
func TestHeirOfASleeper(t *testing.T) {
	for name, sleep := range map[string]func(old, heir *testMessages){
		"the one before was told": func(old, heir *testMessages) {
			old.suspend(old.wall, 0)
			old.suspend(old.wall+Minute, 0)
			heir.suspend(old.wall+Minute, 0)
		},
		"it did not run":      func(old, heir *testMessages) { old.doze(Minute) },
		"the heir is told it": func(old, heir *testMessages) { old.suspend(old.wall, 0); heir.suspend(old.wall+Minute, 0) },
		"nobody slept":        func(old, heir *testMessages) { old.suspend(old.wall, 0); heir.suspend(old.wall, 0) },
	} {
		old, heir := newTestMessages(t, "a"), newTestMessages(t, "a")
		sleep(old, heir)
		handed := old.handOver()
		heir.resume(&handed)
		heir.take(from(1, 1, 0, 30000), heir.peers[0])
		if heard := heir.told() != ""; heard != (name == "nobody slept") {
			t.Errorf("%s: is what comes from before heard? %v", name, heard)
		}
	}
}

// TestStreamsOfOneName: who says something as one process after the other leaves room for others.
func TestStreamsOfOneName(t *testing.T) {
	ms := newTestMessages(t, "a")
	names := []string{"a", "b", "late"}
	for _, name := range names {
		m := wire.Member{Address: name + ":1"}
		node := lww.New(name, 1, rankAdd, m.Value())
		node.Parsed = &m
		ms.replica.put(wire.Nodes, node)
	}
	say := func(name string, start int64) {
		ms.receive(ms.peers[0], &wire.Frame{Kind: wire.KindMessage, Messages: []wire.Message{{
			Name: name, Instance: wire.Instance{Start: start}, Seq: 1, Step: 1, Since: wire.Window, Verb: wire.VerbSend, Topic: "t", Payload: name,
		}}}, 0)
	}
	for i := range int64(500) {
		say("a", i+1)
	}
	if n := len(ms.window.streams); n > 2*len(names)+moreStreams {
		t.Errorf("%d streams of one name", n)
	}
	ms.told()
	say("unknown", 1)
	say("late", 1)
	say("late", 2)
	if got := ms.told(); got != "late late" {
		t.Errorf("of who is heard for the first time comes %q", got)
	}
}
