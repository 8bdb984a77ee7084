package sim

import (
	"strconv"

	"github.com/nanoring/nanoring/core"
	"github.com/nanoring/nanoring/core/wire"
)

// What a node does in a minute in which nothing happens, at most: docs/protocol.md,
// section 29, says why.
const (
	quietRounds   = 68  // gossip, once a period that is up to a tenth shorter,
	fewestRounds  = 50  // or longer
	quietDials    = 10  // a period, of members that are not up, as many as there are for each that is, and of whom it is to join
	quietRotated  = 12  // of others, by a ring that is no full mesh
	quietProbes   = 60  // and as many as it has dialled and accepted
	quietFrame    = 36  // bytes of gossip or an ack
	quietLate     = 4   // answers, since a path varies: the probe that follows is cheap
	quietHello    = 300 // bytes that one more connection costs
	quietAtAll    = 2048
	quietHeld     = 16 << 10 // bytes of memory of a node that knows nobody
	quietPerName  = 4 << 10  // and name, guests and tombstones too
	quietPerConn  = 2048     // and connection
	minuteWritten = 1        // times that the ring file is written, for its last contact: once an hour
)

// deeds are what a process did in a quiet minute.
type deeds struct {
	sent     [wire.Kinds]int // frames, by kind
	bytes    int             // of those
	records  int             // in gossip and acks
	heard    int             // gossip
	dials    int
	accepted int
	writes   int
	told     []string // of nodes
	late     int      // answers
	asked    int      // of whose answer was late
	answered int      // when they were asked
	refused  int      // connections that it told of
	fresh    bool     // it was stale, and is no more
}

// quiet counts what processes do; nil for none.
type quiet map[*process]*deeds

func (q quiet) stepped(p *process, in *core.Input, effects []core.Effect) {
	d := q[p]
	if d == nil {
		return
	}
	switch {
	case in.Kind == core.Opened && in.Conn%2 == 1:
		d.accepted++
	case kindOf(in) == wire.KindGossip:
		d.heard++
	}
	var f wire.Frame
	for i := range effects {
		switch e := &effects[i]; e.Kind {
		case core.Dial:
			d.dials++
		case core.Dirty:
			d.writes++
		case core.Emit:
			switch e.Event.Kind {
			case core.EventRefused:
				d.refused++
			case core.EventFresh:
				d.fresh = true
			case core.EventEvidence:
				switch n, ok := p.m.View().Get(e.Event.Name); {
				case e.Event.Topic == "unanswered":
					d.late++
				case e.Event.Topic == "asked":
					d.asked++
				case e.Event.Topic == "answered":
					d.answered++
				case e.Event.Topic == "unreached" && ok && n.State != core.Alive: // who is down is dialled now and then
				default:
					d.told = append(d.told, EventWords(e.Event))
				}
			default:
				if e.Event.Kind != core.EventSkew || e.Event.Skew != 0 { // whose clock was wrong is met again, some day
					d.told = append(d.told, EventWords(e.Event))
				}
			}
		case core.Send:
			d.bytes += len(e.Frame)
			if f.Decode(e.Frame) == nil {
				d.sent[f.Kind]++
				if f.Kind == wire.KindGossip || f.Kind == wire.KindAck {
					d.records += len(f.Records)
				}
			}
		}
	}
}

// freshened says whether a process that was stale is no more.
func (q quiet) freshened() bool {
	for _, d := range q {
		if d.fresh {
			return true
		}
	}
	return false
}

// Quiet lets a minute pass, and expects that every process does in it what one of a
// ring does to which nothing ever happened, and holds on to no more. It is for when
// all was well for some minutes. A minute in which one that was stale is no more is not
// quiet: after ten minutes without an authority, or since another is one, it looks for its
// peers anew. It returns all that is wrong, or nil.
func (w *World) Quiet() error {
	for range 3 {
		w.quiet = make(quiet)
		for _, m := range w.machines {
			if m.proc != nil {
				w.quiet[m.proc] = new(deeds)
			}
		}
		w.Run(core.Minute)
		if !w.quiet.freshened() {
			break
		}
	}
	var c complaints
	for _, m := range w.machines {
		if d := w.quiet[m.proc]; d != nil {
			w.checkDeeds(m, d, c.add)
			w.checkHeld(m, c.add)
		}
	}
	w.quiet = nil
	return c.err()
}

// checkDeeds holds what a process did in a quiet minute against what there is to do.
func (w *World) checkDeeds(m *Machine, d *deeds, complain func(...string)) {
	n := func(n int, most int, what string) {
		if n > most {
			complain("in a quiet minute ", m.name, " ", what, " ", strconv.Itoa(n), " times, more than ", strconv.Itoa(most))
		}
	}
	up, missed := 0, 0
	for _, n := range m.View().All() {
		switch {
		case n.Ephemeral:
		case n.State == core.Alive:
			up++
		default:
			missed++
		}
	}
	dials := quietRotated
	if up > 0 {
		dials += quietRounds * min(quietDials, (missed+up-1)/up)
	}
	if up < 2 { // it has nobody, and tries whom it was told
		dials += quietRounds * min(quietDials, len(m.join))
	}
	if m.opt.Guest && len(m.proc.conns) == 0 { // it tries one of its gateways after the other
		dials += quietRounds
	}
	if gossip := d.sent[wire.KindGossip]; gossip < fewestRounds && up > 1 && !m.opt.Guest {
		complain("in a quiet minute ", m.name, " gossips ", strconv.Itoa(gossip), " times, less than ", strconv.Itoa(fewestRounds))
	}
	n(d.refused, 2*missed, "tells of a refusal") // at the address of one may be another
	if len(d.told) > 0 {
		complain("in a quiet minute ", m.name, " tells: ", d.told[0])
	}
	n(d.late, quietLate, "finds an answer late")
	n(d.asked, d.late+1, "asks for one that is up") // the first was late before the minute began
	n(d.answered, d.asked+1, "is told that one is up for which it asked")
	n(d.writes, minuteWritten, "writes its ring file")
	n(d.sent[wire.KindRumor]+d.sent[wire.KindKnown]+d.sent[wire.KindLack]+d.records, 0, "sends news")
	n(d.sent[wire.KindCordon], 0, "asks for a cordon")
	n(d.sent[wire.KindSync]+d.sent[wire.KindSynced], 0, "reconciles")
	n(d.sent[wire.KindGossip], quietRounds, "gossips")
	said := 0
	for kind := wire.KindMessage; kind <= wire.KindAnswers; kind++ {
		said += d.sent[kind]
	}
	n(said, 0, "says something")
	n(d.sent[wire.KindAck], d.heard, "acknowledges gossip")
	n(d.dials, dials, "dials")
	opened := d.dials + d.accepted
	n(d.sent[wire.KindIDs], opened, "tells the ids of its ring")
	n(d.sent[wire.KindProbe]+d.sent[wire.KindRelay]+d.sent[wire.KindAlive]+d.sent[wire.KindRefused], quietProbes+2*opened, "probes, or answers")
	if most := quietFrame*(d.sent[wire.KindGossip]+d.sent[wire.KindAck]) + quietHello*opened + quietAtAll; d.bytes > most {
		complain("in a quiet minute ", m.name, " sends ", strconv.Itoa(d.bytes), " bytes, more than ", strconv.Itoa(most))
	}
}

// checkHeld holds what an engine holds on to against what it knows.
func (w *World) checkHeld(m *Machine, complain func(...string)) {
	if _, ok := m.proc.eng.(worker); !ok {
		return // it is more than an engine
	}
	held := footprintOf(m.proc.eng).bytes
	records := w.snapshot(m)
	text := 0
	for _, r := range records {
		text += 2 * (len(r.Name) + len(r.Value))
	}
	if most := quietHeld + quietPerName*len(records)/2 + text + quietPerConn*len(m.proc.conns); held > most {
		complain("after a quiet minute ", m.name, " holds on to ", strconv.Itoa(held), " bytes, more than ", strconv.Itoa(most), ", and knows ", strconv.Itoa(len(records)), " records")
	}
}
