package disk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc64"
	"strings"
	"testing"

	"github.com/nanoring/nanoring/core/wire"
)

func TestRingFileRoundTrip(t *testing.T) {
	for _, snapshot := range []string{"", "x", "the whole ring"} {
		got, err := DecodeRingFile(EncodeRingFile([]byte(snapshot)))
		if err != nil || string(got) != snapshot {
			t.Errorf("%q comes back as %q, %v", snapshot, got, err)
		}
	}
}

func TestRingFileEveryChange(t *testing.T) {
	file := EncodeRingFile(bytes.Repeat([]byte("snapshot"), 20))
	for i := range file {
		for flip := 1; flip < 256; flip++ {
			file[i] ^= byte(flip)
			if _, err := DecodeRingFile(file); !known(err) {
				t.Fatalf("byte %d xor %#x: %v", i, flip, err)
			}
			file[i] ^= byte(flip)
		}
	}
}

func TestRingFileEveryTruncation(t *testing.T) {
	file := EncodeRingFile(bytes.Repeat([]byte("snapshot"), 20))
	for i := range file {
		if _, err := DecodeRingFile(file[:i]); !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut off at %d: %v", i, err)
		}
	}
	if snapshot, err := DecodeRingFile(append(file, 0)); !errors.Is(err, ErrCut) || len(snapshot) != 160 {
		t.Fatalf("a byte more: %v", err)
	}
}

// TestRingFileOfBefore: what a node wrote that knew of no changes is read, and has none.
func TestRingFileOfBefore(t *testing.T) {
	file := ofVersion(1, "snapshot")
	if snapshot, err := DecodeRingFile(file); err != nil || string(snapshot) != "snapshot" {
		t.Fatalf("%q, %v", snapshot, err)
	}
	added, _ := encodeChange(new(wire.Change).Append(nil), crc64.Checksum(file, crcTable))
	if _, err := DecodeRingFile(append(file, added...)); !errors.Is(err, ErrDamaged) {
		t.Errorf("with a change: %v", err)
	}
}

// ofVersion is a ring file as a program writes it that knows another version.
func ofVersion(version uint16, snapshot string) []byte {
	b := binary.BigEndian.AppendUint16([]byte(ringMagic), version)
	b = binary.BigEndian.AppendUint64(b, uint64(len(snapshot)))
	b = append(b, snapshot...)
	return binary.BigEndian.AppendUint64(b, crc64.Checksum(b, crcTable))
}

// TestRingFileOfLater: a program that knows a version less says of each state of a ring
// file with changes that it is of a newer version: it ends with the checksum of all before.
func TestRingFileOfLater(t *testing.T) {
	file := ofVersion(ringVersion+1, "snapshot")
	for range 3 {
		if _, err := DecodeRingFile(file); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "3, and this program knows 2") {
			t.Fatal(err)
		}
		added, _ := encodeChange([]byte("whatever"), crc64.Checksum(file, crcTable))
		file = append(file, added...)
	}
}

// What begins otherwise, but has the checksum of a ring file, is one.
func TestRingFileDamagedBeginning(t *testing.T) {
	for i := range ringMagic {
		file := EncodeRingFile([]byte("snapshot"))
		file[i] ^= 1
		if _, err := DecodeRingFile(file); !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d: %v", i, err)
		}
	}
}

func TestRingFileOfOthers(t *testing.T) {
	for _, b := range []string{"hello, world", "#!/bin/sh\n", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"} {
		if _, err := DecodeRingFile([]byte(b)); !errors.Is(err, ErrForeign) {
			t.Errorf("%q: %v", b, err)
		}
	}
	if _, err := DecodeRingFile(newerRing()); !errors.Is(err, ErrVersion) {
		t.Errorf("a newer version: %v", err)
	}
}

// newerRing is a ring file as a later version may write it.
func newerRing() []byte {
	b := binary.BigEndian.AppendUint16([]byte(ringMagic), ringVersion+1)
	b = append(b, "something else altogether"...)
	return binary.BigEndian.AppendUint64(b, crc64.Checksum(b, crcTable))
}

// newerChange is a ring file of this version, which a later one has gone on with: its last change has a key of its own.
func newerChange() []byte {
	b := EncodeRingFile((&wire.Snapshot{Ring: "red", Name: "dev1"}).Append(nil))
	change, _ := encodeChange([]byte("\x96\x01\x02\x01\x90\x90\x81\xa1z\xc3"), crc64.Checksum(b, crcTable))
	return append(b, change...)
}

func known(err error) bool {
	return errors.Is(err, ErrDamaged) || errors.Is(err, ErrForeign) || errors.Is(err, ErrVersion) || errors.Is(err, ErrCut)
}

func FuzzDecodeRingFile(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte(ringMagic))
	f.Add(EncodeRingFile(nil))
	f.Add(EncodeRingFile([]byte("snapshot")))
	f.Add(newerRing())
	f.Add(ofVersion(1, "snapshot"))
	two := new(history).begin(wire.Snapshot{Ring: "r", Name: "n", Records: []wire.Record{node("n", 1)}})
	two.change(wire.Change{Wall: 2, Records: []wire.Record{node("m", 2)}, Gone: []wire.Record{{Name: "n", Value: wire.GoneValue}}})
	two.change(wire.Change{Wall: 3, Rest: &wire.Snapshot{Cordoned: true}})
	f.Add(two.file)
	f.Add(two.file[:len(two.file)-3])
	f.Fuzz(func(t *testing.T, b []byte) {
		snapshot, err := DecodeRingFile(b)
		switch {
		case err != nil && !known(err):
			t.Fatalf("an error of no class: %v", err)
		case (snapshot == nil) != (err != nil) && !(snapshot != nil && (errors.Is(err, ErrCut) || errors.Is(err, ErrDamaged))):
			t.Fatalf("a snapshot of %d bytes, and %v", len(snapshot), err)
		case snapshot == nil:
			return
		}
		if again, err := DecodeRingFile(EncodeRingFile(snapshot)); err != nil || !bytes.Equal(again, snapshot) {
			t.Fatalf("put into a ring file it is %x, %v", again, err)
		}
	})
}
