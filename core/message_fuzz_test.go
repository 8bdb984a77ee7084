package core_test

import (
	"strings"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// says is a command of messages, a bad one now and then.
func (p *player) says() core.Command {
	c := core.Command{ID: uint64(p.byte()), Op: core.SendMessage + core.Op(p.byte()%6), Name: p.name(), Topic: p.topic(), Payload: p.payload(),
		Question: uint64(p.byte() % 8), Limit: int(p.byte()%4) - 1}
	switch p.byte() % 8 {
	case 0:
		c.Timeout = pick(&p.script, core.Second, core.Minute, core.Hour, 1, -1)
	case 1:
		c.Filter, _ = core.ParseFilter([]string{"a=b", "!c"}, "up", "!a")
	case 2:
		c.Code = wire.CodeBusy
	}
	c.Hear = core.Subscription{Messages: []string{"*"}, Questions: pick(&p.script, nil, []string{"q*"}, []string{"bad topic"}, []string{"b.*", "q"})}
	return c
}

func (p *player) topic() string {
	return pick(&p.script, "a", "a.b", "q", "q.1", "b", "", "not a topic")
}

func (p *player) payload() string {
	return strings.Repeat("x", pick(&p.script, 0, 3, 255, 300, 1<<10, wire.MaxPayload, wire.MaxPayload+1))
}

// news is a frame of messages: of a few processes, with numbers that are near one
// another, jump, or are the last that there are.
func (p *player) news() *wire.Frame {
	f := &wire.Frame{Kind: wire.KindMessage + wire.Kind(p.byte()%9), Seq: p.number(), Instance: p.instance(), Asker: p.name(), Window: pick[uint64](&p.script, 0, 1000, 28000, wire.Window)}
	for range 1 + p.byte()%4 {
		m := wire.Message{Name: p.name(), Instance: p.instance(), Seq: p.number(), Age: uint64(p.byte()) * 130 % wire.Window, Since: uint64(p.byte()) * 130 % wire.Window, Verb: wire.Verb(p.byte() % 5)}
		m.Step = min(m.Seq, pick[uint64](&p.script, 1, 1, 2, m.Seq))
		switch m.Verb {
		case wire.VerbAsk:
			m.Wait = uint64(1 + p.byte())
			fallthrough
		case wire.VerbSend:
			m.Topic, m.Payload = pick(&p.script, "a", "q", "b.c"), strings.Repeat("y", int(p.byte())*4)
		case wire.VerbOff:
			if m.Seq == 1 {
				m.Seq = 2
			}
			m.Wait = 1
		}
		f.Messages = append(f.Messages, m)
		f.Answers = append(f.Answers, wire.Answer{Name: m.Name, Code: pick(&p.script, 0, wire.CodeNobody), Payload: m.Payload})
		st := wire.Stream{Name: m.Name, Instance: m.Instance}
		switch f.Kind {
		case wire.KindHave, wire.KindWant:
			st.Seqs = []uint64{m.Seq}
		default:
			if st.Upto = m.Seq; p.byte()%2 == 0 {
				st.Old = m.Seq
			}
		}
		f.Streams = append(f.Streams, st)
	}
	f.Topics = []string{pick(&p.script, "*", "a", "b.*")}
	f.Tell = wire.Tell{Topic: "a", Before: uint64(p.byte() % 4), Age: uint64(p.byte()), Payload: "x"}
	f.Code, f.Bytes = pick(&p.script, 0, wire.CodeBusy, wire.CodeNobody), uint64(p.byte())*100
	if inner := *f; f.Kind >= wire.KindTell && p.byte()%2 == 0 {
		return &wire.Frame{Kind: wire.KindRelay, From: p.name(), To: pick(&p.script, "me", "a", "tab"), Inner: string(inner.Append(nil))}
	}
	return f
}

func (p *player) number() uint64 {
	return max(1, pick(&p.script, uint64(p.byte()%8), uint64(p.byte()%8), 1, uint64(p.byte())<<20, 1<<62, 1<<63-1))
}
