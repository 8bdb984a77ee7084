package native

import (
	"context"
	"iter"
	"time"

	"github.com/nanoring/nanoring/core"
)

// Event is what happened, as this node saw it.
type Event struct {
	core.Event
	What core.What // of an EventNode: what became of its Node; "" of one that was there when watching began
	Seq  uint64    // its number in this process, from 1 on; 0 likewise
	At   time.Time // when this node saw it; zero likewise
	Gap  bool      // those since the one that was asked for are not all known any more: the nodes that are there follow
}

// Watch yields an EventNode for each present node that all filters pick, then
// every event as it happens, until ctx or the node ends. With filters these are the
// EventNodes of nodes that they pick, or picked until then. A watcher that falls more
// than 256 events behind gets ErrSlow as the last thing. It never holds up the node.
func (n *Node) Watch(ctx context.Context, filters ...core.Filter) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		seen, w := n.board.watch(filters)
		defer n.board.unwatch(w)
		w.follow(ctx, seen, yield)
	}
}

// WatchSince yields what happened since the event of a number, as far as that is still
// known, and goes on as Watch does. If it is not, the first thing that it yields has
// Gap set, and the nodes that are there follow, as from Watch. The last 1,024 events are
// known.
func (n *Node) WatchSince(ctx context.Context, seq uint64, filters ...core.Filter) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		seen, w := n.board.watchSince(seq, filters)
		defer n.board.unwatch(w)
		w.follow(ctx, seen, yield)
	}
}

func (w *watcher) follow(ctx context.Context, seen []Event, yield func(Event, error) bool) {
	for _, e := range seen {
		if !yield(e, nil) {
			return
		}
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-w.events:
			if !ok && w.slow {
				yield(Event{}, ErrSlow)
			}
			if !ok || !yield(e.event(e.seq), nil) {
				return
			}
		}
	}
}
