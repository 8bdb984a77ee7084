package core

import "github.com/nanoring/nanoring/core/wire"

const (
	refusalTime = Minute // for how long the address of a node that is up is not dialled after it refused,
	maxRefusal  = Hour   // and for how long at most, if it does so each time
)

// refusal is about a process that is up and whose address refuses: it dials
// others, and would be asked after, and suspected, for each dial.
type refusal struct {
	_     incomparable
	of    wire.Instance
	addr  string
	until int64
	lasts int64
}

// refused takes note that the address of a node refused a dial.
func (o *overlay) refused(name string) {
	s := o.replica.look(name)
	if s.state != Alive {
		return
	}
	was := o.refusals[name]
	if o.refuses(name, &s) {
		return
	}
	if !was.isOf(&s) {
		was = &refusal{of: s.says.Instance, addr: s.address()}
		o.refusals[name] = was
	}
	was.lasts = min(max(2*was.lasts, refusalTime), maxRefusal)
	was.until = o.now + was.lasts
}

// refuses says whether a node is not worth a dial that is for any node. A suspect is.
func (o *overlay) refuses(name string, s *standing) bool {
	was := o.refusals[name]
	return s.state == Alive && was.isOf(s) && was.until > o.now
}

// isOf says whether a refusal, nil for none, is still that of a name's process.
func (a *refusal) isOf(s *standing) bool {
	return a != nil && s.isUp() && a.of == s.says.Instance && a.addr == s.address()
}
