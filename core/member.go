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
	member   wire.Member   // of node
	says     wire.Presence // of presence
	state    State
	guest    bool   // ephemeral
	via      string // the gateway of one that cannot be dialled
	fate     *timer // see decideFate
}

// nobody is the standing of a name that this node has nothing of.
var nobody = standing{state: Removed}

// look returns what this node has of a name. It is there to be read, and
// changes when the name's records do.
func (r *Ring) look(name string) *standing {
	if s := r.names[name]; s != nil {
		return s
	}
	return &nobody
}

func (s *standing) record(id wire.SetID) *lww.Record {
	if id == wire.Nodes {
		return s.node
	}
	return s.presence
}

// with returns the standing after one of the records changed.
func (s standing) with(id wire.SetID, rec *lww.Record) (standing, error) {
	known, err := s.record(id), error(nil)
	same := known != nil && rec != nil && known.Value == rec.Value
	switch {
	case id == wire.Nodes && rec == nil:
		s.member = wire.Member{}
	case id == wire.Nodes && !same:
		s.member, err = wire.ParseMember(rec.Value)
	case id == wire.Up && rec == nil:
		s.says = wire.Presence{}
	case id == wire.Up && !same:
		s.says, err = wire.ParsePresence(rec.Value)
	}
	if id == wire.Nodes {
		s.node = rec
	} else {
		s.presence = rec
	}
	s.conclude()
	return s, err
}

func (s *standing) conclude() {
	s.state, s.guest, s.via = Removed, false, ""
	if s.node == nil || s.node.Rank != rankAdd {
		return
	}
	s.state, s.guest = Unknown, s.member.Ephemeral
	if s.presence == nil {
		return
	}
	s.state = [...]State{rankUp: Alive, rankSuspect: Suspect, rankDown: Down, rankLeft: Left}[s.presence.Rank]
	if s.says.Address == "" {
		s.via = s.says.Via
	}
}

func (r *Ring) member(name string) bool { return r.look(name).state != Removed }

func (s *standing) isUp() bool { return s.state == Alive || s.state == Suspect }

// describe makes the Node that runtimes see.
func (s *standing) describe(name string) Node {
	n := Node{Name: name, State: s.state, Ephemeral: s.guest, Address: s.member.Address}
	if s.presence != nil {
		if s.says.Address != "" {
			n.Address = s.says.Address
		}
		n.Via, n.Instance, n.Version, n.Tags = s.says.Via, s.says.Instance, s.says.Version, s.says.Tags
		n.Incarnation = s.presence.Stamp
	}
	return n
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
func (r *Ring) changed(name string, s *standing, after standing) {
	before := *s
	if s == &nobody {
		s = new(standing)
		r.names[name] = s
	}
	*s = after
	s.fate = before.fate
	if before.state != after.state || before.guest != after.guest || before.via != after.via {
		r.count(name, &before, -1)
		r.count(name, s, +1)
	}
	if r.durable > r.peersUp {
		r.stableSince = r.now
	}
	if after.state != Removed || before.state != Removed {
		r.emit(Event{Kind: EventNode, Node: s.describe(name)})
	}
	r.decideFate(name, &before, s)
	if s.node == nil && s.presence == nil {
		delete(r.names, name)
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
func (r *Ring) decideFate(name string, before, s *standing) {
	if s.state == Removed && before.node == s.node {
		return
	}
	s.fate.stop()
	s.fate = nil
	switch {
	case s.node == nil || s.isUp():
	case s.state == Removed:
		r.expireLater(s)
	case s.guest:
		r.reapLater(name, EphemeralTTL)
	case r.cfg.ReapAfter > 0:
		r.reapLater(name, r.cfg.ReapAfter)
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
	return r.look(via).isUp()
}

// await gives a node that is said to be reached through a gateway, and is
// not, time to come back.
func (r *Ring) await(name, via string) {
	presence := r.look(name).presence
	r.after(GuestGrace, func() {
		if r.look(name).presence == presence && !r.reachedVia(name, via) {
			r.accuse(name, rankSuspect)
		}
	})
}

// alone says whether this node is the only durable member it knows.
func (r *Ring) alone() bool { return r.durable <= 1 }
