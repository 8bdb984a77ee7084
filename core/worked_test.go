package core_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// TestWorked: the frames that docs/protocol.md shows are those that nodes send.
func TestWorked(t *testing.T) {
	page, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := map[string]func(*stage){
		"A join":              aJoin,
		"One record":          oneRecord,
		"Children":            children,
		"A machine is lost":   aMachineIsLost,
		"A process is killed": aProcessIsKilled,
	}
	for _, title := range slices.Sorted(maps.Keys(examples)) {
		t.Run(title, func(t *testing.T) {
			want := shown(t, string(page), title)
			s := newStage(t)
			examples[title](s)
			for i, is := range s.spoken {
				if i >= len(want) || is.line() != want[i].line() {
					t.Errorf("frame %d is not as it is shown", i+1)
				}
			}
			if len(want) != len(s.spoken) {
				t.Errorf("%d frames are shown, and there are %d", len(want), len(s.spoken))
			}
			if t.Failed() {
				for _, is := range s.spoken {
					t.Log(is.line())
				}
			}
		})
	}
}

// spoken is a frame from one node to another.
type spoken struct {
	from, to string
	frame    []byte
}

func (s *spoken) line() string { return fmt.Sprintf("%s → %s % x", s.from, s.to, s.frame) }

// shown returns the frames in the code blocks of a section: a line says who speaks
// to whom, and those after it have the bytes, with what they mean behind a ';'.
func shown(t *testing.T, page, title string) (all []spoken) {
	t.Helper()
	_, section, ok := strings.Cut(page, "\n### "+title+"\n")
	if !ok {
		t.Fatalf("there is no section %q", title)
	}
	if end := strings.Index(section, "\n##"); end >= 0 {
		section = section[:end]
	}
	for i, block := range strings.Split(section, "\n```\n") {
		if i%2 == 0 {
			continue
		}
		for line := range strings.Lines(block) {
			line, _, _ = strings.Cut(line, ";")
			if from, to, ok := strings.Cut(line, " → "); ok {
				to, _, _ = strings.Cut(strings.TrimSpace(to), " ")
				all = append(all, spoken{from: from, to: to})
				continue
			}
			b, err := hex.DecodeString(strings.Join(strings.Fields(line), ""))
			if err != nil || len(all) == 0 && len(b) > 0 {
				t.Fatalf("%q: %v", line, err)
			}
			if len(b) > 0 {
				last := &all[len(all)-1]
				last.frame = append(last.frame, b...)
			}
		}
	}
	return all
}

// stage is a few nodes on a network on which everything takes a millisecond.
type stage struct {
	*testing.T
	now    int64 // since the curtain rose
	nodes  []*actor
	queue  []cue
	spoken []spoken
}

type actor struct {
	name  string
	ring  *core.Ring
	wake  int64
	links map[core.ConnID]link
	odd   core.ConnID
	mute  bool // its machine is lost: nothing comes from it, and nothing arrives
	dead  bool // its process is: dials are refused
}

type link struct {
	to *actor
	id core.ConnID
}

type cue struct {
	at int64
	to *actor
	in core.Input
}

// curtain is the wall clock when it rises, that of the test vectors.
const curtain = 1795467600 * core.Second

func newStage(t *testing.T) *stage { return &stage{T: t} }

func address(name string) string { return "127.0.0.1:700" + name[3:] }

func instance(name string) wire.Instance {
	return wire.Instance{Start: curtain - 5*core.Second, Nonce: uint64(name[3] - '0')}
}

// enter starts a node.
func (s *stage) enter(name string, change func(*core.Config)) *actor {
	cfg := core.Config{Ring: "ring", Name: name, Address: address(name), Instance: instance(name), Seed: uint64(name[3])}
	change(&cfg)
	ring, err := core.New(cfg)
	if err != nil {
		s.Fatal(err)
	}
	p := &actor{name: name, ring: ring, links: make(map[core.ConnID]link), odd: 1}
	s.nodes = append(s.nodes, p)
	return p
}

// amid starts nodes that hold these records, and are connected with each other.
func (s *stage) amid(records map[string][]wire.Record) {
	for _, name := range slices.Sorted(maps.Keys(records)) {
		snapshot := wire.Snapshot{Ring: "ring", Name: name, Wall: curtain, LastContact: curtain, Records: records[name]}
		s.enter(name, func(cfg *core.Config) { cfg.Takeover, cfg.Snapshot = true, snapshot.Append(nil) })
	}
	for i, a := range s.nodes {
		for j, b := range s.nodes[:i] {
			s.connect(a, b, core.ConnID(2*j+2))
			for _, side := range [][2]*actor{{a, b}, {b, a}} {
				hello := wire.Hello{Address: address(side[0].name), Instance: instance(side[0].name), Members: 3, Name: side[0].name, Ring: "ring", Min: 1, Max: 1, Wall: curtain}
				frame := (&wire.Frame{Kind: wire.KindHello, Hello: hello}).Append(nil)
				for id, l := range side[1].links {
					if l.to == side[0] {
						s.step(side[1], core.Input{Kind: core.Opened, Conn: id})
						s.step(side[1], core.Input{Kind: core.Received, Conn: id, Frame: frame})
					}
				}
			}
		}
	}
	for _, p := range s.nodes {
		s.step(p, core.Input{Kind: core.Start})
	}
}

func (s *stage) connect(a, b *actor, id core.ConnID) {
	a.links[id], b.links[b.odd] = link{b, b.odd}, link{a, id}
	b.odd += 2
}

func (s *stage) cue(to *actor, in core.Input) {
	s.queue = append(s.queue, cue{s.now + core.Millisecond, to, in})
}

func (s *stage) step(p *actor, in core.Input) {
	if p.mute || p.dead {
		return
	}
	in.Mono, in.Wall = s.now, curtain+s.now
	effects, err := p.ring.Step(in)
	if err != nil {
		s.Fatal(err)
	}
	for _, e := range effects {
		switch e.Kind {
		case core.Dial:
			s.dial(p, e.Conn, e.Addr)
		case core.Send:
			if l, ok := p.links[e.Conn]; ok {
				s.spoken = append(s.spoken, spoken{p.name, l.to.name, bytes.Clone(e.Frame)})
				s.cue(l.to, core.Input{Kind: core.Received, Conn: l.id, Frame: bytes.Clone(e.Frame)})
			}
		case core.Close:
			s.cut(p, e.Conn, e.Code)
		case core.Wake:
			p.wake = e.At
		case core.Halt:
			s.Fatalf("%s halts: %s", p.name, e.Text)
		}
	}
}

func (s *stage) dial(p *actor, id core.ConnID, addr string) {
	for _, to := range s.nodes {
		if address(to.name) != addr || to.dead {
			continue
		}
		if !to.mute {
			s.connect(p, to, id)
			s.cue(to, core.Input{Kind: core.Opened, Conn: p.links[id].id})
			s.cue(p, core.Input{Kind: core.Opened, Conn: id})
		}
		return
	}
	s.cue(p, core.Input{Kind: core.Closed, Conn: id, Code: wire.CodeRefused})
}

// cut ends a connection.
func (s *stage) cut(p *actor, id core.ConnID, code wire.Code) {
	if l, ok := p.links[id]; ok {
		delete(p.links, id)
		delete(l.to.links, l.id)
		s.cue(l.to, core.Input{Kind: core.Closed, Conn: l.id, Code: code})
	}
}

// kill ends a process: its connections break.
func (s *stage) kill(p *actor) {
	p.dead = true
	for _, id := range slices.Sorted(maps.Keys(p.links)) {
		s.cut(p, id, wire.CodeLost)
	}
}

// until plays until such a frame was said.
func (s *stage) until(what string, done func(*wire.Frame) bool) {
	seen := len(s.spoken)
	for s.now < core.Minute {
		for ; seen < len(s.spoken); seen++ {
			var f wire.Frame
			if err := f.Decode(s.spoken[seen].frame); err != nil {
				s.Fatal(err)
			}
			if done(&f) {
				return
			}
		}
		s.play()
	}
	s.Fatalf("there is no %s within a minute", what)
}

// play lets happen what comes next.
func (s *stage) play() {
	var next *actor
	for _, p := range s.nodes {
		if !p.mute && !p.dead && p.wake > 0 && (next == nil || p.wake < next.wake) {
			next = p
		}
	}
	if len(s.queue) > 0 && (next == nil || s.queue[0].at <= next.wake) {
		c := s.queue[0]
		s.queue, s.now = s.queue[1:], c.at
		s.step(c.to, c.in)
		return
	}
	s.now, next.wake = max(s.now, next.wake), 0
	s.step(next, core.Input{Kind: core.Tick})
}

// member and alive make a node's records.
func member(name string, rank uint8) wire.Record {
	return wire.Record{Set: wire.Nodes, Name: name, Stamp: curtain - 4*core.Second, Rank: rank, Value: wire.Member{Address: address(name)}.Value()}
}

func alive(name string, rank uint8) wire.Record {
	p := wire.Presence{Address: address(name), Instance: instance(name), Version: 1}
	return wire.Record{Set: wire.Up, Name: name, Stamp: curtain - 4*core.Second, Rank: rank, Value: p.Value()}
}

func aJoin(s *stage) {
	dev1 := s.enter("dev1", func(*core.Config) {})
	s.step(dev1, core.Input{Kind: core.Start})
	dev2 := s.enter("dev2", func(cfg *core.Config) { cfg.Join = []string{address("dev1")} })
	s.step(dev2, core.Input{Kind: core.Start})
	s.until("ack", func(f *wire.Frame) bool { return f.Kind == wire.KindAck })
}

func oneRecord(s *stage) {
	both := []wire.Record{member("dev1", 0), member("dev2", 0), alive("dev1", 0), alive("dev2", 0)}
	deleted := member("dev3", 2)
	deleted.Stamp += core.Second
	s.amid(map[string][]wire.Record{"dev1": append(both, member("dev3", 0)), "dev2": append(both, deleted)})
	s.until("synced", func(f *wire.Frame) bool { return f.Kind == wire.KindSynced })
}

func children(s *stage) {
	var has [2][]wire.Record
	for i := range 40 {
		name := fmt.Sprintf("node%02d", i+1)
		for side := range has {
			w := wire.Record{Set: wire.Nodes, Name: name, Stamp: curtain - 4*core.Second, Value: wire.Member{}.Value()}
			if i == 6 && side == 1 {
				w.Stamp += core.Second
				w.Rank = 2
			}
			has[side] = append(has[side], w)
		}
	}
	for side := range has {
		has[side] = append(has[side], member("dev1", 0), member("dev2", 0), alive("dev1", 0), alive("dev2", 0))
	}
	s.amid(map[string][]wire.Record{"dev1": has[0], "dev2": has[1]})
	n := 0
	s.until("synced", func(f *wire.Frame) bool {
		if f.Kind == wire.KindSynced {
			n++
		}
		return n == 3
	})
}

// three nodes that know each other.
func three(s *stage) {
	var all []wire.Record
	for _, name := range []string{"dev1", "dev2", "dev3"} {
		all = append(all, member(name, 0))
	}
	for _, name := range []string{"dev1", "dev2", "dev3"} {
		all = append(all, alive(name, 0))
	}
	s.amid(map[string][]wire.Record{"dev1": all, "dev2": all, "dev3": all})
	n := 0
	s.until("rounds", func(f *wire.Frame) bool {
		if f.Kind == wire.KindAck {
			n++
		}
		return n == 6
	})
	s.spoken = nil
}

func aMachineIsLost(s *stage) {
	three(s)
	s.nodes[1].mute = true
	s.until("down", isDown)
	s.asDev1()
}

func aProcessIsKilled(s *stage) {
	three(s)
	s.kill(s.nodes[1])
	s.until("down", isDown)
	s.until("down, as the other says", isDown)
	s.asDev1()
}

// asDev1 leaves out the same that dev3 does, and rounds that have nothing to do with it.
func (s *stage) asDev1() {
	s.spoken = slices.DeleteFunc(s.spoken, func(is spoken) bool {
		var f wire.Frame
		if err := f.Decode(is.frame); err != nil {
			s.Fatal(err)
		}
		switch f.Kind {
		case wire.KindRelay:
			return f.From != "dev1"
		case wire.KindAlive, wire.KindRefused:
			return is.from == "dev1"
		case wire.KindGossip, wire.KindAck:
			return is.from != "dev1" || is.to != "dev2" && len(f.Records) == 0
		}
		return is.from != "dev1"
	})
}

func isDown(f *wire.Frame) bool {
	return slices.ContainsFunc(f.Records, func(w wire.Record) bool { return w.Rank == 2 })
}
