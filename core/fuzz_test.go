package core_test

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// FuzzStep turns bytes into inputs: whatever a runtime, operators and peers
// of any sort do, a Ring's effects are ones that a runtime can carry out (see
// rig.check), what it holds stays bounded, its snapshot restores, and the same
// inputs give the same effects.
func FuzzStep(f *testing.F) {
	rng := rand.New(rand.NewPCG(7, 7))
	for kind := range byte(4) { // of node
		for range 24 {
			script := []byte{kind}
			for range 1500 {
				script = append(script, byte(rng.Uint32()))
			}
			f.Add(script)
		}
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		script = script[:min(len(script), 4096)]
		if first, again := play(t, script), play(t, script); first != again {
			t.Errorf("the same inputs gave other effects: %x, then %x", first, again)
		}
	})
}

// script is what is left of the bytes; it ends in zeros.
type script []byte

func (s *script) byte() byte {
	if len(*s) == 0 {
		return 0
	}
	b := (*s)[0]
	*s = (*s)[1:]
	return b
}

func pick[T any](s *script, of ...T) T { return of[int(s.byte())%len(of)] }

// question is a frame that wants an answer.
type question struct {
	conn core.ConnID
	wire.Frame
}

// player plays a script on a rig.
type player struct {
	*rig
	script
	opened  []core.ConnID
	leaving bool       // a Leave may be under way: no time to take over
	asked   []question // of late
	prints  uint64     // the last fingerprint that it said
	print   interface{ Write([]byte) (int, error) }
}

// play returns a digest of all effects.
func play(t *testing.T, bytes []byte) uint64 {
	s := script(bytes)
	cfg := me()
	switch s.byte() % 4 {
	case 1:
		cfg.Join = []string{"a:7946", "b:7946", "me:7946"}
	case 2:
		cfg.Ephemeral, cfg.Address, cfg.Join = true, "", []string{"a:7946"}
	case 3:
		cfg.Address, cfg.Join, cfg.ReapAfter, cfg.Rejoin = "", []string{"a:7946"}, core.Minute, true
	}
	digest := fnv.New64a()
	p := &player{rig: start(t, cfg), script: s, print: digest}
	p.took()
	for len(p.script) > 0 {
		if p.act(); p.halted != 0 {
			p.restart()
		}
	}
	p.restores()
	return digest.Sum64()
}

// do gives the ring one input and looks at what comes of it.
func (p *player) do(in core.Input) {
	p.leaving = p.leaving || in.Command.Op == core.Leave
	p.step(in)
	p.took()
}

func (p *player) took() {
	for _, e := range p.effects {
		event := e.Event
		e.Event = nil
		fmt.Fprintf(p.print, "%+v", e)
		switch e.Kind {
		case core.Emit:
			fmt.Fprintf(p.print, "%+v", *event)
		case core.Send:
			var f wire.Frame
			if f.Decode(e.Frame) != nil {
				continue
			}
			if f.Fingerprint != 0 {
				p.prints = f.Fingerprint
			}
			if f.Kind == wire.KindGossip || f.Kind == wire.KindSync || f.Kind == wire.KindProbe {
				p.asked = append(p.asked, question{e.Conn, f})[max(0, len(p.asked)-7):]
			}
		}
	}
	if s := p.ring.Sizes(); s.Owed > 1000 || s.Told > 1000 || s.Queued > 8 || s.Forwarded > 8 || s.Shunned > 100 || s.Disputed > 100 || s.Proved > 100 || s.Refused > 100 || s.Broken > 100 || s.Denials > 100 || s.Claims > 0 || s.Expired > 10 || s.News > 1<<15 || s.Streams > 200 || s.Questions > 1024 || s.Asked > 1024 || s.Tells > 1024 || s.Lacks > 4096 || s.OwnNews > 1<<15 || s.Buffers > 5*wire.MaxFrame {
		p.Fatalf("it holds %+v", s)
	}
}

// restores holds the snapshot against that of a Ring made of it.
func (p *player) restores() {
	before := records(p, p.ring)
	b, err := p.ring.Handover()
	if err != nil {
		p.Fatal(err)
	}
	cfg := p.cfg
	cfg.Snapshot, cfg.Takeover = b, true // with all ranks
	r, err := core.New(cfg)
	if err != nil {
		p.Fatalf("its snapshot: %v", err)
	}
	if after := records(p, r); !slices.Equal(before, after) {
		p.Fatalf("restored:\n%+v\nwas:\n%+v", after, before)
	}
}

// restart starts the next process of the node, with what the last one had.
func (p *player) restart() {
	p.restores()
	cfg := p.cfg
	cfg.Snapshot, _ = p.ring.Snapshot()
	cfg.Instance = wire.Instance{Start: max(p.wall, 1), Nonce: 5}
	r, err := core.New(cfg)
	if err != nil {
		p.Fatal(err)
	}
	p.ring, p.cfg, p.view = r, cfg, core.View{}
	p.conns, p.opened, p.asked, p.halted, p.dirty, p.wake = make(map[core.ConnID]connState), nil, nil, 0, 0, 0
	p.leaving, p.first, p.said = false, make(map[core.ConnID][]byte), make(map[core.ConnID]bool)
	p.do(core.Input{Kind: core.Start})
}

// conn returns a connection, one that is open as a rule.
func (p *player) conn() core.ConnID {
	p.opened = slices.DeleteFunc(p.opened, func(id core.ConnID) bool { return p.conns[id] != open })
	if len(p.opened) == 0 || p.byte()%64 == 0 {
		return pick(&p.script, core.ConnID(0), 1, 2, 1<<60, 1<<63+1)
	}
	return p.opened[int(p.byte())%len(p.opened)]
}

func (p *player) act() {
	switch p.byte() % 32 {
	case 0, 1, 2:
		p.run(int64(p.byte()) * core.Millisecond)
	case 3, 4:
		p.run(int64(p.byte()) * core.Second / 4)
	case 22:
		if p.byte()%4 == 0 && !p.leaving {
			p.takeOver()
			p.took()
		}
	case 23:
		p.do(core.Input{Kind: core.Do, Command: p.says()})
	case 24, 25:
		p.frame(p.conn(), p.news().Append(nil))
	case 5: // time that the process was not run
		d := pick(&p.script, core.Second, core.Minute, 25*core.Hour, 40*core.Day)
		p.mono, p.wall = p.mono+d, p.wall+d
		p.do(core.Input{Kind: core.Tick})
	case 6:
		if p.wall = pick(&p.script, epoch, p.wall+30*core.Second, p.wall-30*core.Second, p.wall+core.Hour, p.wall-core.Hour); p.byte()%16 == 0 {
			p.wall = pick[int64](&p.script, 0, -1<<63, 1<<63-1)
		}
		p.do(core.Input{Kind: core.Tick})
	case 7, 8, 9, 10:
		id := p.next
		p.next += 2
		p.opened = append(p.opened, id)
		in := core.Input{Kind: core.Opened, Conn: id, Addr: "10.0.0.1:1"}
		how := p.byte()
		in.Role, in.Name = core.Role(how%2), []string{"", "", "", "a", "tab", "t*", "*"}[how/2%7]
		if how >= 224 {
			in.Tags = []wire.Tag{{Key: "a", Value: "b"}}
		}
		if how%16 == 5 {
			in.Topics = &core.Topics{Send: []string{"a*"}, Hear: []string{"*"}}
		}
		p.do(in)
		p.greet(id)
	case 11, 12:
		p.dialed()
	case 13:
		p.do(core.Input{Kind: core.Closed, Conn: p.conn(), Code: pick(&p.script, wire.CodeLost, wire.CodeSlow, wire.CodeBye, wire.CodeDuplicate, 65535, 0)})
	case 14, 15:
		p.do(core.Input{Kind: core.Do, Command: core.Command{
			ID: uint64(p.byte()), Op: pick(&p.script, core.Add, core.Add, core.Del, core.Del, core.Leave, core.Stop, 0), Name: p.name(), Addr: pick(&p.script, "a:7946", "b:7946", "me:7946", "", "bad"),
		}})
	case 16:
		p.frame(p.conn(), p.bytesOfNoFrame())
	case 17, 18, 19, 20:
		p.answer()
	case 21:
		p.frame(p.conn(), p.frameOf(pick(&p.script, wire.KindHello, wire.KindError, wire.KindIDs, wire.KindKnown, wire.KindLack)).Append(nil))
	default:
		p.frame(p.conn(), p.frameOf(wire.KindGossip+wire.Kind(p.byte()%8)).Append(nil))
	}
}

// dialed answers the oldest dial, and says hello if it is open.
func (p *player) dialed() {
	for id := core.ConnID(2); p.conns[id] != 0; id += 2 {
		if p.conns[id] != dialing {
			continue
		}
		if p.byte()%4 == 0 {
			p.do(core.Input{Kind: core.Closed, Conn: id, Code: pick(&p.script, wire.CodeRefused, wire.CodeUnreachable, wire.CodeUntrusted)})
			return
		}
		p.opened = append(p.opened, id)
		p.do(core.Input{Kind: core.Opened, Conn: id})
		p.greet(id)
		return
	}
}

// greet says hello as a rule, and what its sender has to say of itself.
func (p *player) greet(id core.ConnID) {
	if p.byte()%8 == 0 || p.halted != 0 {
		return
	}
	f := p.frameOf(wire.KindHello)
	if p.frame(id, f.Append(nil)); p.byte()%4 == 0 || p.halted != 0 {
		return
	}
	h := &f.Hello
	presence := wire.Presence{Address: h.Address, Instance: h.Instance, Version: 1}
	if h.Ephemeral {
		presence.Via = p.cfg.Name
	}
	p.frame(id, rumor(
		wire.Record{Set: wire.Nodes, Name: h.Name, Stamp: h.Wall, Value: wire.Member{Address: h.Address, Ephemeral: h.Ephemeral}.Value()},
		wire.Record{Set: wire.Up, Name: h.Name, Stamp: h.Wall, Value: presence.Value()},
	).Append(nil))
}

// answer answers a question of late as it wants.
func (p *player) answer() {
	if len(p.asked) == 0 {
		return
	}
	i := len(p.asked) - 1 - int(p.byte()%3)%len(p.asked)
	q := p.asked[i]
	p.asked = slices.Delete(p.asked, i, i+1)
	f := &wire.Frame{Seq: q.Seq, Wall: max(0, p.wall), Fingerprint: p.prints, Instance: p.instance()}
	switch q.Kind {
	case wire.KindGossip:
		f.Kind, f.Records = wire.KindAck, p.records()
	case wire.KindProbe:
		f.Kind = wire.KindAlive
	case wire.KindSync:
		f.Kind, f.Handled = wire.KindSynced, uint64(len(q.Items))
		for _, item := range q.Items {
			out := wire.Item{Kind: wire.ItemKind(p.byte() % 4), Range: item.Range} // an answer is never "after"
			switch out.Kind {
			case wire.ItemFingerprint:
				continue
			case wire.ItemChildren:
				out.Children[p.byte()%16].Count = uint64(p.byte())
				out.Children[p.byte()%16].Sum = uint64(p.byte())
			default:
				for range p.byte() % 4 {
					rec := p.record()
					rec.Set = item.Range.Set
					out.Records = append(out.Records, rec)
				}
			}
			f.Items = append(f.Items, out)
		}
	}
	p.frame(q.conn, f.Append(nil))
}

// run lets time pass, with the Ticks that were asked for.
func (p *player) run(d int64) {
	for end := p.mono + d; p.halted == 0; {
		to := min(end, max(p.wake, p.mono))
		p.wall, p.mono = p.wall+to-p.mono, to
		if p.do(core.Input{Kind: core.Tick}); to == end {
			return
		}
	}
}

func (p *player) frame(id core.ConnID, b []byte) {
	if p.byte()%32 == 0 && len(b) > 0 {
		b[int(p.byte())%len(b)] = p.byte()
	}
	p.do(core.Input{Kind: core.Received, Conn: id, Frame: b})
}

func (p *player) bytesOfNoFrame() []byte {
	n := min(int(p.byte()), len(p.script))
	b := bytes.Clone(p.script[:n])
	p.script = p.script[n:]
	return b
}

func (p *player) name() string {
	return pick(&p.script, "a", "b", "c", "a", "b", "tab", "me", "tab", "tab2", "é")
}

func (p *player) time() int64 {
	return max(0, pick(&p.script, p.wall, p.wall, p.wall, p.wall+1, p.wall-1, p.wall+core.Minute, p.wall+core.Minute+1, p.wall-25*core.Hour, p.wall-31*core.Day, epoch, 0, 1<<63-1))
}

func (p *player) instance() wire.Instance {
	return pick(&p.script, wire.Instance{Start: epoch - 1, Nonce: 1}, wire.Instance{Start: epoch - 1, Nonce: 1}, wire.Instance{Start: epoch - 1, Nonce: 1}, wire.Instance{Start: epoch + 1, Nonce: 2}, p.cfg.Instance, wire.Instance{})
}

func (p *player) seq() uint64 {
	if len(p.asked) == 0 || p.byte()%8 == 0 {
		return uint64(p.byte())
	}
	return p.asked[int(p.byte())%len(p.asked)].Seq
}

func (p *player) record() wire.Record {
	rec := wire.Record{Set: wire.SetID(p.byte() % 2), Name: p.name(), Stamp: p.time(), Rank: pick[uint8](&p.script, 0, 0, 0, 0, 0, 1, 2, 3)}
	if rec.Set == wire.Nodes {
		rec.Value = wire.Member{Address: pick(&p.script, rec.Name+":7946", "", "x:1"), Ephemeral: p.byte()%3 == 0}.Value()
	} else {
		presence := wire.Presence{Instance: p.instance(), Version: 1, Address: pick(&p.script, rec.Name+":7946", "", "x:1")}
		if p.byte()%3 == 0 {
			presence.Via = pick(&p.script, "me", "a", "b", "nobody", rec.Name)
		}
		rec.Value = presence.Value()
	}
	if p.byte()%32 == 0 {
		rec.Value = pick(&p.script, "\x80", "\x81\xa1a\xa3bad", "\x81\xa1z\x01", "\x81\xa1t\x80")
	}
	return rec
}

func (p *player) records() (all []wire.Record) {
	for range p.byte() % 5 {
		all = append(all, p.record())
	}
	return all
}

func (p *player) items() (all []wire.Item) {
	for range p.byte() % 4 {
		item := wire.Item{Kind: wire.ItemKind(p.byte() % 5), Range: wire.Range{Set: wire.SetID(p.byte() % 2), Depth: p.byte() % 17}}
		item.Range.Prefix = uint64(p.byte()) << 56
		if item.Range.Depth < 2 {
			item.Range.Depth, item.Range.Prefix = 0, 0
		}
		item.Fingerprint = wire.Fingerprint{Count: uint64(p.byte()), Sum: uint64(p.byte())}
		item.Children[p.byte()%16] = item.Fingerprint
		if item.Records = p.records(); item.Kind == wire.ItemChildren && item.Range.Depth == wire.RangeDepth {
			item.Range.Depth--
			item.Range.Prefix = 0
		}
		if item.Kind == wire.ItemAfter {
			item.Range.Depth, item.After = wire.RangeDepth, p.record().Name
		}
		for i := range item.Records {
			item.Records[i].Set = item.Range.Set
		}
		all = append(all, item)
	}
	return all
}

func (p *player) frameOf(kind wire.Kind) *wire.Frame {
	f := &wire.Frame{Kind: kind, Seq: p.seq(), Fingerprint: pick(&p.script, p.prints, p.prints, 1), Instance: p.instance()}
	switch kind {
	case wire.KindHello:
		name := pick(&p.script, "a", "b", "c", "tab", "tab2", p.name())
		f.Hello = p.hello(name)
		f.Hello.Instance = p.instance()
		if f.Hello.Wall = max(0, p.wall); p.byte()%8 == 0 {
			f.Hello.Wall = p.time()
		}
		if f.Hello.Ephemeral = strings.HasPrefix(name, "t"); f.Hello.Ephemeral {
			f.Hello.Address = ""
		}
		f.Hello.Digests = !f.Hello.Ephemeral && name > "a"
		switch p.byte() % 32 {
		case 1:
			f.Hello.Ring = "other"
		case 5:
			f.Hello.Min, f.Hello.Max = 2, 9
		case 2:
			f.Hello.LastContact = max(1, p.time())
		case 3:
			f.Hello.Ephemeral = !f.Hello.Ephemeral
		case 4:
			f.Hello.Members = 1 << 63
		case 6, 7, 8:
			f.Hello.IDs, f.Hello.Unite = []wire.RingID{{Start: max(0, p.time()), Nonce: 1}}, wire.Unite(p.byte()%3)
		}
	case wire.KindIDs:
		f.IDs = []wire.RingID{{Start: max(0, p.time()), Nonce: 2}}
	case wire.KindKnown, wire.KindLack:
		for _, w := range p.records() {
			f.Digests = append(f.Digests, wire.Digest(lww.HashName(w.Name), lww.New(w.Name, w.Stamp, w.Rank, w.Value).Sum()))
		}
		f.Digests = append(f.Digests, uint64(p.time()))
	case wire.KindGossip, wire.KindAck, wire.KindRumor:
		if f.Wall = max(0, p.wall); p.byte()%8 == 0 {
			f.Wall = p.time()
		}
		f.Records = p.records()
	case wire.KindSync:
		f.Items = p.items()
	case wire.KindSynced:
		f.Items, f.Handled = p.items(), pick[uint64](&p.script, 1, 1, 2, 0, 1<<63)
	case wire.KindRelay:
		inner := wire.Frame{Kind: pick(&p.script, wire.KindProbe, wire.KindAlive), Seq: p.seq(), Instance: p.instance()}
		f.From, f.To, f.Hops, f.Inner = p.name(), pick(&p.script, "me", "a", "b", "tab", "c"), p.byte()%4, string(inner.Append(nil))
	case wire.KindError:
		f.Code, f.Text = pick(&p.script, wire.CodeNameTaken, wire.CodeRemoved, wire.CodeRing, wire.CodeBye, wire.CodeSkew, 65535), "because"
	}
	return f
}
