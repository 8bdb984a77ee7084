package core

// nameSet is a set of names from which one can be picked at random, by the
// order of changes alone.
type nameSet struct {
	list []string
	at   map[string]int
}

//go:noinline
func (s *nameSet) add(name string) {
	if _, ok := s.at[name]; ok {
		return
	}
	if s.at == nil {
		s.at = make(map[string]int)
	}
	s.at[name] = len(s.list)
	push(&s.list, name)
}

//go:noinline
func (s *nameSet) remove(name string) {
	i, ok := s.at[name]
	if !ok {
		return
	}
	last := len(s.list) - 1
	s.list[i] = s.list[last]
	s.at[s.list[i]] = i
	s.list = s.list[:last]
	delete(s.at, name)
	if last == 0 {
		*s = nameSet{} // lets go of what it grew to
	}
}

//go:noinline
func unknownNode(name string) string { return "no node of this ring is called " + name }

// sortNames sorts names, by Shell's method: package slices would make the module a
// hundredth larger.
func sortNames(all []string) {
	for gap := len(all) / 2; gap > 0; gap /= 2 {
		for i := gap; i < len(all); i++ {
			for at := i; at >= gap && all[at] < all[at-gap]; at -= gap {
				all[at], all[at-gap] = all[at-gap], all[at]
			}
		}
	}
}
