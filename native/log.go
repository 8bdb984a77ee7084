package native

import (
	"context"
	"log/slog"
	"time"

	"github.com/nanoring/nanoring/core"
)

// logEvent writes the line of an event that an operator cares about. Floods of
// the same refusal are the engine's to keep back.
func (n *Node) logEvent(e *core.Event, before core.Node, known bool) {
	switch e.Kind {
	case core.EventNode:
		n.logNode(e.Node, before, known)
	case core.EventRefused:
		n.log.Warn("connection turned away, by this node or the other", "name", e.Name, "address", e.Addr, "code", e.Code.String(), "why", e.Text)
	case core.EventSkew:
		if e.Skew == 0 {
			n.log.Info("the clocks agree again", "name", e.Name, "address", e.Addr)
			break
		}
		n.log.Warn("a clock is wrong: this node's or the other's", "name", e.Name, "address", e.Addr, "ahead", time.Duration(e.Skew)*time.Microsecond)
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
	default:
		return
	}
	n.log.Log(context.Background(), level, what, "name", now.Name, "address", now.Address, "state", now.State.String())
}
