package core

import (
	"github.com/nanoring/nanoring/core/wire"
)

// What is kept of tells.
const (
	mostTells  = 1024 // that are not confirmed,
	tellsAhead = 4    // and of them, to one node, that were sent
)

// telling is a message to one node, until that has said what became of it; or one of a
// guest to all, until its gateway has.
type telling struct {
	_     incomparable
	id    uint64 // of the command
	to    string
	seq   uint64
	tell  wire.Tell
	begun int64 // the monotonic clock
	sent  int64 // the ring's clock, when last; 0 for never
	place int   // among those to that node
}

// tells owns what this node tells others.
type tells struct {
	spread *spread
	list   []*telling // their seqs ascending
}

// begin takes a tell in; false if there are too many.
func (t *tells) begin(cmd *Command, seq uint64) bool {
	if len(t.list) >= mostTells {
		return false
	}
	push(&t.list, &telling{id: cmd.ID, to: kept(cmd.Name), seq: seq, begun: t.spread.newsTime(),
		tell: wire.Tell{Topic: kept(cmd.Topic), Payload: kept(cmd.Payload)}})
	t.spread.soon(0)
	return true
}

// flush sends those whose turn it is: in order, and a few ahead of what is confirmed.
func (t *tells) flush() {
	last := make(map[string]*telling) // to each node
	for _, one := range t.list {
		one.tell.Before, one.place = 0, 1
		if before := last[one.to]; before != nil {
			one.tell.Before, one.place = before.seq, before.place+1
		}
		last[one.to] = one
		if one.place > tellsAhead || one.sent != 0 && t.spread.now-one.sent < t.spread.cfg.Period {
			continue
		}
		one.tell.Age = min(uint64((t.spread.newsTime()-one.begun)/Millisecond), wire.Window)
		f := wire.Frame{Kind: wire.KindTell, Seq: one.seq, Instance: t.spread.cfg.Instance, Tell: one.tell}
		if !t.spread.carry(one.to, &f) {
			one.place = tellsAhead // those behind it wait
			continue
		}
		one.sent = t.spread.now
	}
}

// said ends the tell of that number, and returns it; nil if there is none.
func (t *tells) said(from string, seq uint64) *telling {
	for i, one := range t.list {
		if one.seq == seq && one.to == from {
			drop(&t.list, i)
			t.spread.soon(0)
			return one
		}
	}
	return nil
}

// expired ends a tell that is no news any more, and returns it; nil if there is none.
func (t *tells) expired() *telling {
	for _, one := range t.list {
		if t.spread.newsTime()-one.begun >= newsFor {
			return t.said(one.to, one.seq)
		}
	}
	return nil
}
