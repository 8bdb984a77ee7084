package sim_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/sim"
	"github.com/nanoring/nanoring/core/wire"
)

// A guest loses its gateway without a word, and goes to another. From then on it is
// up for all: the old gateway, which was not told, suspects it no more.
func TestGuestMoves(t *testing.T) {
	t.Parallel()
	schedules(t, 3, lan, 3, func(r *ring) error {
		tab := r.Add("tab", sim.Options{Guest: true})
		if err := tab.Start(r.all[0].Addr(), r.all[1].Addr()); err != nil {
			return err
		}
		r.Run(10*core.Second + r.Int64N(core.Second))
		r.Forget(tab, r.all[0])
		if err := r.within(10*core.Second, "the guest is at another gateway", func() bool {
			n, _ := r.all[2].View().Get("tab")
			return n.State == core.Alive && n.Via == "n1"
		}); err != nil {
			return err
		}
		r.Run(core.Second)
		seen := r.alarms()
		r.Run(2 * core.Minute)
		return seen.of(core.Unknown, 0).err("accused though it is elsewhere")
	})
}

// stubborn is a guest's engine that takes no removal for an answer: it adds itself
// anew every second, on a connection that it opens again when it is closed.
type stubborn struct {
	cfg  core.Config
	conn core.ConnID
	open bool
}

func (g *stubborn) Snapshot() ([]byte, error)      { return nil, nil }
func (g *stubborn) Changes(uint64) ([]byte, error) { return nil, nil }
func (g *stubborn) Handover() ([]byte, error)      { return nil, nil }
func (g *stubborn) Close() error                   { return nil }

func (g *stubborn) Step(in core.Input) (out []core.Effect, err error) {
	send := func(f wire.Frame) {
		out = append(out, core.Effect{Kind: core.Send, Conn: g.conn, Frame: f.Append(nil)})
	}
	switch in.Kind {
	case core.Opened:
		g.open = true
		send(wire.Frame{Kind: wire.KindHello, Hello: wire.Hello{
			Name: g.cfg.Name, Ring: g.cfg.Ring, Instance: g.cfg.Instance, Min: 1, Max: 1, Ephemeral: true, Members: 1, Wall: in.Wall,
		}})
	case core.Closed:
		g.open = false
	case core.Received:
		var f wire.Frame
		if f.Decode(in.Frame) == nil && f.Kind == wire.KindProbe {
			send(wire.Frame{Kind: wire.KindAlive, Seq: f.Seq, Instance: g.cfg.Instance})
		}
	case core.Start, core.Tick:
		if !g.open {
			g.conn += 2
			out = append(out, core.Effect{Kind: core.Dial, Conn: g.conn, Addr: g.cfg.Join[0]})
			break
		}
		p := wire.Presence{Ephemeral: true, Via: "n0", Instance: g.cfg.Instance, Version: 1}
		send(wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{
			{Set: wire.Nodes, Name: g.cfg.Name, Stamp: in.Wall, Value: wire.Member{Ephemeral: true}.Value()},
			{Set: wire.Up, Name: g.cfg.Name, Stamp: in.Wall, Value: p.Value()},
		}})
	}
	return append(out, core.Effect{Kind: core.Wake, At: in.Mono + core.Second}), nil
}

// An operator expels a guest, whatever it says to that, and it stays away for as
// long as its tombstone lives.
func TestGuestExpelled(t *testing.T) {
	t.Parallel()
	cfg := lan
	cfg.New = func(cfg core.Config) (core.Engine, error) {
		if cfg.Ephemeral {
			return &stubborn{cfg: cfg}, nil
		}
		return core.New(cfg)
	}
	for _, at := range []int{0, 2} { // at its gateway, and elsewhere
		schedules(t, 3, cfg, 3, func(r *ring) error {
			if err := r.Add("tab", sim.Options{Guest: true}).Start(r.all[0].Addr()); err != nil {
				return err
			}
			if err := r.within(10*core.Second, "the guest is up", func() bool { return shows(r.all[2], "tab") == core.Alive }); err != nil {
				return err
			}
			r.Run(r.Int64N(3 * core.Second))
			if c, err := r.do(r.all[at], core.Command{Op: core.Del, Name: "tab"}); err != nil || c.Code != 0 {
				return errors.Join(err, fmt.Errorf("it cannot be deleted\n%v", c.Code))
			}
			r.Run(15 * core.Second)
			back := ""
			r.OnEvent(func(m *sim.Machine, e *core.Event) {
				if e.Kind == core.EventNode && e.Node.Name == "tab" && e.Node.State != core.Removed {
					back = m.Name()
				}
			})
			r.Run(5 * core.Minute)
			if shows(r.all[1], "tab") != core.Removed || back != "" {
				return fmt.Errorf("the guest is back\nn1 shows it %v", shows(r.all[1], "tab"))
			}
			return nil
		})
	}
}

// A tab and its gateway were cut off, for so long that the others have reaped the tab
// and the gateway holds their tombstone for one that is past its time: the tab is back
// at once.
func TestReapedLongAgo(t *testing.T) {
	t.Parallel()
	schedules(t, 3, sim.Config{}, 3, func(r *ring) error {
		gw := r.all[0]
		tab := r.machine("tab", sim.Options{Guest: true})
		if err := tab.Start(gw.Addr()); err != nil {
			return err
		}
		r.Run(5 * core.Second)
		r.Partition([]*sim.Machine{gw, tab})
		if err := r.within(3*core.Minute, "it is reaped", func() bool {
			return shows(r.all[1], "tab") == core.Removed && shows(r.all[2], "tab") == core.Removed
		}); err != nil {
			return err
		}
		r.skip(core.Hour)
		r.Heal()
		return r.Settle(40 * core.Second)
	})
}
