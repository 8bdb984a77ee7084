package sim

import (
	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// listener is the least of a guest: it says who it is, hears what it is told, and
// answers probes. A gateway has as much work with a hundred of them as with a hundred
// tabs, the simulator next to none.
type listener struct {
	cfg   core.Config
	conn  core.ConnID
	state connState
	turn  int // of its gateways
	out   []core.Effect
}

func listen(cfg core.Config) (core.Engine, error) { return &listener{cfg: cfg, state: closed}, nil }

func (l *listener) Snapshot() ([]byte, error)      { return nil, nil }
func (l *listener) Changes(uint64) ([]byte, error) { return nil, nil }
func (l *listener) Handover() ([]byte, error)      { return nil, nil }
func (l *listener) Close() error                   { return nil }

func (l *listener) Step(in core.Input) ([]core.Effect, error) {
	l.out = l.out[:0]
	switch in.Kind {
	case core.Start, core.Tick:
		if l.state == closed && len(l.cfg.Join) > 0 {
			l.conn += 2
			l.state = dialling
			l.out = append(l.out, core.Effect{Kind: core.Dial, Conn: l.conn, Addr: l.cfg.Join[l.turn%len(l.cfg.Join)]})
			l.turn++
		}
	case core.Opened:
		l.state = open
		l.send(&wire.Frame{Kind: wire.KindHello, Hello: wire.Hello{
			Name: l.cfg.Name, Ring: l.cfg.Ring, Min: 1, Max: 1, Ephemeral: true, Instance: l.cfg.Instance, Wall: in.Wall,
		}})
	case core.Received:
		l.hear(in.Frame)
	case core.Closed:
		if in.Conn == l.conn {
			l.state = closed
			l.out = append(l.out, core.Effect{Kind: core.Wake, At: in.Mono + 2*core.Second})
		}
	}
	return l.out, nil
}

// hear decodes what has an answer alone.
func (l *listener) hear(frame []byte) {
	if len(frame) < 2 || frame[1] != byte(wire.KindHello) && frame[1] != byte(wire.KindProbe) {
		return
	}
	var f wire.Frame
	switch err := f.Decode(frame); {
	case err != nil:
	case f.Kind == wire.KindHello:
		p := wire.Presence{Ephemeral: l.cfg.Ephemeral, Via: f.Hello.Name, Instance: l.cfg.Instance, Version: 1}
		l.send(&wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{
			{Set: wire.Nodes, Name: l.cfg.Name, Stamp: f.Hello.Wall, Value: wire.Member{Ephemeral: true}.Value()},
			{Set: wire.Up, Name: l.cfg.Name, Stamp: f.Hello.Wall, Value: p.Value()},
		}})
	case f.Kind == wire.KindProbe:
		l.send(&wire.Frame{Kind: wire.KindAlive, Seq: f.Seq, Instance: l.cfg.Instance})
	}
}

func (l *listener) send(f *wire.Frame) {
	l.out = append(l.out, core.Effect{Kind: core.Send, Conn: l.conn, Frame: f.Append(nil)})
}
