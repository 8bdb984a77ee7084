package disk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc64"
	"testing"
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
	if _, err := DecodeRingFile(append(file, 0)); !errors.Is(err, ErrDamaged) {
		t.Fatalf("a byte more: %v", err)
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

func known(err error) bool {
	return errors.Is(err, ErrDamaged) || errors.Is(err, ErrForeign) || errors.Is(err, ErrVersion)
}

func FuzzDecodeRingFile(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte(ringMagic))
	f.Add(EncodeRingFile(nil))
	f.Add(EncodeRingFile([]byte("snapshot")))
	f.Add(newerRing())
	f.Fuzz(func(t *testing.T, b []byte) {
		snapshot, err := DecodeRingFile(b)
		if err != nil {
			if !known(err) {
				t.Fatalf("an error of no class: %v", err)
			}
			return
		}
		if !bytes.Equal(EncodeRingFile(snapshot), b) {
			t.Fatal("two files for one snapshot")
		}
	})
}
