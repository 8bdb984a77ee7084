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

// flapping bounds what the log has of each name: so many lines within any minute, and then one that
// says how many more there were. A node, or a guest, that comes and goes fills nobody's disk.
// All names share the minute after which that is said, which begins with the first line.
type flapping struct {
	mu     sync.Mutex
	names  map[string]*flaps
	guests spate       // lines about them,
	nodes  spate       // and about nodes that are not down
	over   *time.Timer // nil between minutes

	moreGuests, moreNodes int // were held back
}

type flaps struct { // small: for a minute there is one for each node of a ring
	lines spate
	more  int32      // were held back
	now   core.State // as of the last of them all
}

// may says whether there may be a line about a node; sum is called for those that were
// held back within a minute, with how many they are: of all guests at once, and of all nodes beyond nodeLines,
// without a name.
func (f *flapping) may(n core.Node, sum func(name string, now core.State, more int)) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over == nil {
		f.over = time.AfterFunc(linesTime, func() { f.endMinute(sum) })
	}
	of := f.names[n.Name]
	if of == nil {
		of = new(flaps)
	}
	of.now = n.State
	switch {
	case !of.lines.room(mostLines):
		of.more++
		return false
	case n.Ephemeral && !f.guests.room(guestLines):
		f.moreGuests++
		return false
	case !n.Ephemeral && n.State != core.Down && !f.nodes.room(nodeLines):
		f.moreNodes++
		return false
	case n.Ephemeral:
		f.guests.add()
	case n.State != core.Down:
		f.nodes.add()
	}
	of.lines.add()
	if f.names == nil {
		f.names = make(map[string]*flaps)
	}
	f.names[n.Name] = of
	return true
}

// endMinute ends the minute in time. There is another one if of this one something is to be kept.
func (f *flapping) endMinute(sum func(string, core.State, int)) {
	f.end(sum)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.guests.room(1) {
		f.guests = nil
	}
	if f.nodes.room(1) {
		f.nodes = nil
	}
	if len(f.names) == 0 {
		f.names = nil
	} else if f.over == nil {
		f.over = time.AfterFunc(linesTime, func() { f.endMinute(sum) })
	}
}

// end says what is to be said of the minute, before its time or in time.
func (f *flapping) end(sum func(string, core.State, int)) {
	f.mu.Lock()
	guests, nodes := f.moreGuests, f.moreNodes
	f.moreGuests, f.moreNodes = 0, 0
	if f.over != nil {
		f.over.Stop()
		f.over = nil
	}
	more := make(map[string]flaps)
	for name, of := range f.names {
		if of.more > 0 {
			more[name] = *of
			of.more = 0
		}
		if of.lines.room(1) {
			delete(f.names, name)
		}
	}
	f.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(more)) {
		sum(name, more[name].now, int(more[name].more))
	}
	if guests > 0 {
		sum("", core.Unknown, guests)
	}
	if nodes > 0 {
		sum("", core.Alive, nodes)
	}
}
