package lww

// Interner lets the sets of many replicas in one process share records that are
// the same, with what was parsed of them: thousands of replicas of thousands of
// elements fit a simulation then. It remembers the last few operations on each
// element; an older one is made anew. The zero Interner is ready, for one goroutine.
type Interner struct {
	parts [parts]part
}

// parts of the elements have a lock each, so that goroutines hardly ever wait.
const parts = 64

type part struct {
	lock Locker // nil for one goroutine
	last map[string]*latest
}

// Locker is a sync.Mutex, which replicas do without.
type Locker interface {
	Lock()
	Unlock()
}

// Share makes it one for many goroutines. It is for before it is used.
func (in *Interner) Share(lock func() Locker) {
	for i := range in.parts {
		in.parts[i].lock = lock()
	}
}

// take returns the part that an element is in, for the caller alone until it is given back.
func (in *Interner) take(name string) *part {
	p := in.of(name)
	if p.lock != nil {
		p.lock.Lock()
	}
	return p
}

func (p *part) give() {
	if p.lock != nil {
		p.lock.Unlock()
	}
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
	p := in.take(name)
	defer p.give()
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
	p := in.take(r.Name)
	defer p.give()
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
