package core

// verdict is what became of a record that came in.
type verdict uint8

const (
	isNews       verdict = iota // it went in
	isKnown                     // it was here already
	isOlder                     // a later one is here
	isOfSelf                    // it is of this node's own presence, which alone it mints
	isRefused                   // it may not go in; the rest are reasons why
	isAhead                     // of now, by more than MaxSkew
	isOverruled                 // by an expired tombstone
	isForged                    // a guest's, of another
	isMislabeled                // a guest's, with other tags than it has to have
	isBloated                   // a guest's, of more bytes than it may have
	isOfNoGuest                 // a guest's, as of a durable node
	isEarly                     // a guest's, so soon after others
)
