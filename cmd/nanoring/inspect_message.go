package main

import (
	"encoding/hex"

	"github.com/nanoring/nanoring/core/wire"
)

var verbWords = []string{wire.VerbVoid: "void", wire.VerbSend: "send", wire.VerbAsk: "ask", wire.VerbOff: "off", wire.VerbGap: "gap"}

// addMessages adds what a frame of messages has.
func (o *fields) addMessages(f *wire.Frame) {
	switch f.Kind {
	case wire.KindMessage:
		o.add("messages", each(f.Messages, showMessage))
	case wire.KindSeen:
		o.add("window", f.Window)
		o.add("streams", each(f.Streams, showStream))
	case wire.KindHave, wire.KindWant:
		o.add("streams", each(f.Streams, showStream))
	case wire.KindTook:
		o.add("bytes", f.Bytes)
	case wire.KindHear:
		o.add("topics", f.Topics)
		o.add("window", f.Window)
		o.add("streams", each(f.Streams, showStream))
	case wire.KindTell:
		*o = append(*o, fields{{"seq", f.Seq}, {"before", f.Tell.Before}, {"age", f.Tell.Age}, {"instance", showInstance(f.Instance)},
			{"topic", f.Tell.Topic}, {"payload", showPayload(f.Tell.Payload)}}...)
	case wire.KindSaid:
		o.add("seq", f.Seq)
		o.addCode(f.Code)
	case wire.KindAnswers:
		*o = append(*o, fields{{"asker", f.Asker}, {"instance", showInstance(f.Instance)}, {"seq", f.Seq}, {"answers", each(f.Answers, showAnswer)}}...)
	}
}

func (o *fields) addCode(code wire.Code) {
	o.add("code", code)
	if code != 0 {
		o.add("codeName", code.String())
	}
}

func each[T any](all []T, show func(*T) fields) []fields {
	shown := make([]fields, len(all))
	for i := range all {
		shown[i] = show(&all[i])
	}
	return shown
}

func showMessage(m *wire.Message) fields {
	return fields{{"age", m.Age}, {"name", m.Name}, {"instance", showInstance(m.Instance)}, {"seq", m.Seq}, {"step", m.Step}, {"since", m.Since},
		{"verb", word(verbWords, uint8(m.Verb))}, {"topic", m.Topic}, {"payload", showPayload(m.Payload)}, {"wait", m.Wait}, {"filter", m.Filter}}
}

func showStream(s *wire.Stream) fields {
	return fields{{"name", s.Name}, {"instance", showInstance(s.Instance)}, {"old", s.Old}, {"upto", s.Upto}, {"seqs", s.Seqs}}
}

func showAnswer(a *wire.Answer) fields {
	o := fields{{"name", a.Name}}
	o.addCode(a.Code)
	o.add("payload", showPayload(a.Payload))
	return o
}

// showPayload makes bytes hexadecimal, as values' are.
func showPayload(s string) fields { return fields{{"hex", hex.EncodeToString([]byte(s))}} }
