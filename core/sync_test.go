package core_test

import (
	"fmt"
	"testing"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// syncing starts a node that has started a sync with the peer that it dialled,
// and returns the sync frame. The node knows n others.
func syncing(t *testing.T, n int) (*rig, core.ConnID, *wire.Frame) {
	t.Helper()
	cfg := me()
	snapshot := wire.Snapshot{Ring: "ring", Name: "me", Wall: epoch}
	for i := range n {
		snapshot.Records = append(snapshot.Records, wire.Record{Name: fmt.Sprintf("node-%d", i), Stamp: epoch, Value: wire.Member{}.Value()})
	}
	cfg.Snapshot = snapshot.Append(nil)
	g, id := rejoined(t, cfg)
	for _, f := range sent(t, g.sayHello(id, g.hello("dev")), id) {
		if f.Kind == wire.KindSync {
			return g, id, f
		}
	}
	t.Fatalf("no sync: %+v", g.effects)
	return nil, 0, nil
}

// rejoined lets a node that knows others dial the peer.
func rejoined(t *testing.T, cfg core.Config) (*rig, core.ConnID) {
	t.Helper()
	g := start(t, cfg)
	effects := g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 1, Op: core.Add, Addr: "dev:7946"}})
	id := of(effects, core.Dial)[0].Conn
	g.step(core.Input{Kind: core.Opened, Conn: id})
	return g, id
}

// next returns the sync frame that the last step sent; nil for none.
func (g *rig) nextSync(id core.ConnID) *wire.Frame {
	g.Helper()
	for _, f := range sent(g, g.effects, id) {
		if f.Kind == wire.KindSync {
			return f
		}
	}
	return nil
}

// TestLyingSynced: an answer to what was not asked ends the connection, one to
// another question is not looked at.
func TestLyingSynced(t *testing.T) {
	root := wire.Item{Kind: wire.ItemAll}
	deep := wire.Item{Kind: wire.ItemChildren, Range: wire.Range{Depth: 3}}
	tests := map[string]struct {
		seq, handled uint64
		items        []wire.Item
		code         wire.Code
	}{
		"nothing handled":                {0, 0, nil, wire.CodeOrder},
		"more handled than asked":        {0, 2, nil, wire.CodeOrder},
		"as much handled as can be said": {0, 1<<64 - 1, nil, wire.CodeOrder},
		"a range twice":                  {0, 1, []wire.Item{root, root}, wire.CodeOrder},
		"a range that was not asked":     {0, 1, []wire.Item{deep}, wire.CodeOrder},
		"another sync's":                 {1, 1, []wire.Item{root}, 0},
	}
	for what, test := range tests {
		t.Run(what, func(t *testing.T) {
			g, id, sync := syncing(t, 100)
			g.receive(id, &wire.Frame{Kind: wire.KindSynced, Seq: sync.Seq + test.seq, Handled: test.handled, Items: test.items})
			if test.code != 0 {
				g.refused(id, test.code)
			} else if len(g.effects) > 0 {
				t.Errorf("%+v", g.effects)
			}
		})
	}
}

// TestSyncNobodyAsked: a synced without a sync is not looked at.
func TestSyncNobodyAsked(t *testing.T) {
	g := start(t, me())
	id := g.peer("dev")
	rec := g.member("new", wire.Member{})
	for seq := range uint64(20) {
		g.receive(id, &wire.Frame{Kind: wire.KindSynced, Seq: seq, Handled: 1, Items: []wire.Item{{Kind: wire.ItemSome, Records: []wire.Record{rec}}}})
		if len(of(g.effects, core.Emit))+len(of(g.effects, core.Send)) > 0 {
			t.Fatalf("%+v", g.effects)
		}
	}
}

// TestEndlessSync: a peer in whose tree every range differs down to the last
// level is descended into depth first, so what is to be done stays bounded.
func TestEndlessSync(t *testing.T) {
	g, id, sync := syncing(t, 5000)
	most := 0
	for range 400 {
		answer := &wire.Frame{Kind: wire.KindSynced, Seq: sync.Seq, Handled: uint64(len(sync.Items))}
		for _, item := range sync.Items {
			out := wire.Item{Kind: wire.ItemAll, Range: item.Range}
			if item.Kind == wire.ItemSome {
				continue
			}
			if item.Range.Depth < wire.RangeDepth {
				out.Kind = wire.ItemChildren
				for i := range out.Children {
					out.Children[i] = wire.Fingerprint{Count: 1 << 61, Sum: uint64(i) + 1} // times 8 that is 0
				}
			}
			answer.Items = append(answer.Items, out)
		}
		g.wall++
		g.receive(id, answer)
		most = max(most, g.ring.Sizes().Syncing)
		if sync = g.nextSync(id); sync == nil {
			break
		}
	}
	if most > 20_000 {
		t.Errorf("%d ranges and records wait", most)
	}
}

// TestHugeRanges: whoever asks for everything, as often as a frame can, gets
// one frame that is not too big, and has had one item handled at least.
func TestHugeRanges(t *testing.T) {
	g, id, _ := syncing(t, 5000)
	for _, kind := range []wire.ItemKind{wire.ItemFingerprint, wire.ItemChildren, wire.ItemAll, wire.ItemSome} {
		f := &wire.Frame{Kind: wire.KindSync, Seq: 77}
		for i := range wire.MaxItems {
			f.Items = append(f.Items, wire.Item{Kind: kind, Range: wire.Range{Depth: uint8(i % 3)}})
		}
		answers := sent(t, g.receive(id, f), id)
		if len(answers) != 1 || answers[0].Kind != wire.KindSynced || answers[0].Seq != 77 || answers[0].Handled == 0 {
			t.Errorf("items of kind %d: %+v", kind, answers)
		}
		if n := len(g.effects); n > 2 {
			t.Errorf("items of kind %d: %d effects", kind, n)
		}
	}
}

// TestLargestRecordsInSync: values as long as can be fit into frames as well.
func TestLargestRecordsInSync(t *testing.T) {
	g, id, sync := syncing(t, 10)
	value := []byte("\x82\xa1a\xaanode:12345\xa1z\xda\x0f\xe0")
	value = append(value, make([]byte, 0xfe0)...) // a key that nobody knows
	for i := range 200 {
		name := fmt.Sprintf("node-%d", i)
		g.receive(id, rumor(wire.Record{Name: name, Stamp: g.wall, Value: string(value)}))
		if _, ok := g.view.Get(name); !ok {
			t.Fatal("it is not taken")
		}
	}
	for _, kind := range []wire.ItemKind{wire.ItemFingerprint, wire.ItemAll} {
		for depth := range uint8(3) {
			f := &wire.Frame{Kind: wire.KindSync, Seq: 5}
			for prefix := range uint64(1) << (4 * depth) {
				if len(f.Items) < wire.MaxItems {
					f.Items = append(f.Items, wire.Item{Kind: kind, Range: wire.Range{Depth: depth, Prefix: prefix << (64 - 4*depth)}})
				}
			}
			if answers := sent(t, g.receive(id, f), id); len(answers) != 1 { // that they decode is checked by step
				t.Fatalf("%+v", answers)
			}
		}
	}
	g.receive(id, &wire.Frame{Kind: wire.KindSynced, Seq: sync.Seq, Handled: 1, Items: []wire.Item{{Kind: wire.ItemAll}}})
	for pushed := 0; pushed < 200; {
		sync := g.nextSync(id)
		if sync == nil {
			t.Fatalf("%d of 200 records were sent", pushed)
		}
		for _, item := range sync.Items {
			pushed += len(item.Records)
		}
		g.receive(id, &wire.Frame{Kind: wire.KindSynced, Seq: sync.Seq, Handled: uint64(len(sync.Items))})
	}
}

// TestNextSyncHasItsTime: the deadline of a sync whose connection broke is not
// that of the next one.
func TestNextSyncHasItsTime(t *testing.T) {
	g, id, _ := syncing(t, 100)
	g.pass(8 * core.Second)
	if g.conns[id] != open {
		t.Fatal("closed")
	}
	g.step(core.Input{Kind: core.Closed, Conn: id, Code: wire.CodeRotated})
	again := of(g.step(core.Input{Kind: core.Do, Command: core.Command{ID: 2, Op: core.Add, Addr: "dev:7946"}}), core.Dial)[0].Conn
	g.step(core.Input{Kind: core.Opened, Conn: again})
	g.sayHello(again, g.hello("dev"))
	sync := g.nextSync(again)
	g.pass(5 * core.Second)
	g.wall++
	var children [wire.RangeChildren]wire.Fingerprint
	g.receive(again, &wire.Frame{Kind: wire.KindSynced, Seq: sync.Seq, Handled: 1, Items: []wire.Item{{Kind: wire.ItemChildren, Children: children}}})
	if g.nextSync(again) == nil {
		t.Error("the sync was given up five seconds after its question")
	}
}
