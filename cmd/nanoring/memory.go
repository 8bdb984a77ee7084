package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/nanoring/nanoring/native"
)

// What a node does not need any more it gives back when it has become quiet, or much quieter than
// it was. Left to itself the Go runtime keeps for minutes what was garbage when there was much to do.
const (
	giveBackEvery = 15 * time.Second
	quiet         = 8 << 20  // bytes that a quiet node allocates in that time, at most,
	quieter       = 8        // and one that was busy: so many times less than it did
	worthwhile    = 16 << 20 // bytes that were allocated since memory was given back, at least

	// How much garbage there may be before it is collected, in hundredths of what is in use: it is not given back
	// between collections, and a quiet node makes so little that more of them cost nothing.
	quietGarbage, usualGarbage = 25, 100
)

// lastLooks are how many looks later it is done once more, and then again: messages are news for half a
// minute, and kept as long, and the names of guests that are gone for a minute and a half.
var lastLooks = [...]int{3, 6}

// giver says when memory is to be given back.
type giver struct {
	seen, given uint64
	most        uint64 // bytes between two looks since
	again, left int    // how often it was done once more, in how many looks it will be, and how many bytes
	calm        uint64 // there may be between two of them then
	quiet       bool   // as of the last look
}

// isDue is told each time how many bytes were allocated so far.
func (g *giver) isDue(allocated uint64) bool {
	more := allocated - g.seen
	g.seen, g.most, g.quiet = allocated, max(g.most, more), more <= quiet
	if bound := max(quiet, g.most/quieter); more <= bound && allocated-g.given >= worthwhile {
		g.given, g.most, g.again, g.left, g.calm = allocated, more, 0, lastLooks[0], bound
		return true
	}
	if g.left == 0 {
		return false
	}
	if g.left--; g.left > 0 {
		return false
	}
	if more > g.calm {
		g.left = 1 // at the next look, perhaps
		return false
	}
	if g.again++; g.again < len(lastLooks) {
		g.left = lastLooks[g.again]
	}
	g.given = allocated
	return true
}

// giveBack gives memory back, a sandboxed engine's too, until the context ends.
func giveBack(ctx context.Context, node *native.Node, log *slog.Logger) {
	ticker := time.NewTicker(giveBackEvery)
	defer ticker.Stop()
	allocated := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	for g := (giver{}); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		was := g.quiet
		metrics.Read(allocated)
		due := g.isDue(allocated[0].Value.Uint64())
		if g.quiet != was && os.Getenv("GOGC") == "" {
			debug.SetGCPercent(map[bool]int{true: quietGarbage, false: usualGarbage}[g.quiet])
		}
		if due {
			if _, err := node.Renew(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, native.ErrStopped) {
				log.Warn("the engine keeps the memory that it grew to", "error", err)
			}
			letGo()
		}
	}
}

// letGo gives back all that is not used.
func letGo() {
	runtime.GC() // what pools keep goes with the second collection
	debug.FreeOSMemory()
}
