package main

import (
	"context"
	"syscall"
	"time"
)

// settle is how long a ring is left alone before something happens to it: until
// all connections of a newcomer have had their turn.
const settle = 10 * time.Second

// crash kills a node's process: its system closes the sockets.
func crash(ctx context.Context, b *bench, s system, n int) (samples, error) {
	return death(ctx, b, s, n, killed)
}

const killed = syscall.SIGKILL

// silent stops a node's process: its sockets stay open, and even take what is
// sent to them, but nobody answers.
func silent(ctx context.Context, b *bench, s system, n int) (samples, error) {
	return death(ctx, b, s, n, syscall.SIGSTOP)
}

// death measures from the signal until all the others know that the node is down.
func death(ctx context.Context, b *bench, s system, n int, by syscall.Signal) (samples, error) {
	r, err := b.grow(ctx, s, n-1, nil)
	if err != nil {
		return nil, err
	}
	defer r.close()
	const name = "victim"
	p, err := r.victim(ctx, name)
	if err != nil {
		return nil, err
	}
	defer p.kill()
	if err := pause(ctx, settle); err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := p.signal(by); err != nil {
		return nil, err
	}
	took, err := r.await(ctx, begin, r.nodes, func(m node) bool { return !m.sees(name) })
	p0 := s.patience(n).Seconds()
	return samples{"": {took}, "patience": {p0}, "beyond": {took - p0}}, err
}
