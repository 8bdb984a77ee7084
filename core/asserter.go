package core

import (
	"github.com/nanoring/nanoring/core/ledger"
	"github.com/nanoring/nanoring/core/wire"
)

// asserter is who asserts a record: the peer of a connection, with what its role
// and its standing let it say.
type asserter struct {
	name     string // "" before it is established, and once it was replaced
	guest    bool   // of this node
	instance wire.Instance
	tags     []wire.Tag      // the labels that it has to have,
	own      []string        // and patterns of others' keys; any if both are nil
	cost     *ledger.Account // of a guest

	until  int64  // what it says of others counts that is not later: see mayAssert; as of
	judged uint64 // the replica's version + 1
}

// labels says whether a guest has the labels that it has to have, and no other than it may.
func (a *asserter) labels(tags []wire.Tag) bool {
	if a.tags == nil && a.own == nil {
		return true
	}
	has := 0
	for _, t := range tags {
		if value, pinned := valueOf(a.tags, t.Key); pinned && value == t.Value {
			has++
		} else if pinned || !a.mayOwn(t.Key) {
			return false
		}
	}
	return has == len(a.tags)
}

func (a *asserter) mayOwn(key string) bool {
	for _, pattern := range a.own {
		if isLike(pattern, key) {
			return true
		}
	}
	return false
}

// speaksIn says whether a presence is that of this process, through this gateway.
//
//go:noinline
func (a *asserter) speaksIn(s *standing, gateway string) bool {
	return s.says.Via == gateway && s.says.Instance == a.instance
}

// ofItself says what becomes of what a guest says of itself, which is taken at a bounded rate.
func (a *asserter) ofItself(w *wire.Record, after *standing, gateway string, now int64) verdict {
	m, p := after.member, after.says
	switch {
	case w.Set == wire.Nodes && (w.Rank != rankAdd || !m.Ephemeral || m.Address != ""),
		w.Set == wire.Up && (w.Rank != rankUp && w.Rank != rankLeft || !a.speaksIn(after, gateway)):
		return isRefused
	case w.Set == wire.Up && (!p.Ephemeral || p.Address != ""):
		return isOfNoGuest
	case a.cost.Take(now, costRecords, 1) != ledger.Enough:
		return isEarly
	}
	return isNews
}
