package core

import "github.com/nanoring/nanoring/core/wire"

const (
	disputeTime = 10 * Minute // for how long a process that was down and was not is not concluded about,
	maxDispute  = Day         // and for how long at most, if it happens again and again
)

// dispute is about a process that was down and refuted it: that its address
// refuses does not mean that it is gone.
type dispute struct {
	_      incomparable
	of     wire.Instance
	sudden bool // it was down without a suspicion: somebody concluded it
	until  int64
	lasts  int64
}

// dispute returns what is disputed of a process; of another one of the name nothing was.
//
//go:noinline
func (d *detector) dispute(name string, of wire.Instance) *dispute {
	a := d.disputed[name]
	if a == nil || a.of != of {
		a = &dispute{of: of}
		d.disputed[name] = a
	}
	return a
}

// judged takes note of a process that is down, or that refutes it. Who refutes
// conclusions is not concluded about for longer and longer.
func (d *detector) judged(ch *change) {
	before, after := &ch.before, &ch.after
	if before.says.Instance != after.says.Instance || after.says.Address == "" {
		return
	}
	switch {
	case before.state == Alive && after.state == Down:
		d.dispute(ch.name, after.says.Instance).sudden = true
	case before.state == Down && after.state == Alive:
		a := d.dispute(ch.name, after.says.Instance)
		if a.sudden {
			a.lasts *= 2
		}
		a.sudden, a.lasts = false, min(max(a.lasts, disputeTime), maxDispute)
		a.until = d.now + a.lasts
	}
}

// isDisputed says whether nothing follows from refused dials of the process that has a name now.
func (d *detector) isDisputed(name string) bool {
	a, s := d.disputed[name], d.replica.look(name)
	return a != nil && a.of == s.says.Instance && a.until > d.now
}

// forget ends the disputes about processes that are no more, or were not down
// again for as long as it lasted.
func (d *detector) forget() {
	for name, at := range d.proved {
		if at+grantFor < d.now || at+provedFor < d.now && !d.replica.isDurable(name) {
			delete(d.proved, name)
		}
	}
	for name, a := range d.disputed {
		if s := d.replica.look(name); s.says.Instance != a.of || a.until+a.lasts < d.now {
			delete(d.disputed, name)
		}
	}
}
