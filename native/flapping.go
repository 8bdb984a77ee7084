package native

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/nanoring/nanoring/core"
)

const (
	mostLines  = 10  // of the log about one name
	guestLines = 20  // and about guests, whose names anybody may make up
	nodeLines  = 256 // and about nodes that are not down: one that joins a large ring hears of thousands at once
	linesTime  = time.Minute
)

// flapping bounds what the log has of each name: so many lines a minute, and then one that
// says how many more there were. A node, or a guest, that comes and goes fills nobody's disk.
// All names share a minute, which begins with the first line.
type flapping struct {
	mu     sync.Mutex
	names  map[string]flaps // nil between minutes
	guests int              // lines about them,
	nodes  int              // and about nodes that are not down
	over   *time.Timer
}

type flaps struct { // small: there is one for each node of a ring
	lines int32
	held  core.State // of the last line
}

// may says whether there may be a line about a node; sum is called for those that were
// held back within a minute, with how many they are: of all guests at once, and of all nodes beyond nodeLines,
// without a name.
func (f *flapping) may(n core.Node, sum func(name string, now core.State, more int)) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.names == nil {
		f.names = make(map[string]flaps)
		f.over = time.AfterFunc(linesTime, func() { f.end(sum) })
	}
	if n.Ephemeral {
		if f.guests++; f.guests > guestLines {
			return false
		}
	}
	lines := f.names[n.Name].lines + 1
	if !n.Ephemeral && n.State != core.Down && lines <= mostLines {
		if f.nodes++; f.nodes > nodeLines {
			return false
		}
	}
	f.names[n.Name] = flaps{lines: lines, held: n.State}
	return lines <= mostLines
}

// end ends the minute, before its time or in time.
func (f *flapping) end(sum func(string, core.State, int)) {
	f.mu.Lock()
	names, guests, nodes := f.names, f.guests, f.nodes
	f.guests, f.nodes = 0, 0
	if f.names = nil; f.over != nil {
		f.over.Stop()
	}
	f.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if of := names[name]; of.lines > mostLines {
			sum(name, of.held, int(of.lines-mostLines))
		}
	}
	if guests > guestLines {
		sum("", core.Unknown, guests-guestLines)
	}
	if nodes > nodeLines {
		sum("", core.Alive, nodes-nodeLines)
	}
}
