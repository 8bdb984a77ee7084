package native

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/nanoring/nanoring/core"
)

// watchBuffer is how many events a watcher may be behind.
const watchBuffer = 256

// board is what readers see of the ring: the view built of the engine's events,
// and who watches it. The engine's goroutine never waits for a watcher, and a
// reader never for the engine.
type board struct {
	mu       sync.Mutex
	view     core.View
	all, up  []core.Node // of view, sorted; nil after a change
	watchers map[*watcher]struct{}
	ended    bool
}

type watcher struct {
	events chan core.Event // closed when it ends
	slow   bool            // why, once it is closed
}

// apply takes in an event, and returns what the view had of its node.
func (b *board) apply(e *core.Event) (before core.Node, known bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.Kind == core.EventNode {
		before, known = b.view.Get(e.Node.Name)
		b.view.Apply(e)
		b.all, b.up = nil, nil
	}
	if e.Kind == core.EventResult {
		return before, known // for who asked alone
	}
	for w := range b.watchers {
		select {
		case w.events <- *e:
		default:
			w.slow = true
			b.drop(w)
		}
	}
	return before, known
}

func (b *board) drop(w *watcher) {
	if _, ok := b.watchers[w]; ok {
		delete(b.watchers, w)
		close(w.events)
	}
}

// watch returns the present nodes and a watcher of all that follows.
func (b *board) watch() ([]core.Node, *watcher) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := &watcher{events: make(chan core.Event, watchBuffer)}
	if b.ended {
		close(w.events)
		return nil, w
	}
	if b.watchers == nil {
		b.watchers = make(map[*watcher]struct{})
	}
	b.watchers[w] = struct{}{}
	return b.nodes(), w
}

func (b *board) unwatch(w *watcher) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop(w)
}

// end ends all watchers; readers go on seeing the last state.
func (b *board) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	for w := range b.watchers {
		b.drop(w)
	}
}

// nodes returns the sorted members: shared, not to be changed.
func (b *board) nodes() []core.Node {
	if b.all == nil {
		b.all = b.view.All()
	}
	return b.all
}

func (b *board) upNodes() []core.Node {
	if b.up == nil {
		b.up = slices.DeleteFunc(slices.Clone(b.nodes()), func(n core.Node) bool { return !isUp(n.State) })
	}
	return b.up
}

func isUp(s core.State) bool { return s == core.Alive || s == core.Suspect }

// All returns the nodes that belong to the ring and are picked by all filters,
// sorted by name.
func (n *Node) All(filters ...core.Filter) []core.Node {
	n.board.mu.Lock()
	all := n.board.nodes()
	n.board.mu.Unlock()
	return core.Pick(all, filters...)
}

// Up returns those of All that are up, suspects among them.
func (n *Node) Up(filters ...core.Filter) []core.Node {
	n.board.mu.Lock()
	up := n.board.upNodes()
	n.board.mu.Unlock()
	return core.Pick(up, filters...)
}

// Get returns a node that belongs to the ring.
func (n *Node) Get(name string) (core.Node, bool) {
	n.board.mu.Lock()
	defer n.board.mu.Unlock()
	return n.board.view.Get(name)
}

// Owners returns the count nodes to which a key is given, the first owner first,
// of those that are up, durable and picked by all filters: all of them if they are
// fewer. It is empty if the key is, or if count is below 1. Nodes that see the same
// of those agree on it; while news of one is on its way they may not.
func (n *Node) Owners(key string, count int, among ...core.Filter) []core.Node {
	n.board.mu.Lock()
	defer n.board.mu.Unlock()
	return n.board.view.Owners(key, count, among...)
}

// Watch yields an EventNode for each present node, then every event as it
// happens, until ctx or the node ends. A watcher that falls more than 256 events
// behind gets ErrSlow as the last thing. It never holds up the node.
func (n *Node) Watch(ctx context.Context) iter.Seq2[core.Event, error] {
	return func(yield func(core.Event, error) bool) {
		present, w := n.board.watch()
		defer n.board.unwatch(w)
		for _, node := range present {
			if !yield(core.Event{Kind: core.EventNode, Node: node}, nil) {
				return
			}
		}
		for {
			select {
			case <-ctx.Done():
				return
			case e, ok := <-w.events:
				if !ok && w.slow {
					yield(core.Event{}, ErrSlow)
				}
				if !ok || !yield(e, nil) {
					return
				}
			}
		}
	}
}

func (b *board) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.view.Len()
}
