package native

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

const (
	watchBuffer = 256  // how many events a watcher may be behind
	maxHistory  = 1024 // how many are kept for who comes back
)

// board is what readers see of the ring: the view built of the engine's events,
// what happened lately, and who watches it. The engine's goroutine never waits for a
// watcher, and a reader never for the engine.
type board struct {
	mu       sync.Mutex
	view     core.View
	all, up  []core.Node // of view, sorted; nil after a change
	ups      int         // how many of view are up,
	durable  int         // how many of those are durable,
	down     int         // and how many durable ones are down
	history  []happened  // the last ones, in order, their numbers ascending by one
	seq      uint64      // the number of the last one
	watchers map[*watcher]struct{}
	ended    bool
}

// happened is an event as it is kept: nearly all are of nodes, which have little of what
// an Event has room for, and are shared with the view.
type happened struct {
	what   core.What
	at     time.Time
	node   *core.Node // nil for an event that is of none,
	before *core.Node // and as it was before; nil if it was not known
	other  *core.Event
}

// event is the whole of it, by its number.
func (h *happened) event(seq uint64) Event {
	e := Event{What: h.what, Seq: seq, At: h.at}
	if h.node != nil {
		e.Event = core.Event{Kind: core.EventNode, Node: *h.node}
	} else {
		e.Event = *h.other
	}
	return e
}

// numbered is an event that waits for a watcher: a fifth of what it is when it is told.
type numbered struct {
	happened
	seq uint64
}

type watcher struct {
	filters []core.Filter
	events  chan numbered // closed when it ends
	slow    bool          // why, once it is closed
	from    uint64        // the last event before those
}

// wants says whether a watcher is told. Of a node that its filters pick no more it is
// told that, too.
func (w *watcher) wants(h *happened) bool {
	if len(w.filters) == 0 {
		return true
	}
	picks := func(n *core.Node) bool { return n != nil && len(core.Pick([]core.Node{*n}, w.filters...)) > 0 }
	return picks(h.node) || picks(h.before)
}

// apply takes in an event that was seen at a time, and returns what the view had of
// its node.
func (b *board) apply(e *core.Event, at time.Time) (before core.Node, known bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.Kind == core.EventResult {
		return before, known // for who asked alone
	}
	h := happened{at: at}
	if e.Kind == core.EventNode {
		if h.before = b.view.Shared(e.Node.Name); h.before != nil {
			before, known = *h.before, true
		}
		h.what = b.view.Apply(e, at.UnixMicro())
		if h.node = b.view.Shared(e.Node.Name); h.node == nil { // it was removed
			node := e.Node
			h.node = &node
		}
		b.all, b.up = nil, nil
		if known {
			b.countUp(&before, -1)
		}
		b.countUp(&e.Node, +1)
	} else {
		other := *e
		h.other = &other
	}
	b.seq++
	if len(b.history) >= 2*maxHistory {
		b.history = slices.Clone(b.history[maxHistory:])
	}
	b.history = append(b.history, h)
	if old := len(b.history) - maxHistory - 1; old >= 0 {
		b.history[old] = happened{} // known no more, and what it has may be long
	}
	for w := range b.watchers {
		if !w.wants(&h) {
			continue
		}
		select {
		case w.events <- numbered{h, b.seq}:
		default:
			w.slow = true
			b.drop(w)
		}
	}
	return before, known
}

func (b *board) countUp(n *core.Node, by int) {
	switch {
	case !isUp(n.State):
		if n.State == core.Down && !n.Ephemeral {
			b.down += by
		}
		return
	case !n.Ephemeral:
		b.durable += by
	}
	b.ups += by
}

// others is how many durable nodes are up or down that have another name; b is locked.
func (b *board) others(name string) int {
	others := b.durable + b.down
	if n := b.view.Shared(name); n != nil && !n.Ephemeral && (isUp(n.State) || n.State == core.Down) {
		others--
	}
	return others
}

// othersUp says whether a durable node is up that has another name.
func (b *board) othersUp(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	others := b.durable
	if n := b.view.Shared(name); n != nil && isUp(n.State) && !n.Ephemeral {
		others--
	}
	return others > 0
}

func (b *board) drop(w *watcher) {
	if _, ok := b.watchers[w]; ok {
		delete(b.watchers, w)
		close(w.events)
	}
}

// watch returns the present nodes, and a watcher of all that follows.
func (b *board) watch(filters []core.Filter) ([]Event, *watcher) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.present(filters), b.follow(filters)
}

// watchSince returns what happened since an event, or that this is not known any more
// and the present nodes, and a watcher of all that follows.
func (b *board) watchSince(seq uint64, filters []core.Filter) (seen []Event, w *watcher) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w = b.follow(filters)
	from := len(b.history) - int(b.seq-min(seq, b.seq))
	if seq > b.seq || from < max(len(b.history)-maxHistory, 0) {
		return append([]Event{{Gap: true}}, b.present(filters)...), w
	}
	for i := range b.history[from:] {
		if h := &b.history[from+i]; w.wants(h) {
			seen = append(seen, h.event(b.seq-uint64(len(b.history)-1-from-i)))
		}
	}
	return seen, w
}

// compact copies what is kept of what happened. Each piece of it lies where there was room at that time, and keeps
// all that was around it from being given back; the copies lie close together.
func (b *board) compact() {
	b.mu.Lock()
	defer b.mu.Unlock()
	copies := make(map[*core.Node]*core.Node)
	again := func(n *core.Node) *core.Node {
		if n == nil || b.view.Shared(n.Name) == n {
			return n
		}
		if copies[n] == nil {
			one := *n
			one.Name, one.Address, one.Via, one.Tags = strings.Clone(n.Name), strings.Clone(n.Address), strings.Clone(n.Via), slices.Clone(n.Tags)
			for i, t := range one.Tags {
				one.Tags[i] = wire.Tag{Key: strings.Clone(t.Key), Value: strings.Clone(t.Value)}
			}
			copies[n] = &one
		}
		return copies[n]
	}
	b.history = slices.Clone(b.history[max(len(b.history)-maxHistory, 0):])
	for i := range b.history {
		h := &b.history[i]
		h.node, h.before = again(h.node), again(h.before)
	}
}

// present are the nodes that are there, as events.
func (b *board) present(filters []core.Filter) (all []Event) {
	if b.ended {
		return nil
	}
	for _, n := range core.Pick(b.nodes(), filters...) {
		all = append(all, Event{Event: core.Event{Kind: core.EventNode, Node: n}})
	}
	return all
}

// follow returns a watcher of all that happens from now on.
func (b *board) follow(filters []core.Filter) *watcher {
	w := &watcher{filters: filters, events: make(chan numbered, watchBuffer), from: b.seq}
	if b.ended {
		close(w.events)
		return w
	}
	if b.watchers == nil {
		b.watchers = make(map[*watcher]struct{})
	}
	b.watchers[w] = struct{}{}
	return w
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

func (b *board) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.view.Len()
}

// nodes returns the sorted members: shared, not to be changed.
func (b *board) nodes() []core.Node {
	if b.all == nil {
		b.all = b.view.All()
	}
	return b.all
}

func (b *board) upNodes() []core.Node {
	if all := b.nodes(); b.up == nil && b.ups == len(all) {
		b.up = all
	} else if b.up == nil {
		b.up = slices.DeleteFunc(slices.Clone(all), func(n core.Node) bool { return !isUp(n.State) })
	}
	return b.up
}

func isUp(s core.State) bool { return s == core.Alive || s == core.Suspect }
