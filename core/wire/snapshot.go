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
	Due         []Record // "d", of a takeover alone: see docs/protocol.md
	Tags        []Tag    // "t": its own that were set while it ran, ascending by key
	Cordoned    bool     // "c": it is, until an operator says otherwise
	IDs         []RingID // "i": of the ring, ascending; none of one that was never with another
	News        News     // "m", of a takeover alone: messages
}

// Append appends the snapshot's encoding: [1, ring, name, wall, last contact, records],
// and a map of what else there is, if anything.
func (s *Snapshot) Append(dst []byte) []byte {
	w := writer{dst}
	more := s.more()
	w.array(6 + min(more, 1))
	w.uint(SnapshotVersion)
	w.string(s.Ring)
	w.string(s.Name)
	w.uint(uint64(s.Wall))
	w.uint(uint64(s.LastContact))
	w.records(s.Records)
	if more > 0 {
		s.appendMore(&w, more)
	}
	return w.b
}

// more returns how much there is that is no record.
//
//go:noinline
func (s *Snapshot) more() int {
	return count(s.Cordoned, len(s.Due) > 0, len(s.IDs) > 0, len(s.News.Notes) > 0, len(s.Tags) > 0)
}

//go:noinline
func (s *Snapshot) appendMore(w *writer, more int) {
	w.mapOf(more)
	w.keyTrue('c', s.Cordoned)
	if len(s.Due) > 0 {
		w.key('d')
		w.records(s.Due)
	}
	if len(s.IDs) > 0 {
		w.key('i')
		w.ids(s.IDs)
	}
	if len(s.News.Notes) > 0 {
		w.key('m')
		w.news(&s.News)
	}
	if len(s.Tags) > 0 {
		w.key('t')
		w.tags(s.Tags)
	}
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
	r.version("snapshot.version")
	if r.err == nil && n != 6 && n != 7 {
		r.fail(at, ErrShape, "snapshot", "an array of another length than it has")
	}
	s.Ring = r.name("snapshot.ring")
	s.Name = r.name("snapshot.name")
	s.Wall = r.time("snapshot.wall")
	s.LastContact = r.time("snapshot.last")
	s.Records = r.records(s.Records)
	if n == 7 {
		if at = r.i; r.more(s) == 0 {
			r.fail(at, ErrCanonical, "snapshot.more", "empty; it must be left out")
		}
	}
}

func (r *reader) version(where string) {
	at := r.i
	if v := r.uint(where); r.err == nil && v != SnapshotVersion {
		r.fail(at, ErrVersion, where, "this is version "+strconv.FormatUint(v, 10)+", and only version 1 is understood here")
	}
}

// more reads what a snapshot has that is no record, and returns of how many keys.
func (r *reader) more(s *Snapshot) int {
	k := r.keys("snapshot.more")
	n := k.left
	for {
		key, ok := k.next(r, "snapshot.more")
		if !ok {
			return n
		}
		switch at := r.i; key {
		case "c":
			s.Cordoned = r.yes("snapshot.cordoned")
		case "d":
			if s.Due = r.records(nil); len(s.Due) == 0 {
				r.fail(at, ErrCanonical, "snapshot.due", "empty; it must be left out")
			}
		case "i":
			s.IDs = r.ids("snapshot.ids")
		case "m":
			if r.news(&s.News); len(s.News.Notes) == 0 {
				r.fail(at, ErrCanonical, "snapshot.news", "empty; it must be left out")
			}
		case "t":
			s.Tags = r.tags("snapshot.tags")
		default: // what is not understood would be lost when it is written next
			r.fail(at, ErrShape, "snapshot.more", "a key that this version does not have")
		}
	}
}
