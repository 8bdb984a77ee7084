package wire_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
	"github.com/vmihailenco/msgpack/v5"
)

// rumor is a frame of n records as a ring has them, half of each set.
func rumor(n int) []byte {
	f := wire.Frame{Kind: wire.KindRumor}
	for i := range n {
		r := wire.Record{Set: wire.SetID(i % 2), Name: fmt.Sprintf("node-%04d", i/2), Stamp: 1_795_467_600_000_000 + int64(i)}
		addr := fmt.Sprintf("10.0.%d.%d:7946", i>>8, i&255)
		if r.Set == wire.Nodes {
			r.Value = wire.Member{Address: addr}.Value()
		} else {
			r.Value = wire.Presence{Address: addr, Instance: wire.Instance{Start: r.Stamp, Nonce: uint64(i) * 0x9e3779b97f4a7c15}, Version: 1}.Value()
		}
		f.Records = append(f.Records, r)
	}
	return f.Append(nil)
}

func TestDecodingRecordsAllocatesNothing(t *testing.T) {
	var f wire.Frame
	for _, n := range []int{1, 1000} {
		b := rumor(n)
		if err := f.Decode(b); err != nil {
			t.Fatal(err)
		}
		if got := testing.AllocsPerRun(100, func() { f.Decode(b) }); got > 1 {
			t.Errorf("%v allocations to decode %d records, want the copy of the frame alone", got, n)
		}
		into := make([]byte, 0, len(b))
		if got := testing.AllocsPerRun(100, func() { into = f.Append(into[:0]) }); got > 0 {
			t.Errorf("%v allocations to encode %d records, want none", got, n)
		}
	}
	s := wire.Frame{Kind: wire.KindSync, Items: []wire.Item{{Kind: wire.ItemChildren}, {Kind: wire.ItemAll}}}
	for _, r := range f.Records {
		if r.Set == wire.Nodes {
			s.Items[1].Records = append(s.Items[1].Records, r)
		}
	}
	b := s.Append(nil)
	if err := s.Decode(b); err != nil {
		t.Fatal(err)
	}
	if got := testing.AllocsPerRun(100, func() { s.Decode(b) }); got > 1 {
		t.Errorf("%v allocations to decode a sync, want the copy of the frame alone", got)
	}
}

// idle is the largest frame of a round without news.
var idle = wire.Frame{Kind: wire.KindAck, Seq: math.MaxUint64, Wall: math.MaxInt64, Fingerprint: math.MaxUint64}

func TestIdleFramesAreSmall(t *testing.T) {
	if n := len(idle.Append(nil)); n > 32 {
		t.Errorf("an idle frame has %d bytes, at most 32 are wanted", n)
	}
}

func BenchmarkIdleFrame(b *testing.B) {
	var f wire.Frame
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = idle.Append(buf[:0])
		if err := f.Decode(buf); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(buf)), "bytes/frame")
}

const benched = 1000

func BenchmarkDecode1000(b *testing.B) {
	frame := rumor(benched)
	var f wire.Frame
	b.ReportAllocs()
	for b.Loop() {
		if err := f.Decode(frame); err != nil || len(f.Records) != benched {
			b.Fatal(err)
		}
	}
	perRecord(b)
}

// BenchmarkDecode1000Vmihailenco reads the same frame into the same records
// with the low-level interface of vmihailenco/msgpack, and checks nothing.
func BenchmarkDecode1000Vmihailenco(b *testing.B) {
	frame := rumor(benched)
	in := bytes.NewReader(nil)
	d := msgpack.NewDecoder(in)
	var records []wire.Record
	b.ReportAllocs()
	for b.Loop() {
		in.Reset(frame)
		d.Reset(in)
		var err error
		if records, err = vmihailencoRecords(d, records[:0]); err != nil || len(records) != benched {
			b.Fatal(err)
		}
	}
	perRecord(b)
}

func vmihailencoRecords(d *msgpack.Decoder, records []wire.Record) ([]wire.Record, error) {
	if n, err := d.DecodeArrayLen(); err != nil || n != 2 {
		return nil, io.ErrUnexpectedEOF
	}
	if k, err := d.DecodeUint8(); err != nil || wire.Kind(k) != wire.KindRumor {
		return nil, io.ErrUnexpectedEOF
	}
	n, err := d.DecodeArrayLen()
	if err != nil {
		return nil, err
	}
	for range n {
		var r wire.Record
		if n, err := d.DecodeArrayLen(); err != nil || n != 5 {
			return nil, io.ErrUnexpectedEOF
		}
		set, err := d.DecodeUint8()
		if err != nil {
			return nil, err
		}
		if r.Name, err = d.DecodeString(); err != nil {
			return nil, err
		}
		if r.Stamp, err = d.DecodeInt64(); err != nil {
			return nil, err
		}
		if r.Rank, err = d.DecodeUint8(); err != nil {
			return nil, err
		}
		value, err := d.DecodeRaw()
		if err != nil {
			return nil, err
		}
		r.Set, r.Value = wire.SetID(set), string(value)
		records = append(records, r)
	}
	return records, nil
}

func BenchmarkEncode1000(b *testing.B) {
	var f wire.Frame
	if err := f.Decode(rumor(benched)); err != nil {
		b.Fatal(err)
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = f.Append(buf[:0])
	}
	perRecord(b)
}

func perRecord(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benched, "ns/record")
}
