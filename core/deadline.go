package core

import (
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// setDeadline arms the one timer that a name has: of a tombstone to expire, or
// of a member that is not up to be reaped.
func (r *replica) setDeadline(name string, before, after *standing) {
	if after.state == Removed && before.node == after.node {
		return
	}
	if t := r.deadlines[name]; t != nil {
		t.stop()
		delete(r.deadlines, name)
	}
	switch {
	case after.node == nil || after.isUp():
	case after.state == Removed:
		r.expireLater(after.node)
	case r.cfg.Ephemeral || name == r.cfg.Name:
	case after.guest:
		r.setTimer(name, EphemeralTTL)
	case after.says.ReapAfter > 0:
		r.setTimer(name, int64(after.says.ReapAfter)*Second)
	}
}

//go:noinline
func (r *replica) setTimer(name string, left int64) {
	r.deadlines[name] = r.after(left, deadlineDue, name, 0)
}

func minAge(m *wire.Member) int64 {
	if m.Ephemeral {
		return EphemeralMinAge
	}
	return TombstoneMinAge
}

// expireLater takes a tombstone out of the set when its time is over, but not before
// the guest that it is of, if that lives and hangs here, has heard of it and added
// itself anew: others may hold it for longer, and refuse the add of before.
func (r *replica) expireLater(rec *lww.Record) {
	age := minAge(rec.Parsed.(*wire.Member))
	left := max(r.cfg.Period, age-max(r.wall-rec.Stamp, -age)) // it may be ahead by centuries
	r.setTimer(rec.Name, left)
}
