package core

// What lists have done to them is done here: what append is compiled to is long, and of
// these there is one for all lists of pointers.

// push appends to a list.
//
//go:noinline
func push[E any](list *[]E, e E) { *list = append(*list, e) }

// drop takes an element out of a list, mostly one of the first; with the last one goes
// its memory.
//
//go:noinline
func drop[E any](list *[]E, i int) {
	all := *list
	copy(all[1:], all[:i])
	clear(all[:1])
	if *list = all[1:]; len(all) == 1 {
		*list = nil
	}
}

// keep leaves in a list what a function says.
//
//go:noinline
func keep[E any](list *[]E, which func(E) bool) {
	all := *list
	left := all[:0]
	for _, e := range all {
		if which(e) {
			left = append(left, e)
		}
	}
	clear(all[len(left):])
	*list = left
}
