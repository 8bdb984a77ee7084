package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/nanoring/nanoring/native"
)

// clocked is a node of this process whose clock is off.
type clocked struct {
	node  *native.Node
	ahead atomic.Int64
}

func startClocked(ctx context.Context, cfg native.Config) (*clocked, error) {
	c := new(clocked)
	cfg.Listen, cfg.Log = "127.0.0.1:0", slog.New(slog.DiscardHandler)
	cfg.Clock = func() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }
	var err error
	c.node, err = native.Start(ctx, cfg)
	return c, err
}

// cmdClock sets the clock of a node that this process has, and that it starts with
// the right time when it is not there yet: clock NAME AHEAD [JOIN]...
func cmdClock(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: clock NAME AHEAD [JOIN]...")
	}
	ahead, err := time.ParseDuration(args[1])
	ts.Check(err)
	ns := ts.Value(nodesKey{}).(*nodes)
	c := ns.clocks[args[0]]
	if c == nil {
		c, err = startClocked(context.Background(), native.Config{Name: args[0], Data: filepath.Join(ns.dir, args[0]), Join: args[2:]})
		ts.Check(err)
		ns.clocks[args[0]] = c
		ts.Setenv(args[0], c.node.Addr())
		ts.Defer(func() { c.node.Close() })
	}
	c.ahead.Store(int64(ahead))
}

func TestOffBy(t *testing.T) {
	for micros, want := range map[int64]string{
		0: "", 499_999: "", 61_000_000: "1m1s ahead", -3_599_999_812: "1h0m0s behind", 1<<63 - 1: "2562047h47m16s ahead",
	} {
		if got := offBy(micros); got != want {
			t.Errorf("%d µs: %q and not %q", micros, got, want)
		}
	}
}

// testWrongClock: the page says of a node that is down for its clock that it is so.
func testWrongClock(t *testing.T, b *browser) {
	ns := newNodes(t)
	dev1, _ := startPair(t, ns)
	odd, err := startClocked(t.Context(), native.Config{Name: "odd", Data: filepath.Join(ns.dir, "odd"), Join: []string{dev1.addr}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { odd.node.Close() })
	dev1.becomes(t, "odd", "up")
	tab := b.open(t, "http://"+dev1.addr)
	tab.becomes("joined")
	const details = "document.getElementById('details-kind').textContent"
	tab.until("document.querySelector('[data-name=odd] button') !== null")
	eval[any](tab, "document.querySelector('[data-name=odd] button').click()")
	tab.until(details + ".startsWith('up')")

	odd.ahead.Store(int64(-time.Hour - time.Minute))
	tab.until(details + ".includes('down since') && " + details + ".includes(', its clock is 1h1m0s behind')")
	tab.until(`document.querySelector("#conditions .warning")?.innerText.includes("run NTP on its host")`)
	tab.accessible(1280, 760, "light")
	tab.accessible(360, 780, "dark")
	odd.ahead.Store(0)
	tab.until(details + ".startsWith('up since') && !" + details + ".includes('clock')")
}
