// Package lww is a last-writer-wins element set, the state-based CRDT of
// Shapiro, Preguiça, Baquero and Zawirski, "A comprehensive study of Convergent
// and Commutative Replicated Data Types", INRIA RR-7506, section 3.3.3, that
// keeps of each element only its latest operation. Operations are ordered by
// (stamp, rank, value), so a removal, which has a higher rank than an add, wins
// a tie (the paper has none: its timestamps are unique); the set is O(elements),
// never O(history).
//
// Records lie in a hash-ordered tree of 16 children to a level, whose
// fingerprints (count and sum of record hashes) are kept as records come and
// go: two replicas find what differs in O(d log n) by comparing ranges.
package lww
