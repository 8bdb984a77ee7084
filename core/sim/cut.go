package sim

import (
	"slices"
	"strings"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// Partition cuts the network in groups; machines in none of them are one more
// group. It replaces the partition before.
func (w *World) Partition(groups ...[]*Machine) {
	names := make([]string, len(groups))
	for _, m := range w.machines {
		m.group = 0
	}
	for i, g := range groups {
		for _, m := range g {
			m.group = i + 1
			names[i] += " " + m.name
		}
	}
	w.note(nil, "the network is cut:", strings.Join(names, " |"))
	w.release()
}

// CutLink cuts two machines from each other, and from nobody else.
func (w *World) CutLink(a, b *Machine) {
	w.note(nil, "the link between ", a.name, " and ", b.name, " is cut")
	w.ways[way(a, b)], w.ways[way(b, a)] = true, true
}

// CutWay cuts one direction between two machines: nothing that from sends gets to
// to, not even the acknowledgements of what to sends.
func (w *World) CutWay(from, to *Machine) {
	w.note(nil, "the way from ", from.name, " to ", to.name, " is cut")
	w.ways[way(from, to)] = true
}

// Deafen closes the machine's listener, as while it is restarted: dials are
// refused, and connections that are open stay. Heal opens it.
func (m *Machine) Deafen() {
	m.w.note(m, "listens no more")
	m.deaf = true
}

// Heal takes all cuts away, firewalls and narrow paths too, and opens all
// listeners. What was forgotten stays so, and each machine keeps its address.
func (w *World) Heal() {
	for _, m := range w.machines {
		m.group, m.deaf = 0, false
	}
	clear(w.ways)
	clear(w.refused)
	clear(w.dropped)
	clear(w.narrow)
	w.note(nil, "the network is whole")
	w.release()
}

// Slow gives the path between two machines another latency, one way: LatencyMin at
// least. What is under way is not overtaken.
func (w *World) Slow(a, b *Machine, latency int64) {
	w.note(nil, "the path between ", a.name, " and ", b.name, " takes ", clock(latency))
	w.paths[link(a, b)] = max(latency, w.cfg.LatencyMin)
}

// ResetAll breaks all connections between two machines.
func (w *World) ResetAll(a, b *Machine) {
	if a.proc == nil {
		return
	}
	w.note(nil, "connections between ", a.name, " and ", b.name, " are reset")
	var ids []core.ConnID
	for id, s := range a.proc.conns {
		if s.end[1-s.of].m == b {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		s := a.proc.conns[id]
		w.reset(s.conn, s.of, wire.CodeLost)
	}
}

func link(a, b *Machine) [2]int {
	return [2]int{min(a.index, b.index), max(a.index, b.index)}
}

func way(from, to *Machine) [2]int { return [2]int{from.index, to.index} }

// cut tells whether nothing gets from one machine to the other.
func (w *World) cut(a, b *Machine) bool {
	return a.group != b.group || a.off || b.off || len(w.ways) > 0 && w.ways[way(a, b)]
}
