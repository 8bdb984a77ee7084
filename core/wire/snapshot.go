package wire

import "strconv"

// SnapshotVersion is that of snapshots, which never cross the wire.
const SnapshotVersion = 1

// Snapshot is what of a ring survives a restart, or goes on in a takeover.
type Snapshot struct {
	Ring, Name  string
	Wall        int64 // its writer's clock, Unix microseconds
	LastContact int64 // Unix microseconds, 0 for never
	Records     []Record
	Due         []Record // of a takeover alone: see docs/protocol.md
}

// Append appends the snapshot's encoding: [1, ring, name, wall, last contact, records],
// and what is due, if anything.
func (s *Snapshot) Append(dst []byte) []byte {
	w := writer{dst}
	w.array(6 + min(len(s.Due), 1))
	w.uint(SnapshotVersion)
	w.string(s.Ring)
	w.string(s.Name)
	w.uint(uint64(s.Wall))
	w.uint(uint64(s.LastContact))
	w.records(s.Records)
	if len(s.Due) > 0 {
		w.records(s.Due)
	}
	return w.b
}

// Decode makes s the snapshot that b is the encoding of, however long: what was
// written has to be read. s.Records is used again; the strings share one copy of
// b. After an error, which is always an *Error, s is empty.
func (s *Snapshot) Decode(b []byte) error {
	*s = Snapshot{Records: s.Records[:0]}
	r := reader{s: string(b)}
	r.snapshot(s)
	err := r.done("snapshot")
	if err != nil {
		*s = Snapshot{Records: s.Records[:0]}
	}
	return err
}

func (r *reader) snapshot(s *Snapshot) {
	at := r.i
	n := r.array("snapshot")
	versionAt := r.i
	if v := r.uint("snapshot.version"); r.err == nil && v != SnapshotVersion {
		r.fail(versionAt, ErrVersion, "snapshot.version",
			"this is version "+strconv.FormatUint(v, 10)+", and only version 1 is understood here")
	}
	if r.err == nil && n != 6 && n != 7 {
		r.fail(at, ErrShape, "snapshot", "an array of another length than it has")
	}
	s.Ring = r.name("snapshot.ring")
	s.Name = r.name("snapshot.name")
	s.Wall = r.time("snapshot.wall")
	s.LastContact = r.time("snapshot.last")
	s.Records = r.records(s.Records)
	if n == 7 {
		dueAt := r.i
		if s.Due = r.records(nil); len(s.Due) == 0 {
			r.fail(dueAt, ErrCanonical, "snapshot.due", "empty; it must be left out")
		}
	}
}
