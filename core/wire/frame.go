package wire

// Limits of the protocol. A sender MUST keep them; a receiver refuses what does not.
const (
	Version       = 1         // the protocol version spoken here
	MaxFrame      = 256 << 10 // bytes of a frame
	MaxName       = 255       // bytes of a node's or a ring's name
	MaxAddress    = 262       // bytes of an address: a host name of 255, a colon, a port, a little air
	MaxValue      = 4 << 10   // bytes of a record's value
	MaxText       = 1 << 10   // bytes of an error's text
	MaxHops       = 3         // times that a frame is forwarded
	MaxItems      = 128       // items of a sync or a synced frame
	MaxDepth      = 8         // maps and arrays inside each other in a value or a hello, its own map included
	RangeDepth    = 16        // levels below the root: a 64-bit hash has 16 nibbles
	RangeChildren = 16        // children of a range
	MaxTopic      = 64        // bytes of a topic
	MaxPayload    = 8 << 10   // bytes of a message's payload, or of an answer's
	MaxTopics     = 64        // patterns of topics that a guest asks for
	MaxTerms      = 18        // strings of a message's filter: a state, a name and 16 of tags
	MaxFilter     = 1 << 10   // bytes of them together
	Window        = 30_000    // milliseconds for which a message is news
	MaxWait       = 600_000   // milliseconds that a question may be open
	MaxDigests    = 1024      // in a frame
)

// Kind tells frames apart: the first element of each frame's array.
type Kind uint8

// The kinds of frames.
const (
	KindHello   Kind = 1  // first frame each way
	KindGossip  Kind = 2  // a round: fingerprint and hot records
	KindAck     Kind = 3  // the answer to gossip, after merging it
	KindRumor   Kind = 4  // hot records between rounds
	KindSync    Kind = 5  // reconciliation: what the initiator asks or tells of ranges
	KindSynced  Kind = 6  // the answer to sync
	KindProbe   Kind = 7  // are you there?
	KindAlive   Kind = 8  // the answer to probe
	KindRelay   Kind = 9  // a frame that is forwarded
	KindError   Kind = 10 // the sender refuses, and closes
	KindRefused Kind = 11 // the answer to a relayed probe: the target's address refused a connection
	KindCordon  Kind = 12 // an operator's wish: the receiver is to be cordoned, or no longer
	KindMessage Kind = 13 // messages
	KindSeen    Kind = 14 // what was seen of messages that are news: what else is there?
	KindHave    Kind = 15 // messages that the sender has, and sends if they are wanted
	KindWant    Kind = 16 // messages that are to be sent; without any: ids from now on
	KindTook    Kind = 17 // how many bytes of messages and answers were taken
	KindHear    Kind = 18 // a guest's topics; of a gateway: which are they?
	KindTell    Kind = 19 // a message to one node
	KindSaid    Kind = 20 // what became of it, or of a guest's message
	KindAnswers Kind = 21 // answers to a question, on their way to who asked
	KindIDs     Kind = 22 // of the ring: two have become one
	KindKnown   Kind = 23 // digests of records that the sender has, and sends if they are lacked
	KindLack    Kind = 24 // digests of records that are to be sent

	Kinds = KindLack + 1 // for a table of all, in which 0 is none
)

// SetID names one of the two sets.
type SetID uint8

// The two sets.
const (
	Nodes SetID = 0 // all that belong
	Up    SetID = 1 // presences: liveness
)

// Record is one record of one set as it stands in a frame. Its strings alias
// the frame; Value is the canonical msgpack map, verbatim, unknown keys included.
type Record struct {
	Set   SetID
	Name  string
	Stamp int64 // Unix microseconds, at least 0
	Rank  uint8 // 0 to 3; its meaning is the set's
	Value string
}

// Instance tells two processes of one name apart.
type Instance struct {
	Start int64  // Unix microseconds of the process's start
	Nonce uint64 // random
}

// Hello is the first frame each way.
type Hello struct {
	Address     string   // "a": where the sender can be dialled; empty when it cannot
	Ephemeral   bool     // "e": the sender is a guest
	Fingerprint uint64   // "f": combined fingerprint of both sets
	Digests     bool     // "g": it takes known and lack
	Instance    Instance // "i"
	LastContact int64    // "l": Unix microseconds; 0 unless the sender is stale
	Members     uint64   // "m": members it knows, itself included
	Name        string   // "n"
	Min, Max    uint8    // "p": protocol versions it speaks
	Ring        string   // "r"
	IDs         []RingID // "s": of its ring, ascending; none of one that was never with another
	Wall        int64    // "t": its clock at sending, Unix microseconds
	Unite       Unite    // "u": what it dials for
}

// Range is the part of a set whose name hashes share their first Depth nibbles
// with Prefix; the other bits of Prefix are zero. Depth 0 is the whole set.
type Range struct {
	Set    SetID
	Depth  uint8 // 0 to RangeDepth
	Prefix uint64
}

// Fingerprint is a range's fingerprint: how many records, and the sum of their hashes mod 2^64.
type Fingerprint struct {
	Count uint64
	Sum   uint64
}

// ItemKind tells what a sync item says of its range.
type ItemKind uint8

// What a sync item may say.
const (
	ItemFingerprint ItemKind = 0 // my fingerprint of the range: do you have the same?
	ItemChildren    ItemKind = 1 // my fingerprints of its 16 children
	ItemAll         ItemKind = 2 // all the records that I have in it
	ItemSome        ItemKind = 3 // records of it that you lack
	ItemAfter       ItemKind = 4 // what do you have in it behind a name? Of RangeDepth alone, where all names share a hash
)

// Item is one element of a sync or synced frame.
type Item struct {
	Kind        ItemKind
	Range       Range
	Fingerprint Fingerprint                // of ItemFingerprint
	Children    [RangeChildren]Fingerprint // of ItemChildren
	Records     []Record                   // of ItemAll and ItemSome
	After       string                     // of ItemAfter
}

// Frame is any frame: Kind says which fields count. A Frame may be reused for
// decoding again and again; its slices are, its strings are not.
type Frame struct {
	Kind        Kind
	Hello       Hello    // hello
	Seq         uint64   // gossip, ack, sync, synced, probe, alive, refused, tell, said, answers
	Wall        int64    // gossip, ack: the sender's clock, Unix microseconds
	Fingerprint uint64   // gossip, ack: combined fingerprint of both sets
	Records     []Record // gossip, ack, rumor
	Items       []Item   // sync, synced
	Handled     uint64   // synced: how many of the sync's items it answers, from the first

	Instance Instance // alive: who answers; tell: the sender's; answers: the asker's
	From, To string   // relay: node names
	Hops     uint8    // relay: times forwarded, at most MaxHops
	Inner    string   // relay: the frame forwarded: a probe, an alive, a cordon, a tell, a said or answers
	Code     Code     // error: at least 1000; said: 0, or why not
	Text     string   // error: for people
	On       bool     // cordon: it is to be

	Messages []Message // message
	Streams  []Stream  // seen, have, want, hear
	Window   uint64    // seen, hear: of the last so many milliseconds nothing else was seen; 0: it is asked for nothing but what is behind Streams
	Bytes    uint64    // took: since the last one; 0: all that was sent
	Topics   []string  // hear: patterns
	Tell     Tell      // tell, with Seq and Instance
	Asker    string    // answers: who asked, with Instance and Seq
	Answers  []Answer  // answers
	IDs      []RingID  // ids: of the sender's ring
	Digests  []uint64  // known, lack
}
