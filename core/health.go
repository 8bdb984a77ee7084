package core

// health is how well this node itself does, which decides how much it trusts
// its own timers: Lifeguard's local health multiplier (Dadgar, Phillips,
// Currey: Lifeguard, DSN-W 2018, section IV.A). It grows by what this node finds
// out to be its own fault, and shrinks with each answer in time. What others
// fail to do never counts: a third of the ring may die at once.
type health struct {
	faults int64 // of its own, less what it did in time since
	late   int64 // by how much what was due came late, of late
}

const sickest = 8

func (h *health) worse()  { h.faults = min(h.faults+1, sickest) }
func (h *health) better() { h.faults = max(h.faults-1, 0) }

// lateBy makes it as bad as this node is late with what was due: as late are what it asks, and the
// answers that it reads, once or twice more, and those of others that share its machine.
func (h *health) lateBy(by, ackTimeout int64) {
	h.late = max(h.late, min(by*sickest/ackTimeout, sickest))
}

// round forgets some of it: what is on time again soon counts for nothing.
func (h *health) round() { h.late = max(h.late-1, 0) }

// stretch makes a time for an answer longer, the worse the longer.
func (h *health) stretch(d int64) int64 { return d * (1 + max(h.faults, h.late)) }

// lengthen makes a suspicion longer: of that, who is late when it begins need not be to the end.
func (h *health) lengthen(d int64) int64 { return d * (1 + h.faults) }

// roundTrip estimates how long a peer's answers take, as TCP does for its
// retransmissions (RFC 6298, section 2), in microseconds.
type roundTrip struct {
	mean, deviation int64
}

func (rt *roundTrip) measured(d int64) {
	if rt.mean == 0 {
		rt.mean, rt.deviation = d, d/2
		return
	}
	rt.deviation += (max(d-rt.mean, rt.mean-d) - rt.deviation) / 4
	rt.mean += (d - rt.mean) / 8
}

// timeout is for the next answer: from a fifth of the configured time, which
// is for those not yet measured, to four times as much.
func (rt *roundTrip) timeout(configured int64) int64 {
	if rt.mean == 0 {
		return configured
	}
	return min(max(rt.mean+4*rt.deviation, configured/5), slowest*configured)
}
