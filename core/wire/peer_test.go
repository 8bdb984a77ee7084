package wire_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/vmihailenco/msgpack/v5"
)

// An independent codec that everything is held against. It may only be given
// what wire has validated.

func peerRead(b []byte) (any, error) {
	r := bytes.NewReader(b)
	d := msgpack.NewDecoder(r)
	v, err := d.DecodeInterface()
	if err == nil && r.Len() != 0 {
		panic("wire let bytes follow")
	}
	return v, err
}

func peerWrite(v any) ([]byte, error) {
	var b bytes.Buffer
	e := msgpack.NewEncoder(&b)
	e.UseCompactInts(true)
	e.SetSortMapKeys(true)
	err := e.Encode(v)
	return b.Bytes(), err
}

// peerCheck reads b with the independent codec and writes it again.
func peerCheck(t testing.TB, b []byte) (value any) {
	t.Helper()
	v, err := peerRead(b)
	if err != nil {
		t.Fatalf("the independent reader: %v\n%x", err, b)
	}
	again, err := peerWrite(v)
	if err != nil {
		t.Fatalf("the independent writer: %v\n%x", err, b)
	}
	if !bytes.Equal(again, b) {
		t.Fatalf("the independent writer has\n%x for\n%x", again, b)
	}
	return sameInts(v)
}

// sameInts makes all integers uint64 or, when negative, int64.
func sameInts(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = sameInts(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = sameInts(v[k])
		}
	case float64, string, bool, nil, []byte:
	default:
		rv := reflect.ValueOf(v)
		switch {
		case rv.CanUint():
			return rv.Uint()
		case rv.Int() >= 0:
			return uint64(rv.Int())
		}
		return rv.Int()
	}
	return v
}

// The trees that the independent reader must find in what wire has decoded.

func instanceTree(in wire.Instance) any { return []any{uint64(in.Start), in.Nonce} }

func idTree(id wire.RingID) any { return instanceTree(wire.Instance(id)) }

func recordTree(t testing.TB) func(wire.Record) any {
	return func(r wire.Record) any {
		v, err := peerRead([]byte(r.Value))
		if err != nil {
			t.Fatal(err)
		}
		return []any{uint64(r.Set), r.Name, uint64(r.Stamp), uint64(r.Rank), sameInts(v)}
	}
}

func itemTree(t testing.TB) func(wire.Item) any {
	return func(it wire.Item) any {
		l := []any{uint64(it.Kind), uint64(it.Range.Set), uint64(it.Range.Depth), it.Range.Prefix}
		switch it.Kind {
		case wire.ItemFingerprint:
			return append(l, it.Fingerprint.Count, it.Fingerprint.Sum)
		case wire.ItemChildren:
			var c []any
			for _, p := range it.Children {
				c = append(c, p.Count, p.Sum)
			}
			return append(l, c)
		case wire.ItemAfter:
			return append(l, it.After)
		}
		return append(l, list(it.Records, recordTree(t)))
	}
}

// frameTree is f's tree; of a hello, it has only the keys that wire knows.
func frameTree(t testing.TB, f *wire.Frame) any {
	k := uint64(f.Kind)
	switch f.Kind {
	case wire.KindHello:
		h := f.Hello
		m := object{"f": h.Fingerprint, "i": instanceTree(h.Instance), "m": h.Members, "n": h.Name,
			"p": []any{uint64(h.Min), uint64(h.Max)}, "r": h.Ring, "t": uint64(h.Wall)}
		if h.Address != "" {
			m["a"] = h.Address
		}
		if h.Ephemeral {
			m["e"] = true
		}
		if h.LastContact != 0 {
			m["l"] = uint64(h.LastContact)
		}
		if h.Digests {
			m["g"] = true
		}
		if len(h.IDs) > 0 {
			m["s"] = list(h.IDs, idTree)
		}
		if h.Unite != 0 {
			m["u"] = uint64(h.Unite)
		}
		return []any{k, m}
	case wire.KindGossip, wire.KindAck:
		return []any{k, f.Seq, uint64(f.Wall), f.Fingerprint, list(f.Records, recordTree(t))}
	case wire.KindRumor:
		return []any{k, list(f.Records, recordTree(t))}
	case wire.KindSync:
		return []any{k, f.Seq, list(f.Items, itemTree(t))}
	case wire.KindSynced:
		return []any{k, f.Seq, f.Handled, list(f.Items, itemTree(t))}
	case wire.KindProbe, wire.KindRefused:
		return []any{k, f.Seq}
	case wire.KindAlive:
		return []any{k, f.Seq, instanceTree(f.Instance)}
	case wire.KindRelay:
		return []any{k, f.From, f.To, uint64(f.Hops), []byte(f.Inner)}
	case wire.KindError:
		return []any{k, uint64(f.Code), f.Text}
	case wire.KindCordon:
		return []any{k, map[bool]uint64{true: 1}[f.On]}
	case wire.KindIDs:
		return []any{k, list(f.IDs, idTree)}
	case wire.KindKnown, wire.KindLack:
		return []any{k, list(f.Digests, func(d uint64) any { return d })}
	}
	return append([]any{k}, newsTree(t, f)...)
}

func bytesTree(s string) any { return []byte(s) }

func messageTree(m wire.Message) any {
	return []any{m.Age, m.Name, instanceTree(m.Instance), m.Seq, m.Step, m.Since, uint64(m.Verb), m.Topic, bytesTree(m.Payload), m.Wait, list(m.Filter, textJSON)}
}

func streamTree(s wire.Stream) any {
	return []any{s.Name, instanceTree(s.Instance), s.Old, s.Upto, list(s.Seqs, func(n uint64) any { return n })}
}

// newsTree is what is behind the kind of a frame of messages.
func newsTree(t testing.TB, f *wire.Frame) []any {
	streams := list(f.Streams, streamTree)
	switch f.Kind {
	case wire.KindMessage:
		return []any{list(f.Messages, messageTree)}
	case wire.KindSeen:
		return []any{f.Window, streams}
	case wire.KindHave, wire.KindWant:
		return []any{streams}
	case wire.KindTook:
		return []any{f.Bytes}
	case wire.KindHear:
		return []any{list(f.Topics, textJSON), f.Window, streams}
	case wire.KindTell:
		return []any{f.Seq, f.Tell.Before, f.Tell.Age, instanceTree(f.Instance), f.Tell.Topic, bytesTree(f.Tell.Payload)}
	case wire.KindSaid:
		return []any{f.Seq, uint64(f.Code)}
	case wire.KindAnswers:
		return []any{f.Asker, instanceTree(f.Instance), f.Seq, list(f.Answers, func(a wire.Answer) any {
			return []any{a.Name, uint64(a.Code), bytesTree(a.Payload)}
		})}
	}
	t.Fatalf("kind %d", f.Kind)
	return nil
}

// framePeerCheck holds f, decoded from b, against the independent codec.
func framePeerCheck(t testing.TB, f *wire.Frame, b []byte) {
	t.Helper()
	got := peerCheck(t, b)
	if f.Kind == wire.KindHello {
		m := got.([]any)[1].(map[string]any)
		for key := range m {
			if len(key) != 1 || !bytes.Contains([]byte("aefgilmnprstu"), []byte(key)) {
				delete(m, key)
			}
		}
	}
	if want := frameTree(t, f); !reflect.DeepEqual(got, want) {
		t.Fatalf("the independent reader finds\n%v in\n%v", got, want)
	}
}

func TestVectorsAgainstAnotherCodec(t *testing.T) {
	for _, v := range loadVectors(t) {
		if v.Error != "" || v.Of == "name" || v.Of == "address" {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			b := v.bytes(t)
			if v.Of != "frame" {
				if _, _, err := decode(v.Of, b); err != nil {
					t.Fatal(err)
				}
				peerCheck(t, b)
				return
			}
			var f wire.Frame
			if err := f.Decode(b); err != nil {
				t.Fatal(err)
			}
			framePeerCheck(t, &f, b)
		})
	}
}
