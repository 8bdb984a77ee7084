package native

import "slices"

// What is kept of what was heard, for who comes back.
const (
	mostRecent      = 1024
	mostRecentBytes = 4 << 20
)

// recent is what was heard lately, the numbers ascending by one.
type recent struct {
	list  []*Message
	bytes int
	last  uint64 // the number of the last one
}

// add gives a message its number, and keeps it.
func (r *recent) add(m *Message) {
	r.last++
	m.Seq = r.last
	r.list = append(r.list, m)
	r.bytes += len(m.Payload)
	drop := 0
	for ; len(r.list)-drop > mostRecent || r.bytes > mostRecentBytes; drop++ {
		r.bytes -= len(r.list[drop].Payload)
		r.list[drop] = nil
	}
	if r.list = r.list[drop:]; cap(r.list) < mostRecent/8 {
		r.list = slices.Grow(r.list, mostRecent)
	}
}

// tellSince tells what came after a number, as far as it is known, and says whether
// that is all.
func (r *recent) tellSince(seq uint64, tell func(*Message)) bool {
	if seq > r.last {
		return false
	}
	from := len(r.list) - int(min(r.last-seq, 2*mostRecent))
	for _, m := range r.list[max(from, 0):] {
		tell(m)
	}
	return from >= 0
}
