package every

import (
	"slices"
	"strconv"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// What must hold in every step.

// checkShown expects that who has acknowledged a deletion does not show the name again.
func (w *world) checkShown(n *node, s *core.Node) {
	if s.State == core.Removed {
		return
	}
	for i := range w.ops {
		o := &w.ops[i]
		if o.name != s.Name || o.add || o.by != n.index || o.state != acked {
			continue
		}
		again := false
		for j := range w.ops {
			p := &w.ops[j]
			again = again || p.name == s.Name && p.add && p.state != failed && (p.stamp == 0 || p.stamp > o.stamp)
		}
		if !again {
			w.fail(n.name + " shows " + s.Name + " again, whose deletion it has acknowledged")
		}
	}
}

// checkHalt expects that no good member halts.
func (w *world) checkHalt(n *node, why core.Reason) {
	if why == core.HaltStopped || n.ousted {
		return
	}
	for i := range w.ops {
		if o := &w.ops[i]; o.name == n.name && !o.add && why != core.HaltNameTaken {
			return
		}
	}
	w.fail(n.name + " halts, a good member: " + why.String())
}

// checkFile expects that a ring file can be read, and that nothing in it is older
// than what the one before had.
func (w *world) checkFile(n *node, before, after []byte) {
	cfg := w.config(n)
	cfg.Snapshot = after
	if _, err := core.New(cfg); err != nil {
		w.fail(n.name + " writes a ring file that cannot be read: " + err.Error())
		return
	}
	var old, now wire.Snapshot
	if before == nil || old.Decode(before) != nil || now.Decode(after) != nil {
		return
	}
	stamps := make(map[string]wire.Record, len(old.Records))
	for _, r := range old.Records {
		if r.Set == wire.Nodes {
			stamps[r.Name] = r
		}
	}
	for _, r := range now.Records {
		if o, ok := stamps[r.Name]; ok && r.Set == wire.Nodes && (r.Stamp < o.Stamp || r.Stamp == o.Stamp && r.Rank < o.Rank) {
			w.fail(n.name + " goes back to an older record of " + r.Name)
		}
	}
}

// What must hold once nothing is amiss any more.

// untrue says what a node shows that is not so, or "". A suspicion of who lives may be
// right for a while, as of a connection that was forgotten: it counts if strict.
func (w *world) untrue(strict bool) string {
	if what := w.unanswered(); what != "" {
		return what
	}
	var first *node
	for _, n := range w.nodes {
		switch {
		case n.paused:
			return n.name + " is suspended"
		case n.ousted && n.engine != nil && w.others(n.name):
			return n.name + " lives on, though another has its name"
		case n.engine == nil || n.guest || n.ousted:
			continue
		}
		if first == nil {
			first = n
		}
		if n.stale && w.company() > 1 {
			return n.name + " does not trust its memory yet"
		}
		for _, o := range w.nodes {
			if what := w.untrueOf(n, o, first, strict); what != "" {
				return what
			}
		}
		for i := range n.shown {
			if w.byName(n.shown[i].Name) < 0 {
				if in, _ := w.may(n.shown[i].Name); !in {
					return n.name + " shows " + n.shown[i].Name + ", of whom nobody has heard"
				}
			}
		}
	}
	return w.differs(first)
}

// company counts the durable nodes that run.
func (w *world) company() (count int) {
	for _, n := range w.nodes {
		if n.engine != nil && !n.guest {
			count++
		}
	}
	return count
}

// others says whether a node of another name runs, who can tell one of this name.
func (w *world) others(name string) bool {
	return slices.ContainsFunc(w.nodes, func(n *node) bool { return n.engine != nil && !n.guest && n.name != name })
}

// differs says who does not know the same of who belongs to the ring, or "".
func (w *world) differs(first *node) string {
	var one, other wire.Snapshot
	for _, n := range w.nodes {
		if n.engine == nil || n.guest || n.ousted || n == first {
			continue
		}
		if err := one.Decode(w.held(first)); err != nil {
			return err.Error()
		}
		if err := other.Decode(w.held(n)); err != nil {
			return err.Error()
		}
		a, b := slices.DeleteFunc(one.Records, isPresence), slices.DeleteFunc(other.Records, isPresence)
		if !slices.Equal(a, b) {
			return n.name + " and " + first.name + " do not have the same records of who belongs to the ring"
		}
	}
	return ""
}

func isPresence(r wire.Record) bool { return r.Set == wire.Up }

// unanswered says which command has no answer yet that will come, or "".
func (w *world) unanswered() string {
	for i := range w.ops {
		if o := &w.ops[i]; o.state == asked || o.state == done {
			return w.nodes[o.by].name + " has not acknowledged: " + o.words()
		}
	}
	return ""
}

// lingers says whether a node was told to leave, and all others that run as well: there
// is nobody who could confirm it.
func (w *world) lingers(n *node) bool {
	for _, o := range w.nodes {
		if o.engine != nil && !o.guest && !w.leaves(o) {
			return false
		}
	}
	return w.leaves(n)
}

func (w *world) leaves(n *node) bool {
	for i := range w.ops {
		if o := &w.ops[i]; o.by == n.index && o.name == n.name && !o.add && o.state != failed {
			return true
		}
	}
	return false
}

func (w *world) untrueOf(n, o, first *node, strict bool) string {
	if o.ousted {
		return ""
	}
	s, member := n.shows(o.name)
	_, other := first.shows(o.name)
	up := member && (s.State == core.Alive || s.State == core.Suspect)
	in, out := w.may(o.name)
	switch lives := o.engine != nil; {
	case o.guest && lives && (!up || strict && s.State != core.Alive):
		return n.name + " does not show " + o.name + " up, a guest that lives"
	case o.guest && lives && s.Instance != o.instance:
		return n.name + " shows a process of " + o.name + " that is gone"
	case o.guest && !lives && up:
		return n.name + " shows " + o.name + " " + s.State.String() + ", a guest that is gone"
	case o.guest, lives && w.lingers(o):
	case lives && !member:
		return n.name + " lacks " + o.name + ", which lives"
	case lives && s.State != core.Alive:
		if s.State == core.Suspect && !strict {
			return ""
		}
		return n.name + " shows " + o.name + " " + s.State.String() + ", which lives"
	case lives && s.Instance != o.instance:
		return n.name + " shows a process of " + o.name + " that is gone"
	case lives && !in:
		return o.name + " was removed, and lives"
	case !lives && up:
		return n.name + " shows " + o.name + " " + s.State.String() + ", which is dead"
	case member && !in:
		return n.name + " shows " + o.name + ", which was removed"
	case !member && !out:
		return n.name + " lacks " + o.name + ", which was added"
	case member != other:
		return n.name + " and " + first.name + " do not agree whether " + o.name + " belongs"
	}
	return ""
}

// How long it may take, once nothing is amiss any more, until all show the truth;
// and how long they are watched then.
const (
	patience = 20 * core.Minute
	watched  = 15 * core.Second
)

// settle lets the fair schedule go on until all show the truth, and says how long
// that took. It fails the world if they do not, or do not stay with it. Each state
// that it comes through now and then is given to known, which says whether to go on.
func (w *world) settle(watch bool, known func() bool) (took int64) {
	start := w.now
	for i := 0; w.wrong == ""; i++ {
		quiet := w.quiet()
		if quiet && w.now > start {
			if what := w.untrue(true); what == "" {
				break
			} else if w.now-start > patience {
				w.fail("after " + strconv.FormatInt(patience/core.Minute, 10) + " quiet minutes " + what)
				return w.now - start
			}
		}
		if i%8 == 7 && i < 128 && known() {
			return w.now - start
		}
		if !w.fair() {
			break
		}
	}
	took = w.now - start
	for end := w.now + watched; watch && w.wrong == "" && w.now < end; {
		if !w.fair() {
			return took
		}
		if w.quiet() {
			if what := w.untrue(false); what != "" {
				w.fail("some time after all was right " + what)
			}
		}
	}
	return took
}
