package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/host"
	"github.com/nanoring/nanoring/native"
)

// swapNode is a node, and the events that a watcher of it saw.
type swapNode struct {
	*native.Node
	mu     sync.Mutex
	events []core.Event
}

// swapRing starts a ring in this process, each node with the engine that is native
// or, for each second one, the built-in module.
func swapRing(t *testing.T, size int) (nodes []*swapNode) {
	t.Helper()
	data := t.TempDir()
	if err := warm(data); err != nil {
		t.Fatal(err)
	}
	for i := range size {
		c := native.Config{
			Name: fmt.Sprint("dev", i+1), Ring: "swapped", Listen: "127.0.0.1:0", Data: t.TempDir(),
			Log: slog.New(slog.DiscardHandler),
			Sandbox: func(ctx context.Context, module []byte, node core.Config) (core.Engine, error) {
				return host.New(ctx, host.Config{Node: node, Module: module, Deadline: 30 * time.Second, Cache: filepath.Join(data, "cache")})
			},
		}
		if i > 0 {
			c.Join = []string{nodes[0].Addr()}
		}
		if i%2 == 1 {
			c.Engine = builtin(t.Context(), c)
		}
		n, err := native.Start(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { n.Close() })
		nodes = append(nodes, &swapNode{Node: n})
	}
	for _, n := range nodes {
		eventually(t, n.Name()+" knows all", func() bool { return len(n.Up()) == size && n.Status().Connections >= size-2 })
	}
	return nodes
}

// watch collects events until the test ends.
func (n *swapNode) watch(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		for e, err := range n.Watch(ctx) {
			if err != nil {
				t.Errorf("%s: %v", n.Name(), err)
			}
			n.mu.Lock()
			n.events = append(n.events, e.Event)
			n.mu.Unlock()
		}
	}()
	t.Cleanup(func() { cancel(); <-over })
}

// TestSwapMixedRing swaps the engines of a ring of eight, half of them native and
// half sandboxed, one after the other and each both ways, while nodes are added
// and deleted. Nobody is ever anything but up to another, no event comes twice,
// and in the end all know what was done.
func TestSwapMixedRing(t *testing.T) {
	const size = 8
	nodes := swapRing(t, size)
	was := make(map[string]core.Node)
	for _, n := range nodes {
		was[n.Name()], _ = n.Get(n.Name())
		n.watch(t)
	}
	var stop atomic.Bool
	var traffic sync.WaitGroup
	last := ""
	traffic.Go(func() {
		for i := 0; !stop.Load(); i++ {
			name := fmt.Sprint("x", i)
			if _, err := nodes[i%size].Add(t.Context(), name, "127.0.0.1:1"); err != nil {
				t.Errorf("add %s: %v", name, err)
			}
			if last != "" {
				if err := nodes[(i+3)%size].Del(t.Context(), last); err != nil {
					t.Errorf("delete %s: %v", last, err)
				}
			}
			last = name
			for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
				if !slices.ContainsFunc(nodes, func(n *swapNode) bool { _, ok := n.Get(name); return !ok }) {
					break
				}
				if time.Now().After(deadline) {
					t.Errorf("not all know %s", name)
					return
				}
			}
		}
	})
	swap := func(n *swapNode, to string) {
		t.Helper()
		var err error
		if to == "native" {
			err = n.SwapNative(t.Context())
		} else {
			err = n.SwapModule(t.Context(), nil)
		}
		if err != nil {
			t.Errorf("%s to %s: %v", n.Name(), to, err)
			return
		}
		s, err := n.Engine(t.Context())
		if err != nil || s.Engine != to || s.Traps > 0 || !s.Builtin || (s.Module == "") != (to == "native") || (s.Memory == 0) != (to == "native") {
			t.Errorf("%s: %+v, %v", n.Name(), s, err)
		}
		var metrics strings.Builder // which both engines tell
		if err := n.WriteMetrics(&metrics); err != nil || !strings.Contains(metrics.String(), `engine="`+to+`",module="`+s.Module+`"} 1`) || !strings.Contains(metrics.String(), "\nnanoring_rounds_total ") {
			t.Errorf("%s: %v, %s", n.Name(), err, &metrics)
		}
	}
	for i, n := range nodes { // each becomes what it was not
		swap(n, []string{"wasm", "native"}[i%2])
	}
	for i, n := range nodes { // and again; half of them twice
		swap(n, []string{"native", "wasm"}[i%2])
		if i < size/2 {
			swap(n, "wasm")
		}
	}
	for _, n := range nodes[:2] { // and to the same
		swap(n, "wasm")
	}
	stop.Store(true)
	traffic.Wait()
	want := []string{last}
	for name := range was {
		want = append(want, name)
	}
	slices.Sort(want)
	for _, n := range nodes {
		eventually(t, n.Name()+" knows what was done", func() bool {
			var all []string
			for _, node := range n.All() {
				all = append(all, node.Name)
			}
			return slices.Equal(all, want)
		})
		eventually(t, n.Name()+" is connected to all", func() bool { return n.Status().Connections >= size-2 })
		n.mu.Lock()
		seen := make(map[string]core.Node)
		for _, e := range n.events {
			if e.Kind != core.EventNode {
				continue
			}
			if reflect.DeepEqual(seen[e.Node.Name], e.Node) {
				t.Errorf("%s says twice: %+v", n.Name(), e.Node)
			}
			seen[e.Node.Name] = e.Node
			if before, ok := was[e.Node.Name]; ok && !reflect.DeepEqual(before, e.Node) {
				t.Errorf("to %s, %s became %+v, and was %+v", n.Name(), before.Name, e.Node, before)
			}
		}
		n.mu.Unlock()
	}
}
