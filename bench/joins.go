package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// storm has n-1 nodes that run, each alone, join the first one, all at once. The
// time runs from when they are told to.
func storm(ctx context.Context, b *bench, s system, n int) (samples, error) {
	r := b.newRing(s)
	defer r.close()
	for i := range n {
		if _, err := r.start(ctx, nodeName(i), ""); err != nil {
			return nil, err
		}
	}
	var wg sync.WaitGroup
	errs := make([]error, n)
	begin := time.Now()
	for i, m := range r.nodes[1:] {
		wg.Go(func() { errs[i] = m.join(r.nodes[0].addr()) })
	}
	took, err := r.await(ctx, begin, r.nodes, func(m node) bool { return m.up() == n })
	wg.Wait()
	return samples{"": {took}}, errors.Join(append(errs, err)...)
}

func sequential(ctx context.Context, b *bench, s system, n int) (samples, error) {
	r := b.newRing(s)
	defer r.close()
	took, err := r.sequential(ctx, n)
	return samples{"": {took}}, err
}

// sequential starts n nodes, each when the one before it sees all that came
// earlier. The time runs from the first start until all see all.
func (r *ring) sequential(ctx context.Context, n int) (float64, error) {
	begin, join := time.Now(), ""
	for i := range n {
		m, err := r.start(ctx, nodeName(i), join)
		if err != nil {
			return 0, err
		}
		if join == "" {
			join = m.addr()
		}
		if _, err := r.await(ctx, begin, []node{m}, func(m node) bool { return m.up() > i }); err != nil {
			return 0, err
		}
	}
	return r.await(ctx, begin, r.nodes, func(m node) bool { return m.up() == n })
}

// visits is how many nodes come and go in a round of one.
const visits = 10

// one has nodes come to a ring of n-1 and go again, one at a time: how long it
// takes from its start until all know that it is there, and from when it begins
// to leave until all know that.
func one(ctx context.Context, b *bench, s system, n int) (samples, error) {
	r, err := b.grow(ctx, s, n-1, nil)
	if err != nil {
		return nil, err
	}
	defer r.close()
	others, got := slices.Clone(r.nodes), samples{}
	for i := range min(visits, b.Reps) {
		name := fmt.Sprintf("guest-%03d", i)
		begin := time.Now()
		m, err := r.start(ctx, name, others[i%len(others)].addr())
		if err != nil {
			return nil, err
		}
		took, err := r.await(ctx, begin, r.nodes, func(m node) bool { return m.sees(name) })
		if err != nil {
			return nil, err
		}
		got.add("join", took)

		left := make(chan error, 1)
		begin = time.Now()
		go func() { left <- m.leave() }()
		took, err = r.await(ctx, begin, others, func(m node) bool { return !m.sees(name) })
		if err == nil {
			err = <-left
		}
		if err != nil {
			return nil, err
		}
		got.add("leave", took)
		r.forget(m)
	}
	return got, nil
}
