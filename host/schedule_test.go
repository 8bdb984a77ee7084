package host_test

import (
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
	"pgregory.net/rapid"
)

// TestSchedules gives both engines inputs of all sorts, also such as no sound
// runtime or peer gives.
func TestSchedules(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := schedule{T: rt, now: core.Second, wall: epoch}
		cfg := s.configure()
		engine, err := newTwin(t, cfg)
		if err != nil {
			rt.Fatal(err)
		}
		s.engine = engine
		defer func() { s.engine.Close() }()
		if rapid.IntRange(0, 19).Draw(rt, "start") > 0 {
			s.step(core.Input{Kind: core.Start})
		}
		for range rapid.IntRange(1, 120).Draw(rt, "inputs") {
			if s.step(s.input()); s.halted {
				if rapid.IntRange(0, 3).Draw(rt, "restart") > 0 {
					break
				}
				s.restart(t, cfg)
			}
		}
	})
}

// schedule draws inputs.
type schedule struct {
	*rapid.T
	engine    core.Engine
	now, wall int64
	accepted  core.ConnID
	conns     []core.ConnID // dialled or accepted
	sent      [][]byte      // the engine's own frames, of late
	print     uint64
	halted    bool
}

var (
	names     = rapid.SampledFrom([]string{"me", "a", "b", "c", "tab", "ü", "", "n@", "\x00", `"quoted\"`, "\u2028"})
	allowed   = rapid.SampledFrom([]string{"", "", "a", "tab", "t*", "*", "ü"})
	demanded  = rapid.SampledFrom([][]wire.Tag{nil, nil, {}, {{Key: "a", Value: "é"}}})
	keys      = rapid.SampledFrom([][]string{nil, nil, {}, {"k"}, {"*", "a"}, {"", "\xff"}})
	values    = rapid.SampledFrom([]string{"", "1", "é", "\xff", strings.Repeat("x", 600)})
	addresses = rapid.SampledFrom([]string{"a:7946", "b:7946", "me:7946", "10.0.0.1:1", "[::1]:7946", "", "bad"})
)

func (s *schedule) configure() core.Config {
	cfg := config("me")
	cfg.Seed = rapid.Uint64().Draw(s.T, "seed")
	switch rapid.IntRange(0, 4).Draw(s.T, "config") {
	case 1:
		cfg.Join = []string{"a:7946", "b:7946", "me:7946"}
		cfg.Tags = []wire.Tag{{Key: "z", Value: "\x01"}, {Key: "zone", Value: `"`}, {Key: "a", Value: ""}, {Key: "z", Value: "é"}}
	case 2:
		cfg.Ephemeral, cfg.Address, cfg.Join = true, "", []string{"a:7946"}
	case 3:
		cfg.Address, cfg.Join, cfg.ReapAfter, cfg.Rejoin = "", []string{"a:7946"}, core.Minute, true
	case 4:
		cfg.Period, cfg.AckTimeout, cfg.Patience, cfg.RemovalGrace = core.Second/3, core.Second/10, 2*core.Second, core.Second
	}
	return cfg
}

func (s *schedule) restart(t *testing.T, cfg core.Config) {
	cfg.Snapshot, _ = s.engine.Snapshot()
	s.engine.Close()
	cfg.Instance.Start = max(s.wall, 1)
	engine, err := newTwin(t, cfg)
	if err != nil {
		s.Fatal(err)
	}
	*s = schedule{T: s.T, engine: engine, now: s.now, wall: s.wall}
	s.step(core.Input{Kind: core.Start})
}

func (s *schedule) step(in core.Input) {
	in.Mono, in.Wall = s.now, s.wall
	effects, err := s.engine.Step(in)
	if err != nil {
		s.Fatal(err)
	}
	for _, e := range effects {
		switch e.Kind {
		case core.Dial:
			s.conns = append(s.conns, e.Conn)
		case core.Send:
			var f wire.Frame
			if f.Decode(e.Frame) == nil && f.Fingerprint != 0 {
				s.print = f.Fingerprint
			}
			s.sent = append(s.sent, append([]byte(nil), e.Frame...))[max(0, len(s.sent)-7):]
		case core.Halt:
			s.halted = true
		}
	}
	if _, err := s.engine.Snapshot(); err != nil {
		s.Fatal(err)
	}
}

func (s *schedule) input() core.Input {
	elapsed := rapid.SampledFrom([]int64{0, 1, core.Millisecond, 30 * core.Millisecond, core.Second / 2, core.Second, 5 * core.Second, core.Minute, 26 * core.Hour})
	d := elapsed.Draw(s.T, "elapsed")
	s.now, s.wall = s.now+d, s.wall+d
	if rapid.IntRange(0, 60).Draw(s.T, "jump") == 0 {
		s.wall = rapid.SampledFrom([]int64{epoch, s.wall + core.Hour, s.wall - core.Minute, 0, 1<<63 - 1, -1 << 63}).Draw(s.T, "wall")
	}
	switch rapid.IntRange(0, 15).Draw(s.T, "input") {
	case 0, 1, 2:
		return core.Input{Kind: core.Tick}
	case 3, 4:
		s.accepted += 2
		s.conns = append(s.conns, s.accepted-1)
		return core.Input{Kind: core.Opened, Conn: s.accepted - 1, Role: core.Role(rapid.IntRange(0, 1).Draw(s.T, "role")), Addr: "10.0.0.1:1",
			Name: allowed.Draw(s.T, "is"), Tags: demanded.Draw(s.T, "tags"), Own: keys.Draw(s.T, "own"), Topics: s.topics()}
	case 5:
		return core.Input{Kind: core.Opened, Conn: s.conn()}
	case 6:
		return core.Input{Kind: core.Closed, Conn: s.conn(), Code: s.code()}
	case 7:
		c := core.Command{
			ID: rapid.Uint64().Draw(s.T, "id"), Op: core.Op(rapid.IntRange(0, 9).Draw(s.T, "op")),
			Name: names.Draw(s.T, "name"), Addr: addresses.Draw(s.T, "addr"), Drop: keys.Draw(s.T, "drop"),
		}
		if rapid.Bool().Draw(s.T, "says") {
			s.says(&c)
		}
		if rapid.IntRange(0, 9).Draw(s.T, "joins") == 0 {
			c.Op, c.Join = core.Join, rapid.SliceOfN(addresses, 0, 20).Draw(s.T, "join")
		}
		for _, key := range keys.Draw(s.T, "set") {
			c.Tags = append(c.Tags, wire.Tag{Key: key, Value: values.Draw(s.T, "value")})
		}
		return core.Input{Kind: core.Do, Command: c}
	case 8:
		return core.Input{Kind: core.InputKind(rapid.IntRange(0, 8).Draw(s.T, "kind")), Conn: s.conn()}
	case 9, 10:
		return core.Input{Kind: core.Received, Conn: s.conn(), Frame: s.hello()}
	case 11:
		return core.Input{Kind: core.Received, Conn: s.conn(), Frame: s.broken()}
	default:
		f := s.frame()
		return core.Input{Kind: core.Received, Conn: s.conn(), Frame: f.Append(nil)}
	}
}

func (s *schedule) conn() core.ConnID {
	if len(s.conns) == 0 || rapid.IntRange(0, 30).Draw(s.T, "no conn") == 0 {
		return rapid.SampledFrom([]core.ConnID{0, 1, 2, 1 << 60, 1<<64 - 1}).Draw(s.T, "conn")
	}
	return rapid.SampledFrom(s.conns[max(0, len(s.conns)-4):]).Draw(s.T, "conn")
}

func (s *schedule) code() wire.Code {
	return rapid.SampledFrom([]wire.Code{0, wire.CodeLost, wire.CodeRefused, wire.CodeUnreachable, wire.CodeSlow, wire.CodeBye, wire.CodeGoingAway, wire.CodeDuplicate, wire.CodeNameTaken, 65535}).Draw(s.T, "code")
}

func (s *schedule) hello() []byte {
	name := rapid.SampledFrom([]string{"a", "b", "tab", "me"}).Draw(s.T, "name")
	h := wire.Hello{Name: name, Ring: "ring", Min: 1, Max: 1, Members: 1, Fingerprint: 1, Wall: s.wall, Instance: wire.Instance{Start: epoch, Nonce: 7}}
	switch rapid.IntRange(0, 9).Draw(s.T, "hello") {
	case 0:
		h.Ring = "another"
	case 1:
		h.Wall += core.Hour
	case 2:
		h.Min, h.Max = 2, 3
	case 3:
		h.Ephemeral = true
	default:
		h.Address = name + ":7946"
	}
	f := wire.Frame{Kind: wire.KindHello, Hello: h}
	return f.Append(nil)
}

// broken draws bytes that are no frame, or no longer: also some of the engine's own.
func (s *schedule) broken() []byte {
	f := s.frame()
	b := f.Append(nil)
	if len(s.sent) > 0 && rapid.Bool().Draw(s.T, "own") {
		b = append([]byte(nil), rapid.SampledFrom(s.sent).Draw(s.T, "frame")...)
	}
	switch rapid.IntRange(0, 4).Draw(s.T, "broken") {
	case 0:
		return b[:rapid.IntRange(0, len(b)).Draw(s.T, "length")]
	case 1:
		b[rapid.IntRange(0, len(b)-1).Draw(s.T, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(s.T, "bit")
	case 2:
		return append(b, 0)
	case 3:
		return make([]byte, rapid.SampledFrom([]int{0, wire.MaxFrame, wire.MaxFrame + 1, 4 * wire.MaxFrame}).Draw(s.T, "zeros"))
	}
	return b
}

func (s *schedule) frame() wire.Frame {
	if rapid.IntRange(0, 2).Draw(s.T, "news") == 0 {
		return s.news()
	}
	f := wire.Frame{
		Kind: wire.Kind(rapid.IntRange(int(wire.KindGossip), int(wire.KindCordon)).Draw(s.T, "kind")),
		Seq:  uint64(rapid.IntRange(0, 40).Draw(s.T, "seq")), Wall: s.wall,
		Fingerprint: rapid.SampledFrom([]uint64{s.print, 1, 1 << 63}).Draw(s.T, "print"), Instance: wire.Instance{Start: epoch, Nonce: 1},
	}
	f.On = f.Seq%2 == 0
	if f.Kind == wire.KindRelay {
		inner := wire.Frame{Kind: []wire.Kind{wire.KindProbe, wire.KindAlive, wire.KindCordon}[f.Seq%3], Seq: f.Seq, On: f.On}
		f.From, f.To, f.Inner = "a", []string{"me", "b", "tab"}[f.Seq%3], string(inner.Append(nil))
	}
	for range rapid.IntRange(0, 5).Draw(s.T, "records") {
		f.Records = append(f.Records, s.record())
	}
	return f
}

func (s *schedule) record() wire.Record {
	name := rapid.SampledFrom([]string{"me", "a", "b", "c", "tab", "ü", `"`}).Draw(s.T, "name")
	stamp := s.wall - rapid.SampledFrom([]int64{0, 0, 1, -1, core.Minute, core.Hour, 40 * core.Day, -core.Hour}).Draw(s.T, "age")
	r := wire.Record{Name: name, Stamp: max(stamp, 1), Rank: uint8(rapid.IntRange(0, 3).Draw(s.T, "rank"))}
	if rapid.Bool().Draw(s.T, "set") {
		r.Set = wire.Up
		p := wire.Presence{Address: name + ":7946", Cordoned: s.wall%3 == 0, Instance: wire.Instance{Start: epoch, Nonce: 7}, Version: 1}
		switch rapid.IntRange(0, 3).Draw(s.T, "presence") {
		case 0:
			p.Tags = []wire.Tag{{Key: "k", Value: "a\\b\n\u007f\U0001f600"}}
		case 1:
			p.Address, p.Via = "", "a"
		}
		r.Value = p.Value()
		return r
	}
	r.Set = wire.Nodes
	r.Rank = min(r.Rank, 2)
	r.Value = wire.Member{Address: name + ":7946", Ephemeral: name == "tab"}.Value()
	return r
}
