package host_test

import (
	"math"
	"strings"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"pgregory.net/rapid"
)

var (
	said     = rapid.SampledFrom([]string{"a", "a.b", "q", "q.1", "", "not a topic", strings.Repeat("t", 65)})
	patterns = rapid.SampledFrom([][]string{nil, {}, {"*"}, {"a*", "q"}, {"q.*"}, {"é"}})
	payloads = rapid.Map(rapid.SampledFrom([]int{0, 1, 2, 3, 250, 300, wire.MaxPayload, wire.MaxPayload + 1}), func(n int) string { return strings.Repeat("\xff\x00~", n)[:n] })
)

// says makes a command one of messages.
func (s *schedule) says(c *core.Command) {
	c.Op = core.SendMessage + core.Op(rapid.IntRange(0, 6).Draw(s.T, "verb"))
	c.Topic, c.Payload, c.Question = said.Draw(s.T, "topic"), payloads.Draw(s.T, "payload"), uint64(rapid.IntRange(0, 4).Draw(s.T, "question"))
	c.ID = uint64(rapid.IntRange(0, 4).Draw(s.T, "small id"))
	c.Limit = rapid.SampledFrom([]int{0, 1, -1, math.MaxInt}).Draw(s.T, "limit")
	c.Timeout = rapid.SampledFrom([]int64{0, core.Second, core.Hour, -1}).Draw(s.T, "timeout")
	c.Code = rapid.SampledFrom([]wire.Code{0, wire.CodeBusy}).Draw(s.T, "answers")
	c.Hear = core.Subscription{Messages: patterns.Draw(s.T, "messages"), Questions: patterns.Draw(s.T, "questions")}
	switch rapid.IntRange(0, 3).Draw(s.T, "filter") {
	case 0:
		c.Filter, _ = core.ParseFilter([]string{"zone=*", "!x"}, "", "m*")
	case 1:
		c.Filter, _ = core.ParseFilter(nil, "up", "")
	}
}

func (s *schedule) topics() *core.Topics {
	if rapid.Bool().Draw(s.T, "any topic") {
		return nil
	}
	return &core.Topics{Send: patterns.Draw(s.T, "may send"), Hear: patterns.Draw(s.T, "may hear")}
}

// news draws a frame of messages.
func (s *schedule) news() wire.Frame {
	number := rapid.SampledFrom([]uint64{1, 2, 3, 4, 5, 9, 1 << 40, 1<<63 - 1})
	name := rapid.SampledFrom([]string{"a", "b", "tab", "me"})
	f := wire.Frame{
		Kind: wire.KindMessage + wire.Kind(rapid.IntRange(0, 8).Draw(s.T, "kind")), Seq: number.Draw(s.T, "seq"), Instance: wire.Instance{Start: epoch, Nonce: 7},
		Asker: name.Draw(s.T, "asker"), Window: rapid.SampledFrom([]uint64{0, 1, 28000}).Draw(s.T, "window"), Topics: []string{"*"}, Bytes: number.Draw(s.T, "bytes"),
		Tell: wire.Tell{Topic: "a", Payload: "told", Before: rapid.SampledFrom([]uint64{0, 1, 2}).Draw(s.T, "before")},
		Code: rapid.SampledFrom([]wire.Code{0, wire.CodeNobody, wire.CodeBusy}).Draw(s.T, "code"),
	}
	if rapid.Bool().Draw(s.T, "its own") {
		f.Instance, f.Asker = wire.Instance{Start: epoch, Nonce: 1}, "me"
	}
	for range rapid.IntRange(1, 4).Draw(s.T, "messages") {
		m := wire.Message{Age: rapid.SampledFrom([]uint64{0, 900, 29000}).Draw(s.T, "age"), Name: name.Draw(s.T, "sender"), Instance: f.Instance,
			Seq: number.Draw(s.T, "number"), Step: 1, Since: rapid.SampledFrom([]uint64{0, 5000, wire.Window}).Draw(s.T, "since"), Verb: wire.Verb(rapid.IntRange(0, 4).Draw(s.T, "verb"))}
		switch {
		case m.Verb == wire.VerbOff && m.Seq > 1:
			m.Wait = 1
		case m.Verb == wire.VerbOff:
			m.Verb = wire.VerbVoid
		case m.Verb == wire.VerbAsk:
			m.Topic, m.Wait, m.Filter = "q", 5000, []string{"", "m*"}
		case m.Verb == wire.VerbSend:
			m.Topic, m.Payload = "a", payloads.Draw(s.T, "said")[:0]+strings.Repeat("p", rapid.SampledFrom([]int{0, 10, 1000}).Draw(s.T, "long"))
		}
		f.Messages = append(f.Messages, m)
		f.Answers = append(f.Answers, wire.Answer{Name: m.Name, Code: f.Code, Payload: "\xff"})
		st := wire.Stream{Name: m.Name, Instance: m.Instance, Seqs: []uint64{m.Seq}}
		if f.Kind == wire.KindSeen || f.Kind == wire.KindHear {
			st.Upto, st.Old, st.Seqs = m.Seq, m.Seq, nil
		}
		f.Streams = append(f.Streams, st)
	}
	if f.Kind >= wire.KindTell && rapid.Bool().Draw(s.T, "in a relay") {
		return wire.Frame{Kind: wire.KindRelay, From: name.Draw(s.T, "from"), To: name.Draw(s.T, "to"), Inner: string(f.Append(nil))}
	}
	return f
}
