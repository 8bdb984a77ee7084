package sim

// RefuseNew puts a firewall on the way from one machine to another: it answers
// every dial of from to to as if nobody listened. The connections that are there
// are not disturbed, nor is what to dials.
func (w *World) RefuseNew(from, to *Machine) {
	w.note(nil, "a firewall refuses all dials from ", from.name, " to ", to.name)
	w.refused[way(from, to)] = true
}

// DropNew is RefuseNew by a firewall that does not say a word.
func (w *World) DropNew(from, to *Machine) {
	w.note(nil, "a firewall drops all dials from ", from.name, " to ", to.name)
	w.dropped[way(from, to)] = true
}

// Refuse puts a firewall between two machines: it refuses every dial of one to
// the other, either way, and breaks the connections that are there.
func (w *World) Refuse(a, b *Machine) {
	w.RefuseNew(a, b)
	w.RefuseNew(b, a)
	w.ResetAll(a, b)
}
