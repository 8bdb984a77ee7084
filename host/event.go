package host

import (
	"encoding/base64"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// event reads an event as docs/abi.md has it. Its Kind stays 0 if it is none
// that this host knows.
func (r *reader) event(e *core.Event) error {
	kind := ""
	for first := true; r.more(first); first = false {
		switch string(r.key()) {
		case "kind":
			kind, e.Kind = "said", eventKind(r.bytes())
		case "node":
			r.node(&e.Node)
		case "id":
			e.ID = r.uint(64)
		case "seq":
			e.Seq = r.uint(64)
		case "name":
			e.Name = string(r.bytes())
		case "address":
			e.Addr = string(r.bytes())
		case "code":
			e.Code = wire.Code(r.uint(16))
		case "text":
			e.Text = string(r.bytes())
		case "ahead_micros":
			e.Skew = r.int()
		case "topic":
			e.Topic = string(r.bytes())
		case "payload":
			e.Payload = r.base64()
		case "told":
			e.Told = r.bool()
		case "wait_micros":
			e.Wait = r.int()
		case "question":
			e.Question = r.uint(64)
		case "names":
			e.Names = r.texts()
		default:
			r.skip(0)
		}
	}
	if kind == "" {
		r.fail("it has no kind")
	}
	return r.end()
}

func (r *reader) node(n *core.Node) {
	for first := true; r.more(first); first = false {
		switch string(r.key()) {
		case "name":
			n.Name = string(r.bytes())
		case "state":
			n.State = r.state()
		case "ephemeral":
			n.Ephemeral = r.bool()
		case "cordoned":
			n.Cordoned = r.bool()
		case "address":
			n.Address = string(r.bytes())
		case "via":
			n.Via = string(r.bytes())
		case "incarnation":
			n.Incarnation = r.int()
		case "instance":
			n.Instance = r.instance()
		case "version":
			n.Version = uint8(r.uint(8))
		case "tags":
			for first := true; r.more(first); first = false {
				key := string(r.key())
				n.Tags = append(n.Tags, wire.Tag{Key: key, Value: string(r.bytes())})
			}
		default:
			r.skip(0)
		}
	}
}

func eventKind(word []byte) core.EventKind {
	for k := core.EventNode; k.String() != core.EventKind(0).String(); k++ {
		if string(word) == k.String() {
			return k
		}
	}
	return 0
}

func (r *reader) state() core.State {
	word := r.bytes()
	for s := core.Unknown; s <= core.Removed; s++ {
		if string(word) == s.String() {
			return s
		}
	}
	r.fail("a state that there is not")
	return 0
}

// instance reads start-nonce: decimal, and 16 hex digits.
func (r *reader) instance() (i wire.Instance) {
	word := r.bytes()
	dash := len(word) - 17
	if dash < 1 || word[dash] != '-' {
		r.fail("an instance that is none")
		return i
	}
	for _, c := range word[dash+1:] {
		d := hexDigit(c)
		if d > 15 {
			r.fail("an instance that is none")
		}
		i.Nonce = i.Nonce<<4 | uint64(d)
	}
	number := reader{b: word[:dash]}
	i.Start = number.int()
	if number.end() != nil {
		r.fail("an instance that is none")
	}
	return i
}

// base64 reads bytes as a message's payload has them.
func (r *reader) base64() string {
	b, err := base64.StdEncoding.Strict().DecodeString(string(r.bytes()))
	if err != nil {
		r.fail("a payload that is no base64")
	}
	return string(b)
}

// texts reads an array of strings.
func (r *reader) texts() (all []string) {
	r.take('[')
	for r.err == nil && r.next() != ']' {
		if len(all) > 0 {
			r.take(',')
		}
		all = append(all, string(r.bytes()))
	}
	r.take(']')
	return all
}
