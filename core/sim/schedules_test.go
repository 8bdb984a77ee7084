package sim_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
)

var howMany = flag.Int("sim.schedules", 0, "how many schedules each test lives that searches among them; 0 for as many as it needs to find what it is about")

// lan is a network of one room.
var lan = sim.Config{LatencyMin: 50, LatencyMax: 500}

// ring is a world in which n0, n1, … are one ring, and a schedule's own randomness.
type ring struct {
	*sim.World
	*rand.Rand
	all   []*sim.Machine // n0, n1, …
	ahead int64          // all wall clocks: see skip
}

// schedules lives a number of schedules, each with a ring of n nodes of its own,
// and says in how many something was wrong, and how to see one of them again. The first
// line of an error is what was wrong.
func schedules(t *testing.T, count int, cfg sim.Config, n int, live func(*ring) error) {
	t.Helper()
	if *howMany > 0 {
		count = *howMany
	}
	total, wrong, detail := 0, make(map[string][]uint64), make(map[string]string) // seeds, by what was wrong
	for seed := *first; seed < *first+uint64(count); seed++ {
		cfg.Seed, cfg.Trace = seed, traceOf()
		r := &ring{World: sim.New(cfg), Rand: rand.New(rand.NewPCG(seed, 0x7363686564))}
		r.Promise()
		err := r.begin(n)
		if err == nil {
			err = live(r)
		}
		if err == nil {
			err = r.Err()
		}
		if err != nil {
			total++
			what, details, _ := strings.Cut(err.Error(), "\n")
			if wrong[what] == nil {
				detail[what] = details
			}
			wrong[what] = append(wrong[what], seed)
		}
		r.Close()
	}
	if total == 0 {
		return
	}
	t.Errorf("wrong in %d of %d schedules", total, count)
	most := slices.SortedFunc(maps.Keys(wrong), func(a, b string) int {
		return cmp.Or(len(wrong[b])-len(wrong[a]), cmp.Compare(wrong[a][0], wrong[b][0]))
	})
	for _, what := range most[:min(3, len(most))] {
		t.Errorf("%d times, in seed %d first: %s\n%s", len(wrong[what]), wrong[what][0], what, detail[what])
	}
	t.Log(replay(t, " -sim.schedules=1 -sim.seed=SEED"))
}

// begin starts the nodes, which join n0.
func (r *ring) begin(n int) error {
	for i := range n {
		m := r.Add(fmt.Sprintf("n%d", i), sim.Options{})
		r.all = append(r.all, m)
		var join []string
		if i > 0 {
			join = append(join, r.all[0].Addr())
		}
		if err := m.Start(join...); err != nil {
			return err
		}
	}
	if err := r.Settle(core.Minute); err != nil {
		return fmt.Errorf("the ring did not come about: %w", err)
	}
	r.Run(r.Int64N(2 * core.Second))
	return nil
}

// skip has a time pass for all wall clocks, and for nothing else.
func (r *ring) skip(d int64) {
	for _, m := range r.Machines() {
		m.StepClock(d)
	}
	r.ahead += d
	r.Run(3 * core.Second)
}

// machine makes a machine more.
func (r *ring) machine(name string, o sim.Options) *sim.Machine {
	o.Clock = r.ahead
	return r.Add(name, o)
}

// shows returns how a machine shows a node.
func shows(m *sim.Machine, name string) core.State {
	if n, ok := m.View().Get(name); ok {
		return n.State
	}
	return core.Removed
}

// within expects cond within d.
func (r *ring) within(d int64, what string, cond func() bool) error {
	if !r.RunUntil(d, cond) {
		return fmt.Errorf("not within %s: %s", duration(d), what)
	}
	return nil
}

// add has a machine add a node, and returns how it was answered.
func (r *ring) add(at *sim.Machine, name string) (sim.Command, error) {
	return r.do(at, core.Command{Op: core.Add, Name: name, Addr: name + ":7946"})
}

func (r *ring) do(at *sim.Machine, c core.Command) (sim.Command, error) {
	id := at.Do(c)
	err := r.within(core.Minute, "a command at "+at.Name()+" is answered", func() bool {
		return r.Command(id).Acked || r.Command(id).Done && r.Command(id).Code != 0
	})
	return r.Command(id), err
}

// alarm is a node that runs, and that is shown as a suspect, or as down.
type alarm struct {
	at     int64
	by, of string
	state  core.State
}

func (a alarm) String() string {
	return fmt.Sprintf("%s showed %s %v at %s", a.by, a.of, a.state, duration(a.at))
}

// alarms notes all false alarms from now on.
func (r *ring) alarms() *alarms {
	all := new(alarms)
	r.OnEvent(func(m *sim.Machine, e *core.Event) {
		of := r.Machine(e.Node.Name)
		if e.Kind == core.EventNode && (e.Node.State == core.Suspect || e.Node.State == core.Down) && of != nil && of.Running() && !of.Paused() {
			*all = append(*all, alarm{r.Now(), m.Name(), e.Node.Name, e.Node.State})
		}
	})
	return all
}

type alarms []alarm

// of returns those of a state, from a time on; of any for core.Unknown.
func (all *alarms) of(state core.State, from int64) (some alarms) {
	for _, a := range *all {
		if a.at >= from && (state == core.Unknown || state == a.state) {
			some = append(some, a)
		}
	}
	return some
}

// times counts how often a node was accused: once, however many show it within a second.
func (all alarms) times() (n int) {
	last := make(map[string]int64)
	for _, a := range all {
		if at, ok := last[a.of]; !ok || a.at > at+core.Second {
			n++
			last[a.of] = a.at
		}
	}
	return n
}

// err is what to say of alarms that should not be.
func (all alarms) err(what string) error {
	if len(all) == 0 {
		return nil
	}
	return fmt.Errorf("%s\n%d times: first %v, last %v", what, len(all), all[0], all[len(all)-1])
}
