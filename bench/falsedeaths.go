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

const (
	slowEvery = 10 * time.Second
	slowFor   = 2 * time.Second // of them the slow node does nothing
)

// slow has a node whose process is stopped for two of every ten seconds.
func slow(ctx context.Context, b *bench, s system, n int) (samples, error) {
	const name = "victim"
	var ofSlow, ofOthers, counts atomic.Int64 // counts is 1 while deaths are false
	r, err := b.grow(ctx, s, n-1, func(who string) {
		if who == name {
			ofSlow.Add(counts.Load())
		} else {
			ofOthers.Add(counts.Load())
		}
	})
	if err != nil {
		return nil, err
	}
	defer r.close()
	p, err := r.victim(ctx, name)
	if err != nil {
		return nil, err
	}
	defer p.kill()
	counts.Store(1)
	defer counts.Store(0)
	for end := time.Now().Add(b.Slow); time.Now().Before(end); {
		for _, step := range []struct {
			signal syscall.Signal
			wait   time.Duration
		}{{syscall.SIGSTOP, slowFor}, {syscall.SIGCONT, slowEvery - slowFor}} {
			if err := p.signal(step.signal); err != nil {
				return nil, err
			}
			if err := pause(ctx, min(step.wait, b.Slow)); err != nil {
				return nil, err
			}
		}
	}
	return samples{"slow": {float64(ofSlow.Load())}, "others": {float64(ofOthers.Load())}}, nil
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
