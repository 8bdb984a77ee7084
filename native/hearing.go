package native

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

const (
	linger     = time.Minute // a topic is heard for so long after its last subscriber over HTTP, which may come back
	mostLinger = 256         // topics that are
)

// hearing is what programs at this node hear: who subscribes to which topics, what was
// heard lately, who answers questions, and who has asked some. The engine's goroutine
// never waits for any of them.
type hearing struct {
	mu          sync.Mutex
	recent      recent
	subscribers map[*subscriber]struct{}
	answerers   []*answerer          // in the order of their coming
	patterns    map[string]*heardFor // of messages
	open        map[uint64]*Answers
	ended       bool
	dropped     *metrics.Counter // messages that a subscriber did not read in time

	telling sync.Mutex        // the engine, of one subscription at a time
	told    core.Subscription // the last
	known   bool              // that it has it
}

// heardFor is for whom a pattern of topics is heard.
type heardFor struct {
	subscribers int
	since       uint64      // all that was heard of it has a greater number
	lingers     *time.Timer // nobody subscribes any more; nil if somebody does
}

// subscription is what the engine is to hear. If there are too many patterns of messages it is
// all, of which nobody is told what he did not ask for.
func (h *hearing) subscription() (s core.Subscription) {
	s.Messages = slices.Sorted(maps.Keys(h.patterns))
	for _, a := range h.answerers {
		if !slices.Contains(s.Questions, a.pattern) {
			s.Questions = append(s.Questions, a.pattern)
		}
	}
	if slices.Contains(s.Messages, "*") || len(s.Messages)+len(s.Questions) > wire.MaxTopics {
		s.Messages = []string{"*"}
	}
	return s
}

// hear tells the engine what it is to hear, if that has changed.
func (n *Node) hear(ctx context.Context) error {
	h := &n.hearing
	h.telling.Lock()
	defer h.telling.Unlock()
	h.mu.Lock()
	s := h.subscription()
	h.mu.Unlock()
	if h.known && slices.Equal(s.Messages, h.told.Messages) && slices.Equal(s.Questions, h.told.Questions) {
		return nil
	}
	_, err := n.do(ctx, core.Command{Op: core.Hear, Hear: s})
	h.told, h.known = s, err == nil
	return err
}

// hearLess tells it in its own time.
func (n *Node) hearLess() {
	n.spawn(func() { _ = n.hear(context.Background()) }) // it hears more than it has to, at worst
}

// add adds a subscriber, who is told first what was heard since its number, if it has
// one. Then the engine has to be told.
func (h *hearing) add(s *subscriber) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return false
	}
	if h.subscribers == nil {
		h.subscribers, h.patterns = make(map[*subscriber]struct{}), make(map[string]*heardFor)
	}
	h.subscribers[s] = struct{}{}
	s.from = h.recent.last
	for _, p := range s.patterns {
		f := h.patterns[p]
		if f == nil {
			f = &heardFor{since: s.from}
			h.patterns[p] = f
		}
		if f.lingers != nil {
			f.lingers.Stop()
			f.lingers = nil
		}
		f.subscribers++
		s.lost = s.lost || s.back && s.since < f.since
	}
	if s.back && !h.recent.tellSince(s.since, func(m *Message) {
		if s.wants(m) {
			s.queue = append(s.queue, m)
		}
	}) {
		s.lost = true
	}
	return true
}

// remove removes a subscriber. What it heard may be heard on for a while.
func (n *Node) remove(s *subscriber, lingering bool) {
	h := &n.hearing
	h.mu.Lock()
	_, there := h.subscribers[s]
	delete(h.subscribers, s)
	less := false
	for _, p := range s.patterns {
		f := h.patterns[p]
		if !there || f == nil {
			continue
		}
		switch f.subscribers--; {
		case f.subscribers > 0:
		case lingering && !h.ended && len(h.patterns) <= mostLinger:
			f.lingers = time.AfterFunc(linger, func() { n.forget(p, f) })
		default:
			delete(h.patterns, p)
			less = true
		}
	}
	s.over = true
	s.news()
	h.mu.Unlock()
	if less {
		n.hearLess()
	}
}

// forget has a pattern be heard no more that nobody came back for.
func (n *Node) forget(pattern string, f *heardFor) {
	n.hearing.mu.Lock()
	gone := f.subscribers == 0 && n.hearing.patterns[pattern] == f
	if gone {
		delete(n.hearing.patterns, pattern)
	}
	n.hearing.mu.Unlock()
	if gone {
		n.hearLess()
	}
}

// take takes in what was heard, for all who subscribe.
func (h *hearing) take(e *core.Event, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	gap := e.Kind == core.EventGap
	if !gap && !h.hears(e.Topic) {
		return
	}
	m := &Message{From: e.Name, Topic: e.Topic, Payload: []byte(e.Payload), Told: e.Told, At: at, Gap: gap}
	if e.Wait > 0 {
		m.Until = at.Add(time.Duration(e.Wait) * time.Microsecond)
	}
	h.recent.add(m)
	for s := range h.subscribers {
		if s.wants(m) && s.put(m) && h.dropped != nil {
			h.dropped.Inc()
		}
	}
}

// hears says whether somebody subscribes to a topic, or did until lately.
func (h *hearing) hears(topic string) bool {
	for p := range h.patterns {
		if isLike(p, topic) {
			return true
		}
	}
	return false
}

// asks takes in a question of this node's, until it is over.
func (h *hearing) asks(a *Answers) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return false
	}
	if h.open == nil {
		h.open = make(map[uint64]*Answers)
	}
	h.open[a.id] = a
	return true
}

func (h *hearing) asked(id uint64) {
	h.mu.Lock()
	delete(h.open, id)
	h.mu.Unlock()
}

func (h *hearing) question(id uint64) *Answers {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.open[id]
}

// Talk is how much is said at a node.
type Talk struct {
	Listeners int `json:"listeners"` // who hear messages here
	Unread    int `json:"unread"`    // messages that wait for them
	Recent    int `json:"recent"`    // messages that are kept for who comes back
	Answering int `json:"answering"` // questions that are answered here, or wait for it
	Asking    int `json:"asking"`    // questions of this node's that are open
}

func (h *hearing) talk() Talk {
	t := Talk{Answering: h.answering()}
	h.mu.Lock()
	defer h.mu.Unlock()
	t.Listeners, t.Recent, t.Asking = len(h.subscribers), len(h.recent.list), len(h.open)
	for s := range h.subscribers {
		t.Unread += len(s.queue)
	}
	return t
}

// end ends all who subscribe, answer or ask.
func (h *hearing) end() {
	h.mu.Lock()
	h.ended = true
	for s := range h.subscribers {
		s.over = true
		s.news()
	}
	for _, f := range h.patterns {
		if f.lingers != nil {
			f.lingers.Stop()
		}
	}
	for _, a := range h.answerers {
		a.cancel()
	}
	open := slices.Collect(maps.Values(h.open))
	h.mu.Unlock()
	for _, a := range open {
		a.end(nil, ErrStopped)
	}
}
