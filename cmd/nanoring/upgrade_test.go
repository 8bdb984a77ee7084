package main

import (
	"context"
	"flag"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	upgradeFrom   = flag.String("upgrade.from", "", "`PROGRAM` of the release that a ring is upgraded from, and goes back to (default: today's, with the other engine)")
	upgradeRounds = flag.Int("upgrade.rounds", 1, "how often the ring is upgraded, and goes back")
)

// TestUpgrade has a ring of five go from a release's program to today's, node by node, and back, while
// names are added and deleted by the API. In the end each node has what the history says.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	old := nodes{dir: t.TempDir(), path: *upgradeFrom, engine: "native", byName: make(map[string]*process)}
	if old.path != "" {
		path, err := filepath.Abs(old.path)
		must(t, err)
		old.path = path
	}
	today := nodes{dir: old.dir, engine: "wasm", byName: old.byName}
	wrong := ""        // of what a node shows in the end
	t.Cleanup(func() { // what kept them apart is in their logs: refusals above all
		if t.Failed() && wrong != "" {
			t.Log(wrong)
		}
		for name, p := range old.byName {
			if t.Failed() {
				t.Logf("%s, %s, says last:\n%s", name, versionOf(p.cmd.Path), lastWarnings(p.printed()))
			}
		}
		for _, p := range old.byName {
			p.kill()
		}
	})
	names := []string{"dev1", "dev2", "dev3", "dev4", "dev5"}
	addrs := make(map[string]string)
	var mu sync.Mutex // of what runs
	roll := func(with *nodes, name string) {
		t.Helper()
		var flags []string
		for other, addr := range addrs {
			if other != name {
				flags = append(flags, "--join", addr)
			}
		}
		mu.Lock()
		before := old.byName[name]
		delete(old.byName, name)
		mu.Unlock()
		if before != nil {
			must(t, before.cmd.Process.Signal(signals["TERM"]))
			if status, err := before.wait(); err != nil || status != 0 {
				t.Fatalf("%s ended with %d: %v\n%s", name, status, err, before.printed())
			}
		}
		// It answers at its socket before it is put among those that run.
		alone := nodes{dir: with.dir, path: with.path, engine: with.engine, byName: make(map[string]*process)}
		p, err := alone.start(name, addrs[name], flags...)
		must(t, err)
		addrs[name] = p.addr
		mu.Lock()
		old.byName[name] = p
		mu.Unlock()
		eventually(t, name+" is up at all", func() bool {
			for _, q := range old.byName {
				all, err := q.client.members(t.Context(), pathNodes)
				if err != nil || !slices.ContainsFunc(all, func(m member) bool { return m.Name == name && m.State == "up" }) {
					return false
				}
			}
			return true
		})
	}
	for _, name := range names {
		roll(&old, name)
	}

	history := make(map[string]bool) // of each name, whether it was added last, or deleted
	asked, done := 0, make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(done)
		for ; ctx.Err() == nil; asked++ {
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond): // a load, and no flood
			}
			mu.Lock()
			p := old.byName[names[asked%len(names)]]
			mu.Unlock()
			if p == nil {
				continue // it is being rolled
			}
			name, add := fmt.Sprintf("n%d", asked%40), asked/40%2 == 0
			var err error
			if add {
				_, err = p.client.add(t.Context(), name, "127.0.0.1:1")
			} else {
				err = p.client.del(t.Context(), name)
			}
			if err == nil {
				history[name] = add
			} else {
				delete(history, name) // the node went meanwhile: either may be so
			}
		}
	}()
	for range *upgradeRounds {
		for _, with := range []*nodes{&today, &old} {
			for _, name := range names {
				roll(with, name)
			}
		}
	}
	cancel()
	<-done
	t.Logf("%d changes were asked for meanwhile; %d names are known", asked, len(history))
	if len(history) < 10 {
		t.Error("hardly any change was confirmed")
	}
	for _, name := range names {
		p := old.byName[name]
		eventually(t, name+" agrees with the history", func() bool {
			wrong = ""
			all, err := p.client.members(t.Context(), pathNodes)
			if err != nil {
				return false
			}
			shown := make(map[string]bool)
			for _, m := range all {
				shown[m.Name] = true
			}
			for n, is := range history {
				if shown[n] != is {
					wrong = fmt.Sprintf("%s shows %s: %t; it was confirmed as added: %t", name, n, shown[n], is)
				}
			}
			return wrong == ""
		})
	}
}

// versionOf is what a program says of itself.
func versionOf(path string) string {
	out, err := exec.Command(path, "--version").Output()
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(out))
}

// lastWarnings are the last lines of a log that are more than news.
func lastWarnings(log string) string {
	lines := slices.DeleteFunc(strings.Split(log, "\n"), func(line string) bool {
		return !strings.Contains(line, "level=WARN") && !strings.Contains(line, "level=ERROR") || strings.Contains(line, "more often")
	})
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}
