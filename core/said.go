package core

import (
	"github.com/nanoring/nanoring/core/ledger"
	"github.com/nanoring/nanoring/core/wire"
)

// receive takes a frame of messages, and says what its sender did wrong, if anything.
func (ms *messages) receive(c *conn, f *wire.Frame, size int) string {
	if f.Kind == wire.KindMessage || f.Kind == wire.KindTell || f.Kind == wire.KindAnswers {
		ms.spread.came(c, size)
	}
	switch f.Kind {
	case wire.KindTook:
		ms.spread.acked(c, f.Bytes)
	case wire.KindTell, wire.KindSaid, wire.KindAnswers:
		if wrong := c.mayNotSay(f); wrong != "" {
			return wrong
		}
		ms.addressed(c.name, c, f, false)
	case wire.KindMessage:
		return ms.came(c, f.Messages)
	case wire.KindSeen:
		return ms.seen(c, f)
	case wire.KindHear:
		return ms.hear(c, f)
	default:
		switch {
		case c.guest || ms.cfg.Ephemeral:
			return "between a guest and its gateway there are no ids of messages"
		case f.Kind == wire.KindHave:
			ms.spread.had(c, f.Streams)
		case f.Kind == wire.KindWant:
			ms.spread.wanted(c, f.Streams)
		}
	}
	return ""
}

// came takes messages. A guest's are its own, and its gateway takes each or says why not.
func (ms *messages) came(c *conn, all []wire.Message) string {
	for i := range all {
		m := &all[i]
		switch {
		case m.Verb == wire.VerbGap:
			if ms.cfg.Ephemeral {
				ms.missed(m)
			}
			continue
		case !c.guest:
			ms.take(m, c)
			continue
		case m.Name != c.name || m.Instance != c.instance:
			return "a guest sends in its own name alone"
		}
		code := wire.Code(0)
		if s := ms.window.find(m.Name, m.Instance); s == nil || !s.has(m.Seq) {
			code = ms.bears(c, m.Verb == wire.VerbSend || m.Verb == wire.VerbAsk, m.Topic, m.Payload)
			if code == 0 && m.Verb == wire.VerbAsk && !ms.questions.hasRoom(c) {
				code = wire.CodeBusy
			}
			if code != 0 {
				empty(m, wire.VerbVoid)
			}
			if ms.take(m, c); c.line.doubted {
				continue
			}
		}
		ms.reply(ms.cfg.Name, c.name, c, m.Seq, code, false)
	}
	return ""
}

// bears says why a guest may not say something now, if so.
func (ms *messages) bears(c *conn, says bool, topic, payload string) wire.Code {
	switch n := units(topic, payload); {
	case says && !c.maySend(topic):
		return wire.CodeForbidden
	case c.cost.Take(ms.now, costSays, n) != ledger.Enough || ms.window.isFull() || !ms.pace.bears(ms.now, n):
		return wire.CodeBusy
	}
	return 0
}

// missed takes the word of a gateway that something was lost.
func (ms *messages) missed(m *wire.Message) {
	s := ms.stream(m.Name, m.Instance)
	if s != nil && s.last < m.Seq {
		s.last = m.Seq
		ms.hearing.lost(s, m.Seq, lostToAll)
	}
}

// seen compares. A guest and its gateway do so for what the guest sent alone.
func (ms *messages) seen(c *conn, f *wire.Frame) string {
	if !c.guest {
		ms.spread.seen(c, f)
		return ""
	}
	if all := f.Streams; len(all) != 1 || all[0].Name != c.name || all[0].Instance != c.instance || f.Window != 0 {
		return "a guest compares what it sent alone"
	}
	ms.spread.seen(c, f)
	if s := ms.window.find(c.name, c.instance); s != nil && s.last > 0 {
		ms.reply(ms.cfg.Name, c.name, c, s.last, 0, false)
	}
	return ""
}

// hear takes a guest's topics; a guest is asked for them by a gateway that does not
// know them any more.
func (ms *messages) hear(c *conn, f *wire.Frame) string {
	switch {
	case c.guest && f.Window > 0 && c.cost.Take(ms.now, costHears, 1) != ledger.Enough:
		return "it asks more often for what it has missed than a guest may"
	case c.guest:
		ms.hearing.asks(c, f)
	case ms.cfg.Ephemeral:
		ms.hearing.greet(c)
	default:
		return "only a guest says what it hears"
	}
	return ""
}

// mayNotSay says what is wrong with a guest's frame for one node: it is by no other process, of
// which each would begin a stream there, and answers for itself alone.
func (c *conn) mayNotSay(f *wire.Frame) string {
	switch {
	case !c.guest:
	case f.Kind == wire.KindTell && f.Instance != c.instance:
		return "a guest speaks for itself alone"
	case f.Kind == wire.KindAnswers && (len(f.Answers) != 1 || f.Answers[0].Name != c.name):
		return "a guest answers for itself alone, and once"
	}
	return ""
}

// addressed takes a frame for this node alone, which came on c from a node, maybe in a
// relay: then so does what is said to it.
func (ms *messages) addressed(from string, c *conn, f *wire.Frame, inRelay bool) {
	switch f.Kind {
	case wire.KindTell:
		code := wire.Code(0)
		if c.guest {
			code = ms.bears(c, true, f.Tell.Topic, f.Tell.Payload)
		}
		if code == 0 {
			var in bool
			if code, in = ms.toldBy(from, f); !in {
				return
			}
		}
		ms.reply(ms.cfg.Name, from, c, f.Seq, code, inRelay)
	case wire.KindSaid:
		ms.said(from, f.Seq, f.Code, inRelay)
	case wire.KindAnswers:
		if s := ms.replica.look(from); s.guest && (len(f.Answers) != 1 || f.Answers[0].Name != from) {
			return // another gateway has passed that on
		}
		ms.questions.came(c, f)
	}
}

// toldBy takes a tell in, unless one before it has yet to come.
func (ms *messages) toldBy(from string, f *wire.Frame) (code wire.Code, in bool) {
	s := ms.stream(from, f.Instance)
	switch {
	case s == nil:
		return wire.CodeBusy, true
	case f.Tell.Age > ms.window.up() && ms.window.up() < wire.Window:
		return wire.CodeUnreachable, true // it was told to the process before
	case f.Seq <= s.told:
		if !isLikeAny(ms.hearing.mine.Messages, f.Tell.Topic) {
			code = wire.CodeNobody
		}
		return code, true
	case f.Tell.Before > s.told:
		return 0, false
	}
	s.told = f.Seq
	if !ms.hearing.told(from, f.Tell.Topic, f.Tell.Payload) {
		code = wire.CodeNobody
	}
	return code, true
}

// reply says what became of a tell, or of a guest's message, by the way that it came.
//
//go:noinline
func (ms *messages) reply(from, to string, c *conn, seq uint64, code wire.Code, inRelay bool) {
	frame := (&wire.Frame{Kind: wire.KindSaid, Seq: seq, Code: code}).Append(nil)
	if inRelay {
		frame = relayed(from, to, 0, string(frame))
	}
	ms.sendBytes(c, frame)
}

// said ends what waits for a word: a tell; or, of a guest, what its gateway took.
func (ms *messages) said(from string, seq uint64, code wire.Code, inRelay bool) {
	if one := ms.tells.said(from, seq); one != nil {
		text := ""
		switch code {
		case 0:
		case wire.CodeNobody:
			text = nobodyHears(one.to, one.tell.Topic)
		case wire.CodeUnreachable:
			text = one.to + " was not up"
		case wire.CodeForbidden:
			text = "it may not send " + one.tell.Topic
		default:
			text = "too many messages at once: try again later"
		}
		ms.replica.result(one.id, one.to, code, text)
		return
	}
	for !inRelay && len(ms.unsaid) > 0 && ms.unsaid[0].seq <= seq {
		one := ms.unsaid[0]
		drop(&ms.unsaid, 0)
		switch {
		case code == 0 || one.seq < seq:
			ms.replica.result(one.id, "", 0, "")
		case code == wire.CodeForbidden:
			ms.replica.result(one.id, "", code, "this node may not send on that topic")
		default:
			ms.replica.result(one.id, "", code, "too many messages at once: try again later")
		}
	}
}

// forward passes a relay on. A guest may tell what it may send, and is told what it
// hears.
func (ms *messages) forward(from, to string, relay []byte, c *conn, in *wire.Frame) {
	code := wire.Code(0)
	if in.Kind == wire.KindTell {
		if c.guest {
			code = ms.bears(c, true, in.Tell.Topic, in.Tell.Payload)
		}
		if g := ms.overlay.peer(to); code == 0 && g != nil && g.guest && !g.hears(in.Tell.Topic) {
			code = wire.CodeNobody
		}
	}
	if code == 0 {
		ms.spread.pass(to, relay, c)
		return
	}
	ms.reply(to, from, c, in.Seq, code, true)
}
