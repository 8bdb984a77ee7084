package lww

import "sync"

// Interner lets the sets of many replicas in one process share records that are
// the same, with what was parsed of them: thousands of replicas of thousands of
// elements fit a simulation then. It remembers the last few operations on each
// element; an older one is made anew. The zero Interner is ready, for goroutines
// that share it.
type Interner struct {
	parts [parts]part
}

// parts of the elements have a lock each, so that goroutines hardly ever wait.
const parts = 64

type part struct {
	sync.Mutex
	last map[string]*latest
}

// remembered is how many operations on an element are: as many as replicas that
// have not heard of each other for a while may hold.
const remembered = 4

type latest struct {
	records [remembered]*Record
	next    uint8 // its place is taken by the next
}

// of returns the part that an element is in, by the end of its name, which differs most.
func (in *Interner) of(name string) *part {
	h := uint32(len(name))
	for i := max(0, len(name)-4); i < len(name); i++ {
		h = h*31 + uint32(name[i])
	}
	return &in.parts[h%parts]
}

// Get returns the record of that operation, or nil if it is not remembered.
func (in *Interner) Get(name string, stamp int64, rank uint8, value string) *Record {
	p := in.of(name)
	p.Lock()
	defer p.Unlock()
	return p.last[name].get(stamp, rank, value)
}

func (l *latest) get(stamp int64, rank uint8, value string) *Record {
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
	p := in.of(r.Name)
	p.Lock()
	defer p.Unlock()
	l := p.last[r.Name]
	if same := l.get(r.Stamp, r.Rank, r.Value); same != nil {
		return same
	}
	if l == nil {
		if p.last == nil {
			p.last = make(map[string]*latest)
		}
		l = new(latest)
		p.last[r.Name] = l
	}
	l.records[l.next] = r
	l.next = (l.next + 1) % remembered
	return r
}
