package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/nanoring/nanoring/native"
)

const (
	mostCommands = 8           // that answer, at a time
	logEvery     = time.Minute // what of a handler failed
)

var errLost = errors.New("some were lost before it: the command is slower than they come, or the ring is")

// handler is a command that a node runs for what it hears on the topics of a pattern, or
// sees of the events of one.
type handler struct {
	pattern, command string
}

// parseHandlers makes handlers of what flags of a name say.
func parseHandlers(flag string, list []string) (all []handler, err error) {
	for _, text := range list {
		pattern, command, ok := strings.Cut(text, "=")
		if !ok || strings.TrimSpace(command) == "" {
			return nil, fmt.Errorf("--%s %q is not TOPIC=COMMAND", flag, text)
		}
		if err := wire.ValidPattern(pattern); err != nil {
			return nil, fmt.Errorf("--%s %q: %w", flag, text, err)
		}
		all = append(all, handler{pattern, command})
	}
	return all, nil
}

// heardBy says why a node cannot hear all that its handlers want: before any is in force.
func heardBy(messages, questions []handler) error {
	n := 0
	for _, list := range [][]handler{messages, questions} {
		patterns := make(map[string]bool)
		for _, h := range list {
			patterns[h.pattern] = true
		}
		n += len(patterns)
	}
	if n > wire.MaxTopics {
		return fmt.Errorf("--on-message and --on-question have %d patterns of topics: a node hears %d", n, wire.MaxTopics)
	}
	return nil
}

// handlers run the commands of a node.
type handlers struct {
	life  context.Context // of all commands
	node  *native.Node
	log   *slog.Logger
	slots chan struct{} // those that answer
	wg    sync.WaitGroup
	used  used

	mu     sync.Mutex
	limit  time.Duration
	logged map[handler]time.Time
	missed map[handler]int // failures that were not logged
}

// hear runs a handler's command for each message until ctx ends: one at a time, in the order
// in which they were sent.
func (hs *handlers) hear(ctx context.Context, h handler) error {
	heard, err := hs.node.Listen(ctx, h.pattern)
	if err != nil {
		return fmt.Errorf("--on-message %s: %w", h.pattern, err)
	}
	hs.wg.Go(func() {
		for m := range heard {
			if m.Gap {
				hs.failed(h, "", errLost)
				continue
			}
			if _, err := hs.run(hs.life, h, m.From, "NANORING_TOPIC="+m.Topic, m.Payload); err != nil && hs.life.Err() == nil {
				hs.failed(h, m.From, err)
			}
		}
	})
	return nil
}

// answer has a handler's command answer questions, until stop is called.
func (hs *handlers) answer(h handler) (stop func(), err error) {
	stop, err = hs.node.Answer(h.pattern, func(ctx context.Context, q native.Question) ([]byte, error) {
		select {
		case hs.slots <- struct{}{}:
			defer func() { <-hs.slots }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		answer, err := hs.run(ctx, h, q.From, "NANORING_TOPIC="+q.Topic, q.Payload)
		if err != nil && ctx.Err() == nil {
			hs.failed(h, q.From, err)
		}
		return answer, err
	})
	if err != nil {
		return nil, fmt.Errorf("--on-question %s: %w", h.pattern, err)
	}
	return stop, nil
}

// run runs a handler's command once.
func (hs *handlers) run(ctx context.Context, h handler, from, what string, payload []byte) ([]byte, error) {
	hs.mu.Lock()
	limit := hs.limit
	hs.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answer, err := runCommand(ctx, h.command, hs.environ(from, what), payload)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("the command was not done after %s, and was killed", limit)
	}
	return answer, err
}

// environ is what a command is told of what it is run for: a topic, or an event.
func (hs *handlers) environ(from, what string) []string {
	env := []string{"NANORING_NODE=" + hs.node.Name(), "NANORING_FROM=" + from, what, "NANORING_DATA=" + hs.node.Status().Data, "NANORING_API="}
	own, _ := hs.node.Get(hs.node.Name())
	for _, tag := range own.Tags {
		key := strings.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
				return r
			}
			return '_'
		}, strings.ToUpper(tag.Key))
		env = append(env, "NANORING_TAG_"+key+"="+tag.Value)
	}
	for i, v := range env {
		env[i] = strings.ReplaceAll(v, "\x00", "") // no program can have it
	}
	return env
}

// failed logs what went wrong with a handler, once a minute.
func (hs *handlers) failed(h handler, from string, err error) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	now := time.Now()
	if now.Sub(hs.logged[h]) < logEvery {
		hs.missed[h]++
		return
	}
	hs.logged[h] = now
	log := hs.log
	if n := hs.missed[h]; n > 0 {
		log = log.With("more", n) // before it
		hs.missed[h] = 0
	}
	log.Warn("a command failed", "for", h.pattern, "command", h.command, "from", from, "why", err)
}
