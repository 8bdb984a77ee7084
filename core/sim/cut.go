package sim

import (
	"slices"
	"strings"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// heldQueue is a queue whose head waits for a cut to heal.
type heldQueue struct {
	conn *conn
	of   uint8
}

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
	w.links[link(a, b)] = true
}

// Refuse puts a firewall between two machines: it answers every dial of one to
// the other, either way, as if nobody listened, and breaks the connections that
// are there.
func (w *World) Refuse(a, b *Machine) {
	w.note(nil, "a firewall refuses all dials between ", a.name, " and ", b.name)
	w.refused[link(a, b)] = true
	w.ResetAll(a, b)
}

// Deafen closes the machine's listener, as while it is restarted: dials are
// refused, and connections that are open stay. Heal opens it.
func (m *Machine) Deafen() {
	m.w.note(m, "listens no more")
	m.deaf = true
}

// Heal takes all cuts away, firewalls too, and opens all listeners.
func (w *World) Heal() {
	for _, m := range w.machines {
		m.group, m.deaf = 0, false
	}
	clear(w.links)
	clear(w.refused)
	w.note(nil, "the network is whole")
	w.release()
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

// cut tells whether nothing gets from one machine to the other.
func (w *World) cut(a, b *Machine) bool {
	return a.group != b.group || a.off || b.off || len(w.links) > 0 && w.links[link(a, b)]
}

// hold keeps a queue until the cut heals, or for as long as TCP has patience.
func (w *World) hold(c *conn, of uint8) {
	e := &c.end[of]
	e.heldAt = max(w.now, 1)
	w.held = append(w.held, heldQueue{c, of})
	w.schedule(w.now+heldTimeout, event{kind: evHeld, conn: c, side: of, arg: e.heldAt})
}

// release lets go of what no cut holds any more: it comes with the next retry.
func (w *World) release() {
	w.held = slices.DeleteFunc(w.held, func(h heldQueue) bool {
		e := &h.conn.end[h.of]
		if w.cut(e.m, h.conn.end[1-h.of].m) {
			return false
		}
		e.heldAt = 0
		if !e.empty() {
			head := &e.queue[e.head]
			head.at = w.now + w.between(rtoMin, rtoMax)
			e.last = max(e.last, head.at)
		}
		w.arm(h.conn, h.of)
		return true
	})
}

// heldTooLong breaks a connection at the side whose frames got no answer. The
// other side knows nothing of it until it sends something itself.
func (w *World) heldTooLong(c *conn, of uint8, since int64) {
	e := &c.end[of]
	if e.heldAt != since {
		return
	}
	e.heldAt = 0
	w.held = slices.DeleteFunc(w.held, func(h heldQueue) bool { return h.conn == c && h.of == of })
	w.breakEnd(c, of, wire.CodeLost, 0)
}
