package main

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

const (
	smallSize = 64   // bytes of a small message
	busySize  = 256  // and of one of a busy ring,
	busyRate  = 1000 // in which so many are sent a second, by all nodes in turn
	topic     = "bench"
)

// speaker is a node of a system that has messages to all.
type speaker interface {
	say(payload []byte) error
}

// audience counts what the nodes of a ring hear.
type audience struct {
	heard  atomic.Int64
	target atomic.Int64
	all    chan struct{} // has something when the target is reached
}

func (a *audience) hear() {
	if a.heard.Add(1) == a.target.Load() {
		a.all <- struct{}{}
	}
}

// listening returns a ring of n that hears, or nil if the system has no messages.
func (b *bench) listening(ctx context.Context, s system, n int) (*ring, *audience, error) {
	r, a := b.newRing(s), &audience{all: make(chan struct{}, 1)}
	r.heard = a.hear
	if _, err := r.sequential(ctx, n); err != nil {
		r.close()
		return nil, nil, err
	}
	if _, ok := r.nodes[0].(speaker); !ok {
		r.close()
		return nil, nil, nil
	}
	return r, a, nil
}

// message has one node after the other say something small, and measures how long it
// takes until all have heard it.
func message(ctx context.Context, b *bench, s system, n int) (samples, error) {
	r, a, err := b.listening(ctx, s, n)
	if r == nil {
		return nil, err
	}
	defer r.close()
	if err := pause(ctx, min(settle, b.Idle)); err != nil {
		return nil, err
	}
	got := samples{}
	for i := range b.Reps {
		a.target.Store(a.heard.Load() + int64(n))
		begin := time.Now()
		if err := r.nodes[i%n].(speaker).say(make([]byte, smallSize)); err != nil {
			return nil, err
		}
		select {
		case <-a.all:
			got.add("", time.Since(begin).Seconds())
		case <-time.After(b.Bound):
			got.add("", math.Inf(1))
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return got, nil
}

// busy kills a node of a ring through which messages go, as crash does of one
// without; and it compares what the ring computes once they are forgotten with
// what it did before them.
func busy(ctx context.Context, b *bench, s system, n int) (samples, error) {
	r, a, err := b.listening(ctx, s, n-1)
	if r == nil {
		return nil, err
	}
	defer r.close()
	p, err := r.victim(ctx, "victim")
	if err != nil {
		return nil, err
	}
	defer p.kill()
	calm := min(settle, b.Idle)
	computes := func() (float64, error) { // a second
		cpu, begin := cpuTime(), time.Now()
		err := pause(ctx, calm)
		return (cpuTime() - cpu).Seconds() / time.Since(begin).Seconds(), err
	}
	if err := pause(ctx, calm); err != nil {
		return nil, err
	}
	before, err := computes()
	if err != nil {
		return nil, err
	}

	speaking, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	var said int64
	wg.Go(func() { said, err = r.speak(speaking) })
	defer func() { stop(); wg.Wait() }()
	heard := a.heard.Load()
	if err := pause(ctx, calm); err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := p.signal(killed); err != nil {
		return nil, err
	}
	took, failed := r.await(ctx, begin, r.nodes, func(m node) bool { return !m.sees("victim") })
	stop()
	wg.Wait()
	if err := errors.Join(err, failed); err != nil {
		return nil, err
	}
	if err := pause(ctx, min(b.Idle, forgotten)); err != nil {
		return nil, err
	}
	after, err := computes()
	return samples{
		"crash": {took},
		"after": {after / before},
		"heard": {float64(a.heard.Load()-heard) / float64(said*int64(n-1))},
	}, err
}

// forgotten is after how long no node of any system has anything to do with a message.
const forgotten = 45 * time.Second

// speak has the nodes send messages until ctx ends, and returns how many.
func (r *ring) speak(ctx context.Context) (said int64, err error) {
	payload := make([]byte, busySize)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return said, nil
		}
		for range busyRate / 100 {
			if err := r.nodes[said%int64(len(r.nodes))].(speaker).say(payload); err != nil {
				return said, err
			}
			said++
		}
	}
}
