package main

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/nanoring/nanoring/native"
)

// used are the handlers that are in use. They may be others later, while the node runs.
type used struct {
	jobs      map[job]context.CancelFunc
	questions []handler
	stops     []func() // of those
}

// job is a handler of events or messages, the nth of those that are the same.
type job struct {
	handler
	events bool
	nth    int
}

// newHandlers returns handlers of none yet, which end with life.
func newHandlers(life context.Context, node *native.Node, log *slog.Logger) *handlers {
	return &handlers{
		life: life, node: node, log: log, slots: make(chan struct{}, mostCommands), used: used{jobs: make(map[job]context.CancelFunc)},
		logged: make(map[handler]time.Time), missed: make(map[handler]int),
	}
}

// use has these handlers run from now on, and no others. Those that ran already miss nothing;
// a command that runs is not disturbed, even if it is used no more.
func (hs *handlers) use(f *nodeFlags) error {
	hs.mu.Lock()
	hs.limit = f.commandTimeout
	hs.mu.Unlock()
	var wanted []job
	for _, some := range []struct {
		list   []handler
		events bool
	}{{f.events, true}, {f.messages, false}} {
		for _, h := range some.list {
			j := job{handler: h, events: some.events}
			for slices.Contains(wanted, j) {
				j.nth++
			}
			wanted = append(wanted, j)
		}
	}
	for j, cancel := range hs.used.jobs {
		if !slices.Contains(wanted, j) {
			cancel()
			delete(hs.used.jobs, j)
		}
	}
	for _, j := range wanted {
		if hs.used.jobs[j] != nil {
			continue
		}
		ctx, cancel := context.WithCancel(hs.life)
		hs.used.jobs[j] = cancel
		if j.events {
			hs.wg.Go(func() { hs.watch(ctx, j.handler) })
		} else if err := hs.hear(ctx, j.handler); err != nil {
			return err
		}
	}
	if slices.Equal(f.questions, hs.used.questions) {
		return nil
	}
	before := hs.used.stops // which answer until the others do
	hs.used.stops, hs.used.questions = nil, f.questions
	for _, h := range f.questions {
		stop, err := hs.answer(h)
		if err != nil {
			return err
		}
		hs.used.stops = append(hs.used.stops, stop)
	}
	for _, stop := range before {
		stop()
	}
	return nil
}
