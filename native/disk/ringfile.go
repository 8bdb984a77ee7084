package disk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc64"
	"math"

	"github.com/nanoring/nanoring/core/wire"
)

// A ring file is a snapshot and, after it, what has changed since, a change at a time:
//
//	magic     8 bytes  "NanoRing"
//	version   2 bytes  big-endian, 2
//	length    8 bytes  big-endian, of the snapshot
//	snapshot  the engine's
//	checksum  8 bytes  big-endian, CRC-64/ECMA of all bytes before
//
//	length    4 bytes  big-endian, of the change
//	change    the engine's
//	checksum  8 bytes  big-endian, CRC-64/ECMA of all bytes of the file before, checksums too
//
// So whatever it ends with, it ends with the checksum of all that comes before. All
// versions to come keep that, the magic and the place of the version: each can tell
// a later one from a damaged one. Version 1 had no changes, and is read.
//
// A CRC is what finds every damage of up to 64 bits in a row, not only nearly
// every one.
const (
	ringMagic    = "NanoRing"
	ringVersion  = 2
	ringHeader   = len(ringMagic) + 2 + 8
	ringOverhead = ringHeader + 8

	changeHeader   = 4
	changeOverhead = changeHeader + 8
)

// What DecodeRingFile finds wrong.
var (
	ErrDamaged = errors.New("damaged ring file")
	ErrForeign = errors.New("it does not begin as a ring file")
	ErrVersion = errors.New("ring file of a newer version")
	ErrCut     = errors.New("the ring file ends within a change") // as a write that the machine's end has cut off
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

// encodeChange makes what follows in a ring file whose bytes have the checksum sum, and
// returns that of all of them.
func encodeChange(change []byte, sum uint64) (b []byte, all uint64) {
	b = make([]byte, 0, changeOverhead+len(change))
	b = binary.BigEndian.AppendUint32(b, uint32(len(change)))
	b = append(b, change...)
	b = binary.BigEndian.AppendUint64(b, crc64.Update(sum, crcTable, b))
	return b, crc64.Update(sum, crcTable, b)
}

// DecodeRingFile returns the snapshot that a ring file's bytes make: the one in it, which
// it shares, with the changes after it. Without one the error is an ErrDamaged, ErrForeign or
// ErrVersion. With one, if not nil, it is an ErrCut or ErrDamaged: something is wrong with a
// change, and the snapshot is what the ring file was before it.
func DecodeRingFile(b []byte) (snapshot []byte, err error) {
	snapshot, log, err := split(b)
	if err != nil || len(log) == 0 {
		return snapshot, err
	}
	changes, err := decodeChanges(log, crc64.Checksum(b[:len(b)-len(log)], crcTable), len(b)-len(log))
	if errors.Is(err, ErrVersion) {
		return nil, err
	}
	if len(changes) == 0 {
		return snapshot, err
	}
	var s wire.Snapshot
	if bad := s.Decode(snapshot); bad != nil {
		return snapshot, fmt.Errorf("%w: changes follow what is no snapshot: %w", ErrDamaged, bad)
	}
	s.Fold(changes)
	return s.Append(nil), err
}

// split returns what a ring file begins with, and the changes after it.
func split(b []byte) (snapshot, log []byte, err error) {
	begins := bytes.HasPrefix([]byte(ringMagic), b[:min(len(b), len(ringMagic))])
	if len(b) < ringOverhead {
		if !begins {
			return nil, nil, ErrForeign
		}
		return nil, nil, fmt.Errorf("%w: cut off after %d bytes", ErrDamaged, len(b))
	}
	version, n := binary.BigEndian.Uint16(b[len(ringMagic):]), binary.BigEndian.Uint64(b[len(ringMagic)+2:])
	known := version == 1 || version == ringVersion
	end := len(b) - 8 // of what the checksum is of
	if known && n < uint64(end-ringHeader) {
		end = ringHeader + int(n)
	}
	sum := crc64.Update(crc64.Checksum([]byte(ringMagic), crcTable), crcTable, b[len(ringMagic):end])
	whole := sum == binary.BigEndian.Uint64(b[end:])
	snapshot, log = b[ringHeader:end], b[end+8:]
	switch {
	case !begins && !whole:
		return nil, nil, ErrForeign
	case !begins:
		return nil, nil, fmt.Errorf("%w: only its first %d bytes do not match", ErrDamaged, len(ringMagic))
	case !whole && known && n > uint64(end-ringHeader):
		return nil, nil, fmt.Errorf("%w: cut off after %d bytes, or its checksum does not match", ErrDamaged, len(b))
	case !whole:
		return nil, nil, fmt.Errorf("%w: its checksum does not match", ErrDamaged)
	case !known:
		return nil, nil, fmt.Errorf("%w: %d, and this program knows %d: take the version that wrote it, or a later one", ErrVersion, version, ringVersion)
	case n != uint64(len(snapshot)) || version == 1 && len(log) > 0:
		return nil, nil, fmt.Errorf("%w: it says %d bytes and has %d", ErrDamaged, n, len(snapshot)+len(log))
	}
	return snapshot, log, nil
}

// Later says whether a snapshot or a change, whose checksum is right, could not be decoded since a later
// version wrote it. What it has that this one does not know would be lost if this one wrote the next, so
// it is neither damaged, nor anything that the generation before could stand in for.
func Later(err error) bool {
	var bad *wire.Error
	return errors.As(err, &bad) && (bad.Class == wire.ErrVersion || bad.Class == wire.ErrShape && bad.Where == "snapshot.more")
}

// decodeChanges reads the changes in a ring file, which begin at a place in it, after
// bytes that have the checksum sum. The error is of the first that is not whole.
func decodeChanges(log []byte, sum uint64, at int) (changes []wire.Change, err error) {
	for len(log) > 0 {
		n := uint64(math.MaxUint32)
		if len(log) >= changeHeader {
			n = uint64(binary.BigEndian.Uint32(log))
		}
		if uint64(len(log)) < changeOverhead+n {
			return changes, fmt.Errorf("%w: of the last %d bytes, from byte %d, nothing can be read", ErrCut, len(log), at)
		}
		end := changeHeader + int(n)
		if crc64.Update(sum, crcTable, log[:end]) != binary.BigEndian.Uint64(log[end:]) {
			return changes, fmt.Errorf("%w: the checksum at byte %d does not match: of the last %d bytes, from byte %d, nothing can be read", ErrDamaged, at+end, len(log), at)
		}
		var c wire.Change
		if err := c.Decode(log[changeHeader:end]); Later(err) {
			return nil, fmt.Errorf("%w: the change at its byte %d: %w: take the version that wrote it, or a later one", ErrVersion, at, err)
		} else if err != nil {
			return changes, fmt.Errorf("%w: what it says at byte %d is no change: %w: nothing is taken of the last %d bytes", ErrDamaged, at, err, len(log))
		}
		changes = append(changes, c)
		sum = crc64.Update(sum, crcTable, log[:end+8])
		at, log = at+end+8, log[end+8:]
	}
	return changes, nil
}
