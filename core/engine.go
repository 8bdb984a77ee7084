package core

import "github.com/nanoring/nanoring/core/wire"

// Engine is the ring's logic behind one interface: *Ring natively, *host.Engine
// in a sandbox. A runtime feeds it inputs and carries out its effects, in
// order; it knows nothing of what is in a frame. An Engine is for one goroutine.
type Engine interface {
	// Step takes one input and returns its effects, which are valid, with all
	// bytes they refer to, until the next call. The same inputs give the same
	// effects, byte for byte. *Ring never returns an error; after one from
	// another implementation the engine is unusable.
	Step(in Input) ([]Effect, error)

	// Snapshot returns what has to survive a restart; see Config.Snapshot. It
	// contains every change up to the newest Dirty effect. The bytes are the caller's.
	Snapshot() ([]byte, error)

	// Changes returns what makes of a Snapshot that had every change up to the Dirty
	// effect with the number since one that has all there are: see wire.Snapshot.Fold.
	// What was up to since is forgotten: a later call may not ask for less. Nil without
	// a Snapshot before; a Ring costs as much as has changed. The bytes are the caller's.
	Changes(since uint64) ([]byte, error)

	// Handover returns what an Engine needs that takes over from this one, as its
	// Config.Snapshot: guests too, and who is up. The bytes are the caller's.
	Handover() ([]byte, error)

	// Close frees what the engine holds. It says nothing to anybody: see Stop.
	Close() error
}

// ConnID names a connection. Even ids are the engine's, given with Dial; odd
// ones are the runtime's, for connections it accepted. Ids are never used again.
type ConnID uint64

// InputKind tells inputs apart.
type InputKind uint8

// The inputs.
const (
	Start    InputKind = iota + 1 // the first, once
	Opened                        // Conn is open: as dialled, or accepted with Role and Addr
	Received                      // Conn brought Frame
	Closed                        // Conn is closed, or its dial failed: Code says how
	Tick                          // the time that Wake asked for has come
	Do                            // an operator's Command
)

// Role is what authentication made of an accepted connection, never a frame.
type Role uint8

// The roles.
const (
	Peer  Role = iota // a node of the ring
	Guest             // may assert only its own records, through this node
)

// Input is one input. Times come in with it: Mono for timers, Wall for stamps.
type Input struct {
	Kind    InputKind
	Mono    int64      // monotonic microseconds, any origin; never goes back
	Wall    int64      // Unix microseconds; may jump
	Conn    ConnID     // Opened, Received, Closed
	Role    Role       // Opened, of an accepted connection
	Addr    string     // Opened, of an accepted connection: the remote address, for people
	Name    string     // Opened: who authentication says that it is; a guest's may end in '*' for any that begins so; "" for anybody
	Tags    []wire.Tag // Opened, of a guest: the labels that it has to have, ascending by key,
	Own     []string   // and patterns of the keys that others may have; any may be there if both are nil
	Topics  *Topics    // Opened, of a guest: what it may send, and hear; nil for anything
	Party   string     // Opened, of a guest: who answers for what it costs, with others of the same; "" for itself alone
	Frame   []byte     // Received; the engine keeps none of it
	Code    wire.Code  // Closed
	Command Command    // Do
}

// Op is what a Command does.
type Op uint8

// The commands.
const (
	Add      Op = iota + 1 // add Name (learnt from its hello when empty) at Addr, joining the rings
	Del                    // remove Name from the ring
	Leave                  // remove this node: done, with Halt, once another node holds its tombstone
	Stop                   // say bye, stay a member, Halt
	SetTags                // set Tags of this node, and drop those of Drop
	Cordon                 // give Name, this node if empty, nothing new: done once it says so itself
	Uncordon               // end that
	Drain                  // give this process nothing new, and send some of its guests on: to be repeated

	SendMessage // send Payload on Topic to all nodes that are up and that Filter picks, this one too
	Tell        // to the node Name alone; its result says whether somebody heard it there
	Ask         // like SendMessage; after its result come EventAnswers, and an EventDone
	CallOff     // end the Ask with the ID Question: its EventDone follows
	Answer      // answer the question that an EventHeard had, with Payload; or say with Code that there is no answer
	Hear        // from now on hear the topics that Hear.Messages has, and the questions that Hear.Questions has; no others

	Join // from now on the addresses of Join are those to join: see Config.Join
)

// Topics are patterns of topics, in which '*' stands for any characters.
type Topics struct {
	Send []string // what a guest may send: messages, questions and tells
	Hear []string // what it may hear
}

// Subscription is what this node hears, as patterns of topics. What it is told it
// hears by Messages; a question it only hears of by Messages too, unless Questions has it.
type Subscription struct {
	Messages  []string
	Questions []string // it answers
}

// Command is an operator's wish, or a program's. All but Stop are answered by an
// EventResult with the same ID.
type Command struct {
	ID   uint64 // chosen by the runtime
	Op   Op
	Name string
	Addr string     // HOST:PORT
	Tags []wire.Tag // of SetTags, in any order
	Drop []string   // keys; a tag of Tags that is here, too, is for this process alone
	Join []string   // HOST:PORTs, of Join

	Topic    string       // of SendMessage, Tell, Ask
	Payload  string       // bytes: of these, and of Answer
	Filter   Filter       // of SendMessage, Ask
	Limit    int          // of Ask: it is called off when there are so many answers; 0 for all
	Timeout  int64        // of Ask: microseconds; 0 stands for 5 s
	Question uint64       // of CallOff, Answer
	Code     wire.Code    // of Answer: 0, or why there is none: busy
	Hear     Subscription // of Hear
}

// EffectKind tells effects apart.
type EffectKind uint8

// The effects.
const (
	Dial  EffectKind = iota + 1 // open Conn to Addr; answer with Opened or Closed
	Send                        // send Frame on Conn
	Close                       // close Conn with Code and Text, after what was sent; Closed need not follow
	Dirty                       // the snapshot has changed: Seq is its newest change
	Emit                        // Event is for the runtime's view, log and watchers
	Wake                        // call Tick at At; replaces the Wake before
	Halt                        // this node is done: Reason says why. No effect follows.
)

// Effect is one effect.
type Effect struct {
	Kind   EffectKind
	Conn   ConnID    // Dial, Send, Close
	Addr   string    // Dial
	Frame  []byte    // Send
	Code   wire.Code // Close
	Text   string    // Close, Halt: for people
	Seq    uint64    // Dirty
	At     int64     // Wake: monotonic microseconds
	Event  *Event    // Emit
	Reason Reason    // Halt
}

// Reason is why a node halts.
type Reason uint8

// The reasons.
const (
	HaltStopped   Reason = iota + 1 // Stop: it stays a member and keeps its ring file
	HaltLeft                        // Leave: the runtime deletes the ring file and leaves a marker
	HaltRemoved                     // it was deleted: the runtime deletes the ring file and leaves a marker
	HaltNameTaken                   // a living node has this name; Text says where it is
)

// String returns the reason's word.
func (r Reason) String() string { return word(reasonWords[:], int(r), "unknown") }

var reasonWords = [...]string{
	HaltStopped:   "stopped",
	HaltLeft:      "left",
	HaltRemoved:   "removed",
	HaltNameTaken: "name-taken",
}

// State is where a node stands, as this node knows it.
type State uint8

// The states. Alive and Suspect nodes make the set of up nodes.
const (
	Unknown State = iota // a member of whom nothing was heard yet
	Alive                // up
	Suspect              // it did not answer; still up, until its time is over
	Down
	Left    // it said bye
	Removed // no member any more: deleted or reaped
)

// String returns the state's word.
func (s State) String() string { return word(stateWords[:], int(s), "invalid") }

var stateWords = [...]string{
	Unknown: "unknown",
	Alive:   "up",
	Suspect: "suspect",
	Down:    "down",
	Left:    "left",
	Removed: "removed",
}

// Node is what this node knows of a node.
type Node struct {
	Name        string
	State       State
	Ephemeral   bool
	Cordoned    bool          // it is up, but is given nothing new
	Address     string        // from its presence, else the hint in nodes
	Via         string        // its gateway, when it cannot be dialled
	Incarnation int64         // the stamp of its presence, Unix microseconds; 0 when Unknown
	Instance    wire.Instance // of its presence
	Version     uint8         // newest protocol version it speaks
	Tags        []wire.Tag
	Since       int64 // when its state began, Unix microseconds, as far as a View knows, which sets it; 0 for unknown
}

// EventKind tells events apart.
type EventKind uint8

// The events.
const (
	EventNode     EventKind = iota + 1 // Node joined (told once, as it is after the step) or changed; State Removed: it is no member any more
	EventResult                        // the Command with ID ended: Code 0 is success, durable once Seq is written
	EventRefused                       // a connection with Name at Addr was refused, by either side: Code and Text
	EventSkew                          // Name's clock is Skew ahead, and one of the two does not let the other in (Code clock-skew); it is right again (Skew 0); or a stamp of Name's was so far ahead
	EventLeaving                       // this node sees that it was removed, and halts after the grace
	EventStays                         // it was added again in time
	EventStale                         // this node was apart for too long to be believed; it asks others first
	EventFresh                         // it is no longer stale
	EventHeard                         // Name sent Payload on Topic, or told it this node; with Question, an Answer is awaited
	EventGap                           // of what Name sent something was lost, before what is heard of it next
	EventAnswer                        // Name has answered the Ask with ID: Payload, or, with a Code, that it cannot
	EventDone                          // the Ask with ID is over: Names were asked and have not answered
	EventLetIn                         // Name, at Addr, was the first to let this process in, or to be let in; or so again, after all who did were gone before EventJoined
	EventJoined                        // this process and another, for the first time, know the same of who is there
	EventEvidence                      // something was found out of Name: Topic says what; docs/abi.md has which there are
)

// String returns the event's word.
func (k EventKind) String() string { return word(eventWords[:], int(k), "unknown") }

var eventWords = [...]string{
	EventNode:     "node",
	EventResult:   "result",
	EventRefused:  "refused",
	EventSkew:     "skew",
	EventLeaving:  "leaving",
	EventStays:    "stays",
	EventStale:    "stale",
	EventFresh:    "fresh",
	EventHeard:    "heard",
	EventGap:      "gap",
	EventAnswer:   "answer",
	EventDone:     "done",
	EventLetIn:    "let-in",
	EventJoined:   "joined",
	EventEvidence: "evidence",
}

// Event is something that a runtime or a person may want to know.
type Event struct {
	Kind EventKind
	Node Node      // EventNode
	ID   uint64    // EventResult, EventAnswer, EventDone
	Seq  uint64    // EventResult: the change that has to be on disk
	Name string    // EventResult: the node that was added or deleted
	Addr string    // EventRefused, EventSkew: where, if known
	Code wire.Code // EventResult, EventRefused, EventSkew
	Text string    // EventResult, EventRefused: for people; EventNode, EventEvidence: who said so, "" for this node
	Skew int64     // EventSkew: microseconds that the other is ahead

	Topic    string   // EventHeard, EventEvidence
	Payload  string   // EventHeard, EventAnswer: bytes
	Told     bool     // EventHeard: this node alone
	Wait     int64    // EventHeard: it is a question, open for so many microseconds more; 0 for what is none; EventEvidence: since when its connection brought nothing
	Question uint64   // EventHeard: its number, for Answer; 0 if none is awaited of this node
	Names    []string // EventDone: ascending; EventEvidence: who was asked for Name
}

// word is the i-th of some words, or other if there is none.
func word(words []string, i int, other string) string {
	if i < len(words) && words[i] != "" {
		return words[i]
	}
	return other
}
