package core

import (
	"maps"
	"slices"

	"github.com/nanoring/nanoring/core/wire"
)

// View is the ring as a runtime shows it, built of the engine's events alone.
// The zero View is empty. A View is for one goroutine; Node values may be shared.
type View struct {
	nodes     map[string]*Node // what these point to never changes
	claimants []claimant       // of nodes; nil when they are not known
}

// What is what became of a node.
type What string

// What can become of a node.
const (
	Joined    What = "joined"    // it belongs to the ring now, whatever its state
	CameUp    What = "up"        // as the process that it was, or for the first time
	Restarted What = "restarted" // it is up, as another process
	Suspected What = "suspect"
	WentDown  What = "down"
	SaidBye   What = "left"
	Removal   What = "removed" // it belongs to the ring no more
	Updated   What = "updated" // its state is as it was: something else is said of it
)

// Apply takes in one event, seen at a time by the wall clock, in Unix microseconds.
// Of an EventNode it sets the node's Since, and returns what became of it.
func (v *View) Apply(e *Event, wall int64) What {
	if e.Kind != EventNode {
		return ""
	}
	if v.nodes == nil {
		v.nodes = make(map[string]*Node)
	}
	v.claimants = nil
	n := &e.Node
	before := v.nodes[n.Name]
	what := became(before, n)
	switch {
	case what == Updated:
		n.Since = before.Since
	case what != Joined:
		n.Since = wall
	case n.State == Alive: // it may have been so for long, and said so last then
		n.Since = min(n.Incarnation, wall)
	}
	if n.State == Removed {
		delete(v.nodes, n.Name)
	} else {
		now := *n
		v.nodes[n.Name] = &now
	}
	return what
}

func became(before, now *Node) What {
	switch {
	case now.State == Removed:
		return Removal
	case before == nil:
		return Joined
	case now.State == Alive && before.Instance != now.Instance && before.Instance != wire.Instance{}:
		return Restarted
	case now.State != before.State:
		return [...]What{Unknown: Updated, Alive: CameUp, Suspect: Suspected, Down: WentDown, Left: SaidBye}[now.State]
	}
	return Updated
}

// Get returns a member.
func (v *View) Get(name string) (Node, bool) {
	if n := v.nodes[name]; n != nil {
		return *n, true
	}
	return Node{}, false
}

// Shared returns a member as the View has it, nil for none. It is not to be changed, and
// never changes: what becomes of the member is another.
func (v *View) Shared(name string) *Node { return v.nodes[name] }

// Len returns how many members there are.
func (v *View) Len() int { return len(v.nodes) }

// All returns the members, sorted by name.
func (v *View) All() []Node {
	all := make([]Node, 0, len(v.nodes))
	for _, name := range slices.Sorted(maps.Keys(v.nodes)) {
		all = append(all, *v.nodes[name])
	}
	return all
}

// Up returns the members that are up, suspects among them, sorted by name.
func (v *View) Up() []Node {
	return slices.DeleteFunc(v.All(), func(n Node) bool { return !n.isUp() })
}

func (n *Node) isUp() bool { return n.State == Alive || n.State == Suspect }
