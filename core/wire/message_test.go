package wire_test

import (
	"math"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
	"pgregory.net/rapid"
)

var (
	genTopic   = rapid.StringMatching(`[a-zA-Z0-9._-]{1,64}`)
	genPattern = rapid.StringMatching(`[a-zA-Z0-9._*-]{1,64}`)
	genPayload = rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 300), func(b []byte) string { return string(b) })
	genNumber  = rapid.OneOf(rapid.Uint64Range(1, math.MaxInt64), rapid.Uint64Range(1, 300))
)

func drawMessage(t *rapid.T) wire.Message {
	m := wire.Message{Age: rapid.Uint64Range(0, wire.Window).Draw(t, "age"), Name: genName.Draw(t, "name"), Instance: genInstance.Draw(t, "instance"),
		Seq: genNumber.Draw(t, "seq"), Since: rapid.Uint64Range(0, wire.Window).Draw(t, "since"), Verb: wire.Verb(rapid.Uint8Range(0, 4).Draw(t, "verb"))}
	m.Step = rapid.Uint64Range(1, m.Seq).Draw(t, "step")
	if m.Verb == wire.VerbOff && m.Seq == 1 {
		m.Verb = wire.VerbVoid
	}
	switch m.Verb {
	case wire.VerbOff:
		m.Wait = rapid.Uint64Range(1, m.Seq-1).Draw(t, "wait")
	case wire.VerbAsk:
		m.Wait = rapid.Uint64Range(1, wire.MaxWait).Draw(t, "wait")
		fallthrough
	case wire.VerbSend:
		m.Topic, m.Payload = genTopic.Draw(t, "topic"), genPayload.Draw(t, "payload")
		if rapid.Bool().Draw(t, "filtered") {
			m.Filter = rapid.SliceOfN(rapid.StringN(0, 20, 50), 2, 18).Draw(t, "filter")
		}
	}
	return m
}

func drawStreams(t *rapid.T) []wire.Stream {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) wire.Stream {
		s := wire.Stream{Name: genName.Draw(t, "name"), Instance: genInstance.Draw(t, "instance"), Upto: rapid.Uint64Range(0, math.MaxInt64/2).Draw(t, "upto")}
		s.Old = rapid.Uint64Range(0, s.Upto).Draw(t, "old")
		last := s.Upto
		for _, d := range rapid.SliceOfN(rapid.Uint64Range(1, 1<<40), 0, 18).Draw(t, "seqs") {
			last += d
			s.Seqs = append(s.Seqs, last)
		}
		return s
	}), 0, 18).Draw(t, "streams")
}

// drawNews draws what a frame of messages has.
func drawNews(t *rapid.T, f *wire.Frame) {
	switch f.Kind {
	case wire.KindMessage:
		f.Messages = rapid.SliceOfN(rapid.Custom(drawMessage), 0, 18).Draw(t, "messages")
	case wire.KindSeen:
		f.Window, f.Streams = rapid.Uint64Range(0, wire.Window).Draw(t, "window"), drawStreams(t)
	case wire.KindHave, wire.KindWant:
		f.Streams = drawStreams(t)
	case wire.KindTook:
		f.Bytes = genUint.Draw(t, "bytes")
	case wire.KindHear:
		f.Topics = rapid.SliceOfN(genPattern, 0, wire.MaxTopics).Draw(t, "topics")
		f.Window, f.Streams = rapid.Uint64Range(0, wire.Window).Draw(t, "window"), drawStreams(t)
	case wire.KindTell:
		f.Seq, f.Instance = genUint.Draw(t, "seq"), genInstance.Draw(t, "instance")
		f.Tell = wire.Tell{Before: genUint.Draw(t, "before"), Age: rapid.Uint64Range(0, wire.Window).Draw(t, "age"),
			Topic: genTopic.Draw(t, "topic"), Payload: genPayload.Draw(t, "payload")}
	case wire.KindSaid:
		f.Seq, f.Code = genUint.Draw(t, "seq"), wire.Code(rapid.Uint16().Draw(t, "code"))
	case wire.KindAnswers:
		f.Asker, f.Instance, f.Seq = genName.Draw(t, "asker"), genInstance.Draw(t, "instance"), genNumber.Draw(t, "seq")
		f.Answers = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) wire.Answer {
			return wire.Answer{Name: genName.Draw(t, "name"), Code: wire.Code(rapid.Uint16().Draw(t, "code")), Payload: genPayload.Draw(t, "payload")}
		}), 0, 18).Draw(t, "answers")
	}
}

// TestNewsRoundTrip: what an engine hands over of messages, the next one reads.
func TestNewsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := wire.News{Window: []wire.Message{drawMessage(t), drawMessage(t)}}
		one := n.Note(rapid.Uint8().Draw(t, "about"), genName.Draw(t, "name"), genUint.Draw(t, "number"), 2, 3, 4, 5, 6, 7)
		one.Instance, one.Topic, one.Payload = genInstance.Draw(t, "instance"), genTopic.Draw(t, "topic"), genPayload.Draw(t, "payload")
		n.Note(2, "n").Texts = []string{"a.*"}
		s := wire.Snapshot{Ring: "r", Name: "n", News: n}
		b := s.Append(nil)
		var got wire.Snapshot
		if err := got.Decode(b); err != nil {
			t.Fatal(err)
		}
		if again := got.Append(nil); string(again) != string(b) {
			t.Fatalf("%x\nwas %x", again, b)
		}
		for i := range b {
			_ = got.Decode(b[:i]) // and none of it panics
		}
	})
}
