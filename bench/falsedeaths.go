package main

import (
	"context"
	"io"
	"sync/atomic"
	"syscall"
	"time"
)

// A false death is that a node holds a living one for dead. Each node's are
// counted: when all of 64 believe one, that makes 63.

// slow has a node whose process is stopped for a while, again and again. If it is forgiven, what
// comes of the first time that it is held for dead does not count.
func slow(every, stopped time.Duration, forgiven bool) func(context.Context, *bench, system, int) (samples, error) {
	return func(ctx context.Context, b *bench, s system, n int) (samples, error) {
		var deaths atomic.Int64 // since the ring is whole
		r, err := b.grow(ctx, s, n-1, func(string) { deaths.Add(1) })
		if err != nil {
			return nil, err
		}
		defer r.close()
		p, err := r.victim(ctx, "victim")
		if err != nil {
			return nil, err
		}
		defer p.kill()
		if err := pause(ctx, min(settle, b.Slow)); err != nil {
			return nil, err
		}
		deaths.Store(0)
		for end := time.Now().Add(b.Slow); time.Now().Before(end); {
			for _, step := range []struct {
				signal syscall.Signal
				wait   time.Duration
			}{{syscall.SIGSTOP, stopped}, {syscall.SIGCONT, every - stopped}} {
				if err := p.signal(step.signal); err != nil {
					return nil, err
				}
				if err := pause(ctx, min(step.wait, b.Slow)); err != nil {
					return nil, err
				}
			}
			if forgiven && deaths.Load() > 0 {
				deaths.Store(0)
				forgiven = false
			}
		}
		return samples{"": {float64(deaths.Load())}}, nil
	}
}

// starved has other processes keep all cores busy.
func starved(ctx context.Context, b *bench, s system, n int) (samples, error) {
	var deaths, counts atomic.Int64
	r, err := b.grow(ctx, s, n, func(string) { deaths.Add(counts.Load()) })
	if err != nil {
		return nil, err
	}
	defer r.close()
	for range b.Burners {
		p, err := run(order{}, func(io.Reader) {})
		if err != nil {
			return nil, err
		}
		defer p.kill()
	}
	counts.Store(1)
	defer counts.Store(0)
	if err := pause(ctx, b.Starve); err != nil {
		return nil, err
	}
	return samples{"": {float64(deaths.Load())}}, nil
}
