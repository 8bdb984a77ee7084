package sim

import (
	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// ChangeKind says what happened to a node that the others have to show.
type ChangeKind uint8

// The kinds of changes.
const (
	ChangeJoin     ChangeKind = iota // it started, new
	ChangeGuest                      // a guest started
	ChangeRestart                    // it started again
	ChangeStop                       // it was stopped, and said bye
	ChangeKill                       // its process was killed
	ChangePowerOff                   // its machine stopped
	ChangeCut                        // it was cut from a part of the ring
	ChangeHeal                       // and is no longer
	changeKinds
)

// String returns the kind's word.
func (k ChangeKind) String() string {
	return [...]string{"join", "guest", "restart", "stop", "kill", "power-off", "cut", "heal"}[k]
}

// watch knows for each pair of a node that runs and another node whether the
// one shows of the other what is true: up, as the process that runs now, if
// there is one and no partition lies between them; else not up. It measures for
// each change how long it takes until all who ran at that time show it.
//
// Who looks is durable; who is looked at may be a guest.
type watch struct {
	w        *World
	nodes    []watched // by the machine's index
	known    int       // of them were ever started
	looking  int       // durable ones that run
	off      int       // pairs that are wrong
	seq      uint64    // of starts and changes
	times    [changeKinds]times
	suspects [2]int // wrong suspicions: of durable nodes, of guests
	deaths   [2]int // and nodes wrongly shown down
	halted   int    // processes that halted without having been asked

	runs     int   // nodes that run, guests too
	nodeTime int64 // that all of them ran together, up to counted
	counted  int64
}

// times are those of the changes of one kind.
type times struct {
	count     int     // of changes
	open      int     // not everybody shows them yet
	overtaken int     // by the node's next change, before all showed them
	found     []int64 // of deaths: until the first suspected it
	shown     []int64 // until the last showed it
}

// watched is a node as a watch knows it.
type watched struct {
	m        *Machine
	runs     bool
	absent   bool  // it is not lived: it counts among those who are looked at alone
	life     uint8 // which of its processes: 1 to lives, then from 1 again
	instance wire.Instance

	shows   []uint8 // of each node: the life that it shows up, 0 for none; nil while it does not run
	off     int     // of them, wrong
	since   uint64  // it started
	change  uint64  // the newest, 0 once all show it
	kind    ChangeKind
	at      int64
	wrong   int  // who ran then and does not show it
	found   bool // somebody suspects it
	suspect int64
	down    int64 // incarnations of it that were suspect and down
}

const (
	lives   = 126
	another = 127  // life of a process that is not the newest
	isRight = 0x80 // flag in shows
)

func newWatch(w *World, n int) *watch {
	t := &watch{w: w, nodes: make([]watched, n)}
	w.OnEvent(t.event)
	w.OnHalt(t.halt)
	return t
}

// absent has a machine for one whose node runs, and is not lived.
func (t *watch) absent(m *Machine, of wire.Instance) {
	t.nodes[m.index] = watched{m: m, runs: true, absent: true, life: 1, instance: of}
	t.known++
}

// start starts a machine, and has that for a change.
func (t *watch) start(m *Machine, kind ChangeKind, join []string) error {
	runs, err := t.launch(m, join)
	if runs {
		t.changed(&t.nodes[m.index], kind)
	}
	return err
}

// launch starts a machine, and says whether it runs.
func (t *watch) launch(m *Machine, join []string) (runs bool, err error) {
	n := &t.nodes[m.index]
	if n.m == nil {
		n.m = m
		t.known++
	}
	if n.absent = false; !n.runs { // else it takes over
		n.life = n.life%lives + 1
	}
	t.seq++
	n.since = t.seq
	if !m.opt.Guest {
		n.shows, n.off = make([]uint8, len(t.nodes)), len(t.nodes)-1
		t.off += n.off
		t.looking++
		for i := range t.nodes {
			t.review(n, i)
		}
	}
	if err := m.Start(join...); err != nil {
		return false, err
	}
	if m.Running() {
		n.instance = m.Instance()
		t.count(+1)
		n.runs = true
	}
	return n.runs, nil
}

// halt has it for a change that a process halted.
func (t *watch) halt(m *Machine, why core.Reason, _ string) {
	if why != core.HaltStopped {
		t.halted++
	}
	t.end(m, ChangeStop)
}

// end has the end of a machine's process for a change.
func (t *watch) end(m *Machine, kind ChangeKind) {
	n := &t.nodes[m.index]
	t.gone(n)
	t.changed(n, kind)
}

// count keeps how many run, and how long they all did.
func (t *watch) count(by int) {
	t.nodeTime += int64(t.runs) * (t.w.now - t.counted)
	t.counted = t.w.now
	t.runs += by
}

// gone takes a node out of those who look.
func (t *watch) gone(n *watched) {
	if n.runs {
		n.runs = false
		if !n.absent {
			t.count(-1)
		}
	}
	if n.shows == nil {
		return
	}
	shows := n.shows
	n.shows = nil
	t.off -= n.off
	t.looking--
	for i := range t.nodes {
		if o := &t.nodes[i]; o.change > n.since && o != n && shows[i]&isRight == 0 {
			t.less(o)
		}
	}
}

// cut has a partition, or the end of one, for a change of all nodes.
func (t *watch) cut(kind ChangeKind) {
	for i := range t.nodes {
		if n := &t.nodes[i]; n.runs {
			t.changed(n, kind)
		}
	}
}

// changed begins to measure a change of a node.
func (t *watch) changed(n *watched, kind ChangeKind) {
	if n.change != 0 {
		t.times[n.kind].overtaken++
		t.times[n.kind].open--
	}
	t.seq++
	n.change, n.kind, n.at, n.wrong, n.found = 0, kind, t.w.now, 0, false
	for i := range t.nodes {
		if o := &t.nodes[i]; o.shows != nil && o != n {
			t.review(o, n.m.index)
			if o.shows[n.m.index]&isRight == 0 {
				n.wrong++
			}
		}
	}
	n.change = t.seq
	t.times[kind].count++
	t.times[kind].open++
	t.settle(n)
}

// review finds out whether what a node shows of another is right.
func (t *watch) review(n *watched, of int) {
	o := &t.nodes[of]
	if o == n {
		return
	}
	was := n.shows[of]
	want := uint8(0)
	if o.runs && o.m.group == n.m.group {
		want = o.life
	}
	now := was &^ isRight
	if now == want {
		now |= isRight
	}
	if n.shows[of] = now; now&isRight == was&isRight {
		return
	}
	by := 1
	if now&isRight != 0 {
		by = -1
	}
	n.off += by
	t.off += by
	if o.change > n.since {
		if o.wrong += by; by < 0 {
			t.settle(o)
		}
	}
}

// less is one less who has to show a node's change.
func (t *watch) less(n *watched) {
	n.wrong--
	t.settle(n)
}

// settle ends the measuring of a change that all show.
func (t *watch) settle(n *watched) {
	if n.change != 0 && n.wrong == 0 {
		n.change = 0
		t.times[n.kind].open--
		t.times[n.kind].shown = append(t.times[n.kind].shown, t.w.now-n.at)
	}
}

// event takes in what a node shows of another from now on.
func (t *watch) event(m *Machine, e *core.Event) {
	n := &t.nodes[m.index]
	if e.Kind != core.EventNode || n.shows == nil {
		return
	}
	of := t.w.byName[e.Node.Name]
	if of == nil || of == m {
		return
	}
	o := &t.nodes[of.index]
	life := uint8(0)
	if e.Node.State == core.Alive || e.Node.State == core.Suspect {
		life = o.life
		if e.Node.Instance != o.instance {
			life = another
		}
	}
	if e.Node.State == core.Suspect || e.Node.State == core.Down {
		t.accused(n, o, &e.Node)
	}
	n.shows[of.index] = n.shows[of.index]&isRight | life
	t.review(n, of.index)
}

// accused judges an accusation of a node: each incarnation's counts once, by
// whether it was wrong where and when it was shown first.
func (t *watch) accused(n, o *watched, e *core.Node) {
	reached := o.runs && o.m.group == n.m.group
	if !reached && !o.found && (o.kind == ChangeKill || o.kind == ChangePowerOff || o.kind == ChangeCut) {
		o.found = true
		t.times[o.kind].found = append(t.times[o.kind].found, t.w.now-o.at)
	}
	newest, wrong := &o.suspect, &t.suspects
	if e.State == core.Down {
		newest, wrong = &o.down, &t.deaths
	}
	if e.Incarnation <= *newest {
		return
	}
	*newest = e.Incarnation
	if reached && e.Instance == o.instance {
		if e.Ephemeral {
			wrong[1]++
		} else {
			wrong[0]++
		}
	}
}

// right returns the share of pairs that are right.
func (t *watch) right() float64 {
	if all := t.looking * (t.known - 1); all > 0 {
		return 1 - float64(t.off)/float64(all)
	}
	return 1
}
