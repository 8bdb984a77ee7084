package sim_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

// mostHeirs is how many engines follow on the first of a process.
const mostHeirs = 8

// dynasty is an engine that is many, one after the other: after a random number
// of inputs another Ring takes over, as native has one do. The world that it runs
// in does not notice.
type dynasty struct {
	*testing.T
	cfg     core.Config
	rng     *rand.Rand
	ring    *core.Ring
	count   *atomic.Int64 // of takeovers
	left    int           // inputs until the next
	heirs   int           // that may still follow: each begins periods anew
	effects []core.Effect
	view    core.View
	conns   map[core.ConnID]*heard
	dials   map[core.ConnID]bool
	last    core.ConnID // that was dialled
	asked   map[uint64]core.Command
	base    uint64 // of the changes that the Ring counts
	dirty   uint64
	begun   bool
	halted  bool
	leaving bool
}

// heard is what is told of a connection to the next.
type heard struct {
	open  core.Input
	first []byte
	said  bool
}

func newDynasty(t *testing.T, count *atomic.Int64, most int) func(core.Config) (core.Engine, error) {
	return func(cfg core.Config) (core.Engine, error) {
		r, err := core.New(cfg)
		if err != nil || cfg.Ephemeral {
			return r, err
		}
		d := &dynasty{
			T: t, cfg: cfg, ring: r, count: count, rng: rand.New(rand.NewPCG(cfg.Seed, uint64(most))),
			conns: make(map[core.ConnID]*heard), dials: make(map[core.ConnID]bool), asked: make(map[uint64]core.Command),
		}
		d.left, d.heirs = 1+d.rng.IntN(most), mostHeirs
		d.cfg.Snapshot = nil
		return &reign{dynasty: d, most: most}, nil
	}
}

// reign is the Engine that the world sees.
type reign struct {
	*dynasty
	most int
}

func (g *reign) Snapshot() ([]byte, error) { return g.ring.Snapshot() }
func (g *reign) Handover() ([]byte, error) { return g.ring.Handover() }
func (g *reign) Close() error              { return g.ring.Close() }

// Changes has the first write of a Ring be all that it knows, as native does: of what was
// written before it came it knows nothing.
func (g *reign) Changes(since uint64) ([]byte, error) {
	if since <= g.base {
		return nil, nil
	}
	return g.ring.Changes(since - g.base)
}

func (g *reign) Step(in core.Input) ([]core.Effect, error) {
	d := g.dynasty
	d.effects = d.effects[:0]
	d.step(in)
	if d.left--; d.left <= 0 && d.heirs > 0 && d.begun && !d.halted && !d.leaving {
		d.takeOver(in)
		d.heirs--
		d.left = 1 + d.rng.IntN(g.most)
	}
	return d.effects, nil
}

// step gives the Ring an input, and notes what the next one has to know.
func (d *dynasty) step(in core.Input) {
	switch in.Kind {
	case core.Start:
		d.begun = true
	case core.Opened:
		if in.Conn%2 == 1 || d.dials[in.Conn] {
			d.conns[in.Conn] = &heard{open: in}
		}
		delete(d.dials, in.Conn)
	case core.Received:
		if c := d.conns[in.Conn]; c != nil && c.first == nil {
			c.first = bytes.Clone(in.Frame)
		}
	case core.Closed:
		delete(d.conns, in.Conn)
		delete(d.dials, in.Conn)
	case core.Do:
		d.asked[in.Command.ID] = in.Command
		d.leaving = d.leaving || in.Command.Op == core.Leave || in.Command.Op == core.Stop
	}
	effects, _ := d.ring.Step(in)
	for _, e := range effects {
		d.carry(e)
	}
}

// carry passes an effect on. The next Ring's bytes are soon gone: it copies them.
func (d *dynasty) carry(e core.Effect) {
	switch e.Kind {
	case core.Dial:
		d.dials[e.Conn], d.last = true, max(d.last, e.Conn)
	case core.Send:
		e.Frame = bytes.Clone(e.Frame)
		if c := d.conns[e.Conn]; c != nil {
			c.said = true
		}
	case core.Close:
		delete(d.conns, e.Conn)
		delete(d.dials, e.Conn)
	case core.Dirty:
		e.Seq += d.base
		d.dirty = e.Seq
	case core.Halt:
		d.halted = true
	case core.Emit:
		event := *e.Event
		e.Event = &event
		if event.Kind == core.EventResult {
			event.Seq += d.base
			delete(d.asked, event.ID)
		}
		d.view.Apply(&event, 0)
	}
	d.effects = append(d.effects, e)
}

// takeOver puts another Ring in the place of the one that runs, and expects that
// it shows the same nodes.
func (d *dynasty) takeOver(now core.Input) {
	d.count.Add(1)
	cfg := d.cfg
	cfg.Takeover, cfg.Seed = true, d.rng.Uint64()
	cfg.Snapshot, _ = d.ring.Handover()
	next, err := core.New(cfg)
	if err != nil {
		d.Errorf("%s cannot take over: %v", cfg.Name, err)
		return
	}
	tell := func(in core.Input) []core.Effect {
		in.Mono, in.Wall = now.Mono, now.Wall
		effects, _ := next.Step(in)
		return effects
	}
	var again []core.Input
	tell(core.Input{Kind: core.Closed, Conn: d.last})
	for _, id := range slices.Sorted(maps.Keys(d.conns)) {
		c := d.conns[id]
		tell(c.open)
		if first := (core.Input{Kind: core.Received, Conn: id, Frame: c.first}); c.first != nil && c.said {
			tell(first)
		} else if c.first != nil {
			again = append(again, first)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(d.asked)) {
		again = append(again, core.Input{Kind: core.Do, Command: d.asked[id]})
	}
	for _, id := range slices.Sorted(maps.Keys(d.dials)) {
		d.carry(core.Effect{Kind: core.Close, Conn: id, Code: 4000})
	}
	var view core.View
	was := d.view
	d.ring, d.base = next, d.dirty
	for _, e := range tell(core.Input{Kind: core.Start}) {
		if e.Kind != core.Emit {
			d.carry(e)
			continue
		}
		view.Apply(e.Event, 0)
		if before, ok := was.Get(e.Event.Node.Name); e.Event.Kind == core.EventNode && (!ok || !reflect.DeepEqual(before, e.Event.Node)) {
			d.carry(e)
		}
	}
	if err := d.differs(&was, &view); err != nil {
		d.Errorf("%s, taken over: %v", cfg.Name, err)
	}
	for _, in := range again {
		in.Mono, in.Wall = now.Mono, now.Wall
		if !d.halted && (in.Kind == core.Do || d.conns[in.Conn] != nil) {
			d.step(in)
		}
	}
}

// Replaced returns how many engines have come in the place of the first.
func (d *dynasty) Replaced() int { return mostHeirs - d.heirs }

func (d *dynasty) differs(was, now *core.View) error {
	if was.Len() != now.Len() {
		return fmt.Errorf("it shows %d nodes, and showed %d", now.Len(), was.Len())
	}
	for _, before := range was.All() {
		after, ok := now.Get(before.Name)
		if before.Name == d.cfg.Name { // it may have a new gateway
			after.Via, after.Incarnation = before.Via, before.Incarnation
		}
		if !ok || !reflect.DeepEqual(before, after) {
			return fmt.Errorf("it shows %+v, and showed %+v", after, before)
		}
	}
	return nil
}

// TestTakeovers lives random stories in which the engines of all durable nodes are
// replaced several times, some at nearly each input: they end as well as others.
func TestTakeovers(t *testing.T) {
	var count atomic.Int64
	t.Run("stories", func(t *testing.T) {
		for seed := *first; seed < *first+60; seed++ {
			t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
				t.Parallel()
				most := []int{20, 200, 2000}[seed%3]
				if _, err := sim.Storm(sim.Config{Seed: seed, New: newDynasty(t, &count, most), Trace: traceOf()}); err != nil {
					t.Fatalf("an engine for each %d inputs at most: %v", most, err)
				}
			})
		}
	})
	if count.Load() < 1000 {
		t.Errorf("only %d engines took over", count.Load())
	}
}

// A node that cannot be dialled comes back after another machine had its name, which
// could be: nobody shows that one's address for it.
func TestAddressOfAnotherMachine(t *testing.T) {
	t.Parallel()
	schedules(t, 2, sim.Config{}, 2, func(r *ring) error {
		mine, other := r.Add("mine", sim.Options{Node: "x", DialOnly: true}), r.Add("other", sim.Options{Node: "x"})
		for _, m := range []*sim.Machine{mine, other, mine} {
			if err := m.Start(r.all[0].Addr()); err != nil {
				return err
			}
			if err := r.Settle(core.Minute); err != nil {
				return err
			}
			m.Crash()
			r.Run(10 * core.Second)
		}
		return nil
	})
}
