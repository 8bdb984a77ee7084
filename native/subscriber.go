package native

import (
	"context"
	"path"

	"github.com/nanoring/nanoring/core/wire"
)

const (
	mostUnread      = 256 // messages that wait for a subscriber
	tooManyPatterns = "too many patterns of topics: there may be 64"
)

// subscriber is somebody who listens. The hearing's mutex guards all that is below since.
type subscriber struct {
	patterns []string
	back     bool   // it was here before:
	since    uint64 // the last that it heard
	wake     chan struct{}

	from  uint64 // the last message before it came
	queue []*Message
	lost  bool // something before those
	over  bool
}

func newSubscriber(patterns []string) (*subscriber, error) {
	if len(patterns) > wire.MaxTopics {
		return nil, &CommandError{Code: wire.CodeInvalid, Text: tooManyPatterns}
	}
	for _, p := range patterns {
		if err := wire.ValidPattern(p); err != nil {
			return nil, &CommandError{Code: wire.CodeInvalid, Text: err.Error()}
		}
	}
	return &subscriber{patterns: patterns, wake: make(chan struct{}, 1)}, nil
}

// subscribe has a subscriber hear from now on: the engine knows it, too.
func (n *Node) subscribe(ctx context.Context, s *subscriber) error {
	if !n.hearing.add(s) {
		return ErrStopped
	}
	err := n.hear(ctx)
	if err != nil {
		n.remove(s, false)
	}
	return err
}

// isLike says whether a topic is as a pattern has it. Neither has a character that means
// anything else to path.Match.
func isLike(pattern, topic string) bool {
	ok, _ := path.Match(pattern, topic)
	return ok
}

// wants says whether it is told of a message. A gap may be of any topic.
func (s *subscriber) wants(m *Message) bool {
	if m.Gap {
		return true
	}
	for _, p := range s.patterns {
		if isLike(p, m.Topic) {
			return true
		}
	}
	return false
}

// put gives it a message, and takes the oldest from who does not read, of which it says true.
func (s *subscriber) put(m *Message) (lost bool) {
	if lost = len(s.queue) >= mostUnread; lost {
		s.queue[0] = nil
		s.queue = s.queue[1:]
		s.lost = true
	}
	s.queue = append(s.queue, m)
	s.news()
	return lost
}

func (s *subscriber) news() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// next takes the next message of a subscriber, if there is one.
func (h *hearing) next(s *subscriber) (m Message, ok, over bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case s.lost:
		s.lost = false
		return Message{Gap: true}, true, s.over
	case len(s.queue) > 0:
		m = *s.queue[0]
		s.queue[0] = nil
		s.queue = s.queue[1:]
		return m, true, s.over
	}
	return m, false, s.over
}
