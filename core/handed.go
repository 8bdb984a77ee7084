package core

import "github.com/nanoring/nanoring/core/wire"

// What a note of a handover is about.
const (
	aboutSelf uint8 = iota // the first
	aboutHears
	aboutAnswers
	aboutStream
	aboutTell
	aboutAsked
	aboutName // who is asked, of the question before
	aboutQuestion
	aboutAnswer // to the question before
	aboutGuest
)

// handedBytes is how many bytes of messages are handed over, the latest, and of answers: what
// more there is the peers have, and an engine in a sandbox has no room to write it down.
const handedBytes = 1 << 20

// handOver is what of messages another engine of this process goes on with: it repeats
// nothing, and loses nothing. Both have one monotonic clock.
func (ms *messages) handOver() (n wire.News) {
	w, q, me := &ms.window, &ms.questions, ms.cfg.Name
	n.Note(aboutSelf, me, uint64(ms.newsTime()), uint64(ms.suspended), uint64(w.since), ms.seq, ms.before, uint64(ms.beforeAt), q.number, uint64(ms.given), uint64(ms.nap), uint64(ms.woke))
	n.Note(aboutHears, me).Texts = ms.hearing.mine.Messages
	n.Note(aboutAnswers, me).Texts = ms.hearing.mine.Questions
	for _, s := range w.streams {
		n.Note(aboutStream, s.name, s.last, s.told).Instance = s.instance
	}
	for _, one := range w.latest(handedBytes) {
		n.Window = append(n.Window, one.Message)
		m := &n.Window[len(n.Window)-1]
		m.Age = min(w.age(one.sent), wire.Window)
	}
	for _, t := range ms.tells.list {
		h := n.Note(aboutTell, t.to, t.id, t.seq, uint64(t.begun))
		h.Topic, h.Payload = t.tell.Topic, t.tell.Payload
	}
	for _, t := range ms.unsaid {
		n.Note(aboutTell, me, t.id, t.seq, uint64(t.begun))
	}
	for _, i := range q.asked {
		n.Note(aboutAsked, me, i.id, i.seq, uint64(max(i.left, 0)), uint64(i.until-ms.now))
		for _, name := range i.names {
			said := uint64(0)
			if i.said[name] {
				said = 1
			}
			n.Note(aboutName, name, said)
		}
	}
	left := handedBytes
	for _, one := range q.open {
		n.Note(aboutQuestion, one.id.name, one.id.seq, one.number, uint64(one.from), uint64(one.until-ms.now)).Instance = one.id.instance
		for i := one.gone; i < len(one.answers); i++ {
			a := &one.answers[i]
			if left -= bytesOf(a); left < 0 {
				break
			}
			n.Note(aboutAnswer, a.Name, uint64(a.Code)).Payload = a.Payload
		}
	}
	for _, c := range ms.overlay.live {
		if c.line.hears {
			n.Note(aboutGuest, me, uint64(c.id))
		}
	}
	return n
}

// resume goes on where another engine of this process ended. What was not sent yet is
// owed to all, who know most of it; guests are asked what they hear.
func (ms *messages) resume(n *wire.News) {
	w, q := &ms.window, &ms.questions
	var asked *inquiry
	var one *question
	for i := range n.Notes {
		h := &n.Notes[i]
		switch a := &h.Numbers; h.About {
		case aboutSelf:
			wall := ms.given
			ms.suspended, w.since = int64(a[1]), int64(a[2])
			ms.given, ms.nap, ms.woke = int64(a[7]), int64(a[8]), int64(a[9])
			ms.suspend(wall, ms.mono-int64(a[0]-a[1])) // the machine may have slept since
			ms.seq, ms.before, ms.beforeAt, q.number = a[3]+skipped, a[4], int64(a[5]), a[6]+skipped
			ms.takeOver(n, w.age(int64(a[0])))
		case aboutHears:
			ms.hearing.mine.Messages = h.Texts
		case aboutAnswers:
			ms.hearing.mine.Questions = h.Texts
		case aboutStream:
			if s := w.stream(h.Name, h.Instance, len(n.Notes)); s != nil {
				s.last, s.told = a[0], a[1]
				s.heard, _ = s.search(s.last + 1)
			}
		case aboutTell:
			list := &ms.tells.list
			if h.Name == ms.cfg.Name {
				list = &ms.unsaid
			}
			push(list, &telling{id: a[0], to: h.Name, seq: a[1], begun: int64(a[2]), tell: wire.Tell{Topic: h.Topic, Payload: h.Payload}})
		case aboutAsked:
			asked = q.begun(a[0], a[1], int(a[2]), int64(a[3]))
		case aboutName:
			if asked != nil {
				asked.asks(h.Name, a[0] != 0)
			}
		case aboutQuestion:
			one = q.opened(newsID{h.Name, h.Instance, a[0]}, ConnID(a[2]), int64(a[3]))
			one.number = a[1]
		case aboutAnswer:
			if one != nil {
				q.put(one, wire.Answer{Name: h.Name, Code: wire.Code(a[0]), Payload: h.Payload})
			}
		case aboutGuest:
			if c := ms.overlay.conns[ConnID(a[0])]; c != nil && c.state == connEstablished {
				ms.send(c, &wire.Frame{Kind: wire.KindHear})
			}
		}
	}
	ms.hearing.said = len(ms.hearing.mine.all()) > 0
	first := w.end
	for _, one := range w.list {
		if one.sent > ms.newsTime()-settled {
			first = min(first, one.number)
		}
	}
	for _, c := range ms.overlay.live {
		ms.meet(c)
		c.line.next, c.line.met = first, 0 // what comes may have waited since before
		if len(w.streams) > 0 {
			ms.send(c, &wire.Frame{Kind: wire.KindTook}) // what the other one took is not known here
		}
	}
	ms.spread.soon(coalesce)
}

// skipped is how many numbers a takeover leaves out: the handover may be a moment old,
// after a trap, and the other engine have used some.
const skipped = 1 << 12

// takeOver takes over the window, which was handed over so many milliseconds ago.
func (ms *messages) takeOver(n *wire.News, ago uint64) {
	for i := range n.Window {
		m := &n.Window[i]
		m.Age += ago
		if s := ms.window.stream(m.Name, m.Instance, len(n.Notes)); s != nil {
			ms.window.take(s, m)
		}
	}
}
