package wire

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
