package core

import (
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// standing is what this node has of a name: its two records, what they say, and
// what follows from both.
type standing struct {
	_        incomparable
	node     *lww.Record
	presence *lww.Record
	member   *wire.Member   // of node; never nil
	says     *wire.Presence // of presence; never nil
	state    State
	guest    bool // ephemeral
}

// nothing is what a record says that is not there.
var nothing struct {
	member   wire.Member
	presence wire.Presence
}

//go:noinline
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

// isDurable says whether it is, or was, a durable node's.
func (s *standing) isDurable() bool { return s.node != nil && !s.member.Ephemeral }

// isImposed says whether the presence is a guest's, and the name is not.
func (s *standing) isImposed() bool { return s.isDurable() && s.says.Ephemeral }

//go:noinline
func ofDurable(name string) string { return "the name " + name + " is a durable node's" }

func (s *standing) isUp() bool { return s.state == Alive || s.state == Suspect }

// isGateway says whether guests may be sent there.
func (s *standing) isGateway() bool {
	return s.isUp() && !s.guest && !s.says.Cordoned && s.address() != ""
}

// describe fills in the Node that runtimes see, field by field: a whole one
// would be made elsewhere, and copied.
func (s *standing) describe(name string, n *Node) {
	n.Name, n.State, n.Ephemeral, n.Address = name, s.state, s.guest, s.address()
	n.Via, n.Instance, n.Version, n.Tags = s.says.Via, s.says.Instance, s.says.Version, s.says.Tags
	n.Cordoned, n.Incarnation = s.isUp() && !s.guest && s.says.Cordoned, 0
	if s.presence != nil {
		n.Incarnation = s.presence.Stamp
	}
}

// address is where it can be dialled, or "".
//
//go:noinline
func (s *standing) address() string {
	if s.says.Address != "" || s.says.Via != "" {
		return s.says.Address
	}
	return s.member.Address
}

// gateway is through whom it is reached, or "".
func (s *standing) gateway() string {
	if s.says.Address != "" {
		return ""
	}
	return s.says.Via
}

// older says whether a process of a name started before another.
func older(a, b wire.Instance) bool {
	return a.Start < b.Start || a.Start == b.Start && a.Nonce < b.Nonce
}
