package wire

// A Change is what of a snapshot is another than it was.
type Change struct {
	Wall, LastContact int64
	Records           []Record  // each in the place of that of its set and name
	Gone              []Record  // those of their sets and names are no more: of stamp and rank 0, and GoneValue
	Rest              *Snapshot // its Tags, Cordoned and IDs, if one of them is another; else nil
}

// GoneValue is the value of a record that says that there is none: an empty map.
const GoneValue = "\x80"

// Append appends the change's encoding: [1, wall, last contact, records, gone], and the
// map of the snapshot, empty or not, if that is another.
func (c *Change) Append(dst []byte) []byte {
	w := writer{dst}
	n := 5
	if c.Rest != nil {
		n = 6
	}
	w.array(n)
	w.uint(SnapshotVersion)
	w.uint(uint64(c.Wall))
	w.uint(uint64(c.LastContact))
	w.records(c.Records)
	w.records(c.Gone)
	if c.Rest != nil {
		c.Rest.appendMore(&w, c.Rest.more())
	}
	return w.b
}

// Decode makes c the change that b is the encoding of, however long. The strings share
// one copy of b. After an error, which is always an *Error, c is empty.
func (c *Change) Decode(b []byte) error {
	*c = Change{}
	r := reader{s: string(b)}
	r.change(c)
	err := r.done("change")
	if err != nil {
		*c = Change{}
	}
	return err
}

func (r *reader) change(c *Change) {
	at := r.i
	n := r.array("change")
	r.version("change.version")
	if r.err == nil && n != 5 && n != 6 {
		r.fail(at, ErrShape, "change", "an array of another length than it has")
	}
	c.Wall = r.time("change.wall")
	c.LastContact = r.time("change.last")
	c.Records = r.records(nil)
	at = r.i
	c.Gone = r.records(nil)
	for i := range c.Gone {
		if g := &c.Gone[i]; g.Stamp != 0 || g.Rank != 0 || g.Value != GoneValue {
			r.fail(at, ErrCanonical, "change.gone", "a record of which more than its set and name is said")
		}
	}
	if r.err == nil && n == 6 {
		c.Rest = new(Snapshot)
		at = r.i
		r.more(c.Rest)
		if len(c.Rest.Due)+len(c.Rest.News.Notes) > 0 {
			r.fail(at, ErrShape, "change.rest", "a key that a change does not have")
		}
	}
}

// Fold makes s what it is after changes, in their order.
func (s *Snapshot) Fold(changes []Change) {
	type key struct {
		set  SetID
		name string
	}
	at := make(map[key]int, len(s.Records))
	for i := range s.Records {
		at[key{s.Records[i].Set, s.Records[i].Name}] = i
	}
	gone := make(map[int]bool)
	for i := range changes {
		c := &changes[i]
		s.Wall, s.LastContact = c.Wall, c.LastContact
		for _, g := range c.Gone {
			k := key{g.Set, g.Name}
			if i, there := at[k]; there {
				gone[i] = true
				delete(at, k)
			}
		}
		for _, rec := range c.Records {
			k := key{rec.Set, rec.Name}
			i, there := at[k]
			if !there {
				i = len(s.Records)
				at[k] = i
				s.Records = append(s.Records, Record{})
			}
			s.Records[i] = rec
		}
		if c.Rest != nil {
			s.Tags, s.Cordoned, s.IDs = c.Rest.Tags, c.Rest.Cordoned, c.Rest.IDs
		}
	}
	var sets [Up + 1][]Record // those of nodes come first
	for i := range s.Records {
		if !gone[i] {
			sets[s.Records[i].Set] = append(sets[s.Records[i].Set], s.Records[i])
		}
	}
	s.Records = append(sets[Nodes], sets[Up]...)
}
