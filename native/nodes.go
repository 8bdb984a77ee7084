package native

import "github.com/nanoring/nanoring/core"

// All returns the nodes that belong to the ring and are picked by all filters,
// sorted by name.
func (n *Node) All(filters ...core.Filter) []core.Node {
	n.board.mu.Lock()
	all := n.board.nodes()
	n.board.mu.Unlock()
	return core.Pick(all, filters...)
}

// Up returns those of All that are up, suspects among them.
func (n *Node) Up(filters ...core.Filter) []core.Node {
	n.board.mu.Lock()
	up := n.board.upNodes()
	n.board.mu.Unlock()
	return core.Pick(up, filters...)
}

// Get returns a node that belongs to the ring.
func (n *Node) Get(name string) (core.Node, bool) {
	n.board.mu.Lock()
	defer n.board.mu.Unlock()
	return n.board.view.Get(name)
}

// Owners returns the count nodes to which a key is given, the first owner first,
// of those that are up, durable and picked by all filters: all of them if they are
// fewer. It is empty if the key is, or if count is below 1. Nodes that see the same
// of those agree on it; while news of one is on its way they may not.
func (n *Node) Owners(key string, count int, among ...core.Filter) []core.Node {
	n.board.mu.Lock()
	defer n.board.mu.Unlock()
	return n.board.view.Owners(key, count, among...)
}
