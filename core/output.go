package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/wire"
)

// mostRoom is how many times the room that the longest step of a round took is kept when the round
// is over: where long steps come again and again what they grew to is used again.
const mostRoom = 4

// output is what a step has to say. Its memory is used again by the next one.
type output struct {
	effects []Effect
	events  []Event           // of effects
	results []Event           // follow the step's Dirty
	buf     []byte            // holds the frames of the effects
	joiners map[string]*Event // of events: of names that were no members before
	told    map[string]int64  // when an event of its kind was last emitted: see emitRarely
	seq     uint64            // of frames that want an answer

	most      int  // bytes of frames that a step had since the last round,
	mostSaid  int  // and effects
	roundOver bool // that begins a round
}

// begin starts a step.
func (o *output) begin() {
	clear(o.events) // lets go of what they refer to
	clear(o.effects)
	clear(o.joiners)
	o.most, o.mostSaid = max(o.most, len(o.buf)), max(o.mostSaid, len(o.effects))
	if o.roundOver {
		o.shrink()
	}
	o.effects, o.events, o.results, o.buf = o.effects[:0], o.events[:0], o.results[:0], o.buf[:0]
}

// shrink lets go of what no step of the round that is over had a use for: of thousands of
// engines in one process most are idle.
func (o *output) shrink() {
	if cap(o.buf) > mostRoom*o.most {
		o.buf = nil
	}
	if cap(o.effects) > mostRoom*o.mostSaid {
		o.effects, o.results, o.joiners = nil, nil, make(map[string]*Event)
	}
	if cap(o.events) > mostRoom*o.mostSaid {
		o.events = nil
	}
	o.most, o.mostSaid, o.roundOver = 0, 0, false
}

// end says what was answered, and that the snapshot has changed if dirty is not 0.
func (o *output) end(dirty uint64) {
	if dirty != 0 {
		o.effect(Dirty).Seq = dirty
	}
	for i := range o.results {
		*o.event(EventResult) = o.results[i]
	}
}

// haltLast puts Halt behind all other effects: the runtime stops there.
func (o *output) haltLast() {
	i := 0
	for o.effects[i].Kind != Halt {
		i++
	}
	halt := o.effects[i]
	copy(o.effects[i:], o.effects[i+1:])
	o.effects[len(o.effects)-1] = halt
}

func (o *output) nextSeq() uint64 {
	o.seq++
	return o.seq
}

func (o *output) send(c *conn, f *wire.Frame) {
	start := len(o.buf)
	o.buf = f.Append(o.buf)
	o.sendBytes(c, o.buf[start:len(o.buf):len(o.buf)])
}

//go:noinline
func (o *output) sendBytes(c *conn, frame []byte) {
	e := o.effect(Send)
	e.Conn, e.Frame = c.id, frame
	if wire.Kind(frame[1]) != wire.KindTook { // else who answers would be owed by answering
		c.owes(1)
	}
}

//go:noinline
func (o *output) probe(c *conn, seq uint64) {
	o.send(c, &wire.Frame{Kind: wire.KindProbe, Seq: seq})
}

//go:noinline
func (o *output) rumor(c *conn, records ...wire.Record) {
	o.send(c, &wire.Frame{Kind: wire.KindRumor, Records: records})
}

// sendDigests sends digests of records, if there are any.
//
//go:noinline
func (o *output) sendDigests(c *conn, kind wire.Kind, all []uint64) {
	for ; len(all) > wire.MaxDigests; all = all[wire.MaxDigests:] {
		o.send(c, &wire.Frame{Kind: kind, Digests: all[:wire.MaxDigests]})
	}
	if len(all) > 0 {
		o.send(c, &wire.Frame{Kind: kind, Digests: all})
	}
}

// relayed is a frame that gateways and helpers forward.
//
//go:noinline
func relayed(from, to string, hops uint8, inner string) []byte {
	return (&wire.Frame{Kind: wire.KindRelay, From: from, To: to, Hops: hops, Inner: inner}).Append(nil)
}

//go:noinline
func probeFrame(seq uint64) []byte {
	return (&wire.Frame{Kind: wire.KindProbe, Seq: seq}).Append(nil)
}

// hangUp has the runtime close a connection.
//
//go:noinline
func (o *output) hangUp(id ConnID, code wire.Code, text string) {
	e := o.effect(Close)
	e.Conn, e.Code, e.Text = id, code, text
}

// effect adds an effect that the caller has yet to fill.
//
//go:noinline
func (o *output) effect(kind EffectKind) *Effect {
	if n := len(o.effects); n < cap(o.effects) {
		o.effects = o.effects[:n+1] // which begin has cleared
	} else {
		o.effects = append(o.effects, Effect{})
	}
	e := &o.effects[len(o.effects)-1]
	e.Kind = kind
	return e
}

// event emits an event that the caller has yet to fill.
//
//go:noinline
func (o *output) event(kind EventKind) *Event {
	if n := len(o.events); n < cap(o.events) {
		o.events = o.events[:n+1] // which begin has cleared
	} else {
		o.events = make([]Event, 1, max(2*n, 4)) // what it grows out of stays where it is: effects refer to it
	}
	e := &o.events[len(o.events)-1]
	e.Kind = kind
	o.effect(Emit).Event = e
	return e
}

// tell emits what became of a name. Of one that joins it tells once in a step,
// as it is at its end: its two records come one after the other, and what it
// was between them is no news.
func (o *output) tell(ch *change) {
	var e *Event
	if len(o.joiners) > 0 {
		e = o.joiners[ch.name]
	}
	if e == nil {
		e = o.event(EventNode)
		if ch.before.state == Removed {
			o.joiners[ch.name] = e
		}
	}
	ch.after.describe(ch.name, &e.Node)
	if ch.from != nil {
		e.Text = ch.from.name
	}
}

// emitRarely emits an event that a peer can cause at will: once a minute for
// each node, or address to join, and reason, and for a thousand of them at most, of which
// guests, who make names up, have a half.
func (s *self) emitRarely(e *Event, c *conn) {
	most := 1000
	if c != nil && c.role == Guest {
		most /= 2
	}
	of := e.Name
	if of == "" && slices.Contains(s.cfg.Join, e.Addr) {
		of = e.Addr // nobody there has said who it is
	}
	key := e.Kind.String() + " " + e.Code.String() + " " + of
	if at, ok := s.told[key]; ok && s.now < at+Minute || len(s.told) >= most {
		return
	}
	s.told[key] = s.now
	*s.event(e.Kind) = *e
}

// emitRefused tells of a connection that was refused, by either side.
//
//go:noinline
func (s *self) emitRefused(c *conn, name string, code wire.Code, text string) {
	e := Event{Kind: EventRefused, Name: name, Code: code, Text: text}
	if c != nil {
		e.Addr = c.addr
	}
	s.emitRarely(&e, c)
}

// forgetTold lets what was told a minute ago be told again.
func (s *self) forgetTold() {
	for key, at := range s.told {
		if at+Minute < s.now {
			delete(s.told, key)
		}
	}
}

// result answers a command, behind the step's Dirty. Inlined at all its callers it would be a two-hundredth of the module.
//
//go:noinline
func (r *replica) result(id uint64, name string, code wire.Code, text string) {
	r.results = append(r.results, Event{Kind: EventResult, ID: id, Seq: r.version, Name: name, Code: code, Text: text})
}
