package lww

// Interner lets the sets of many replicas in one process share records that are
// the same, with what was parsed of them: thousands of replicas of thousands of
// elements fit a simulation then. It remembers the last few operations on each
// element; an older one is made anew. The zero Interner is ready. It is for one
// goroutine, as its sets are.
type Interner struct {
	last map[string]*latest
}

// remembered is how many operations on an element are: as many as replicas that
// have not heard of each other for a while may hold.
const remembered = 4

type latest struct {
	records [remembered]*Record
	next    uint8 // its place is taken by the next
}

// Get returns the record of that operation, or nil if it is not remembered.
func (in *Interner) Get(name string, stamp int64, rank uint8, value string) *Record {
	l := in.last[name]
	if l == nil {
		return nil
	}
	for _, r := range l.records {
		if r != nil && r.Stamp == stamp && r.Rank == rank && r.Value == value {
			return r
		}
	}
	return nil
}

// Add returns the record that is remembered of the same operation; if there is
// none, r, which is remembered from now on. r.Parsed must be set by then.
func (in *Interner) Add(r *Record) *Record {
	if same := in.Get(r.Name, r.Stamp, r.Rank, r.Value); same != nil {
		return same
	}
	l := in.last[r.Name]
	if l == nil {
		if in.last == nil {
			in.last = make(map[string]*latest)
		}
		l = new(latest)
		in.last[r.Name] = l
	}
	l.records[l.next] = r
	l.next = (l.next + 1) % remembered
	return r
}
