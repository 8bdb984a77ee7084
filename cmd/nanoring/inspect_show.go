package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/vmihailenco/msgpack/v5"
)

func rfc3339(micros int64) string {
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.000000Z07:00")
}

func hex64(n uint64) string { return fmt.Sprintf("%016x", n) }

// word returns what a number is called.
func word(words []string, n uint8) any {
	if int(n) < len(words) {
		return words[n]
	}
	return n
}

var (
	setWords  = []string{wire.Nodes: "nodes", wire.Up: "up"}
	itemWords = []string{wire.ItemFingerprint: "print", wire.ItemChildren: "children", wire.ItemAll: "all", wire.ItemSome: "some", wire.ItemAfter: "after"}
	rankWords = [][]string{wire.Nodes: {"add", "reap", "del"}, wire.Up: {"up", "suspect", "down", "left"}}
)

func showSnapshot(what string, size int, s *wire.Snapshot) fields {
	o := fields{{"what", what}, {"bytes", size}, {"ring", s.Ring}, {"name", s.Name}}
	o.addTime("wall", s.Wall)
	if s.LastContact != 0 {
		o.addTime("lastContact", s.LastContact)
	}
	if s.Cordoned {
		o.add("cordoned", true)
	}
	if len(s.Tags) > 0 {
		var tags fields
		for _, t := range s.Tags {
			tags.add(t.Key, t.Value)
		}
		o.add("tags", tags)
	}
	o.add("records", records(s.Records))
	return o
}

// records are shown as they are written, because a ring file may have many.
type records []wire.Record

func (rs records) MarshalJSON() ([]byte, error) {
	shown := make([]fields, len(rs))
	for i := range rs {
		var err error
		if shown[i], err = showRecord(&rs[i]); err != nil {
			return nil, err
		}
	}
	return compact(shown)
}

func showRecord(r *wire.Record) (fields, error) {
	v, err := showValue([]byte(r.Value))
	return fields{{"set", word(setWords, uint8(r.Set))}, {"name", r.Name}, {"rank", word(rankWords[r.Set], r.Rank)},
		{"stamp", r.Stamp}, {"stampTime", rfc3339(r.Stamp)}, {"value", v}}, err
}

// showValue decodes any value, which wire must have validated.
func showValue(b []byte) (any, error) {
	v, err := msgpack.NewDecoder(bytes.NewReader(b)).DecodeInterface()
	return showBytes(v), err
}

// showBytes makes byte strings hexadecimal.
func showBytes(v any) any {
	switch v := v.(type) {
	case []byte:
		return fields{{"hex", hex.EncodeToString(v)}}
	case []any:
		for i := range v {
			v[i] = showBytes(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = showBytes(v[k])
		}
	}
	return v
}

func showFrame(b []byte, f *wire.Frame) (fields, error) {
	o := fields{{"what", "frame"}, {"bytes", len(b)}, {"kind", f.Kind.String()}}
	switch f.Kind {
	case wire.KindHello:
		return showHello(o, b, &f.Hello)
	case wire.KindGossip, wire.KindAck:
		o.add("seq", f.Seq)
		o.addTime("wall", f.Wall)
		o.add("print", hex64(f.Fingerprint))
		o.add("records", records(f.Records))
	case wire.KindRumor:
		o.add("records", records(f.Records))
	case wire.KindSync:
		o.add("seq", f.Seq)
		o.add("items", showItems(f.Items))
	case wire.KindSynced:
		o.add("seq", f.Seq)
		o.add("handled", f.Handled)
		o.add("items", showItems(f.Items))
	case wire.KindProbe, wire.KindRefused:
		o.add("seq", f.Seq)
	case wire.KindAlive:
		o.add("seq", f.Seq)
		o.add("instance", showInstance(f.Instance))
	case wire.KindRelay:
		var inner wire.Frame
		if err := inner.Decode([]byte(f.Inner)); err != nil {
			return nil, err
		}
		shown, err := showFrame([]byte(f.Inner), &inner)
		o = append(o, fields{{"from", f.From}, {"to", f.To}, {"hops", f.Hops}, {"inner", shown}}...)
		return o, err
	case wire.KindError:
		o.add("code", f.Code)
		o.add("codeName", f.Code.String())
		o.add("text", f.Text)
	case wire.KindCordon:
		o.add("on", f.On)
	default:
		o.addMessages(f)
	}
	return o, nil
}

func showInstance(in wire.Instance) fields {
	return fields{{"start", in.Start}, {"startTime", rfc3339(in.Start)}, {"nonce", hex64(in.Nonce)}}
}

func showHello(o fields, b []byte, h *wire.Hello) (fields, error) {
	o.add("ring", h.Ring)
	o.add("name", h.Name)
	if h.Address != "" {
		o.add("address", h.Address)
	}
	o.add("ephemeral", h.Ephemeral)
	o.add("instance", showInstance(h.Instance))
	o.add("versions", []int{int(h.Min), int(h.Max)})
	o.addTime("wall", h.Wall)
	if h.LastContact != 0 {
		o.addTime("lastContact", h.LastContact)
	}
	o.add("members", h.Members)
	o.add("print", hex64(h.Fingerprint))

	v, err := showValue(b)
	if err != nil {
		return nil, err
	}
	frame, _ := v.([]any)
	all, _ := frame[len(frame)-1].(map[string]any)
	for _, known := range strings.Fields("a e f i l m n p r t") {
		delete(all, known)
	}
	if len(all) > 0 {
		o.add("unknown", all)
	}
	return o, nil
}

func showItems(items []wire.Item) []fields {
	shown := make([]fields, len(items))
	for i := range items {
		shown[i] = showItem(&items[i])
	}
	return shown
}

func showItem(it *wire.Item) fields {
	o := fields{{"kind", word(itemWords, uint8(it.Kind))}, {"set", word(setWords, uint8(it.Range.Set))},
		{"prefix", hex64(it.Range.Prefix)[:it.Range.Depth]}} // one digit for each nibble
	switch it.Kind {
	case wire.ItemFingerprint:
		o.add("count", it.Fingerprint.Count)
		o.add("sum", hex64(it.Fingerprint.Sum))
	case wire.ItemChildren:
		var children fields // those that are not empty, by their nibble
		for i, p := range it.Children {
			if p != (wire.Fingerprint{}) {
				children.add(fmt.Sprintf("%x", i), fields{{"count", p.Count}, {"sum", hex64(p.Sum)}})
			}
		}
		o.add("children", children)
	case wire.ItemAfter:
		o.add("after", it.After)
	default:
		o.add("records", records(it.Records))
	}
	return o
}
