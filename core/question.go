package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/wire"
)

// What is kept of questions.
const (
	mostQuestions = 1024      // that are open
	answerBytes   = 64 << 10  // of answers in a frame
	mostAnswers   = 1 << 20   // bytes that wait for one question; beyond, who answered is busy
	keptAnswers   = 256 << 10 // bytes that are kept of those that are on their way
	mostWait      = wire.MaxWait * Millisecond
	usualWait     = 5 * Second
)

// question is one that is open, on its way: answers go back where it came from.
type question struct {
	_      incomparable
	id     newsID
	number uint64 // of this node's own, for who is to answer it here; 0 for nobody
	from   ConnID // 0: it is this node's own
	until  int64  // the ring's clock
	out    []wire.Answer
	size   int           // of out
	gone   []wire.Answer // that went that way: if it breaks, they may be lost
	kept   int           // bytes of them
}

// inquiry is a question that this node asks.
type inquiry struct {
	_      incomparable
	id     uint64 // of the command
	seq    uint64
	left   int             // answers that are wanted; 0 for all
	names  []string        // who is asked
	said   map[string]bool // of them, and who was not known to be: whether it has answered
	silent int
	until  int64 // the ring's clock
	timer  *timer
}

// questions owns those that are open here, and those that this node asks.
type questions struct {
	*self
	replica *replica
	spread  *spread
	open    []*question
	by      map[newsID]*question
	number  uint64 // of the last that was given to somebody here
	asked   []*inquiry
}

func newQuestions(s *self, rep *replica, sp *spread) questions {
	return questions{self: s, replica: rep, spread: sp, by: make(map[newsID]*question)}
}

// begin opens a question that came; one too many is answered by nobody.
func (q *questions) begin(n *news) {
	if len(q.open) >= mostQuestions {
		return
	}
	left := int64(n.Wait)*Millisecond - (q.newsTime() - n.sent)
	if left <= 0 {
		return
	}
	q.opened(newsID{n.Name, n.Instance, n.Seq}, n.from, left)
}

//go:noinline
func (q *questions) opened(id newsID, from ConnID, left int64) *question {
	one := &question{id: id, from: from, until: q.now + left}
	push(&q.open, one)
	q.by[id] = one
	return one
}

// of returns the question of a message, if it is open.
func (q *questions) of(n *news) *question { return q.by[newsID{n.Name, n.Instance, n.Seq}] }

// give gives a question a number, by which it is answered here.
func (q *questions) give(one *question) uint64 {
	q.number++
	one.number = q.number
	return one.number
}

// answer takes the answer of somebody here.
func (q *questions) answer(number uint64, a wire.Answer) bool {
	for _, one := range q.open {
		if one.number == number && number != 0 {
			one.number = 0
			q.put(one, a)
			return true
		}
	}
	return false
}

// put puts an answer on its way.
//
//go:noinline
func (q *questions) put(one *question, a wire.Answer) {
	if one.size > mostAnswers {
		a.Code, a.Payload = wire.CodeBusy, ""
	}
	one.out = append(one.out, a)
	one.size += len(a.Name) + len(a.Payload)
	q.spread.soon(coalesce)
}

// came takes in answers of others, and passes them on.
func (q *questions) came(f *wire.Frame) {
	one := q.by[newsID{f.Asker, f.Instance, f.Seq}]
	if one == nil {
		return // nobody asked that, or it is over
	}
	for _, a := range f.Answers {
		q.put(one, wire.Answer{Name: kept(a.Name), Code: a.Code, Payload: kept(a.Payload)})
	}
}

// flush sends what waits, and says whether anything is left.
func (q *questions) flush() (left bool) {
	for _, one := range q.open {
		for len(one.out) > 0 {
			if one.from == 0 {
				q.heard(one)
				break
			}
			c, f := q.spread.overlay.conns[one.from], one.frame()
			if c == nil || c.state != connEstablished { // that way is broken
				if !q.spread.carry(one.id.name, f) {
					left = true
					break
				}
			} else if c.room() {
				q.spread.put(c, f)
				one.keep(f.Answers)
			} else {
				left = true
				break
			}
			one.took(len(f.Answers))
		}
	}
	return left
}

// keep keeps answers that are on their way, the last ones if they are too many.
func (one *question) keep(answers []wire.Answer) {
	for _, a := range answers {
		one.gone = append(one.gone, a)
		one.kept += len(a.Name) + len(a.Payload)
	}
	for one.kept > keptAnswers {
		one.kept -= len(one.gone[0].Name) + len(one.gone[0].Payload)
		one.gone = one.gone[1:]
	}
}

// part sends anew what went by a connection that is over: who asked takes one answer
// of a name.
func (q *questions) part(c *conn) {
	for _, one := range q.open {
		if one.from == c.id && len(one.gone) > 0 {
			again := one.gone
			one.gone, one.kept = nil, 0
			for _, a := range again {
				q.put(one, a)
			}
		}
	}
}

// frame has as many of the answers that wait as go into one.
func (one *question) frame() *wire.Frame {
	n := 0
	for size := 0; n < len(one.out) && size < answerBytes-wire.MaxPayload-wire.MaxName; n++ {
		size += 8 + len(one.out[n].Name) + len(one.out[n].Payload)
	}
	return &wire.Frame{Kind: wire.KindAnswers, Asker: one.id.name, Instance: one.id.instance, Seq: one.id.seq, Answers: one.out[:n]}
}

// took takes note that the first n answers are gone.
func (one *question) took(n int) {
	for _, a := range one.out[:n] {
		one.size -= len(a.Name) + len(a.Payload)
	}
	if one.out = one.out[n:]; len(one.out) == 0 {
		one.out = nil
	}
}

// ask asks: who is up, and picked, should answer.
func (q *questions) ask(cmd *Command, seq uint64, wait int64) {
	i := q.begun(cmd.ID, seq, cmd.Limit, wait)
	var n Node
	for at := range q.replica.up.Len() {
		name := q.replica.up.At(at).Name
		if s := q.replica.look(name); s.isUp() {
			if s.describe(name, &n); cmd.Filter.Match(&n) {
				i.asks(name, false)
			}
		}
	}
}

// begun begins an inquiry, for so long.
//
//go:noinline
func (q *questions) begun(id, seq uint64, limit int, wait int64) *inquiry {
	i := &inquiry{id: id, seq: seq, left: limit, said: make(map[string]bool), until: q.now + wait}
	i.timer = q.after(wait, askDue, "", seq)
	push(&q.asked, i)
	return i
}

// asks takes note of one who is asked, and whether it has answered.
//
//go:noinline
func (i *inquiry) asks(name string, said bool) {
	push(&i.names, name)
	if i.said[name] = said; !said {
		i.silent++
	}
}

// heard takes in what this node's own question was answered.
func (q *questions) heard(one *question) {
	for _, a := range one.out {
		if i := q.inquiry(one.id.seq); i != nil {
			q.hear(i, &a)
		}
	}
	one.took(len(one.out))
}

func (q *questions) inquiry(seq uint64) *inquiry {
	for _, i := range q.asked {
		if i.seq == seq {
			return i
		}
	}
	return nil
}

// hear takes one answer of a name: of one that was asked, or that came up since.
func (q *questions) hear(i *inquiry, a *wire.Answer) {
	said, asked := i.said[a.Name]
	if s := q.replica.look(a.Name); said || i.over() || !asked && !s.isUp() {
		return
	}
	if i.said[a.Name] = true; asked {
		i.silent--
	} else {
		push(&i.names, a.Name)
	}
	if a.Code == wire.CodeNobody {
		return
	}
	e := q.event(EventAnswer)
	e.ID, e.Name, e.Code, e.Payload = i.id, a.Name, a.Code, a.Payload
	if a.Code == 0 && i.left > 0 {
		if i.left--; i.left == 0 {
			i.left = -1
		}
	}
}

// over says whether there is nothing more to wait for.
func (i *inquiry) over() bool { return i.left < 0 || i.silent == 0 }

// finish ends an inquiry, and says whether somebody may still answer.
func (q *questions) finish(i *inquiry) bool {
	i.timer.stop()
	e := q.event(EventDone)
	e.ID = i.id
	for _, name := range i.names {
		if !i.said[name] {
			push(&e.Names, name)
		}
	}
	drop(&q.asked, slices.Index(q.asked, i))
	return i.silent > 0
}

// end closes a question.
func (q *questions) end(id newsID) {
	if one := q.by[id]; one != nil {
		one.until = 0
		q.expire()
	}
}

// expire closes those whose time is over.
//
//go:noinline
func (q *questions) expire() {
	keep(&q.open, func(one *question) bool {
		if one.until <= q.now {
			delete(q.by, one.id)
		}
		return one.until > q.now
	})
}
