package native

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// logEvent writes the line of an event that an operator cares about. Floods of
// the same refusal are the engine's to keep back.
func (n *Node) logEvent(e *core.Event, before core.Node, known bool) {
	switch e.Kind {
	case core.EventNode:
		n.logNode(e.Node, before, known)
	case core.EventRefused:
		if e.Code == wire.CodeSkew {
			break // logClock says it, once
		}
		if e.Addr != "" && !n.rare.now("turned-away-"+word(e.Code), e.Addr) {
			break // names are free, for who makes them up
		}
		n.log.Warn("connection turned away, by this node or the other", "name", e.Name, "address", e.Addr, "code", e.Code.String(), "why", e.Text)
	case core.EventSkew:
		if e.Skew != 0 && e.Code == 0 && n.rare.now("ahead", e.Addr) {
			n.log.Warn("a record was refused, since its stamp is ahead of this node's clock", "name", e.Name, "from", e.Addr, "ahead", span(e.Skew))
		}
	case core.EventLeaving:
		n.log.Warn("this node was removed from its ring, and ends soon")
	case core.EventStays:
		n.log.Info("this node was added again, and stays")
	case core.EventStale:
		n.log.Warn("this node was apart from its ring for long: it asks others what holds")
	case core.EventFresh:
		n.log.Info("this node knows its ring again")
	}
}

// logClock writes the line of a clock that is wrong, or is no longer.
func (n *Node) logClock(c clockNews) {
	switch {
	case c.own && c.over:
		n.log.Info("this node's clock is not wrong any more, as far as it knows")
	case c.own:
		n.log.Warn("this node's clock is wrong, probably: no other node lets it in, or it lets none in: run NTP on this host", "name", c.Name, "address", c.Address)
	case c.stranger && !n.rare.now("clock", c.Address):
	case c.over:
		n.log.Info("the clock is not wrong any more", "name", c.Name, "address", c.Address)
	case c.AheadMicros != 0:
		n.log.Warn("a clock is wrong: this node and the other do not let each other in", "name", c.Name, "address", c.Address, "ahead", span(c.AheadMicros))
	default:
		n.log.Warn("a clock is wrong: the other node does not let this one in", "name", c.Name, "address", c.Address, "why", c.Text)
	}
}

// span is how far a clock is ahead. A peer says whatever it likes.
func span(micros int64) time.Duration {
	const most = math.MaxInt64 / int64(time.Microsecond)
	return time.Duration(min(max(micros, -most), most)) * time.Microsecond
}

func (n *Node) logNode(now, before core.Node, known bool) {
	level, what := slog.LevelInfo, ""
	switch {
	case now.Name == n.cfg.Name && now.State == core.Left:
		return // it is about to stop, and says that it has
	case now.State == core.Removed:
		what = "node removed"
	case !known:
		what = "node added"
	case now.State != before.State:
		what = "node is " + now.State.String()
		if now.State == core.Down {
			level = slog.LevelWarn
		}
	case now.Address != before.Address:
		what = "node moved"
	case now.Cordoned && !before.Cordoned:
		what = "node is cordoned"
	case before.Cordoned && !now.Cordoned:
		what = "node is cordoned no more"
	default:
		return
	}
	now.Ephemeral = now.Ephemeral || before.Ephemeral // of who was removed nothing is said but the name
	if n.flaps.may(now, n.logFlaps) {
		n.log.Log(context.Background(), level, what, "name", now.Name, "address", now.Address, "state", now.State.String())
	}
}

// logFlaps says how many lines about a node were held back.
func (n *Node) logFlaps(name string, now core.State, more int) {
	switch {
	case name == "" && now == core.Alive:
		n.log.Info("more nodes were added, or changed, within a minute than is told here: nanoring all shows them", "more", more)
		return
	case name == "":
		n.log.Info("guests changed more often within a minute than is told here", "more", more)
		return
	}
	n.log.Warn("a node changed more often within a minute than is told here", "name", name, "state", now.String(), "more", more)
}

// logStrangers says how many lines about what strangers caused were held back.
func (n *Node) logStrangers(more int) {
	n.log.Info("strangers and guests were refused more often within a minute than is told here", "more", more)
}

// logEnd writes the last lines.
func (l *loop) logEnd() {
	l.rare.end()
	l.flaps.end(l.logFlaps)
	switch {
	case l.err == nil:
		l.log.Info("node stopped")
	case l.err == ErrLeft:
		l.log.Info("node left its ring")
	default:
		l.log.Error("node ended", "why", l.err)
	}
	l.logs.Flush(flushTime)
}
