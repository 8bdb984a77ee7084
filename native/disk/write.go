package disk

import (
	"errors"
	"fmt"
	"hash/crc64"
	"io/fs"
	"math"
	"os"

	"github.com/nanoring/nanoring/core/wire"
)

// leastLog is how long changes may get in any case before they are folded in: a ring file of
// few nodes would be replaced at every third one.
const leastLog = 4 << 10

// Usage is how much is, and was, written.
type Usage struct {
	Size    int64  // of the ring file; 0 before it is written
	Written uint64 // bytes of all ring files, and changes to them
}

// Usage is for the goroutine that writes.
func (f *Folder) Usage() Usage { return Usage{f.size, f.written} }

// Write makes a snapshot the newest: it replaces the ring file. Whenever the machine
// stops, ring or ring.prev is whole.
func (f *Folder) Write(snapshot []byte) error {
	b := EncodeRingFile(snapshot)
	f.size = 0 // whatever is there then
	if err := f.replace(ringName, b, f.keepPrevious); err != nil {
		return err
	}
	f.size, f.first = int64(len(b)), int64(len(b))
	f.sum = crc64.Checksum(b, crcTable)
	f.written += uint64(len(b))
	return nil
}

// Append writes what an engine says has changed of what was written last: after it, in one
// write, or, if there is as much of that by now as of the snapshot, folded in, as a new one. After
// an error the next has to be a Write: of what is on disk nobody knows then.
func (f *Folder) Append(change []byte) error {
	size := f.size
	f.size = 0
	switch err := new(wire.Change).Decode(change); {
	case size == 0:
		return errors.New("nothing was written that a change could follow")
	case err != nil: // it could not be read back
		return fmt.Errorf("the engine says nonsense of what has changed: %w", err)
	case uint64(len(change)) > math.MaxUint32:
		return errors.New("a change of over 4 GiB")
	}
	if size-f.first+int64(len(change))+changeOverhead > max(f.first, leastLog) {
		return f.fold(size, change)
	}
	b, sum := encodeChange(change, f.sum)
	if err := f.extend(ringName, size, b); err != nil {
		return err
	}
	f.size, f.sum = size+int64(len(b)), sum
	f.written += uint64(len(b))
	return nil
}

// fold makes a new ring file of what is in the one that is there, and a change.
func (f *Folder) fold(size int64, change []byte) error {
	b, err := os.ReadFile(f.path(ringName))
	if err == nil && int64(len(b)) != size {
		err = errChanged
	}
	var snapshot []byte
	if err == nil {
		added, _ := encodeChange(change, f.sum)
		snapshot, err = DecodeRingFile(append(b, added...))
	}
	if err != nil {
		return fmt.Errorf("cannot read back what was written: %w", err)
	}
	return f.Write(snapshot)
}

var errChanged = errors.New("somebody else has changed it")

// keepPrevious makes ring.prev another name of ring.
func (f *Folder) keepPrevious() error {
	linked, err := f.keep(prevName)
	switch {
	case linked || err == nil:
		return err
	case errors.Is(err, fs.ErrNotExist):
		return nil // the first write, or ring was found damaged: ring.prev stays
	}
	return f.rename(ringName, prevName) // a file system without links; a start without ring takes ring.prev
}

// keep makes another name one of ring's, too, and says whether the file system has links. It
// does so by a rename, so that there is no moment without a file of that name.
func (f *Folder) keep(as string) (linked bool, err error) {
	link := "." + as
	os.Remove(f.path(link))
	if err := f.link(ringName, link); err != nil {
		return false, err
	}
	defer os.Remove(f.path(link)) // still there if both were one file already
	return true, f.rename(link, as)
}
