package wire_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

// vector is one of testdata/vectors.json; the README beside it says what its fields mean.
type vector struct {
	Name  string
	Of    string
	Hex   string
	Lossy bool
	Value any
	Error string
}

func loadVectors(t testing.TB) []vector {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	d.DisallowUnknownFields()
	var vs []vector
	if err := d.Decode(&vs); err != nil {
		t.Fatal(err)
	}
	return vs
}

func (v vector) bytes(t testing.TB) []byte {
	t.Helper()
	out := []byte{}
	for _, part := range strings.Fields(v.Hex) {
		digits, times, repeated := strings.Cut(part, "*")
		b, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		n := 1
		if repeated {
			if n, err = strconv.Atoi(times); err != nil {
				t.Fatalf("%s: %v", v.Name, err)
			}
		}
		out = append(out, bytes.Repeat(b, n)...)
	}
	return out
}

// decode decodes b as what of says, and returns the value as vectors have it
// and its encoding.
func decode(of string, b []byte) (value any, again []byte, err error) {
	switch of {
	case "frame":
		var f wire.Frame
		err = f.Decode(b)
		return frameJSON(&f), f.Append(nil), err
	case "snapshot":
		var s wire.Snapshot
		err = s.Decode(b)
		o := object{"ring": s.Ring, "name": s.Name, "wall": number(s.Wall), "lastContact": number(s.LastContact),
			"records": list(s.Records, recordJSON)}
		if len(s.Due) > 0 {
			o["due"] = list(s.Due, recordJSON)
		}
		if len(s.Tags) > 0 {
			o["tags"] = tagsJSON(s.Tags)
		}
		if s.Cordoned {
			o["cordoned"] = true
		}
		if len(s.IDs) > 0 {
			o["ids"] = list(s.IDs, idJSON)
		}
		return o, s.Append(nil), err
	case "change":
		var c wire.Change
		err = c.Decode(b)
		o := object{"wall": number(c.Wall), "lastContact": number(c.LastContact), "records": list(c.Records, recordJSON), "gone": list(c.Gone, recordJSON)}
		if c.Rest != nil {
			rest := object{"tags": tagsJSON(c.Rest.Tags), "ids": list(c.Rest.IDs, idJSON)}
			if c.Rest.Cordoned {
				rest["cordoned"] = true
			}
			o["rest"] = rest
		}
		return o, c.Append(nil), err
	case "member":
		m, err := wire.ParseMember(string(b))
		return object{"address": m.Address, "deleted": number(m.Deleted), "ephemeral": m.Ephemeral}, []byte(m.Value()), err
	case "presence":
		p, err := wire.ParsePresence(string(b))
		o := object{"address": p.Address, "via": p.Via, "instance": instanceJSON(p.Instance),
			"version": number(p.Version), "tags": tagsJSON(p.Tags)}
		if p.Cordoned {
			o["cordoned"] = true
		}
		if p.Ephemeral {
			o["ephemeral"] = true
		}
		if p.ReapAfter != 0 {
			o["reapAfter"] = number(p.ReapAfter)
		}
		return o, []byte(p.Value()), err
	case "name":
		return string(b), b, wire.ValidName(string(b))
	case "address":
		return string(b), b, wire.ValidAddress(string(b))
	}
	panic("vector of " + of)
}

func tagsJSON(tags []wire.Tag) object {
	o := object{}
	for _, t := range tags {
		o[t.Key] = t.Value
	}
	return o
}

func TestVectors(t *testing.T) {
	kinds := map[string]int{}
	classes := map[string]int{}
	for _, v := range loadVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			b := v.bytes(t)
			value, again, err := decode(v.Of, b)
			if v.Error != "" {
				classes[v.Error]++
				if err == nil {
					t.Fatalf("decoded to %v, want the error %q", value, v.Error)
				}
				e, ok := err.(*wire.Error)
				if !ok {
					t.Fatalf("a %T, want a *wire.Error", err)
				}
				if e.Class.Error() != v.Error {
					t.Fatalf("error %v, want %q", err, v.Error)
				}
				if e.Offset < -1 || e.Offset > len(b) || e.Where == "" || e.Detail == "" {
					t.Fatalf("error %#v says too little", e)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if o, ok := v.Value.(map[string]any); ok && v.Of == "frame" {
				kinds[o["kind"].(string)]++
			}
			if !reflect.DeepEqual(value, v.Value) {
				t.Fatalf("decoded to\n%v, want\n%v", value, v.Value)
			}
			if bytes.Equal(again, b) == v.Lossy {
				t.Fatalf("encoded again as\n%x", again)
			}
		})
	}
	for k, name := range kindNames {
		if kinds[name] == 0 {
			t.Errorf("no vector of a %s, kind %d", name, k)
		}
	}
	for c := wire.ErrTruncated; c <= wire.ErrTopic; c++ {
		if classes[c.Error()] == 0 {
			t.Errorf("no vector of the error %s", c)
		}
	}
}

// A mapping of frames to JSON, as the README beside the vectors has it.

type object = map[string]any

var kindNames = map[wire.Kind]string{
	wire.KindHello: "hello", wire.KindGossip: "gossip", wire.KindAck: "ack", wire.KindRumor: "rumor",
	wire.KindSync: "sync", wire.KindSynced: "synced", wire.KindProbe: "probe", wire.KindAlive: "alive",
	wire.KindRelay: "relay", wire.KindError: "error", wire.KindRefused: "refused",
	wire.KindCordon:  "cordon",
	wire.KindMessage: "message", wire.KindSeen: "seen", wire.KindHave: "have", wire.KindWant: "want", wire.KindTook: "took",
	wire.KindHear: "hear", wire.KindTell: "tell", wire.KindSaid: "said", wire.KindAnswers: "answers", wire.KindIDs: "ids",
	wire.KindKnown: "known", wire.KindLack: "lack",
}

func number[N ~int64 | ~uint64 | ~uint8 | ~uint16 | ~uint32](n N) any {
	s := strconv.FormatUint(uint64(n), 10)
	if uint64(n) > 1<<53 {
		return s
	}
	return json.Number(s)
}

func list[E any](es []E, f func(E) any) []any {
	l := make([]any, len(es))
	for i, e := range es {
		l[i] = f(e)
	}
	return l
}

func instanceJSON(in wire.Instance) any { return []any{number(in.Start), number(in.Nonce)} }

func idJSON(id wire.RingID) any { return instanceJSON(wire.Instance(id)) }

func setJSON(s wire.SetID) any { return [...]string{"nodes", "up"}[s] }

func recordJSON(r wire.Record) any {
	return object{"set": setJSON(r.Set), "name": r.Name, "stamp": number(r.Stamp), "rank": number(r.Rank),
		"value": hex.EncodeToString([]byte(r.Value))}
}

func itemJSON(it wire.Item) any {
	o := object{"kind": [...]string{"print", "children", "all", "some", "after"}[it.Kind], "set": setJSON(it.Range.Set),
		"depth": number(it.Range.Depth), "prefix": number(it.Range.Prefix)}
	switch it.Kind {
	case wire.ItemFingerprint:
		o["count"], o["sum"] = number(it.Fingerprint.Count), number(it.Fingerprint.Sum)
	case wire.ItemChildren:
		o["children"] = list(it.Children[:], func(p wire.Fingerprint) any { return []any{number(p.Count), number(p.Sum)} })
	case wire.ItemAfter:
		o["after"] = it.After
	default:
		o["records"] = list(it.Records, recordJSON)
	}
	return o
}

func textJSON(s string) any { return s }

func messageJSON(m wire.Message) any {
	return object{"age": number(m.Age), "name": m.Name, "instance": instanceJSON(m.Instance), "seq": number(m.Seq), "step": number(m.Step),
		"since": number(m.Since), "verb": [...]string{"void", "send", "ask", "off", "gap"}[m.Verb], "topic": m.Topic,
		"payload": hex.EncodeToString([]byte(m.Payload)), "wait": number(m.Wait), "filter": list(m.Filter, textJSON)}
}

func streamJSON(s wire.Stream) any {
	return object{"name": s.Name, "instance": instanceJSON(s.Instance), "old": number(s.Old), "upto": number(s.Upto), "seqs": list(s.Seqs, number[uint64])}
}

func answerJSON(a wire.Answer) any {
	return object{"name": a.Name, "code": number(a.Code), "payload": hex.EncodeToString([]byte(a.Payload))}
}

func frameJSON(f *wire.Frame) any {
	o := object{"kind": kindNames[f.Kind]}
	switch f.Kind {
	case wire.KindHello:
		h := f.Hello
		o["address"], o["ephemeral"], o["print"], o["instance"] = h.Address, h.Ephemeral, number(h.Fingerprint), instanceJSON(h.Instance)
		o["lastContact"], o["members"], o["name"] = number(h.LastContact), number(h.Members), h.Name
		o["versions"], o["ring"], o["wall"] = []any{number(h.Min), number(h.Max)}, h.Ring, number(h.Wall)
		if len(h.IDs) > 0 {
			o["ids"] = list(h.IDs, idJSON)
		}
		if h.Digests {
			o["digests"] = true
		}
		if h.Unite != 0 {
			o["unite"] = [...]string{"", "young", "add"}[h.Unite]
		}
	case wire.KindGossip, wire.KindAck:
		o["seq"], o["wall"], o["print"], o["records"] = number(f.Seq), number(f.Wall), number(f.Fingerprint), list(f.Records, recordJSON)
	case wire.KindRumor:
		o["records"] = list(f.Records, recordJSON)
	case wire.KindSync:
		o["seq"], o["items"] = number(f.Seq), list(f.Items, itemJSON)
	case wire.KindSynced:
		o["seq"], o["handled"], o["items"] = number(f.Seq), number(f.Handled), list(f.Items, itemJSON)
	case wire.KindProbe, wire.KindRefused:
		o["seq"] = number(f.Seq)
	case wire.KindAlive:
		o["seq"], o["instance"] = number(f.Seq), instanceJSON(f.Instance)
	case wire.KindRelay:
		o["from"], o["to"], o["hops"], o["inner"] = f.From, f.To, number(f.Hops), hex.EncodeToString([]byte(f.Inner))
	case wire.KindError:
		o["code"], o["text"] = number(f.Code), f.Text
	case wire.KindCordon:
		o["on"] = f.On
	case wire.KindIDs:
		o["ids"] = list(f.IDs, idJSON)
	case wire.KindKnown, wire.KindLack:
		o["digests"] = list(f.Digests, number[uint64])
	case wire.KindMessage:
		o["messages"] = list(f.Messages, messageJSON)
	case wire.KindSeen:
		o["window"], o["streams"] = number(f.Window), list(f.Streams, streamJSON)
	case wire.KindHave, wire.KindWant:
		o["streams"] = list(f.Streams, streamJSON)
	case wire.KindTook:
		o["bytes"] = number(f.Bytes)
	case wire.KindHear:
		o["topics"], o["window"], o["streams"] = list(f.Topics, textJSON), number(f.Window), list(f.Streams, streamJSON)
	case wire.KindTell:
		o["seq"], o["before"], o["age"], o["instance"] = number(f.Seq), number(f.Tell.Before), number(f.Tell.Age), instanceJSON(f.Instance)
		o["topic"], o["payload"] = f.Tell.Topic, hex.EncodeToString([]byte(f.Tell.Payload))
	case wire.KindSaid:
		o["seq"], o["code"] = number(f.Seq), number(f.Code)
	case wire.KindAnswers:
		o["asker"], o["instance"], o["seq"], o["answers"] = f.Asker, instanceJSON(f.Instance), number(f.Seq), list(f.Answers, answerJSON)
	}
	return o
}
