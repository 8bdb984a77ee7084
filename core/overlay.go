package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/wire"
)

const (
	outbound       = 6  // connections that a node keeps open of its own
	rotation       = 64 // one round in so many opens a new one
	dialsPerPeriod = 10 // at most, at start and in healing
)

// maintain opens what is missing of a node's own connections to random up
// nodes: a random graph (DESIGN 4).
func (r *Ring) maintain() {
	if r.halted {
		return
	}
	if len(r.byName) == 0 || r.cfg.Ephemeral {
		r.dialJoin()
	}
	if r.cfg.Ephemeral {
		return
	}
	for own := r.ownConns(); own < outbound && r.budget > 0 && r.dialRandom(); own++ {
	}
}

// fillSoon calls maintain as soon as a batch of news is merged, if there are
// too few connections of any kind for the overlay to carry rumors: who joins
// does not wait for its round.
func (r *Ring) fillSoon() {
	if r.filling || len(r.live)+len(r.dials) >= outbound || r.cfg.Ephemeral || !r.joined {
		return
	}
	r.filling = true
	r.after(coalesce, func() {
		r.filling = false
		r.maintain()
	})
}

// ownConns counts the connections that this node opened, or is about to.
func (r *Ring) ownConns() int {
	n := len(r.dials)
	for _, c := range r.live {
		if c.dialed {
			n++
		}
	}
	return n
}

// dialJoin dials the addresses that this node was given, as long as it knows nobody.
func (r *Ring) dialJoin() {
	if r.cfg.Ephemeral && (len(r.live) > 0 || len(r.conns) > 0) || len(r.cfg.Join) == 0 {
		return
	}
	if r.cfg.Ephemeral {
		r.dial(r.cfg.Join[r.joinTurn%len(r.cfg.Join)], "")
		r.joinTurn++
		return
	}
	if r.joined && !r.alone() {
		return
	}
	for _, addr := range r.cfg.Join {
		if r.budget > 0 && !r.dialingTo(addr) && addr != r.cfg.Address {
			r.budget--
			r.dial(addr, "")
		}
	}
}

func (r *Ring) dialingTo(addr string) bool {
	for _, c := range r.conns {
		if c.addr == addr && c.state != connEstablished {
			return true
		}
	}
	return false
}

// dialRandom dials a random durable up node that is not connected; false if none was found.
func (r *Ring) dialRandom() bool {
	n := r.up.Len()
	if n < 2 {
		return false
	}
	// In a small ring all are tried, from a random one on; in a large one a few at random.
	at := r.rand.IntN(n)
	for range min(n, 32) {
		name := r.up.At(at).Name
		if at++; at >= n || n > 32 {
			at = r.rand.IntN(n)
			if n <= 32 {
				at = 0
			}
		}
		s := r.look(name)
		if s.guest || !s.isUp() || !r.dialable(name) {
			continue
		}
		r.budget--
		r.dial(r.address(name), name)
		return true
	}
	return false
}

func (r *Ring) dialable(name string) bool {
	return name != r.cfg.Name && r.byName[name] == nil && r.dials[name] == nil && r.address(name) != "" && !r.shunning(name)
}

// rotate opens one connection more in one round of many, and closes the least
// recently used of those that are too many.
func (r *Ring) rotate() {
	if r.cfg.Ephemeral {
		return
	}
	own := r.ownConns()
	if own <= outbound && r.peersUp-1 > len(r.live) && r.rand.IntN(rotation) == 0 && r.budget > 0 {
		r.dialRandom()
	}
	if own-len(r.dials) <= outbound {
		return
	}
	var least *conn
	for _, c := range r.live {
		if c.dialed && (least == nil || c.used < least.used) && (r.sync == nil || r.sync.conn != c) && r.cfg.Address != "" {
			least = c
		}
	}
	if least != nil {
		r.close(least, wire.CodeRotated, "")
	}
}

// heal dials members that are not up: over the whole ring, each about once a Period.
func (r *Ring) heal() {
	if r.cfg.Ephemeral || len(r.lost.list) == 0 {
		return
	}
	n := max(r.peersUp, 1)
	attempts := len(r.lost.list) / n
	if r.rand.IntN(n) < len(r.lost.list)%n {
		attempts++
	}
	for ; attempts > 0 && r.budget > 0; attempts-- {
		name := r.lost.list[r.rand.IntN(len(r.lost.list))]
		if r.dialable(name) {
			r.budget--
			r.dial(r.address(name), name)
		}
	}
}

// dropStrangers closes connections with peers that do not become members: who
// joins does so within a round, who was deleted has RemovalGrace to go.
func (r *Ring) dropStrangers() {
	if r.cfg.Ephemeral {
		return
	}
	for _, c := range slices.Clone(r.live) {
		switch {
		case c.guest || c.authority || r.member(c.name):
			c.strange = 0
		case c.strange == 0:
			c.strange = r.now
		case r.now-c.strange > 2*r.cfg.RemovalGrace:
			r.close(c, wire.CodeTimeout, "not a member of this ring")
		}
	}
}
