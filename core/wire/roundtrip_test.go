package wire_test

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
	"pgregory.net/rapid"
)

// Generators of everything that may be encoded.

var (
	genTime = rapid.OneOf(rapid.Int64Range(0, math.MaxInt64), rapid.Int64Range(0, 300))
	genUint = rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 300))
	genName = rapid.StringN(1, 60, wire.MaxName).Filter(func(s string) bool { return wire.ValidName(s) == nil })
	genAddr = rapid.StringMatching(`([a-z0-9.-]{1,40}|\[[0-9a-f]{1,4}::[0-9a-f]{0,4}\]):[1-9][0-9]{0,3}`)
	genAny  = genAnyTo(4)

	genInstance = rapid.Custom(func(t *rapid.T) wire.Instance {
		return wire.Instance{Start: genTime.Draw(t, "start"), Nonce: genUint.Draw(t, "nonce")}
	})
	genMember = rapid.Custom(func(t *rapid.T) wire.Member {
		return wire.Member{Address: orNone(t, genAddr), Deleted: genTime.Draw(t, "deleted"), Ephemeral: rapid.Bool().Draw(t, "ephemeral")}
	})
	genPresence = rapid.Custom(func(t *rapid.T) wire.Presence {
		p := wire.Presence{Address: orNone(t, genAddr), Cordoned: rapid.Bool().Draw(t, "cordoned"), Ephemeral: rapid.Bool().Draw(t, "ephemeral"), Via: orNone(t, genName),
			Instance: genInstance.Draw(t, "instance"), Version: rapid.Uint8Min(1).Draw(t, "version"), ReapAfter: rapid.OneOf(rapid.Just(uint32(0)), rapid.Uint32Range(wire.LeastReapAfter, wire.MostReapAfter)).Draw(t, "reap after")}
		for k, v := range rapid.MapOfN(rapid.StringN(0, 8, 20), rapid.StringN(0, 8, 20), 0, 20).Draw(t, "tags") {
			p.Tags = append(p.Tags, wire.Tag{Key: k, Value: v})
		}
		slices.SortFunc(p.Tags, func(a, b wire.Tag) int { return strings.Compare(a.Key, b.Key) })
		return p
	})
	genValue = rapid.Custom(func(t *rapid.T) string {
		switch rapid.IntRange(0, 2).Draw(t, "value") {
		case 0:
			return genMember.Draw(t, "member").Value()
		case 1:
			return genPresence.Draw(t, "presence").Value()
		}
		b, err := peerWrite(rapid.MapOfN(rapid.String(), genAny, 0, 20).Draw(t, "map"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}).Filter(func(s string) bool { return len(s) <= wire.MaxValue })
	genPrint = rapid.Custom(func(t *rapid.T) wire.Fingerprint {
		return wire.Fingerprint{Count: genUint.Draw(t, "count"), Sum: genUint.Draw(t, "sum")}
	})
	genFrame = rapid.Custom(drawFrame)
)

func genAnyTo(depth int) *rapid.Generator[any] {
	gens := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int64().AsAny(), rapid.Uint64().AsAny(), rapid.Int64Range(-300, 300).AsAny(),
		rapid.StringN(0, 40, 300).AsAny(), rapid.SliceOfN(rapid.Byte(), 0, 300).AsAny(), rapid.Float64().AsAny(),
	}
	if depth > 0 {
		inner := genAnyTo(depth - 1)
		gens = append(gens, rapid.SliceOfN(inner, 0, 17).AsAny(), rapid.MapOfN(rapid.String(), inner, 0, 17).AsAny())
	}
	return rapid.OneOf(gens...)
}

func orNone(t *rapid.T, g *rapid.Generator[string]) string {
	return rapid.OneOf(rapid.Just(""), g).Draw(t, "or none")
}

func drawRecords(t *rapid.T, set *rapid.Generator[wire.SetID]) []wire.Record {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) wire.Record {
		return wire.Record{Set: set.Draw(t, "set"), Name: genName.Draw(t, "name"), Stamp: genTime.Draw(t, "stamp"),
			Rank: rapid.Uint8Max(3).Draw(t, "rank"), Value: genValue.Draw(t, "value")}
	}), 0, 18).Draw(t, "records")
}

func drawItem(t *rapid.T) wire.Item {
	it := wire.Item{Kind: rapid.SampledFrom([]wire.ItemKind{wire.ItemFingerprint, wire.ItemChildren, wire.ItemAll, wire.ItemSome, wire.ItemAfter}).Draw(t, "item")}
	deepest := uint8(wire.RangeDepth)
	if it.Kind == wire.ItemChildren {
		deepest--
	}
	it.Range.Set = rapid.SampledFrom([]wire.SetID{wire.Nodes, wire.Up}).Draw(t, "set")
	it.Range.Depth = rapid.Uint8Max(deepest).Draw(t, "depth")
	if it.Kind == wire.ItemAfter {
		it.Range.Depth = wire.RangeDepth
	}
	it.Range.Prefix = rapid.Uint64().Draw(t, "prefix") & ^(math.MaxUint64 >> (4 * it.Range.Depth))
	switch it.Kind {
	case wire.ItemFingerprint:
		it.Fingerprint = genPrint.Draw(t, "print")
	case wire.ItemChildren:
		for i := range it.Children {
			it.Children[i] = genPrint.Draw(t, "child")
		}
	case wire.ItemAfter:
		it.After = genName.Draw(t, "after")
	default:
		it.Records = drawRecords(t, rapid.Just(it.Range.Set))
	}
	return it
}

func drawFrame(t *rapid.T) *wire.Frame {
	f := &wire.Frame{Kind: rapid.SampledFrom([]wire.Kind{wire.KindHello, wire.KindGossip, wire.KindAck, wire.KindRumor, wire.KindSync,
		wire.KindSynced, wire.KindProbe, wire.KindAlive, wire.KindRelay, wire.KindError, wire.KindRefused, wire.KindCordon, wire.KindMessage, wire.KindSeen,
		wire.KindHave, wire.KindWant, wire.KindTook, wire.KindHear, wire.KindTell, wire.KindSaid, wire.KindAnswers, wire.KindIDs, wire.KindKnown, wire.KindLack}).Draw(t, "kind")}
	sets := rapid.SampledFrom([]wire.SetID{wire.Nodes, wire.Up})
	switch f.Kind {
	case wire.KindHello:
		least := rapid.Uint8Min(1).Draw(t, "min")
		f.Hello = wire.Hello{Address: orNone(t, genAddr), Ephemeral: rapid.Bool().Draw(t, "ephemeral"), Fingerprint: genUint.Draw(t, "print"),
			Instance: genInstance.Draw(t, "instance"), LastContact: genTime.Draw(t, "last"), Members: genUint.Draw(t, "members"),
			Name: genName.Draw(t, "name"), Min: least, Max: rapid.Uint8Min(least).Draw(t, "max"),
			Ring: genName.Draw(t, "ring"), Wall: genTime.Draw(t, "wall"), IDs: drawIDs(t, 0), Digests: rapid.Bool().Draw(t, "digests"), Unite: wire.Unite(rapid.Uint8Max(2).Draw(t, "unite"))}
	case wire.KindIDs:
		f.IDs = drawIDs(t, 1)
	case wire.KindKnown, wire.KindLack:
		f.Digests = rapid.SliceOfN(genUint, 1, 20).Draw(t, "digests")
	case wire.KindGossip, wire.KindAck:
		f.Seq, f.Wall, f.Fingerprint = genUint.Draw(t, "seq"), genTime.Draw(t, "wall"), genUint.Draw(t, "print")
		f.Records = drawRecords(t, sets)
	case wire.KindRumor:
		f.Records = drawRecords(t, sets)
	case wire.KindSync, wire.KindSynced:
		f.Seq = genUint.Draw(t, "seq")
		if f.Kind == wire.KindSynced {
			f.Handled = genUint.Draw(t, "handled")
		}
		f.Items = rapid.SliceOfN(rapid.Custom(drawItem), 0, 17).Draw(t, "items")
	case wire.KindProbe, wire.KindRefused:
		f.Seq = genUint.Draw(t, "seq")
	case wire.KindAlive:
		f.Seq, f.Instance = genUint.Draw(t, "seq"), genInstance.Draw(t, "instance")
	case wire.KindRelay:
		f.From, f.To, f.Hops = genName.Draw(t, "from"), genName.Draw(t, "to"), rapid.Uint8Max(wire.MaxHops).Draw(t, "hops")
		inner := wire.Frame{Kind: wire.KindAlive, Seq: genUint.Draw(t, "seq"), Instance: genInstance.Draw(t, "instance")}
		switch rapid.IntRange(0, 2).Draw(t, "inner") {
		case 0:
			inner = wire.Frame{Kind: wire.KindProbe, Seq: inner.Seq}
		case 1:
			inner = wire.Frame{Kind: wire.KindCordon, On: inner.Seq%2 == 0}
		}
		f.Inner = string(inner.Append(nil))
	case wire.KindError:
		f.Code = wire.Code(rapid.Uint16Min(uint16(wire.CodeBye)).Draw(t, "code"))
		f.Text = rapid.StringN(0, 300, wire.MaxText).Draw(t, "text")
	case wire.KindCordon:
		f.On = rapid.Bool().Draw(t, "on")
	default:
		drawNews(t, f)
	}
	return f
}

func TestFramesRoundTrip(t *testing.T) {
	var got wire.Frame // reused: nothing of one frame may show in the next
	rapid.Check(t, func(rt *rapid.T) {
		want := genFrame.Draw(rt, "frame")
		b := want.Append([]byte("before"))
		if !bytes.HasPrefix(b, []byte("before")) {
			rt.Fatal("Append overwrote what was there")
		}
		b = b[len("before"):]
		if len(b) > wire.MaxFrame {
			rt.Skip("too big")
		}
		if err := got.Decode(b); err != nil {
			rt.Fatalf("%v\n%x", err, b)
		}
		if !sameFrame(&got, want) {
			rt.Fatalf("got  %+v\nwant %+v", got, *want)
		}
		if again := got.Append(nil); !bytes.Equal(again, b) {
			rt.Fatalf("encoded again as\n%x, was\n%x", again, b)
		}
		framePeerCheck(t, &got, b)
	})
}

// sameFrame compares frames; no slice is as good as an empty one.
func sameFrame(a, b *wire.Frame) bool { return reflect.DeepEqual(tidy(*a), tidy(*b)) }

func tidy(f wire.Frame) wire.Frame {
	f.Records = append([]wire.Record{}, f.Records...)
	f.Items = append([]wire.Item{}, f.Items...)
	for i := range f.Items {
		f.Items[i].Records = append([]wire.Record{}, f.Items[i].Records...)
	}
	f.Messages, f.Streams = append([]wire.Message{}, f.Messages...), append([]wire.Stream{}, f.Streams...)
	for i := range f.Streams {
		f.Streams[i].Seqs = append([]uint64{}, f.Streams[i].Seqs...)
	}
	f.Topics, f.Answers = append([]string{}, f.Topics...), append([]wire.Answer{}, f.Answers...)
	return f
}

func TestRecordsRoundTripAndSize(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := wire.Snapshot{Cordoned: rapid.Bool().Draw(rt, "cordoned"), Ring: genName.Draw(rt, "ring"), Name: genName.Draw(rt, "name"), Wall: genTime.Draw(rt, "wall"),
			LastContact: genTime.Draw(rt, "last"), Records: drawRecords(rt, rapid.SampledFrom([]wire.SetID{wire.Nodes, wire.Up})),
			Due: drawRecords(rt, rapid.Just(wire.Up))}
		for _, r := range s.Records {
			if n := len(wire.AppendRecord(nil, r)); n != r.Size() {
				rt.Fatalf("Size says %d and it is %d: %+v", r.Size(), n, r)
			}
		}
		b := s.Append(nil)
		var got wire.Snapshot
		if err := got.Decode(b); err != nil {
			rt.Fatal(err)
		}
		if !bytes.Equal(got.Append(nil), b) || len(got.Records) != len(s.Records) || len(s.Records) > 0 && len(s.Due) > 0 && !reflect.DeepEqual(got, s) {
			rt.Fatalf("got  %+v\nwant %+v", got, s)
		}
		peerCheck(t, b)
	})
}

func TestValuesRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := genMember.Draw(rt, "member")
		if got, err := wire.ParseMember(m.Value()); err != nil || got != m {
			rt.Fatalf("got %+v, %v, want %+v", got, err, m)
		}
		p := genPresence.Draw(rt, "presence")
		if got, err := wire.ParsePresence(p.Value()); err != nil || !reflect.DeepEqual(got, p) {
			rt.Fatalf("got %+v, %v, want %+v", got, err, p)
		}
		shuffled := p
		shuffled.Tags = rapid.Permutation(p.Tags).Draw(rt, "tags")
		before := slices.Clone(shuffled.Tags)
		if shuffled.Value() != p.Value() || !slices.Equal(before, shuffled.Tags) {
			rt.Fatal("the order of tags shows, or was changed")
		}
	})
}

func TestOfTwoTagsWithOneKeyTheLaterCounts(t *testing.T) {
	p := wire.Presence{Version: 1, Tags: []wire.Tag{{"b", "1"}, {"a", "2"}, {"b", "3"}, {"a", "4"}}}
	got, err := wire.ParsePresence(p.Value())
	if want := []wire.Tag{{"a", "4"}, {"b", "3"}}; err != nil || !slices.Equal(got.Tags, want) {
		t.Fatalf("got %v, %v, want %v", got.Tags, err, want)
	}
}
