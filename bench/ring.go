package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A system is what is compared: each has a file of its own.
type system struct {
	name  string // as -systems has it
	start func(context.Context, options) (node, error)
	// patience is for how long a node of a ring of n may be silent, by what is set.
	patience func(n int) time.Duration
}

var systems = []system{
	{baseline, startMemberlist, suspicionTimeout},
	{"serf", startSerf, suspicionTimeout},
	{subject, startNanoring, patience},
	{sandboxed, startWasm, patience},
}

// options is what a node is started with, on a free port of loopback.
type options struct {
	name  string
	join  string            // address of a node of its ring; empty: it starts one
	ring  string            // no two rings of a run have the same
	dir   string            // for its files
	bytes *atomic.Int64     // counts what it sends, and what it is answered on streams
	died  func(name string) // called when it holds another for dead; nil: nobody asks
	heard func()            // called when it hears a message; nil: it does not listen
}

// node is a running node of any system.
type node interface {
	addr() string
	join(addr string) error // the ring of the node there
	up() int                // how many nodes it holds for up, itself among them
	sees(name string) bool  // whether it holds that one for up
	leave() error           // tells the others that it leaves; close comes after
	close()
}

// ring is N nodes of one system, in this process.
type ring struct {
	b     *bench
	s     system
	name  string
	died  func(string)
	heard func()
	bytes atomic.Int64

	nodes []node // in the order in which they came to run
}

func (b *bench) newRing(s system) *ring {
	return &ring{b: b, s: s, name: fmt.Sprintf("bench-%d-%d", os.Getpid(), b.rings.Add(1))}
}

// grow starts n nodes, each when the one before it sees all that came earlier,
// and waits until all see all.
func (b *bench) grow(ctx context.Context, s system, n int, died func(string)) (*ring, error) {
	r := b.newRing(s)
	r.died = died
	_, err := r.sequential(ctx, n)
	if err != nil {
		r.close()
		return nil, fmt.Errorf("a ring of %d nodes to measure with: %w", n, err)
	}
	return r, nil
}

func nodeName(i int) string { return fmt.Sprintf("node-%03d", i) }

func (r *ring) start(ctx context.Context, name, join string) (node, error) {
	n, err := r.s.start(ctx, options{name: name, join: join, ring: r.name, dir: r.dir(name), bytes: &r.bytes, died: r.died, heard: r.heard})
	if err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", name, err)
	}
	r.nodes = append(r.nodes, n)
	return n, nil
}

func (r *ring) dir(name string) string { return filepath.Join(r.b.Dir, r.name, name) }

// forget ends one node of the ring.
func (r *ring) forget(n node) {
	r.nodes = slices.DeleteFunc(r.nodes, func(m node) bool { return m == n })
	n.close()
}

func (r *ring) close() {
	var wg sync.WaitGroup
	for _, n := range r.nodes {
		wg.Go(n.close)
	}
	wg.Wait()
	os.RemoveAll(filepath.Join(r.b.Dir, r.name))
}

// await returns the seconds from since until cond held for all nodes at once,
// or +Inf if that takes longer than the bound. To be light it looks at one node
// at a time, and at the next once that one is as it should be; it looks every
// millisecond, or thousandth of the time so far.
func (r *ring) await(ctx context.Context, since time.Time, nodes []node, cond func(node) bool) (float64, error) {
	for at, good := 0, 0; good < len(nodes); {
		if cond(nodes[at]) {
			at, good = (at+1)%len(nodes), good+1
			continue
		}
		good = 0
		passed := time.Since(since)
		if passed > r.b.Bound {
			return math.Inf(1), nil
		}
		select {
		case <-time.After(max(time.Millisecond, passed/1000)):
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	return time.Since(since).Seconds(), nil
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
