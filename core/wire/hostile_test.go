package wire_test

import (
	"bytes"
	"errors"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

// checkFrame decodes b into f. What decodes must encode to the same bytes; of
// a hello with keys that are not known, what is known must.
func checkFrame(t testing.TB, f *wire.Frame, b []byte) (ok bool) {
	t.Helper()
	peeked := wire.Peek(b)
	if err := f.Decode(b); err != nil {
		var e *wire.Error
		if !errors.As(err, &e) || !errors.Is(err, e.Class) || e.Offset < 0 || e.Offset > len(b) {
			t.Fatalf("error %#v", err)
		}
		if f.Kind != 0 || len(f.Records)+len(f.Items) != 0 {
			t.Fatalf("after an error the frame is %+v", f)
		}
		return false
	}
	if p := peeked; p.Kind != f.Kind || (p.Kind == wire.KindGossip || p.Kind == wire.KindAck) && (p.Seq != f.Seq || p.Wall != f.Wall) {
		t.Fatalf("%+v begins as %+v", f, p)
	}
	again := f.Append(nil)
	if bytes.Equal(again, b) {
		return true
	}
	var g wire.Frame
	if f.Kind != wire.KindHello || len(again) >= len(b) || g.Decode(again) != nil || !reflect.DeepEqual(g.Hello, f.Hello) {
		t.Fatalf("encoded again as\n%x, was\n%x", again, b)
	}
	return true
}

func TestEveryTruncationIsRefused(t *testing.T) {
	var f wire.Frame
	for _, v := range loadVectors(t) {
		if v.Error != "" {
			continue
		}
		b := v.bytes(t)
		step := 1 + len(b)/1000
		for n := 0; n < len(b); n += step {
			if v.Of == "frame" {
				if checkFrame(t, &f, b[:n]) {
					t.Fatalf("%s: its first %d bytes decode", v.Name, n)
				}
			} else if _, _, err := decode(v.Of, b[:n]); err == nil && v.Of != "name" && v.Of != "address" {
				t.Fatalf("%s: its first %d bytes decode", v.Name, n)
			}
		}
	}
}

func TestEveryChangedByteIsRefusedOrKept(t *testing.T) {
	var f wire.Frame
	for _, v := range loadVectors(t) {
		b := v.bytes(t)
		if v.Error != "" || v.Of == "name" || v.Of == "address" || len(b) > 150 {
			continue
		}
		for i, was := range b {
			for c := range 256 {
				b[i] = byte(c)
				switch v.Of {
				case "frame":
					checkFrame(t, &f, b)
				default:
					checkOther(t, v.Of, b)
				}
			}
			b[i] = was
		}
	}
}

// checkOther does for snapshots and values what checkFrame does for frames.
func checkOther(t testing.TB, of string, b []byte) {
	t.Helper()
	value, again, err := decode(of, b)
	if err != nil || bytes.Equal(again, b) {
		return
	}
	value2, _, err := decode(of, again)
	if of == "snapshot" || of == "change" || len(again) >= len(b) || err != nil || !sameJSON(value, value2) {
		t.Fatalf("%s encoded again as\n%x, was\n%x", of, again, b)
	}
}

func TestLiesAndDepthCostNothing(t *testing.T) {
	frames := map[string][]byte{
		"nested arrays":         append([]byte{0x92, 0x01, 0x81, 0xa1, 'x'}, bytes.Repeat([]byte{0x91}, wire.MaxFrame-5)...),
		"nested maps":           append([]byte{0x92, 0x01, 0x81, 0xa1, 'x'}, bytes.Repeat([]byte{0x81, 0xa0}, wire.MaxFrame/2-3)...),
		"relays in relays":      bytes.Repeat([]byte{0x95, 0x09, 0xa1, 'a', 0xa1, 'b', 0, 0xc6, 0, 3, 0xff, 0xf0}, 20000),
		"over the limit":        make([]byte, 64<<20),
		"tiny records, no end":  append([]byte{0x92, 0x04, 0xdd, 0, 3, 0xff, 0}, bytes.Repeat([]byte{0x90}, wire.MaxFrame-7)...),
		"records of 2^32":       {0x92, 0x04, 0xdd, 0xff, 0xff, 0xff, 0xff},
		"a name of 2^32":        {0x92, 0x04, 0x91, 0x95, 0, 0xdb, 0xff, 0xff, 0xff, 0xff},
		"an array of 2^32":      {0x92, 0x04, 0x91, 0x95, 0, 0xa1, 'n', 0, 0, 0x81, 0xa1, 'x', 0xdd, 0xff, 0xff, 0xff, 0xff},
		"bytes of 2^32 inside":  {0x95, 0x09, 0xa1, 'a', 0xa1, 'b', 0, 0xc6, 0xff, 0xff, 0xff, 0xff},
		"a frame of 2^32":       {0xdd, 0xff, 0xff, 0xff, 0xff},
		"items of 2^32":         {0x93, 0x05, 0x01, 0xdd, 0xff, 0xff, 0xff, 0xff},
		"children of 2^32":      {0x93, 0x05, 0x01, 0x91, 0x95, 1, 0, 0, 0, 0xdd, 0xff, 0xff, 0xff, 0xff},
		"a hello of 2^32 keys":  {0x92, 0x01, 0xdf, 0xff, 0xff, 0xff, 0xff},
		"messages of 2^32":      {0x92, 13, 0xdd, 0xff, 0xff, 0xff, 0xff},
		"tiny streams, no end":  append([]byte{0x92, 15, 0xdd, 0, 3, 0xff, 0}, bytes.Repeat([]byte{0x90}, wire.MaxFrame-7)...),
		"seqs of 2^32":          {0x92, 15, 0x91, 0x95, 0xa1, 'n', 0x92, 0, 0, 0, 0, 0xdd, 0xff, 0xff, 0xff, 0xff},
		"answers of 2^32":       {0x95, 21, 0xa1, 'n', 0x92, 0, 0, 1, 0xdd, 0xff, 0xff, 0xff, 0xff},
		"an error text of 2^32": {0x93, 0x0a, 0xcd, 0x0f, 0xa3, 0xdb, 0xff, 0xff, 0xff, 0xff},
	}
	for name, b := range frames {
		t.Run(name, func(t *testing.T) {
			var f wire.Frame
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := f.Decode(b)
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Fatal("it decodes")
			}
			// The copy of the bytes, and room for as many records as they may hold.
			if spent, most := after.TotalAlloc-before.TotalAlloc, uint64(24*min(len(b), wire.MaxFrame)+64<<10); spent > most {
				t.Fatalf("%d bytes allocated, at most %d expected", spent, most)
			}
		})
	}
}

// TestSnapshotOfAnySize: whatever is written can be read, of a ring of any size.
func TestSnapshotOfAnySize(t *testing.T) {
	longest := wire.Record{Name: strings.Repeat("n", wire.MaxName), Value: wire.Presence{
		Version: 1, Tags: []wire.Tag{{Key: "k", Value: strings.Repeat("x", wire.MaxValue-60)}},
	}.Value()}
	s := wire.Snapshot{Ring: "r", Name: "n", Records: slices.Repeat([]wire.Record{longest}, 20_000)}
	b := s.Append(nil)
	if len(b) < 80<<20 {
		t.Fatalf("it has %d bytes only", len(b))
	}
	var read wire.Snapshot
	if err := read.Decode(b); err != nil || len(read.Records) != len(s.Records) || read.Records[19_999] != longest {
		t.Errorf("what was written cannot be read: %v", err)
	}
}

func TestErrorsAreForPeople(t *testing.T) {
	var f wire.Frame
	var s wire.Snapshot
	for want, err := range map[string]error{
		`name "dev1@host": contains '@'`:                                                                  wire.ValidName("dev1@host"),
		`address "localhost": without a port: it must be HOST:PORT`:                                       wire.ValidAddress("localhost"),
		`record.name: contains '@' (name, byte 7)`:                                                        f.Decode([]byte("\x92\x04\x91\x95\x00\xa3n@x\x01\x00\x80")),
		`snapshot.version: this is version 2, and only version 1 is understood here (version, byte 1)`:    s.Decode([]byte("\x92\x02\x00")),
		`frame: longer than 262144 bytes (too-big, byte 262144)`:                                          f.Decode(make([]byte, wire.MaxFrame+1)),
		`name "` + strings.Repeat("n", 64) + `"...: longer than 255 bytes`:                                wire.ValidName(strings.Repeat("n", 256)),
		`frame.seq: not in its one encoding: the shortest, with map keys that ascend (canonical, byte 2)`: f.Decode([]byte("\x92\x07\xcc\x01")),
		`records: it needs more bytes than there are (truncated, byte 2)`:                                 f.Decode([]byte("\x92\x04\xdd\xff\xff\xff\xff")),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestAppendOfNoKindAppendsNothing(t *testing.T) {
	for _, k := range []wire.Kind{0, wire.Kinds, 255} {
		if b := (&wire.Frame{Kind: k}).Append(nil); len(b) != 0 {
			t.Errorf("kind %d appends %x", k, b)
		}
	}
}

// TestNamesAreShownEscaped: whoever types a control character sees which.
func TestNamesAreShownEscaped(t *testing.T) {
	for name, want := range map[string]string{
		"a\nb":   `name "a\nb": contains a control character`,
		"\x01":   `name "\x01": contains a control character`,
		"\u0085": `name "\x85": contains a control character`,
	} {
		if err := wire.ValidName(name); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
