package disk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc64"
)

// A ring file is
//
//	magic     8 bytes  "NanoRing"
//	version   2 bytes  big-endian, 1
//	length    8 bytes  big-endian, of the snapshot
//	snapshot  the engine's; opaque here
//	checksum  8 bytes  big-endian, CRC-64/ECMA of all bytes before
//
// A CRC is what finds every damage of up to 64 bits in a row, not only nearly
// every one. All versions to come keep the magic, the place of the version and
// the checksum at the end.
const (
	ringMagic    = "NanoRing"
	ringVersion  = 1
	ringHeader   = len(ringMagic) + 2 + 8
	ringOverhead = ringHeader + 8
)

// What DecodeRingFile finds wrong.
var (
	ErrDamaged = errors.New("damaged ring file")
	ErrForeign = errors.New("it does not begin as a ring file")
	ErrVersion = errors.New("ring file of a newer version")
)

var crcTable = crc64.MakeTable(crc64.ECMA)

// EncodeRingFile makes the bytes of a ring file of an engine's snapshot.
func EncodeRingFile(snapshot []byte) []byte {
	b := make([]byte, 0, ringOverhead+len(snapshot))
	b = append(b, ringMagic...)
	b = binary.BigEndian.AppendUint16(b, ringVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(len(snapshot)))
	b = append(b, snapshot...)
	return binary.BigEndian.AppendUint64(b, crc64.Checksum(b, crcTable))
}

// DecodeRingFile returns the snapshot in a ring file's bytes, which it shares.
// The error is an ErrDamaged, ErrForeign or ErrVersion.
func DecodeRingFile(b []byte) (snapshot []byte, err error) {
	magic := b[:min(len(b), len(ringMagic))]
	begins := bytes.HasPrefix([]byte(ringMagic), magic)
	if len(b) < ringOverhead {
		if !begins {
			return nil, ErrForeign
		}
		return nil, fmt.Errorf("%w: cut off after %d bytes", ErrDamaged, len(b))
	}
	body, sum := b[:len(b)-8], binary.BigEndian.Uint64(b[len(b)-8:])
	check := crc64.Update(crc64.Checksum([]byte(ringMagic), crcTable), crcTable, body[len(ringMagic):])
	switch {
	case begins && check != sum:
		return nil, fmt.Errorf("%w: its checksum does not match", ErrDamaged)
	case !begins && check != sum:
		return nil, ErrForeign
	case !begins:
		return nil, fmt.Errorf("%w: only its first %d bytes do not match", ErrDamaged, len(ringMagic))
	}
	if v := binary.BigEndian.Uint16(b[len(ringMagic):]); v != ringVersion {
		return nil, fmt.Errorf("%w: %d, and this program knows %d", ErrVersion, v, ringVersion)
	}
	snapshot = body[ringHeader:]
	if n := binary.BigEndian.Uint64(b[len(ringMagic)+2:]); n != uint64(len(snapshot)) {
		return nil, fmt.Errorf("%w: it says %d bytes and has %d", ErrDamaged, n, len(snapshot))
	}
	return snapshot, nil
}
