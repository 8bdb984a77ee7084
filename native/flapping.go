package native

import (
	"sync"
	"time"

	"github.com/nanoring/nanoring/core"
)

const (
	mostLines = 10 // of the log about one name
	linesTime = time.Minute
)

// flapping bounds what the log has of each name: so many lines a minute, and then one that
// says how many more there were. A node, or a guest, that comes and goes fills nobody's disk.
type flapping struct {
	mu    sync.Mutex
	names map[string]*flaps
}

type flaps struct {
	lines int
	held  core.State // of the last line that was held back
	over  *time.Timer
}

// may says whether there may be a line about a node; sum is called for those that were
// held back within a minute, with how many they are.
func (f *flapping) may(n core.Node, sum func(name string, now core.State, more int)) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	of := f.names[n.Name]
	if of == nil {
		if f.names == nil {
			f.names = make(map[string]*flaps)
		}
		of = new(flaps)
		f.names[n.Name] = of
		of.over = time.AfterFunc(linesTime, func() { f.end(n.Name, of, sum) })
	}
	of.lines++
	of.held = n.State
	return of.lines <= mostLines
}

// end ends a name's minute.
func (f *flapping) end(name string, of *flaps, sum func(string, core.State, int)) {
	f.mu.Lock()
	there := f.names[name] == of
	if there {
		delete(f.names, name)
	}
	f.mu.Unlock()
	if there && of.lines > mostLines {
		sum(name, of.held, of.lines-mostLines)
	}
}

// endAll ends all of them, before their time.
func (f *flapping) endAll(sum func(string, core.State, int)) {
	f.mu.Lock()
	names := f.names
	f.names = nil
	f.mu.Unlock()
	for name, of := range names {
		if of.over.Stop(); of.lines > mostLines {
			sum(name, of.held, of.lines-mostLines)
		}
	}
}
