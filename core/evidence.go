package core

// evidence tells the runtime what was found out of a node, and by whom, if it was not this
// one alone. Nothing follows from it.
//
//go:noinline
func (o *overlay) evidence(name, what, by string) *Event {
	e := o.event(EventEvidence)
	e.Name, e.Topic, e.Text = name, what, by
	if c := o.byName[name]; c != nil {
		e.Wait = o.now - c.heard
	}
	return e
}
