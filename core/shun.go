package core

// How often the time doubles for which a name is left alone, while that repeats.
const (
	refusals = 0 // it would refuse again, but asking costs little
	detours  = 3 // others reach it, this node does not
	breaches = 6 // one of the two does not keep to the protocol
)

// peace is after how long without another reason what was the matter is forgotten.
const peace = 4 * Minute

// aside is a name with which something is the matter.
type aside struct {
	until   int64     // for so long it is left alone: neither dialled nor doubted
	times   int       // how often that repeated
	skewed  int64     // until when it is known that its clock, or this node's, is wrong; 0 if it is not
	said    allowance // what it may say that this node knows better: see disbelieves
	ofThis  allowance // and how often accuse this node
	unheard int       // how often it said too much
	instead string    // who was found at its address
}

// shun leaves a node alone for a while: it would refuse again, or be refused, or
// not be reached. The oftener, the longer, doubled so many times at most.
//
//go:noinline
func (o *overlay) shun(name string, doublings int) {
	s := o.matter(name)
	s.until = o.now + 3*o.cfg.Period<<min(s.times, doublings)
	if doublings > 0 {
		s.times = min(s.times+1, breaches)
	}
}

// matter returns what is the matter with a node; from now on something is.
//
//go:noinline
func (o *overlay) matter(name string) *aside {
	s := o.shunned[name]
	if s == nil {
		s = &aside{until: o.now}
		o.shunned[name] = s
	}
	return s
}

func (o *overlay) shunning(name string) bool {
	s := o.shunned[name]
	return s != nil && s.until > o.now
}

// isTaken says whether a node's address is that of another one by now, which is up: this
// node found it there, and it says so itself.
func (o *overlay) isTaken(name string) bool {
	s := o.shunned[name]
	if s == nil || s.instead == "" {
		return false
	}
	other := o.replica.look(s.instead)
	return other.state == Alive && other.address() == o.replica.address(name)
}

// isSpared says whether a node is taken to live although it does not answer: it
// refused, or was refused. Not so one whose clock is off: nobody can reach it.
func (o *overlay) isSpared(name string) bool {
	return o.shunning(name) && o.shunned[name].skewed == 0
}

// skew takes note that the clocks of a node and of this one are apart.
func (o *overlay) skew(name string) {
	o.shun(name, refusals)
	o.shunned[name].skewed = o.now + Minute
}

// isApart says whether this node has no peers for want of the right clock.
//
//go:noinline
func (o *overlay) isApart() bool {
	for _, s := range o.shunned {
		if s.skewed > o.now {
			return !o.cfg.Ephemeral && o.hasGuestsAlone(0)
		}
	}
	return false
}

// unshun ends the time for which a node is left alone. That it was, counts.
func (o *overlay) unshun(name string) {
	if s := o.shunned[name]; s != nil {
		s.until = o.now
	}
}

// forgive forgets with whom nothing was the matter for long, and who refuses no more.
func (o *overlay) forgive() {
	for name, s := range o.shunned {
		if s.until+peace < o.now {
			delete(o.shunned, name)
		}
	}
	for name, was := range o.refusals {
		if s := o.replica.look(name); !was.isOf(&s) {
			delete(o.refusals, name)
		}
	}
}

// detour takes note that a node lives that this one could not reach. When that
// repeats, its address is as good as one that refuses.
func (o *overlay) detour(name string) {
	if o.shun(name, detours); o.detours(name) > 1 {
		o.refused(name)
	}
}

// detours is how often a node was found alive that could not be reached from here.
func (o *overlay) detours(name string) int {
	if s := o.shunned[name]; s != nil {
		return min(s.times, detours)
	}
	return 0
}
