package wire

import "strconv"

// Code says why a connection was refused or closed. It is the code of an error
// frame and the WebSocket's close code alike; those below 1000 never cross the
// wire: a runtime uses them to say how a connection ended.
type Code uint16

// Codes that a runtime reports of a connection that no close frame ended.
const (
	CodeLost        Code = 1 // the connection broke without a close frame
	CodeRefused     Code = 2 // nobody listens at the address (TCP refused)
	CodeUnreachable Code = 3 // the dial failed otherwise, or took too long
	CodeSlow        Code = 4 // the peer did not read; its queue ran over
)

// Codes of a command's failure that are nobody else's business.
const (
	CodeInvalid Code = 5 // an argument is not valid
	CodeUnknown Code = 6 // no such node
	CodeNobody  Code = 7 // no other node is up that could hold the change
	CodeHalting Code = 8 // this node is leaving or stopping
)

// CodeUntrusted is a runtime's, too: of a dial, whose two ends do not believe each
// other to be of one ring.
const CodeUntrusted Code = 9

// CodeFailed is that of an answer that there is none: who was to give it failed, and the
// payload says how.
const CodeFailed Code = 10

// Codes of orderly closes and of errors, as they cross the wire.
const (
	CodeBye       Code = 1000 // the sender leaves the ring or stops
	CodeGoingAway Code = 1001 // the sender's page or process goes away
	CodeTooBig    Code = 1009 // the WebSocket's own: a message over the limit
	CodeRotated   Code = 4000 // closed in favour of another peer; means nothing
	CodeDuplicate Code = 4001 // another connection between the two stays
	CodeBadFrame  Code = 4002 // a frame that does not decode
	CodeVersion   Code = 4003 // no common protocol version
	CodeRing      Code = 4004 // another ring's name
	CodeNameTaken Code = 4005 // a living node has this name
	CodeSkew      Code = 4006 // the clocks differ by more than MaxSkew
	CodeOrder     Code = 4007 // a frame that is not allowed at this point
	CodeForbidden Code = 4008 // a guest asserted what is not its own
	CodeTimeout   Code = 4009 // no hello in time
	CodeWrongNode Code = 4010 // not the node that was meant
	CodeSelf      Code = 4011 // a node reached itself
	CodeBusy      Code = 4012 // too many connections
	CodeRemoved   Code = 4013 // a guest's name that an operator deleted
)

// String returns the code's word, as docs/protocol.md has it.
func (c Code) String() string {
	for i := range codeWords {
		if codeWords[i].code == c {
			return codeWords[i].word
		}
	}
	return "code-" + strconv.Itoa(int(c))
}

var codeWords = [...]struct {
	code Code
	word string
}{
	{CodeLost, "lost"},
	{CodeRefused, "refused"},
	{CodeUnreachable, "unreachable"},
	{CodeSlow, "slow"},
	{CodeInvalid, "invalid"},
	{CodeUnknown, "unknown-node"},
	{CodeNobody, "nobody"},
	{CodeHalting, "halting"},
	{CodeUntrusted, "untrusted"},
	{CodeFailed, "failed"},
	{CodeBye, "bye"},
	{CodeGoingAway, "going-away"},
	{CodeTooBig, "too-big"},
	{CodeRotated, "rotated"},
	{CodeDuplicate, "duplicate"},
	{CodeBadFrame, "bad-frame"},
	{CodeVersion, "version"},
	{CodeRing, "wrong-ring"},
	{CodeNameTaken, "name-taken"},
	{CodeSkew, "clock-skew"},
	{CodeOrder, "out-of-order"},
	{CodeForbidden, "forbidden"},
	{CodeTimeout, "timeout"},
	{CodeWrongNode, "wrong-node"},
	{CodeSelf, "self"},
	{CodeBusy, "busy"},
	{CodeRemoved, "removed"},
}
