package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/wire"
)

// How much may be said. A message counts as one, and for each unitBytes as one more.
const (
	unitBytes                = 256
	senderBurst, senderRate  = 2048, 1024 // of this node's programs
	guestSays, guestSaysRate = 128, 32    // of a guest's;
	backlogSays              = 1280       // its gateway takes so much at once, and twice the rate: what waited while it had none
)

// messages owns what the ring carries: what programs send, tell and ask. It is apart from
// what the ring knows of itself, which it reads and never writes, and gives way to it.
//
// A message goes one straight way: it comes into the window, which knows whether it
// is news; it is spread to the peers; and when its turn in its stream has come it is
// heard, by programs and guests.
type messages struct {
	*self
	replica   *replica
	overlay   *overlay
	window    window
	spread    spread
	hearing   hearing
	questions questions
	tells     tells
	seq       uint64     // of the last message of this node
	before    uint64     // and of the last that was no tell,
	beforeAt  int64      // sent then, by the monotonic clock
	rate      allowance  // of this node's programs
	pace      pace       // of this node's guests
	unsaid    []*telling // what a guest's gateway has yet to take
	carried   wire.News  // until Start
}

// backlog is for how long frames may come that have waited while this process did not
// run, on connections of before.
const backlog = 2 * Second

// init makes it ready: its parts know of each other, so it stays where it is.
func (ms *messages) init(s *self, rep *replica, o *overlay) {
	ms.self, ms.replica, ms.overlay = s, rep, o
	ms.window = newWindow(&s.clock)
	ms.spread = spread{self: s, overlay: o, window: &ms.window}
	ms.questions = questions{self: s, replica: rep, spread: &ms.spread}
	ms.hearing = hearing{self: s, replica: rep, overlay: o, spread: &ms.spread, questions: &ms.questions}
	ms.tells = tells{spread: &ms.spread}
}

// units is what a message counts for.
func units(topic, payload string) int64 { return 1 + int64(len(topic)+len(payload))/unitBytes }

// do carries out a command.
func (ms *messages) do(cmd *Command) (wire.Code, string) {
	switch cmd.Op {
	case Hear:
		if code, text := ms.hearing.subscribe(&cmd.Hear); code != 0 {
			return code, text
		}
		ms.replica.result(cmd.ID, "", 0, "")
		return 0, ""
	case Answer:
		return ms.answer(cmd)
	case CallOff:
		return ms.callOff(cmd)
	}
	if ms.isPending(cmd.ID) {
		return 0, "" // it was given again after a takeover
	}
	if err := wire.ValidTopic(cmd.Topic); err != nil {
		return wire.CodeInvalid, err.Error()
	}
	if len(cmd.Payload) > wire.MaxPayload {
		return wire.CodeInvalid, "the payload has " + tooLong(len(cmd.Payload), wire.MaxPayload)
	}
	wait := orDefault(cmd.Timeout, usualWait)
	switch {
	case cmd.Op == Tell && ms.replica.look(cmd.Name).state == Removed:
		return wire.CodeUnknown, "no node of this ring is called " + cmd.Name
	case cmd.Op == Ask && (wait < Millisecond || wait > mostWait || cmd.Limit < 0):
		return wire.CodeInvalid, "a question is open for 1 ms to 10 min, and its limit is not negative"
	}
	burst, rate := int64(senderBurst), int64(senderRate)
	if ms.cfg.Ephemeral {
		burst, rate = guestSays, guestSaysRate
	}
	if ms.window.isFull() || !ms.rate.take(ms.now, units(cmd.Topic, cmd.Payload), burst, rate) {
		return wire.CodeBusy, "too many messages at once: try again later"
	}
	if cmd.Op == Tell {
		return ms.tell(cmd)
	}
	m := wire.Message{Verb: wire.VerbSend, Topic: cmd.Topic, Payload: cmd.Payload, Filter: cmd.Filter.Terms()}
	if cmd.Op == Ask {
		m.Verb, m.Wait = wire.VerbAsk, uint64(wait/Millisecond)
		ms.questions.ask(cmd, ms.seq+1, wait)
	}
	if ms.cfg.Ephemeral {
		push(&ms.unsaid, &telling{id: cmd.ID, seq: ms.seq + 1, begun: ms.newsTime()})
	} else {
		ms.replica.result(cmd.ID, "", 0, "")
	}
	ms.say(&m)
	return 0, ""
}

// isPending says whether a command was taken in already, and has no result yet.
func (ms *messages) isPending(id uint64) bool {
	is := func(one *telling) bool { return one.id == id }
	return slices.ContainsFunc(ms.unsaid, is) || slices.ContainsFunc(ms.tells.list, is)
}

// say sends a message of this node.
func (ms *messages) say(m *wire.Message) {
	ms.seq++
	m.Name, m.Instance, m.Seq, m.Step = ms.cfg.Name, ms.cfg.Instance, ms.seq, ms.seq-ms.before
	m.Since = wire.Window
	if ms.before != 0 {
		m.Since = min(ms.window.age(ms.beforeAt), wire.Window)
	}
	ms.before, ms.beforeAt = ms.seq, ms.newsTime()
	ms.take(m, nil)
}

// stream finds the stream of a process, or begins it; nil if there are too many. Two of each name
// that is known have room, however many others there are.
//
//go:noinline
func (ms *messages) stream(name string, instance wire.Instance) *stream {
	names := ms.replica.nodes.Len()
	if len(ms.window.byName[name]) < 2 && ms.replica.isMember(name) {
		names = len(ms.window.streams)
	}
	return ms.window.stream(name, instance, names)
}

// take is the one way of a message: it is news, spreads, and is heard in its turn.
func (ms *messages) take(m *wire.Message, from *conn) {
	s := ms.stream(m.Name, m.Instance)
	if s == nil || from != nil && m.Seq > ms.seq && m.Instance == ms.cfg.Instance && m.Name == ms.cfg.Name {
		return // too many, or in this node's own name
	}
	if from != nil && ms.mayHaveWaited(from) {
		if m.Age += uint64(ms.nap / Millisecond); ms.nap > newsFor/2 {
			from.line.doubted = from.guest
			return // what is news all the same is found by comparing
		}
	}
	n := ms.window.take(s, m)
	if n == nil {
		if n = s.get(m.Seq); n != nil && from != nil {
			ms.spread.again(n, from)
		}
		return
	}
	if from != nil {
		n.from = from.id
	}
	ms.spread.news(n, from)
	if n.Verb == wire.VerbAsk {
		ms.questions.begin(n)
	}
	ms.hearNext(s, nil)
	ms.trim()
}

// mayHaveWaited says whether what comes on a connection may have been sent before this
// process was run again.
func (ms *messages) mayHaveWaited(c *conn) bool {
	return c.line.met < ms.woke && ms.newsTime()-ms.woke < backlog
}

// askGuests asks guests again for what may have waited here for too long.
func (ms *messages) askGuests() {
	for _, c := range ms.overlay.live {
		if c.line.doubted && !ms.mayHaveWaited(c) {
			c.line.doubted = false
			ms.spread.show(c, wire.KindSeen, 0, ms.window.seen(c.name, c.instance))
		}
	}
}

// hearNext has all be heard whose turn it is, up to one message for which nothing is
// waited any more.
func (ms *messages) hearNext(s *stream, last *news) {
	for {
		n, lost := ms.window.next(s, last != nil && s.last < last.Seq)
		if n == nil {
			return
		}
		ms.hearing.lost(s, n.Seq-n.Step, lost)
		ms.hearing.heard(n)
	}
}

// trim lets go of what is no news any more. What came after something that did not
// come waits no longer.
func (ms *messages) trim() {
	for n := ms.window.oldest(); n != nil; n = ms.window.oldest() {
		ms.hearNext(n.stream, n)
		ms.window.leave()
	}
}

// flush sends what waits.
func (ms *messages) flush() {
	ms.spread.flushing = false
	left := ms.spread.flush()
	left = ms.questions.flush() || left
	ms.tells.flush()
	for i := 0; i < len(ms.questions.asked); {
		if one := ms.questions.asked[i]; ms.questions.isOver(one) {
			ms.finish(one)
		} else {
			i++
		}
	}
	if left {
		ms.spread.soon(flushEvery)
	}
}

// finish ends a question of this node's own; who has not answered need not any more.
func (ms *messages) finish(one *inquiry) {
	if open := ms.questions.finish(one); open {
		ms.say(&wire.Message{Verb: wire.VerbOff, Wait: ms.seq + 1 - one.seq})
	} else {
		ms.questions.end(ms.cfg.Name, ms.cfg.Instance, one.seq)
	}
}

// endAsk ends a question whose time is over.
func (ms *messages) endAsk(seq uint64) {
	if one := ms.questions.inquiry(seq); one != nil {
		ms.finish(one)
	}
}

func (ms *messages) callOff(cmd *Command) (wire.Code, string) {
	for _, one := range ms.questions.asked {
		if one.id == cmd.Question {
			ms.replica.result(cmd.ID, "", 0, "")
			ms.finish(one)
			return 0, ""
		}
	}
	return wire.CodeInvalid, "no question of that number is open"
}

func (ms *messages) answer(cmd *Command) (wire.Code, string) {
	if len(cmd.Payload) > wire.MaxPayload {
		return wire.CodeInvalid, "the answer has " + tooLong(len(cmd.Payload), wire.MaxPayload)
	}
	a := wire.Answer{Name: ms.cfg.Name, Code: cmd.Code, Payload: string([]byte(cmd.Payload))}
	if !ms.questions.answer(cmd.Question, a) {
		return wire.CodeInvalid, "no question of that number is open: it was answered, called off, or its time is over"
	}
	ms.replica.result(cmd.ID, "", 0, "")
	return 0, ""
}

// tell sends a message to one node.
func (ms *messages) tell(cmd *Command) (wire.Code, string) {
	ms.seq++
	if cmd.Name == ms.cfg.Name {
		if !ms.hearing.told(cmd.Name, cmd.Topic, cmd.Payload) {
			return wire.CodeNobody, nobodyHears(cmd.Name, cmd.Topic)
		}
		ms.replica.result(cmd.ID, cmd.Name, 0, "")
	} else if !ms.tells.begin(cmd, ms.seq) {
		return wire.CodeBusy, "too many messages to single nodes are under way: try again later"
	}
	return 0, ""
}

func nobodyHears(name, topic string) string { return "nobody at " + name + " hears " + topic }

// round does what a node does each Period, while something is news: it compares with
// the peer whose turn it is.
func (ms *messages) round(c *conn) {
	ms.trim()
	for _, s := range ms.window.active { // some wait for what is no news any more
		ms.hearNext(s, nil)
	}
	ms.askGuests()
	ms.questions.expire()
	for one := ms.tells.expired(); one != nil; one = ms.tells.expired() {
		ms.replica.result(one.id, one.to, wire.CodeUnreachable, one.to+" has not confirmed it in 30 s: it may have heard it, or not")
	}
	for len(ms.unsaid) > 0 && ms.newsTime()-ms.unsaid[0].begun >= newsFor {
		ms.replica.result(ms.unsaid[0].id, "", wire.CodeNobody, "no gateway has taken it in 30 s")
		drop(&ms.unsaid, 0)
	}
	if c != nil && !c.guest && !ms.cfg.Ephemeral {
		ms.spread.compare(c)
	}
	if len(ms.tells.list)+len(ms.questions.open) > 0 {
		ms.spread.soon(coalesce)
	}
}

// meet begins with a connection that is established.
func (ms *messages) meet(c *conn) {
	ms.spread.meet(c)
	switch {
	case ms.cfg.Ephemeral:
		ms.hearing.greet(c)
	case !c.guest:
		ms.spread.compare(c)
	}
	ms.questions.meet(c.name)
	if len(ms.tells.list)+len(ms.questions.open) > 0 {
		ms.spread.soon(coalesce)
	}
}
