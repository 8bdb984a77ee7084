package wire

// Digest names a record where a copy of it would be too long: the first half of its name
// hash, and the second half of its record hash. Two records that share one are mistaken for
// each other until fingerprints tell them apart.
func Digest(name, record uint64) uint64 { return name>>32<<32 | record&(1<<32-1) }

func (w *writer) digests(all []uint64) {
	w.array(len(all))
	for _, d := range all {
		w.uint(d)
	}
}

// digests takes an array of digests.
func (r *reader) digests() (all []uint64) {
	at := r.i
	n := r.array("digests")
	if n == 0 || n > MaxDigests {
		r.fail(at, ErrRange, "digests", "none, or more than a frame may have")
		return nil
	}
	all = make([]uint64, n) // each has a byte at least
	for i := range all {
		all[i] = r.uint("digest")
	}
	return all
}
