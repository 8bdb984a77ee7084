package core

import (
	"math"
	"slices"

	"github.com/nanoring/nanoring/core/ledger"
	"github.com/nanoring/nanoring/core/wire"
)

// What is kept of questions.
const (
	mostQuestions = 1024      // that are open
	answerBytes   = 64 << 10  // of answers in a frame
	mostAnswers   = 1 << 20   // bytes that wait for one question; beyond, who answered is busy
	allAnswers    = 4 << 20   // bytes of answers to all of nodes, and as many to all of guests, beyond which there are no more; those of this node's own are its own
	keptAnswers   = 256 << 10 // bytes that are kept of those that are on their way
	mostWait      = wire.MaxWait * Millisecond
	usualWait     = 5 * Second
)

// question is one that is open, on its way: answers go back where it came from.
type question struct {
	_       incomparable
	id      newsID
	number  uint64 // of this node's own, for who is to answer it here; 0 for nobody
	from    ConnID // 0: it is this node's own
	until   int64  // the ring's clock
	answers []wire.Answer
	gone    int   // how many of them went that way: if it breaks, they may be lost
	rests   int64 // no other way is looked for before, since there was none
	kept    int   // bytes of those
	size    int   // bytes of the others, which wait
	ofGuest bool
	said    []string        // which guests of this node have answered
	cost    *ledger.Account // of a guest of this node, whose it is,
	charged int             // and bytes of those that wait that are on it
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
	replica  *replica
	spread   *spread
	open     []*question
	ofNodes  int    // bytes of answers to theirs,
	ofGuests int    // and to those of guests
	number   uint64 // of the last that was given to somebody here
	knows    bool   // who is up: this process has compared that with another
	asked    []*inquiry
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
	one := q.opened(newsID{n.Name, n.Instance, n.Seq}, n.from, left)
	if c := q.spread.overlay.conns[n.from]; c != nil && c.guest && c.cost.Take(q.now, costAsks, 1) == ledger.Enough {
		one.cost = c.cost
	}
}

// hasRoom says whether a guest may have one open question more.
func (q *questions) hasRoom(c *conn) bool {
	if len(q.open) >= mostQuestions || c.cost.Take(q.now, costAsks, 1) != ledger.Enough {
		return false
	}
	c.cost.Give(costAsks, 1) // it is opened when it is news
	return true
}

//go:noinline
func (q *questions) opened(id newsID, from ConnID, left int64) *question {
	s := q.replica.look(id.name)
	one := &question{id: id, from: from, until: q.now + left, ofGuest: s.guest}
	push(&q.open, one)
	return one
}

// held is how many bytes of answers are held to questions of its kind.
func (q *questions) held(one *question) *int {
	if one.ofGuest {
		return &q.ofGuests
	}
	return &q.ofNodes
}

// find returns a question, if it is open.
//
//go:noinline
func (q *questions) find(name string, instance wire.Instance, seq uint64) *question {
	for _, one := range q.open {
		if one.id.seq == seq && one.id.instance == instance && one.id.name == name {
			return one
		}
	}
	return nil
}

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
	size := bytesOf(&a)
	all := *q.held(one)
	if one.from == 0 {
		all = 0
	}
	switch {
	case one.size > 2*mostAnswers || all > 2*allAnswers:
		return // of so many names no ring is
	case one.size > mostAnswers || all > allAnswers || one.cost != nil && one.cost.Take(q.now, costAnswered, int64(size)) != ledger.Enough:
		a.Code, a.Payload = wire.CodeBusy, ""
		size = bytesOf(&a)
	case one.cost != nil:
		one.charged += size
	}
	one.answers = append(one.answers, a)
	one.size += size
	*q.held(one) += size
	q.spread.soon(coalesce)
}

// came takes in answers of others, and passes them on: of a guest of this node one.
func (q *questions) came(c *conn, f *wire.Frame) {
	one := q.find(f.Asker, f.Instance, f.Seq)
	if one == nil || c.guest && slices.Contains(one.said, c.name) {
		return // nobody asked that, or it is over
	}
	if c.guest {
		push(&one.said, c.name)
	}
	for i := range f.Answers {
		a := &f.Answers[i]
		q.put(one, wire.Answer{Name: kept(a.Name), Code: a.Code, Payload: kept(a.Payload)})
	}
}

// flush sends what waits, and says whether anything is left.
func (q *questions) flush() (left bool) {
	for _, one := range q.open {
		sent := true
		for sent && one.gone < len(one.answers) && q.now >= one.rests {
			sent = q.sendSome(one)
		}
		left = left || !sent && q.now >= one.rests // else a round comes to it
	}
	return left
}

// meet has what waits for a node go out now that it is connected.
func (q *questions) meet(name string) {
	for _, one := range q.open {
		if one.id.name == name {
			one.rests = 0
		}
	}
}

// sendSome sends some of the answers that wait, if that is possible now.
func (q *questions) sendSome(one *question) bool {
	if one.from == 0 {
		q.heard(one)
		return true
	}
	c, f, keeps := q.spread.overlay.conns[one.from], one.frame(), keptAnswers
	if *q.held(one) > allAnswers/4 {
		keeps = 0
	}
	switch {
	case c == nil || c.state != connEstablished: // that way is broken
		if !q.spread.carry(one.id.name, f) {
			one.rests = q.now + q.cfg.Period/2
			return false
		}
		keeps = 0
	case c.room():
		q.spread.put(c, f)
	default:
		return false
	}
	q.went(one, len(f.Answers), keeps)
	return true
}

// part sends anew what went by a connection that is over: who asked takes one answer
// of a name.
func (q *questions) part(c *conn) {
	for _, one := range q.open {
		if one.from == c.id && one.gone > 0 {
			one.size += one.kept
			one.gone, one.kept = 0, 0
			q.spread.soon(coalesce)
		}
	}
}

// frame has as many of the answers that wait as go into one.
func (one *question) frame() *wire.Frame {
	n := one.gone
	for size := 0; n < len(one.answers) && size < answerBytes-wire.MaxPayload-wire.MaxName; n++ {
		size += bytesOf(&one.answers[n])
	}
	return &wire.Frame{Kind: wire.KindAnswers, Asker: one.id.name, Instance: one.id.instance, Seq: one.id.seq, Answers: one.answers[one.gone:n]}
}

// went takes note that the next n answers are on their way, and keeps so many bytes of
// those that are, the last ones.
func (q *questions) went(one *question, n, keeps int) {
	for range n {
		size := bytesOf(&one.answers[one.gone])
		one.gone, one.kept, one.size = one.gone+1, one.kept+size, one.size-size
	}
	if over := one.charged - one.size; over > 0 {
		one.charged = one.size
		one.cost.Give(costAnswered, int64(over))
	}
	for one.kept > keeps {
		size := bytesOf(&one.answers[0])
		one.kept -= size
		*q.held(one) -= size
		one.gone, one.answers = one.gone-1, one.answers[1:]
	}
	if len(one.answers) == 0 {
		one.answers = nil
	}
}

// bytesOf is what an answer counts for that waits.
//
//go:noinline
func bytesOf(a *wire.Answer) int { return 48 + len(a.Name) + len(a.Payload) }

// ask asks: who is up, and picked, should answer.
func (q *questions) ask(cmd *Command, seq uint64, wait int64) {
	i := q.begun(cmd.ID, seq, min(cmd.Limit, math.MaxInt32), wait) // a host says it in 32 bits
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

// isLearning says whether this node is about to be told of more who are up: a question
// does not end before.
func (q *questions) isLearning() bool {
	return !q.knows && (q.cfg.Ephemeral || q.spread.overlay.gateway() != nil)
}

// learn takes note that this node knows who is up.
func (q *questions) learn(compared bool) {
	if compared && !q.knows {
		if q.knows = true; len(q.asked) > 0 {
			q.spread.soon(coalesce)
		}
	}
}

// rose has what is asked meanwhile be answered also by who is found to be up.
func (q *questions) rose(name string, s *standing) {
	own := q.spread.window.find(q.cfg.Name, q.cfg.Instance)
	if q.knows || len(q.asked) == 0 || own == nil {
		return
	}
	var n Node
	s.describe(name, &n)
	for _, i := range q.asked {
		m := own.get(i.seq)
		if _, asked := i.said[name]; asked || m == nil {
			continue
		}
		if f := FilterOf(m.Filter); f.Match(&n) {
			i.asks(name, false)
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
	i, all := q.inquiry(one.id.seq), one.answers
	for at := one.gone; i != nil && at < len(all); at++ {
		q.hear(i, &all[at])
	}
	q.went(one, len(all)-one.gone, 0)
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
	if s := q.replica.look(a.Name); said || q.isOver(i) || !asked && !s.isUp() && !q.isLearning() {
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

// isOver says whether there is nothing more to wait for.
//
//go:noinline
func (q *questions) isOver(i *inquiry) bool {
	return i.left < 0 || i.silent == 0 && !q.isLearning()
}

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
	sortNames(e.Names)
	drop(&q.asked, slices.Index(q.asked, i))
	return i.silent > 0
}

// end closes a question.
func (q *questions) end(name string, instance wire.Instance, seq uint64) {
	if one := q.find(name, instance, seq); one != nil {
		one.until = 0
		q.expire()
	}
}

// expire closes those whose time is over, or for whose answers nobody waits any more.
//
//go:noinline
func (q *questions) expire() {
	keep(&q.open, func(one *question) bool {
		if one.until > q.now && !q.isLeft(one) {
			return true
		}
		*q.held(one) -= one.size + one.kept
		if one.cost != nil {
			one.cost.Give(costAsks, 1)
			one.cost.Give(costAnswered, int64(one.charged))
		}
		return false
	})
}

// isLeft says whether who asked is a guest that is gone, or was begun again.
func (q *questions) isLeft(one *question) bool {
	s := q.replica.look(one.id.name)
	return s.guest && (s.state == Down || s.state == Left || older(one.id.instance, s.says.Instance))
}
