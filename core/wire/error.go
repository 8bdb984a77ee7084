package wire

import "strconv"

// Class is the rule that bad bytes broke. Each class is an error of its own, to
// be compared with errors.Is.
type Class uint8

// The classes.
const (
	ErrTruncated Class = iota + 1 // the bytes end early, or a length claims more than there are
	ErrTrailing                   // bytes follow the end
	ErrTooBig                     // over a limit in bytes
	ErrKind                       // no such kind of frame, item or set
	ErrVersion                    // a snapshot of another version
	ErrType                       // another msgpack type than belongs here
	ErrShape                      // an array of another length, a key missing, a record in the wrong item
	ErrCanonical                  // not the one encoding that the value has
	ErrRange                      // a number out of range
	ErrDepth                      // nested too deep
	ErrUTF8                       // a string that is not UTF-8
	ErrName                       // not a name: see ValidName
	ErrAddress                    // not an address: see ValidAddress
	ErrTopic                      // not a topic, or a pattern of topics: see ValidTopic
)

var classWords = [...]string{
	ErrTruncated: "truncated", ErrTrailing: "trailing", ErrTooBig: "too-big", ErrKind: "kind",
	ErrVersion: "version", ErrType: "type", ErrShape: "shape", ErrCanonical: "canonical",
	ErrRange: "range", ErrDepth: "depth", ErrUTF8: "utf8", ErrName: "name", ErrAddress: "address",
	ErrTopic: "topic",
}

// Error returns the class's word, as docs/protocol.md and the vectors have it.
func (c Class) Error() string {
	if int(c) < len(classWords) && c != 0 {
		return classWords[c]
	}
	return "class-" + strconv.Itoa(int(c))
}

// Error says what is wrong with some bytes, and where.
type Error struct {
	Class  Class
	Where  string // the part: "record.stamp"
	Detail string // for people
	Offset int    // the byte at which that part, or what is wrong in it, begins; -1 if it was not in a frame
}

// Error returns one line for people.
func (e *Error) Error() string {
	text := e.Where + ": " + e.Detail
	if e.Offset >= 0 {
		text += " (" + e.Class.Error() + ", byte " + strconv.Itoa(e.Offset) + ")"
	}
	return text
}

// Unwrap returns the class.
func (e *Error) Unwrap() error { return e.Class }

// detail is what there is to say of the class where no more is known.
func (c Class) detail() string {
	switch c {
	case ErrTruncated:
		return "it needs more bytes than there are"
	case ErrType:
		return "another type than belongs here"
	case ErrCanonical:
		return "not in its one encoding: the shortest, with map keys that ascend"
	case ErrRange:
		return "out of range"
	case ErrDepth:
		return "nested too deep"
	case ErrUTF8:
		return "not valid UTF-8"
	}
	return c.Error()
}
