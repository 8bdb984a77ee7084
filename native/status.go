package native

import (
	"time"

	"github.com/nanoring/nanoring/core"
)

// Status is how a node is doing; docs/api.md has its fields.
type Status struct {
	Name        string     `json:"name"`
	Ring        string     `json:"ring"`
	Address     string     `json:"address"`
	Instance    string     `json:"instance"`
	Started     time.Time  `json:"started"`
	Data        string     `json:"data"`
	Members     int        `json:"members"`
	Up          int        `json:"up"`
	Connections int        `json:"connections"`
	Stale       bool       `json:"stale"`
	Join        JoinStatus `json:"join"`
	Leaving     bool       `json:"leaving"`
	Cordoned    bool       `json:"cordoned"`
	WriteError  string     `json:"write_error"`
	LogLost     uint64     `json:"log_lost"` // lines of the log, since the process began
	Keys        []string   `json:"keys"`
	Secured     bool       `json:"secured"` // nodes have to prove who they are
	Messages    Talk       `json:"messages"`
	Clocks      []Clock    `json:"clocks"`
	// OtherRings are nodes of other rings that were met lately, 64 at most.
	OtherRings []OtherRing `json:"other_rings"`
	// Conditions are what an operator should know, the worst first: docs/operations.md.
	Conditions []Condition `json:"conditions"`
	// OwnClockSince is since when this node knows of no other durable node that is up and
	// whose clock agrees with its own, which is wrong, probably, and not those of all
	// others. It is zero if that is not so.
	OwnClockSince time.Time `json:"own_clock_since,omitzero"`
}

// Status returns how the node is doing.
func (n *Node) Status() Status {
	s := Status{
		Name: n.cfg.Name, Ring: n.cfg.Ring, Address: n.addr, Instance: formatInstance(n.instance),
		Started: time.UnixMicro(n.instance.Start).UTC(), Data: n.folder.Dir(),
	}
	s.Keys, s.Messages = n.keeper.Now().IDs(), n.hearing.talk()
	s.LogLost = n.logs.Lost()
	s.Secured = n.keeper.Now().Secured()
	s.Clocks, s.OwnClockSince = n.clocks.status()
	s.OtherRings = n.rings.list(n.cfg.Clock())
	s.Join = n.joinStatus()
	f := n.health()
	s.Conditions, _ = conditionsOf(&f)
	n.board.mu.Lock()
	s.Members, s.Up = n.board.view.Len(), n.board.ups
	own, _ := n.board.view.Get(n.cfg.Name)
	s.Cordoned = own.Cordoned
	n.board.mu.Unlock()
	n.status.Lock()
	defer n.status.Unlock()
	s.Connections, s.Stale, s.Leaving = n.status.connections, n.status.stale, n.status.leaving
	if n.status.writeError != nil {
		s.WriteError = n.status.writeError.Error()
	}
	return s
}

// countConns takes note of a connection that came, or is over.
func (l *loop) countConns(c *conn, more int) {
	l.status.Lock()
	l.status.connections += more
	if c.story.open.role == core.Guest {
		l.status.guests += more
	}
	l.status.Unlock()
}
