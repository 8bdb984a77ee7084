package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/wire"
)

// handOver is what of messages another engine of this process goes on with: it repeats
// nothing, and loses nothing.
func (ms *messages) handOver() *wire.News {
	w, q := &ms.window, &ms.questions
	n := &wire.News{At: ms.mono, Up: w.up(), Seq: ms.seq, Before: ms.before, Number: q.number,
		BeforeAge: w.age(ms.beforeAt), Messages: ms.hearing.mine.Messages, Questions: ms.hearing.mine.Questions}
	for _, s := range w.streams {
		n.Heard = append(n.Heard, wire.Heard{Name: s.name, Instance: s.instance, Last: s.last, Told: s.told})
	}
	for _, one := range w.list {
		m := ms.spread.aged(one)
		m.Age = min(m.Age, wire.Window)
		n.Window = append(n.Window, m)
	}
	for _, t := range ms.tells.list {
		n.Telling = append(n.Telling, wire.Telling{Unsaid: wire.Unsaid{ID: t.id, Seq: t.seq, Age: w.age(t.begun)},
			To: t.to, Topic: t.tell.Topic, Payload: t.tell.Payload})
	}
	for _, u := range ms.unsaid {
		n.Unsaid = append(n.Unsaid, wire.Unsaid{ID: u.id, Seq: u.seq, Age: w.age(u.at)})
	}
	for _, i := range q.asked {
		a := wire.Inquiry{ID: i.id, Seq: i.seq, Left: uint64(max(i.left, 0)), Wait: uint64(max(i.until-ms.now, 0) / Millisecond)}
		for _, name := range i.names {
			if i.said[name] {
				a.Said = append(a.Said, name)
			} else {
				a.Silent = append(a.Silent, name)
			}
		}
		n.Asked = append(n.Asked, a)
	}
	for _, one := range q.open {
		n.Open = append(n.Open, wire.Question{Name: one.id.name, Instance: one.id.instance, Seq: one.id.seq, Number: one.number,
			From: uint64(one.from), Wait: uint64(max(one.until-ms.now, 0) / Millisecond), Answers: one.out})
	}
	for _, c := range ms.overlay.live {
		if c.line.hears {
			n.Guests = append(n.Guests, uint64(c.id))
		}
	}
	return n
}

// resume goes on where another engine of this process ended. What was not sent yet is
// owed to all, who know most of it; guests are asked what they hear.
func (ms *messages) resume(n *wire.News) {
	w, q := &ms.window, &ms.questions
	then := func(age uint64) int64 { return n.At - int64(age)*Millisecond }
	if n != nil {
		w.since = then(n.Up)
		ms.seq, ms.before, ms.beforeAt, q.number = n.Seq+skipped, n.Before, then(n.BeforeAge), n.Number+skipped
		ms.hearing.mine = Subscription{n.Messages, n.Questions}
		ms.hearing.said = len(n.Messages)+len(n.Questions) > 0
		ms.heardBefore(n)
		for _, t := range n.Telling {
			ms.tells.list = append(ms.tells.list, &telling{id: t.ID, to: t.To, seq: t.Seq, begun: then(t.Age), tell: wire.Tell{Topic: t.Topic, Payload: t.Payload}})
		}
		for _, u := range n.Unsaid {
			ms.unsaid = append(ms.unsaid, unsaid{u.ID, u.Seq, then(u.Age)})
		}
		for i := range n.Asked {
			q.askAgain(&n.Asked[i])
		}
		for _, o := range n.Open {
			one := &question{id: newsID{o.Name, o.Instance, o.Seq}, number: o.Number, from: ConnID(o.From), until: ms.now + int64(o.Wait)*Millisecond}
			q.open, q.by[one.id] = append(q.open, one), one
			for _, a := range o.Answers {
				q.put(one, a)
			}
		}
	}
	first := w.end
	for _, one := range w.list {
		if one.sent > ms.newsTime()-settled {
			first = min(first, one.number)
		}
	}
	for _, c := range ms.overlay.live {
		ms.meet(c)
		c.line.next = first
		if n != nil && len(n.Heard) > 0 {
			ms.send(c, &wire.Frame{Kind: wire.KindTook}) // what the other one took is not known here
		}
		if n != nil && slices.Contains(n.Guests, uint64(c.id)) {
			ms.send(c, &wire.Frame{Kind: wire.KindHear})
		}
	}
	ms.spread.soon(coalesce)
}

// skipped is how many numbers a takeover leaves out: the handover may be a moment old,
// after a trap, and the other engine have used some.
const skipped = 1 << 12

// heardBefore takes over the window, and how far each stream in it was heard.
func (ms *messages) heardBefore(n *wire.News) {
	w := &ms.window
	for i := range n.Heard {
		if h := &n.Heard[i]; w.find(h.Name, h.Instance) == nil {
			s := w.begin(h.Name, h.Instance)
			s.told = h.Told
		}
	}
	for i := range n.Window {
		m := &n.Window[i]
		m.Age += w.age(n.At)
		if s := w.find(m.Name, m.Instance); s != nil {
			w.take(s, m)
		}
	}
	for i := range n.Heard {
		h := &n.Heard[i]
		s := w.find(h.Name, h.Instance)
		for s.last = h.Last; s.heard < len(s.kept) && s.kept[s.heard].Seq <= h.Last; s.heard++ {
		}
	}
}
