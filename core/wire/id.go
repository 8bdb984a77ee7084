package wire

// MaxIDs is how many ids a ring has at most.
const MaxIDs = 8

// RingID is an id of a ring, whose name others may have as well: when it was minted, and
// a random number.
type RingID Instance

// Before says whether an id is older than another, or as old and has the smaller number.
func (id RingID) Before(other RingID) bool {
	return id.Start < other.Start || id.Start == other.Start && id.Nonce < other.Nonce
}

// Unite is what makes one ring of two that have no id in common.
type Unite uint8

// What a dial may be for.
const (
	UniteNever Unite = iota
	UniteYoung       // the dialler was told to join the address: while its ring is young
	UniteAdd         // an operator adds the node
)

//go:noinline
func (w *writer) ids(ids []RingID) {
	w.array(len(ids))
	for i := range ids {
		w.instance((*Instance)(&ids[i]))
	}
}

// ids takes 1 to MaxIDs ids, ascending.
//
//go:noinline
func (r *reader) ids(where string) (ids []RingID) {
	at := r.i
	n := r.array(where)
	good := n > 0 && n <= MaxIDs
	for left := n; left > 0 && good && r.err == nil; left-- {
		id := RingID(r.instance(where))
		good = left == n || ids[n-left-1].Before(id)
		ids = append(ids, id)
	}
	if !good {
		r.fail(at, ErrRange, where, "not 1 to 8 ids that ascend")
	}
	return ids
}
