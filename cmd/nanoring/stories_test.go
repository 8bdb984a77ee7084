package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nanoring/nanoring/host"
	"github.com/nanoring/nanoring/native"
)

// The stories that a script cannot tell; the others are in testdata/script.

func newNodes(t *testing.T) *nodes {
	return &nodes{dir: t.TempDir(), byName: make(map[string]*process)}
}

// unwatchedNodes are for the tests of what is in browsers and in Node.js: what a race detector
// could see of their gateways it sees in all other tests, and it takes twice the time.
func unwatchedNodes(t *testing.T) *nodes {
	t.Helper()
	dir, err := unwatched()
	must(t, err)
	ns := newNodes(t)
	ns.path = filepath.Join(dir, "nanoring")
	return ns
}

// withEither tells a story of nodes with either engine.
func withEither(t *testing.T, story func(*testing.T, *nodes)) {
	for _, engine := range []string{"native", "wasm"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			ns := newNodes(t)
			ns.engine = engine
			story(t, ns)
		})
	}
}

func (ns *nodes) mustStart(t *testing.T, name, address string, flags ...string) *process {
	t.Helper()
	p, err := ns.start(name, address, flags...)
	if p != nil {
		t.Cleanup(p.kill)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// eventually waits until cond holds.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !cond(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// isUp says whether the node sees just these nodes up.
func (p *process) isUp(t *testing.T, names ...string) bool {
	members, err := p.client.members(t.Context(), pathUp)
	var up []string
	for _, m := range members {
		up = append(up, m.Name)
	}
	return err == nil && slices.Equal(up, names)
}

// Story 3: cut in two and healed, both sides alive all the time: all are up
// again by themselves.
func TestStory3CutAndHealed(t *testing.T) { withEither(t, storyCutAndHealed) }

func storyCutAndHealed(t *testing.T, ns *nodes) {
	net := newCutter(t)
	names := []string{"dev1", "dev2", "dev3", "dev4"}
	first, err := freePorts(len(names))
	if err != nil {
		t.Fatal(err)
	}
	listen := localhost(first, len(names))
	var ring []*process
	for i, name := range names {
		ring = append(ring, ns.mustStart(t, name, listen[i], "--advertise", net.proxy(t, name, listen[i])))
	}
	for i, name := range names[1:] {
		if _, err := ring[0].client.add(t.Context(), name, ring[i+1].addr); err != nil {
			t.Fatal(err)
		}
	}
	see := func(from, to int, names ...string) {
		t.Helper()
		for _, p := range ring[from:to] {
			eventually(t, strings.Join(names, " ")+" are up", func() bool { return p.isUp(t, names...) })
		}
	}
	see(0, 4, names...)
	net.cut("dev1", "dev2")
	see(0, 2, "dev1", "dev2")
	see(2, 4, "dev3", "dev4")
	net.cut()
	see(0, 4, names...)
}

// Story 7: what many operations leave behind is of the size of the names.
func TestStory7NothingPilesUp(t *testing.T) { withEither(t, storyNothingPilesUp) }

func storyNothingPilesUp(t *testing.T, ns *nodes) {
	dev1 := ns.mustStart(t, "dev1", "")
	dev2 := ns.mustStart(t, "dev2", "")
	if _, err := dev1.client.add(t.Context(), "dev2", dev2.addr); err != nil {
		t.Fatal(err)
	}
	eventually(t, "dev2 is up", func() bool { return dev1.isUp(t, "dev1", "dev2") })

	throwAway := func(times int) {
		t.Helper()
		for i := range times {
			name := "throwaway" + string(rune('a'+i%4))
			if _, err := dev1.client.add(t.Context(), name, "127.0.0.1:1"); err != nil {
				t.Fatal(err)
			}
			if err := dev1.client.del(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
	}
	throwAway(4)
	before := ringSize(t, ns, "dev1")
	throwAway(300)
	for range 10 {
		addr := dev2.addr
		dev2.kill()
		dev2 = ns.mustStart(t, "dev2", addr)
		eventually(t, "dev2 is up", func() bool { return dev2.isUp(t, "dev1", "dev2") })
	}
	throwAway(4)
	// Changes that are not folded in yet are 4 KiB at most, and numbers of the same records may take a few bytes more.
	if after := ringSize(t, ns, "dev1"); after > before+4<<10+64 {
		t.Errorf("the ring file has grown from %d to %d bytes", before, after)
	}
}

func ringSize(t *testing.T, ns *nodes, name string) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(ns.dir, name, "ring"))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// Story 8: a node whose clock is an hour wrong is told so, nobody else is
// disturbed, and all is well when the clock is right.
func TestStory8WrongClock(t *testing.T) {
	for name, wrong := range map[string]time.Duration{"fast": time.Hour, "slow": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			withEither(t, func(t *testing.T, ns *nodes) { storyWrongClock(t, ns, wrong) })
		})
	}
}

func storyWrongClock(t *testing.T, ns *nodes, wrong time.Duration) {
	dev1 := ns.mustStart(t, "dev1", "")
	var offset atomic.Int64
	offset.Store(int64(wrong))
	var log lockedBuffer
	config := native.Config{
		Name: "dev2", Listen: "127.0.0.1:0", Data: t.TempDir(), Join: []string{dev1.addr},
		Log:   slog.New(slog.NewTextHandler(&log, nil)),
		Clock: func() time.Time { return time.Now().Add(time.Duration(offset.Load())) },
	}
	if ns.engine == "wasm" {
		if err := warm(config.Data); err != nil {
			t.Fatal(err)
		}
		config.Sandbox = sandbox(config, host.DefaultMemory)
		config.Engine = builtin(t.Context(), config)
	}
	dev2, err := native.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer dev2.Close()
	eventually(t, "dev2 is told", func() bool { return strings.Contains(log.String(), "clock") })
	eventually(t, "dev1 says so", func() bool { return strings.Contains(dev1.printed(), "clock") })
	if !dev1.isUp(t, "dev1") {
		t.Error("dev1 is disturbed")
	}
	offset.Store(0)
	eventually(t, "they are one ring", func() bool { return dev1.isUp(t, "dev1", "dev2") && len(dev2.Up()) == 2 })
}
