package core

import (
	"maps"
	"slices"
)

// View is the ring as a runtime shows it, built of the engine's events alone.
// The zero View is empty. A View is for one goroutine; Node values may be shared.
type View struct {
	nodes     map[string]Node
	claimants []claimant // of nodes; nil when they are not known
}

// Apply takes in one event.
func (v *View) Apply(e *Event) {
	if e.Kind != EventNode {
		return
	}
	if v.nodes == nil {
		v.nodes = make(map[string]Node)
	}
	v.claimants = nil
	if e.Node.State == Removed {
		delete(v.nodes, e.Node.Name)
		return
	}
	v.nodes[e.Node.Name] = e.Node
}

// Get returns a member.
func (v *View) Get(name string) (Node, bool) {
	n, ok := v.nodes[name]
	return n, ok
}

// Len returns how many members there are.
func (v *View) Len() int { return len(v.nodes) }

// All returns the members, sorted by name.
func (v *View) All() []Node {
	all := make([]Node, 0, len(v.nodes))
	for _, name := range slices.Sorted(maps.Keys(v.nodes)) {
		all = append(all, v.nodes[name])
	}
	return all
}

// Up returns the members that are up, suspects among them, sorted by name.
func (v *View) Up() []Node {
	return slices.DeleteFunc(v.All(), func(n Node) bool { return !n.isUp() })
}

func (n *Node) isUp() bool { return n.State == Alive || n.State == Suspect }
