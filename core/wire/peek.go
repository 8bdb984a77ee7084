package wire

import "strconv"

// Peeked is what begins a frame.
type Peeked struct {
	Kind Kind
	Seq  uint64 // gossip, ack
	Wall int64  // gossip, ack: the sender's clock, Unix microseconds
}

// Peek reads what begins a frame, and nothing else of it: it is for who counts frames
// and passes them on. Of bytes that are no frame it says kind 0, or whatever they begin with.
func Peek(frame []byte) (p Peeked) {
	if len(frame) < 2 || frame[0]&0xf0 != 0x90 {
		return p
	}
	kind, rest, ok := peekUint(frame[1:])
	if !ok || kind < 1 || kind >= uint64(Kinds) {
		return p
	}
	p.Kind = Kind(kind)
	if p.Kind != KindGossip && p.Kind != KindAck {
		return p
	}
	if seq, rest, ok := peekUint(rest); ok {
		if wall, _, ok := peekUint(rest); ok {
			p.Seq, p.Wall = seq, int64(wall)
		}
	}
	return p
}

// peekUint reads an integer that is not negative.
func peekUint(b []byte) (v uint64, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	opens, b := b[0], b[1:]
	if opens < 0x80 {
		return uint64(opens), b, true
	}
	if opens < 0xcc || opens > 0xcf {
		return 0, nil, false
	}
	width := 1 << (opens - 0xcc)
	if len(b) < width {
		return 0, nil, false
	}
	for _, c := range b[:width] {
		v = v<<8 | uint64(c)
	}
	return v, b[width:], true
}

// String returns the kind's word, as docs/protocol.md has it.
func (k Kind) String() string {
	if int(k) < len(kindWords) && kindWords[k] != "" {
		return kindWords[k]
	}
	return "kind-" + strconv.Itoa(int(k))
}

var kindWords = [...]string{
	KindHello: "hello", KindGossip: "gossip", KindAck: "ack", KindRumor: "rumor",
	KindSync: "sync", KindSynced: "synced", KindProbe: "probe", KindAlive: "alive",
	KindRelay: "relay", KindError: "error", KindRefused: "refused", KindCordon: "cordon",
	KindMessage: "message", KindSeen: "seen", KindHave: "have", KindWant: "want", KindTook: "took",
	KindHear: "hear", KindTell: "tell", KindSaid: "said", KindAnswers: "answers", KindIDs: "ids",
	KindKnown: "known", KindLack: "lack",
}
