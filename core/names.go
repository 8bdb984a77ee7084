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
