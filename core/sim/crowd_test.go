package sim_test

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// Most of a large ring loses its power at once: the few that are left find all of
// the dead, since no dial that hangs keeps them from dialling.
func TestFewAreLeft(t *testing.T) {
	t.Parallel()
	for _, left := range []int{10} {
		t.Run(fmt.Sprintf("%d of 150", left), func(t *testing.T) {
			t.Parallel()
			plan := sim.Plan{Nodes: 150, LatencyMin: core.Millisecond, LatencyMax: 20 * core.Millisecond, For: 10 * core.Minute,
				Acts: []sim.Act{{Kind: sim.PowerOff, At: core.Second, Nodes: 150 - left}}}
			count := 1
			if *howMany > 0 {
				count = *howMany
			}
			livePlan(t, count, plan, noFalseDeath)
		})
	}
}

// The same when the few are started again, and have no connections that may be silent.
func TestFewAreBack(t *testing.T) {
	t.Parallel()
	for _, left := range []int{20, 6} {
		t.Run(fmt.Sprintf("%d of 150", left), func(t *testing.T) {
			t.Parallel()
			schedules(t, 1, sim.Config{}, 0, func(r *ring) error {
				var members []string
				for i := range 150 {
					members = append(members, fmt.Sprintf("n%d", i))
				}
				for _, name := range members[:left] {
					m := r.machine(name, sim.Options{})
					m.Disk().Ring = ringFile(nil, name, m.Wall(), members)
					if err := m.Start(); err != nil {
						return err
					}
				}
				r.Run(10 * core.Minute)
				for _, m := range r.Machines() {
					if n := len(m.View().Up()); n != left {
						return fmt.Errorf("the dead are shown up after ten minutes\n%s shows %d nodes up", m.Name(), n)
					}
				}
				return nil
			})
		})
	}
}

// A living node whose address refuses all dials, and who dials others: it is hardly
// ever taken for dead.
func TestRefusedAndAlive(t *testing.T) {
	t.Parallel()
	schedules(t, 1, lan, 20, func(r *ring) error {
		r.Run(core.Minute)
		r.all[19].Deafen()
		seen := r.alarms()
		r.Run(3 * core.Hour)
		if downs, all := seen.of(core.Down, 0).times(), seen.of(core.Unknown, 0).times(); downs > 10 || all > 60 {
			return fmt.Errorf("taken for dead again and again\n%d times down, %d times accused in three hours", downs, all)
		}
		return nil
	})
}

// stub is the least of a peer: it says who it is, and answers.
type stub struct {
	cfg  core.Config
	said map[core.ConnID]bool
}

func (s *stub) Snapshot() ([]byte, error)      { return nil, nil }
func (s *stub) Changes(uint64) ([]byte, error) { return nil, nil }
func (s *stub) Handover() ([]byte, error)      { return nil, nil }
func (s *stub) Close() error                   { return nil }

func (s *stub) Step(in core.Input) (out []core.Effect, err error) {
	send := func(f wire.Frame) {
		out = append(out, core.Effect{Kind: core.Send, Conn: in.Conn, Frame: f.Append(nil)})
	}
	hello := func() {
		s.said[in.Conn] = true
		send(wire.Frame{Kind: wire.KindHello, Hello: wire.Hello{
			Name: s.cfg.Name, Ring: s.cfg.Ring, Address: s.cfg.Address, Instance: s.cfg.Instance, Min: 1, Max: 1, Members: 1, Wall: in.Wall,
		}})
	}
	var f wire.Frame
	switch in.Kind {
	case core.Start:
		out = append(out, core.Effect{Kind: core.Dial, Conn: 2, Addr: s.cfg.Join[0]})
	case core.Opened:
		if in.Conn%2 == 0 {
			hello()
		}
	case core.Received:
		if err := f.Decode(in.Frame); err != nil {
			return nil, err
		}
		switch f.Kind {
		case wire.KindHello:
			if !s.said[in.Conn] {
				hello()
			}
			p := wire.Presence{Address: s.cfg.Address, Instance: s.cfg.Instance, Version: 1}
			send(wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{
				{Set: wire.Nodes, Name: s.cfg.Name, Stamp: in.Wall, Value: wire.Member{Address: s.cfg.Address}.Value()},
				{Set: wire.Up, Name: s.cfg.Name, Stamp: in.Wall, Value: p.Value()},
			}})
		case wire.KindGossip:
			send(wire.Frame{Kind: wire.KindAck, Seq: f.Seq, Wall: in.Wall, Fingerprint: f.Fingerprint})
		case wire.KindProbe:
			send(wire.Frame{Kind: wire.KindAlive, Seq: f.Seq, Instance: s.cfg.Instance})
		case wire.KindSync:
			send(wire.Frame{Kind: wire.KindSynced, Seq: f.Seq, Handled: uint64(len(f.Items))})
		}
	}
	return out, nil
}

// dialler is an engine that notes when it dials.
type dialler struct {
	core.Engine
	w     *sim.World
	dials []int64
}

func (d *dialler) Step(in core.Input) ([]core.Effect, error) {
	out, err := d.Engine.Step(in)
	for i := range out {
		if out[i].Kind == core.Dial {
			d.dials = append(d.dials, d.w.Now())
		}
	}
	return out, err
}

// All of a node's 500 connections break at once, and it does not make 500 dials at
// once, nor does it take anybody for dead for it.
func TestAllConnectionsBreak(t *testing.T) {
	t.Parallel()
	const peers = 500
	var hub *dialler
	var w *sim.World
	w = sim.New(sim.Config{Seed: 1, Trace: traceOf(), New: func(cfg core.Config) (core.Engine, error) {
		if cfg.Name != "hub" {
			return &stub{cfg: cfg, said: make(map[core.ConnID]bool)}, nil
		}
		r, err := core.New(cfg)
		hub = &dialler{Engine: r, w: w}
		return hub, err
	}})
	s := storyIn(t, w, "hub")
	for i := range peers {
		s.Add(fmt.Sprintf("p%d", i), sim.Options{})
		s.start(fmt.Sprintf("p%d", i), "hub")
		s.Run(core.Millisecond)
	}
	m := s.Machine("hub")
	s.wait(core.Minute, "all are there", func() bool { return len(m.View().Up()) == peers+1 })
	s.Run(10 * core.Second)
	down := 0
	s.OnEvent(func(_ *sim.Machine, e *core.Event) {
		if e.Kind == core.EventNode && e.Node.State == core.Down {
			down++
		}
	})
	hub.dials = nil
	for i := range peers {
		s.ResetAll(m, s.Machine(fmt.Sprintf("p%d", i)))
	}
	s.Run(core.Minute)
	most := 0
	for i, from := range hub.dials {
		n := 0
		for _, at := range hub.dials[i:] {
			if at < from+100*core.Millisecond {
				n++
			}
		}
		most = max(most, n)
	}
	if most > 100 || down > 0 {
		t.Errorf("it made %d dials within 100 ms, and took %d living nodes for dead", most, down)
	}
}

// spoiler is an engine that spoils each of its connections as soon as it is open.
type spoiler struct{ core.Engine }

func (s spoiler) Step(in core.Input) ([]core.Effect, error) {
	out, err := s.Engine.Step(in)
	if in.Kind == core.Received {
		out = append(out, core.Effect{Kind: core.Send, Conn: in.Conn, Frame: []byte{0xc1}})
	}
	return out, err
}

// A peer whose connections all break, and which is dialled again and again, does
// not keep the others from finding out at once that a process was killed.
func TestKilledBesideSpoiler(t *testing.T) {
	t.Parallel()
	cfg := lan
	cfg.New = func(cfg core.Config) (core.Engine, error) {
		r, err := core.New(cfg)
		if cfg.Name == "spoiler" {
			return spoiler{r}, err
		}
		return r, err
	}
	schedules(t, 5, cfg, 5, func(r *ring) error {
		if err := r.Add("spoiler", sim.Options{}).Start(r.all[0].Addr()); err != nil {
			return err
		}
		if _, err := r.add(r.all[0], "spoiler"); err != nil {
			return err
		}
		r.Run(10*core.Second + r.Int64N(10*core.Second))
		for i := range 3 {
			if err := r.killed(r.all[i]); err != nil {
				return err
			}
			if err := r.all[i].Start(); err != nil {
				return err
			}
			r.Run(10*core.Second + r.Int64N(10*core.Second))
		}
		return nil
	})
}

// A node whose peers are all gone dials the addresses that it was given to join, and is one
// ring with who is there by then, be it at one where there never was a member.
func TestJoinsAgain(t *testing.T) {
	t.Parallel()
	schedules(t, 3, sim.Config{}, 2, func(r *ring) error {
		seed, later, m := r.machine("seed", sim.Options{}), r.machine("later", sim.Options{}), r.machine("last", sim.Options{})
		if err := m.Start(seed.Addr(), later.Addr(), r.all[0].Addr()); err != nil {
			return err
		}
		if err := r.Settle(core.Minute); err != nil {
			return err
		}
		for _, gone := range r.all {
			gone.PowerOff()
		}
		r.Run(3 * core.Minute) // past 128 rounds: islands are looked for in the 256th next
		if err := later.Start(); err != nil {
			return err
		}
		return r.within(core.Minute, "it is one ring with who is at the address that it was given", func() bool {
			return shows(m, "later") == core.Alive && shows(later, "last") == core.Alive
		})
	})
}
