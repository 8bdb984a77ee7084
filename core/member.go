package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// standing is what this node has of a name: its two records, what they say, and
// what follows from both.
type standing struct {
	node     *lww.Record
	presence *lww.Record
	member   *wire.Member   // of node; never nil
	says     *wire.Presence // of presence; never nil
	state    State
	guest    bool   // ephemeral
	via      string // the gateway of one that cannot be dialled
}

// nothing is what a record says that is not there.
var nothing struct {
	member   wire.Member
	presence wire.Presence
}

func (r *Ring) look(name string) standing {
	return standingOf(r.nodes.Get(name), r.up.Get(name))
}

func standingOf(node, presence *lww.Record) standing {
	s := standing{node: node, presence: presence, member: &nothing.member, says: &nothing.presence, state: Removed}
	if presence != nil {
		s.says = presence.Parsed.(*wire.Presence)
	}
	if node == nil {
		return s
	}
	s.member = node.Parsed.(*wire.Member)
	if node.Rank != rankAdd {
		return s
	}
	s.state, s.guest = Unknown, s.member.Ephemeral
	if presence != nil {
		s.state = [...]State{rankUp: Alive, rankSuspect: Suspect, rankDown: Down, rankLeft: Left}[presence.Rank]
		if s.says.Address == "" {
			s.via = s.says.Via
		}
	}
	return s
}

// with returns the standing after one of the records changed.
func (s *standing) with(id wire.SetID, rec *lww.Record) standing {
	if id == wire.Nodes {
		return standingOf(rec, s.presence)
	}
	return standingOf(s.node, rec)
}

func (r *Ring) member(name string) bool {
	rec := r.nodes.Get(name)
	return rec != nil && rec.Rank == rankAdd
}

func (s *standing) isUp() bool { return s.state == Alive || s.state == Suspect }

// describe fills in the Node that runtimes see, field by field: a whole one
// would be made elsewhere, and copied.
func (s *standing) describe(name string, n *Node) {
	n.Name, n.State, n.Ephemeral, n.Address = name, s.state, s.guest, s.member.Address
	if s.says.Address != "" {
		n.Address = s.says.Address
	}
	n.Via, n.Instance, n.Version, n.Tags = s.says.Via, s.says.Instance, s.says.Version, s.says.Tags
	n.Incarnation = 0
	if s.presence != nil {
		n.Incarnation = s.presence.Stamp
	}
}

// address returns where name can be dialled, or "".
func (r *Ring) address(name string) string {
	s := r.look(name)
	if s.says.Address != "" || s.says.Via != "" {
		return s.says.Address
	}
	return s.member.Address
}

// changed keeps what follows from the sets, after one name's records changed.
func (r *Ring) changed(name string, before, after *standing) {
	if before.state != after.state || before.guest != after.guest || before.via != after.via {
		r.count(name, before, -1)
		r.count(name, after, +1)
	}
	if r.durable > r.peersUp {
		r.stableSince = r.now
	}
	if after.state != Removed || before.state != Removed {
		r.tell(name, after, before.state == Removed)
	}
	if before.state == Down && after.state == Alive && before.says.Instance == after.says.Instance {
		r.disputed[name] = r.now + disputeTime
	}
	r.decideFate(name, before, after)
	if after.isUp() && !before.isUp() {
		r.fillSoon()
	}
	if after.isUp() && after.via != "" && !r.reachedVia(name, after.via) {
		r.await(name, after.via)
	}
	if before.isUp() && !after.isUp() && r.behind[name] != nil {
		r.orphan(name)
	}
}

// decideFate arms the one timer that a name has: of a tombstone to expire, or
// of a member that is not up to be reaped.
func (r *Ring) decideFate(name string, before, after *standing) {
	if after.state == Removed && before.node == after.node {
		return
	}
	if fate := r.fates[name]; fate != nil {
		fate.stop()
		delete(r.fates, name)
	}
	switch {
	case after.node == nil || after.isUp():
	case after.state == Removed:
		r.expireLater(after.node)
	case after.guest:
		r.reapLater(after, EphemeralTTL)
	case r.cfg.ReapAfter > 0:
		r.reapLater(after, r.cfg.ReapAfter)
	}
}

func (r *Ring) count(name string, s *standing, by int) {
	if s.state == Removed {
		return
	}
	r.countBehind(name, s, by)
	if s.guest {
		return
	}
	r.durable += by
	if s.isUp() {
		r.peersUp += by
	} else if by > 0 {
		r.lost.add(name)
	} else {
		r.lost.remove(name)
	}
}

func (r *Ring) countBehind(name string, s *standing, by int) {
	if !s.isUp() || s.via == "" {
		return
	}
	of := r.behind[s.via]
	if by > 0 {
		if of == nil {
			of = new(nameSet)
			r.behind[s.via] = of
		}
		of.add(name)
	} else if of != nil {
		of.remove(name)
		if len(of.list) == 0 {
			delete(r.behind, s.via)
		}
	}
}

// orphan suspects who was reached through a gateway that is gone: they have
// some time to come back through another.
func (r *Ring) orphan(gateway string) {
	for _, name := range slices.Clone(r.behind[gateway].list) {
		r.accuse(name, rankSuspect)
	}
}

func (r *Ring) reachedVia(name, via string) bool {
	if via == r.cfg.Name {
		return r.byName[name] != nil
	}
	s := r.look(via)
	return s.isUp()
}

// await gives a node that is said to be reached through a gateway, and is
// not, time to come back.
func (r *Ring) await(name, via string) {
	presence := r.up.Get(name)
	r.after(GuestGrace, func() {
		if r.up.Get(name) == presence && !r.reachedVia(name, via) {
			r.accuse(name, rankSuspect)
		}
	})
}

// alone says whether this node is the only durable member it knows.
func (r *Ring) alone() bool { return r.durable <= 1 }
