package wire

// Member is the value of a record in nodes: the msgpack map
// {"a": address, "d": deleted, "e": true}.
type Member struct {
	Address   string // "a": where to dial it, a hint; absent when empty
	Deleted   int64  // "d": stamp of the deletion that this add overruled, Unix microseconds; absent when 0
	Ephemeral bool   // "e": a guest, reaped when gone; absent when false
}

// Presence is the value of a record in up: what a node says of itself.
type Presence struct {
	Address   string   // "a": where it can be dialled; absent when it cannot
	Cordoned  bool     // "c": it is up, but is given nothing new; absent when false
	Ephemeral bool     // "e": it is a guest's; absent when false
	Via       string   // "g": the gateway through which it is reached; absent when dialled
	Instance  Instance // "i": [start, nonce]
	Version   uint8    // "p": the newest protocol version it speaks
	// "r": a durable node is reaped when it was down or left for so many seconds;
	// absent when never.
	ReapAfter uint32
	Tags      []Tag // "t": map, ascending by key; absent when empty
}

// What a node may ask for as its ReapAfter: a minute to ten years.
const (
	LeastReapAfter = 60
	MostReapAfter  = 315_360_000
)

// Tag is one of a node's own labels.
type Tag struct{ Key, Value string }

// Value returns the record value that says m.
func (m Member) Value() string {
	w := writer{make([]byte, 0, 64)}
	w.mapOf(count(m.Address != "", m.Deleted != 0, m.Ephemeral))
	w.keyText('a', m.Address)
	if m.Deleted != 0 {
		w.keyUint('d', uint64(m.Deleted))
	}
	w.keyTrue('e', m.Ephemeral)
	return string(w.b)
}

// ParseMember reads a record value of nodes. It ignores keys it does not know.
func ParseMember(value string) (Member, error) {
	var m Member
	err := m.Parse(value)
	return m, err
}

// Parse is ParseMember into the zero Member; an error leaves it that.
func (m *Member) Parse(value string) error {
	r := reader{s: value}
	k := r.keys("member")
	for {
		key, ok := k.next(&r, "member")
		if !ok {
			break
		}
		switch key {
		case "a":
			m.Address = r.address("member.a")
		case "d":
			m.Deleted = r.later("member.d")
		case "e":
			m.Ephemeral = r.yes("member.e")
		default:
			r.skip("member")
		}
	}
	err := r.valueDone("member")
	if err != nil {
		*m = Member{}
	}
	return err
}

// Value returns the record value that says p. Tags may come in any order; of
// two with one key the later counts.
func (p Presence) Value() string {
	tags := SortTags(p.Tags)
	w := writer{make([]byte, 0, 64)}
	w.mapOf(2 + count(p.Address != "", p.Cordoned, p.Ephemeral, p.Via != "", p.ReapAfter != 0, len(tags) > 0))
	w.keyText('a', p.Address)
	w.keyTrue('c', p.Cordoned)
	w.keyTrue('e', p.Ephemeral)
	w.keyText('g', p.Via)
	w.key('i')
	w.instance(&p.Instance)
	w.keyUint('p', uint64(p.Version))
	if p.ReapAfter != 0 {
		w.keyUint('r', uint64(p.ReapAfter))
	}
	if len(tags) > 0 {
		w.key('t')
		w.tags(tags)
	}
	return string(w.b)
}

// tags writes a map of tags that are sorted.
func (w *writer) tags(tags []Tag) {
	w.mapOf(len(tags))
	for i := range tags {
		w.string(tags[i].Key)
		w.string(tags[i].Value)
	}
}

// SortTags returns tags ascending by key, each there once: of two with one key the
// later counts. It sorts by insertion: they are few, and mostly sorted already.
//
//go:noinline
func SortTags(tags []Tag) []Tag {
	if len(tags) == 0 {
		return nil
	}
	sorted := make([]Tag, 0, len(tags))
	for _, t := range tags {
		i := len(sorted)
		for i > 0 && t.Key <= sorted[i-1].Key {
			i--
		}
		if i == len(sorted) || sorted[i].Key != t.Key {
			sorted = append(sorted, Tag{})
			copy(sorted[i+1:], sorted[i:])
		}
		sorted[i] = t
	}
	return sorted
}

// ParsePresence reads a record value of up. It ignores keys it does not know.
func ParsePresence(value string) (Presence, error) {
	var p Presence
	err := p.Parse(value)
	return p, err
}

// Parse is ParsePresence into the zero Presence; an error leaves it that.
func (p *Presence) Parse(value string) error {
	const i, v = 1, 2
	var seen uint8
	r := reader{s: value}
	k := r.keys("presence")
	for {
		key, ok := k.next(&r, "presence")
		if !ok {
			break
		}
		switch key {
		case "a":
			p.Address = r.address("presence.a")
		case "c":
			p.Cordoned = r.yes("presence.c")
		case "e":
			p.Ephemeral = r.yes("presence.e")
		case "g":
			p.Via = r.name("presence.g")
		case "i":
			p.Instance, seen = r.instance("presence.i"), seen|i
		case "p":
			p.Version, seen = uint8(r.upTo(1, 255, "presence.p")), seen|v
		case "r":
			p.ReapAfter = uint32(r.upTo(LeastReapAfter, MostReapAfter, "presence.r"))
		case "t":
			p.Tags = r.tags("presence.t")
		default:
			r.skip("presence")
		}
	}
	if seen != i|v {
		r.fail(0, ErrShape, "presence", "without one of the keys i, p")
	}
	err := r.valueDone("presence")
	if err != nil {
		*p = Presence{}
	}
	return err
}

func (r *reader) tags(where string) []Tag {
	at := r.i
	k := r.keys(where)
	if k.left == 0 {
		r.fail(at, ErrCanonical, where, "empty; it must be left out")
	}
	tags := make([]Tag, 0, min(k.left, 16))
	for {
		key, ok := k.next(r, where)
		if !ok {
			return tags
		}
		tags = append(tags, Tag{Key: key, Value: r.text(where)})
	}
}

// valueDone ends the reading of a record value.
func (r *reader) valueDone(where string) error {
	if len(r.s) > MaxValue {
		r.fail(MaxValue, ErrTooBig, where, "longer than 4096 bytes")
	}
	return r.done(where)
}
