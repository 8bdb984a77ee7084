package wire

import "math"

// Verb is what a message is for.
type Verb uint8

// The verbs. Those but send and ask are between engines.
const (
	VerbVoid Verb = 0 // nothing: its number was used, and refused by its sender's gateway
	VerbSend Verb = 1
	VerbAsk  Verb = 2
	VerbOff  Verb = 3 // the question before it by Wait is called off
	VerbGap  Verb = 4 // of a gateway to its guest: what came before it is lost
)

// Message is one message. Its strings alias the frame.
type Message struct {
	Age      uint64 // milliseconds since it was sent, as far as those know who had it
	Name     string // the sender,
	Instance Instance
	Seq      uint64 // and its number there: ascending, 1 at least
	Step     uint64 // by so much the number is greater than that of the message before
	Since    uint64 // milliseconds since that one, Window for longer
	Verb     Verb
	Topic    string
	Payload  string
	Wait     uint64   // ask: milliseconds for which it is open; off: by so much its number is greater than the question's
	Filter   []string // send, ask: of a state, of a name, then of tags; nil for all
}

// Stream is what was seen of the messages of one process.
type Stream struct {
	Name     string
	Instance Instance
	Old      uint64   // seen: the last of a second ago that is had with all before it
	Upto     uint64   // seen, hear: the last that is had with all before it
	Seqs     []uint64 // seen: what is had beyond Upto; have, want: which. Ascending
}

// Tell is a message to one node.
type Tell struct {
	Age     uint64 // milliseconds
	Before  uint64 // the number of the one before it that is not confirmed, or 0
	Topic   string
	Payload string
}

// Answer is one node's answer to a question.
type Answer struct {
	Name    string
	Code    Code // 0, or why there is none: nobody answers there, or it is busy
	Payload string
}

// ValidTopic says what is wrong with a topic: it has 1 to MaxTopic bytes of
// a-z A-Z 0-9 . _ -.
func ValidTopic(topic string) error { return validTopic("topic ", topic, false) }

// ValidPattern says what is wrong with a pattern of topics, in which '*' stands for
// any characters.
func ValidPattern(pattern string) error { return validTopic("topic ", pattern, true) }

func validTopic(what, s string, star bool) error {
	if detail := checkTopic(s, star); detail != "" {
		return &Error{Class: ErrTopic, Where: what + Quote(s), Detail: detail, Offset: -1}
	}
	return nil
}

func checkTopic(s string, star bool) (detail string) {
	switch {
	case s == "":
		return "empty"
	case len(s) > MaxTopic:
		return "longer than 64 bytes"
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-' || c == '*' && star) {
			return "contains another character than a-z, A-Z, 0-9, '.', '_' and '-'"
		}
	}
	return ""
}

func (w *writer) messages(ms []Message) {
	w.array(len(ms))
	for i := range ms {
		w.message(&ms[i])
	}
}

//go:noinline
func (w *writer) message(m *Message) {
	w.array(11)
	w.uint(m.Age)
	w.string(m.Name)
	w.instance(&m.Instance)
	w.uint(m.Seq)
	w.uint(m.Step)
	w.uint(m.Since)
	w.uint(uint64(m.Verb))
	w.string(m.Topic)
	w.bytes(m.Payload)
	w.uint(m.Wait)
	w.texts(m.Filter)
}

// Size is how many bytes a message takes in a frame, at most.
func (m *Message) Size() int {
	n := 64 + len(m.Name) + len(m.Topic) + len(m.Payload)
	for _, term := range m.Filter {
		n += 3 + len(term)
	}
	return n
}

//go:noinline
func (w *writer) texts(all []string) {
	w.array(len(all))
	for _, s := range all {
		w.string(s)
	}
}

//go:noinline
func (w *writer) streams(ss []Stream) {
	w.array(len(ss))
	for i := range ss {
		s := &ss[i]
		w.array(5)
		w.string(s.Name)
		w.instance(&s.Instance)
		w.uint(s.Old)
		w.uint(s.Upto)
		w.array(len(s.Seqs))
		for _, seq := range s.Seqs {
			w.uint(seq)
		}
	}
}

func (w *writer) answers(as []Answer) {
	w.array(len(as))
	for i := range as {
		w.array(3)
		w.string(as[i].Name)
		w.uint(uint64(as[i].Code))
		w.bytes(as[i].Payload)
	}
}

// The fewest bytes that a message, a stream and an answer have.
const (
	leastMessage = 17
	leastStream  = 9
	leastAnswer  = 6
)

// room takes an array's header, and says for how many elements there is to be room,
// of so many bytes at least: the header may lie.
func (r *reader) room(least int, where string) (n, room int) {
	n = r.array(where)
	return n, min(n, (len(r.s)-r.i)/least)
}

// messages takes an array of messages into into's space.
func (r *reader) messages(into []Message) []Message {
	n, room := r.room(leastMessage, "messages")
	if into = into[:0]; cap(into) < room {
		into = make([]Message, 0, room)
	}
	for ; n > 0 && r.err == nil; n-- {
		into = append(into, Message{})
		r.message(&into[len(into)-1])
	}
	return into
}

func (r *reader) message(m *Message) {
	r.shape(11, "message")
	m.Age = r.upTo(0, Window, "message.age")
	m.Name = r.name("message.name")
	m.Instance = r.instance("message.instance")
	m.Seq = r.number("message.seq")
	m.Step = r.upTo(1, m.Seq, "message.step")
	m.Since = r.upTo(0, Window, "message.since")
	m.Verb = Verb(r.upTo(0, uint64(VerbGap), "message.verb"))
	says := m.Verb == VerbSend || m.Verb == VerbAsk
	at := r.i
	if m.Topic = r.text("message.topic"); says {
		r.topic(at, m.Topic, false, "message.topic")
	} else if m.Topic != "" {
		r.fail(at, ErrShape, "message.topic", "this verb has none")
	}
	at = r.i
	if m.Payload = r.payload("message.payload"); !says && m.Payload != "" {
		r.fail(at, ErrShape, "message.payload", "this verb has none")
	}
	least, most := uint64(0), uint64(0)
	switch m.Verb {
	case VerbAsk:
		least, most = 1, MaxWait
	case VerbOff:
		least, most = 1, m.Seq-1
	}
	m.Wait = r.upTo(least, most, "message.wait")
	at = r.i
	m.Filter = r.filter("message.filter")
	if !says && m.Filter != nil {
		r.fail(at, ErrShape, "message.filter", "this verb has none")
	}
}

// number takes that of a message: a time's range, and not 0.
func (r *reader) number(where string) uint64 { return r.upTo(1, math.MaxInt64, where) }

func (r *reader) payload(where string) string {
	at := r.i
	s := r.bytes(where)
	if len(s) > MaxPayload {
		r.fail(at, ErrTooBig, where, "longer than 8192 bytes")
	}
	return s
}

func (r *reader) topic(at int, s string, star bool, where string) {
	if r.err == nil {
		if detail := checkTopic(s, star); detail != "" {
			r.fail(at, ErrTopic, where, detail)
		}
	}
}

// patterns takes patterns of topics.
func (r *reader) patterns(where string) []string {
	at := r.i
	all := r.texts(MaxTopics, where)
	for _, s := range all {
		r.topic(at, s, true, where)
	}
	return all
}

// filter takes the texts of a filter; what they say is for others to judge.
func (r *reader) filter(where string) []string {
	at := r.i
	all := r.texts(MaxTerms, where)
	size := 0
	for _, s := range all {
		size += len(s)
	}
	if len(all) == 1 || size > MaxFilter {
		r.fail(at, ErrRange, where, "not a state, a name and terms, of 1024 bytes together")
	}
	return all
}

//go:noinline
func (r *reader) texts(most int, where string) (all []string) {
	at := r.i
	n := r.array(where)
	if n > most {
		r.fail(at, ErrRange, where, "more than there may be")
	}
	for ; n > 0 && r.err == nil; n-- {
		all = append(all, r.text(where))
	}
	return all
}

// streams takes an array of streams into into's space.
func (r *reader) streams(into []Stream) []Stream {
	n, room := r.room(leastStream, "streams")
	if into = into[:0]; cap(into) < room {
		into = make([]Stream, 0, room)
	}
	for ; n > 0 && r.err == nil; n-- {
		into = append(into, Stream{})
		r.stream(&into[len(into)-1])
	}
	return into
}

func (r *reader) stream(s *Stream) {
	r.shape(5, "stream")
	s.Name = r.name("stream.name")
	s.Instance = r.instance("stream.instance")
	s.Old = r.upTo(0, math.MaxInt64, "stream.old")
	s.Upto = r.upTo(s.Old, math.MaxInt64, "stream.upto")
	n, room := r.room(1, "stream.seqs")
	if room > 0 {
		s.Seqs = make([]uint64, 0, room)
	}
	for last := s.Upto; n > 0 && r.err == nil; n-- {
		last = r.upTo(last+1, math.MaxInt64, "stream.seqs")
		s.Seqs = append(s.Seqs, last)
	}
}

func (r *reader) answers() (all []Answer) {
	n, room := r.room(leastAnswer, "answers")
	if room > 0 {
		all = make([]Answer, 0, room)
	}
	for ; n > 0 && r.err == nil; n-- {
		r.shape(3, "answer")
		all = append(all, Answer{r.name("answer.name"), Code(r.upTo(0, 1<<16-1, "answer.code")), r.payload("answer.payload")})
	}
	return all
}
