package every

import (
	"github.com/nanoring/nanoring/core"
)

// Scene is a state to begin in, and what may happen from there.
type Scene struct {
	Name     string
	Commands []core.Command // that an operator may give any durable node
	Bare     bool           // a disk is lost already: no other is
	Stubborn bool           // a guest adds itself anew when it should not
	Slow     bool           // disks take their time: a write ends by a choice

	build func(*world)
	wrap  func(core.Engine) core.Engine // a test's, that breaks something
	begun int64
}

func (sc *Scene) make(cfg core.Config) (core.Engine, error) {
	r, err := core.New(cfg)
	if err != nil || sc.wrap == nil {
		return r, err
	}
	return sc.wrap(r), nil
}

// begin builds the world in which the scene begins.
func (sc *Scene) begin() *world {
	w := &world{scene: sc, owner: new(owner)}
	sc.build(w)
	w.used = [kinds]uint8{}
	sc.begun = w.now
	return w
}

// add makes a machine; a guest's has no address.
func (w *world) add(name string, guest bool, join ...string) int {
	n := &node{owner: w.owner, index: len(w.nodes), name: name, guest: guest}
	if !guest {
		n.addr = name + ":7946"
	}
	for _, j := range join {
		n.join = append(n.join, j+":7946")
	}
	w.nodes = append(w.nodes, n)
	return n.index
}

// machines makes so many durable nodes, each of which is to join the others.
func (w *world) machines(n int) {
	names := []string{"n0", "n1", "n2"}[:n]
	for i, name := range names {
		var others []string
		for j, o := range names {
			if j != i {
				others = append(others, o)
			}
		}
		w.add(name, false, others...)
	}
}

// pass lets time pass, fairly, until all are quiet.
func (w *world) pass(d int64) {
	for end := w.now + d; w.wrong == ""; {
		c, ok := w.fairly()
		if !ok || c.kind == Tick && w.nodes[c.node].wake > end {
			w.now = max(w.now, end)
			return
		}
		w.apply(c)
	}
}

// ring has so many nodes stand as a ring.
func ring(n int) func(*world) {
	return func(w *world) {
		w.machines(n)
		for i := range w.nodes {
			w.start(i)
			w.pass(core.Second / 3)
		}
		w.pass(5 * core.Second)
		w.settled()
	}
}

// settled expects that all agree, and takes that down: what was done before counts for nothing but what
// became of it.
func (w *world) settled() {
	if what := w.untrue(true); what != "" {
		w.fail(what)
	}
	w.agreed()
}

// agreed takes down what all disks say.
func (w *world) agreed() {
	w.ops = nil
	for i, n := range w.nodes {
		if n.engine == nil || n.ousted {
			continue
		}
		for _, o := range w.nodes {
			if r, ok := recordOf(n.disk, o.name); ok {
				w.addOp(op{name: o.name, add: r.Rank == 0, by: i, state: acked, stamp: r.Stamp})
			}
		}
	}
}

// guest has a guest come to a ring.
func guest(n int) func(*world) {
	return func(w *world) {
		ring(n)(w)
		w.start(w.add("guest", true, "n0", "n1"))
		w.pass(2 * core.Second)
		w.settled()
	}
}

// joins has nodes start at once, from nothing.
func joins(n int) func(*world) {
	return func(w *world) {
		w.machines(n)
		for i := range w.nodes {
			w.start(i)
		}
	}
}

// away has the last node miss 25 hours, after which the others start anew, and it
// starts.
func away(n int) func(*world) {
	return func(w *world) {
		ring(n)(w)
		last := n - 1
		w.end(w.own(last), 0, false)
		for i := range last { // a day of theirs is to be short
			w.end(w.own(i), 0, false)
			w.own(i).period = 10 * core.Minute
			w.start(i)
			w.pass(core.Second)
		}
		w.pass(25 * core.Hour)
		for i := range last {
			w.end(w.own(i), 0, false)
			w.own(i).period = 0
			w.start(i)
			w.pass(2 * core.Second)
		}
		w.pass(5 * core.Second)
		w.settled()
		w.start(last)
	}
}

// forgotten is away, where another's disk is lost while the last node comes back.
func forgotten(w *world) {
	away(3)(w)
	w.end(w.own(1), 0, false)
	w.own(1).disk = nil
	w.disowned(w.nodes[1])
	w.start(1)
}

// removed has one of three nodes in its grace: it was deleted, and knows.
func removed(w *world) {
	ring(3)(w)
	w.command(0, core.Command{Op: core.Del, Name: "n2"})
	w.pass(core.Second)
}

// supersede has a process be suspended and its node deleted, by another, and a machine
// take its name. Between the start of the one, its deletion and the start of the other is
// more time than clocks may be wrong by: else nobody could say which came first.
func (w *world) supersede(old, by int) int {
	w.suspend(old, core.Day)
	w.pass(2 * core.MaxSkew)
	name := w.nodes[old].name
	w.command(by, core.Command{Op: core.Del, Name: name})
	w.pass(2 * core.MaxSkew)
	i := w.add(name, false, w.nodes[by].name)
	w.nodes[i].addr = "new:7946"
	w.start(i)
	w.pass(5 * core.Second)
	return i
}

// replaced has another machine under the name of one that was removed while its process
// was suspended, and about to go on.
func replaced(w *world) {
	ring(3)(w)
	w.supersede(2, 0)
	w.own(2).ousted = true
	w.agreed()
	w.suspend(2, core.Second)
}

// bare has one of three nodes return without its disk.
func bare(w *world) {
	ring(3)(w)
	w.end(w.own(2), 0, false)
	w.pass(core.Second)
	w.own(2).disk = nil
	w.disowned(w.nodes[2])
	w.start(2)
}

// rejoined has one of three nodes come back that was removed, as if it had never been there.
func rejoined(w *world) {
	removed(w)
	w.pass(15 * core.Second)
	w.start(2)
}

// leased has the address of a machine that is dead be another's, which starts there.
func leased(w *world) {
	ring(2)(w)
	w.end(w.own(1), 0, true)
	w.end(w.own(0), 0, false)
	w.own(0).addr, w.own(1).addr = "n1:7946", "new:7946"
	w.own(1).join = []string{"n1:7946"}
	w.start(0)
}

// burnt has a process go on that was suspended while its node was removed and replaced;
// all who knew of that are gone for good, but a guest.
func burnt(w *world) {
	guest(2)(w)
	i := w.supersede(0, 1)
	for _, gone := range []int{1, i} {
		w.end(w.own(gone), 0, true)
		w.own(gone).disk, w.own(gone).halt = nil, core.HaltLeft
		w.disowned(w.nodes[gone])
	}
	w.own(i).ousted = true // nobody asks whether that one is up
	w.pass(10 * core.Second)
	w.agreed()
	w.suspend(0, core.Second)
}

var (
	delN2  = core.Command{Op: core.Del, Name: "n2"}
	delN1  = core.Command{Op: core.Del, Name: "n1"}
	addN1  = core.Command{Op: core.Add, Name: "n1", Addr: "n1:7946"}
	addN2  = core.Command{Op: core.Add, Name: "n2", Addr: "n2:7946"}
	addN0  = core.Command{Op: core.Add, Name: "n0", Addr: "n0:7946"}
	leaves = core.Command{Op: core.Leave}
)

// Scenes are those that the tests explore.
func Scenes() []*Scene {
	return []*Scene{
		{Name: "two", build: ring(2), Commands: []core.Command{delN1, addN1, leaves}},
		{Name: "three", build: ring(3), Commands: []core.Command{delN2, addN2, leaves}},
		{Name: "guest", build: guest(2), Stubborn: true, Commands: []core.Command{{Op: core.Del, Name: "guest"}}},
		{Name: "slow2", build: ring(2), Slow: true, Commands: []core.Command{delN1, addN1, leaves}},
		{Name: "slowjoin2", build: joins(2), Slow: true, Commands: []core.Command{addN0, addN1}},
		{Name: "join2", build: joins(2), Commands: []core.Command{addN0, addN1}},
		{Name: "join3", build: joins(3), Commands: []core.Command{addN1, delN2}},
		{Name: "away2", build: away(2), Commands: []core.Command{delN1, addN0, addN1}},
		{Name: "away3", build: away(3), Commands: []core.Command{delN2, addN0, addN1}},
		{Name: "forgotten", build: forgotten, Bare: true, Commands: []core.Command{delN2, addN2}},
		{Name: "removed", build: removed, Commands: []core.Command{addN2, delN1}},
		{Name: "replaced", build: replaced, Bare: true, Commands: []core.Command{addN1}},
		{Name: "rejoined", build: rejoined, Commands: []core.Command{delN2, addN2}},
		{Name: "leased", build: leased, Bare: true, Commands: []core.Command{delN1, addN1}},
		{Name: "burnt", build: burnt, Bare: true, Commands: []core.Command{addN1}},
		{Name: "bare", build: bare, Bare: true, Commands: []core.Command{delN2, addN2}},
	}
}
