package main

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/native"
)

// BenchmarkKills kills a hundred processes, one after the other, that are nodes of a ring of twelve
// others, on a quiet machine and beside as many busy processes as it has cores, and tells how many
// of them any node suspected first, and how many were not held for down within a minute.
func BenchmarkKills(b *testing.B) {
	for _, load := range []int{0, runtime.NumCPU()} {
		b.Run(fmt.Sprint("busy=", load), func(b *testing.B) {
			k := &kills{news: make(chan struct{}, 1)}
			var ring []*native.Node
			for i := range 12 {
				name := fmt.Sprint("dev", i)
				cfg := native.Config{Name: name, Ring: "kills", Listen: "127.0.0.1:0", Data: filepath.Join(b.TempDir(), name), Log: slog.New(slog.DiscardHandler)}
				if i > 0 {
					cfg.Join = []string{ring[0].Addr()}
				}
				n, err := native.Start(b.Context(), cfg)
				must(b, err)
				defer n.Close()
				ring = append(ring, n)
			}
			var watchers sync.WaitGroup
			ctx, stop := context.WithCancel(b.Context())
			defer func() { stop(); watchers.Wait() }()
			for i, n := range ring {
				watchers.Go(func() { k.watch(ctx, i, n) })
			}
			for range load {
				burn := exec.CommandContext(ctx, "sh", "-c", "while :; do :; done")
				burn.SysProcAttr = childAttr()
				must(b, burn.Start())
				defer func() { stop(); burn.Wait() }()
			}
			suspected, late := 0, 0
			const each = 100
			for range b.N {
				for i := range each {
					ns := &nodes{dir: b.TempDir(), byName: make(map[string]*process)}
					name := fmt.Sprint("victim", b.N, "-", i)
					p, err := ns.start(name, "", "--ring", "kills", "--join", ring[i%len(ring)].Addr())
					must(b, err)
					if !k.await(name, len(ring), core.Alive) {
						b.Fatalf("%s is not up to all", name)
					}
					time.Sleep(time.Duration(1+i%4) * time.Second) // with few connections, and with all
					p.kill()
					if !k.await(name, len(ring), core.Down) {
						late++
					}
					if k.was(name, core.Suspect) {
						suspected++
					}
					must(b, ring[0].Del(ctx, name))
				}
			}
			b.ReportMetric(float64(suspected)/float64(b.N), "suspected/100")
			b.ReportMetric(float64(late)/float64(b.N), "late/100")
		})
	}
}

// kills is what the nodes of a ring saw of others.
type kills struct {
	mu   sync.Mutex
	seen []sighting
	news chan struct{}
}

type sighting struct {
	by    int
	name  string
	state core.State
}

func (k *kills) watch(ctx context.Context, by int, n *native.Node) {
	for e, err := range n.Watch(ctx) {
		if err != nil {
			return
		}
		if e.Kind != core.EventNode {
			continue
		}
		k.mu.Lock()
		k.seen = append(k.seen, sighting{by, e.Node.Name, e.Node.State})
		k.mu.Unlock()
		select {
		case k.news <- struct{}{}:
		default:
		}
	}
}

// await waits until so many nodes have seen one in a state.
func (k *kills) await(name string, nodes int, state core.State) bool {
	for end := time.After(time.Minute); ; {
		k.mu.Lock()
		by := make(map[int]bool)
		for _, s := range k.seen {
			if s.name == name && s.state == state {
				by[s.by] = true
			}
		}
		k.mu.Unlock()
		if len(by) == nodes {
			return true
		}
		select {
		case <-k.news:
		case <-end:
			return false
		}
	}
}

// was says whether anybody saw a node in a state.
func (k *kills) was(name string, state core.State) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.ContainsFunc(k.seen, func(s sighting) bool { return s.name == name && s.state == state })
}
