package core

import (
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// refute answers what others say of this node (SWIM 4.2), by a newer
// incarnation. If it is another, older process that says so, again and again
// and each time later than it was answered, then that one lives, and this one,
// which started later, halts.
func (r *Ring) refute(w *lww.Record) {
	if r.leave != nil || r.halted {
		return
	}
	mine, p := r.cfg.Instance, w.Parsed.(*wire.Presence)
	if r.meets(p.Instance) {
		return
	}
	if p.Instance != mine && older(p.Instance, mine) && w.Rank == rankUp && !r.replica.isOutlived(r.cfg.Name, p.Instance) {
		if r.conflict.minted != 0 && w.Stamp > r.conflict.minted {
			r.conflict.times++
		}
		if r.conflict.times >= 3 {
			r.haltFor(HaltNameTaken, "the name "+r.cfg.Name+" is taken by the node at "+p.Address+", which started earlier")
			return
		}
	}
	if p.Instance == mine && w.Rank != rankUp {
		r.detector.health.worse()
		r.detector.accused++
		// Who has just met somebody again, or knows of as many dead, was cut off.
		if r.overlay.hasGuestsAlone(r.cfg.Period) || r.replica.peersUp <= len(r.replica.lost.list) {
			r.replica.corrected = r.now + backFor
		}
	}
	r.mintPresence(w.Stamp + 1)
	if p.Instance != mine {
		r.conflict.minted = r.replica.up.Get(r.cfg.Name).Stamp
	}
}

// mintPresence makes a new incarnation of this node, with a stamp of at least atLeast.
func (r *Ring) mintPresence(atLeast int64) {
	stamp := max(r.wall, atLeast)
	if old := r.replica.up.Get(r.cfg.Name); old != nil && old.Stamp <= r.wall+MaxSkew {
		stamp = max(stamp, old.Stamp+1) // else the clock was wrong and is right again
	}
	p := r.presence()
	rec := lww.New(r.cfg.Name, stamp, rankUp, p.Value())
	rec.Parsed = &p
	r.replica.put(wire.Up, rec)
	r.replica.version++
}

// presence is what this node says of itself.
func (r *Ring) presence() wire.Presence {
	p := wire.Presence{Address: r.cfg.Address, Cordoned: r.cordon.is, Ephemeral: r.cfg.Ephemeral, Instance: r.cfg.Instance, Version: wire.Version, ReapAfter: uint32(r.cfg.ReapAfter / Second), Tags: r.labels.now}
	if r.cfg.Ephemeral {
		p.ReapAfter = 0
	}
	if r.cfg.Address == "" {
		if gw := r.overlay.gateway(); gw != nil {
			p.Via = gw.name
		}
	}
	return p
}

// stands says whether this process's presence is what it would say now. One that
// cannot be dialled stays with its gateway.
func (r *Ring) stands() bool {
	own := r.replica.up.Get(r.cfg.Name)
	if !r.cfg.Takeover || own == nil || own.Rank != rankUp {
		return false
	}
	p := r.presence()
	if via := r.replica.via(r.cfg.Name); r.overlay.peer(via) != nil || r.overlay.gateway() == nil {
		p.Via = via
	}
	return own.Value == p.Value()
}
