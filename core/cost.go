package core

import (
	"strings"

	"github.com/nanoring/nanoring/core/ledger"
	"github.com/nanoring/nanoring/core/wire"
)

// What a gateway bears of its guests, of who answers for them, and of all.
const (
	costFrames  ledger.Kind = iota
	costAnswers             // of syncs
	costRecords
	costNames
	costSays
	costAsks
	costAnswered
	costHears
	costProbes
	costProbed
)

// partyShare is which part of what all have one party may have.
const partyShare = 8

// maxRingGuests is how many guests a ring may have, to a gateway, beyond which it
// lets in no other: those that are gone count until they are forgotten.
const maxRingGuests = 32 << 10

// GuestCosts is what a gateway bears that takes so many guests. Its times are in
// microseconds. An honest guest stays far below: it sends some four frames a second, and
// when it joins as many as its sync of the ring takes.
func GuestCosts(maxGuests int) ledger.Table {
	room := int64(maxGuests)
	names := func(part int64) ledger.Limit {
		return ledger.Limit{Burst: max(room/part, 1), Rate: max(room/part*Second/EphemeralTTL, 1)}
	}
	return ledger.Table{
		costFrames: {
			What: "frames and KiB", Beyond: "`forbidden`",
			One: ledger.Limit{Burst: 512, Rate: 64}, Party: ledger.Limit{Burst: 8192, Rate: 1024},
		},
		costAnswers: {
			What: "bytes of records that syncs are answered with, and of the work for it", Beyond: "not answered",
			One: ledger.Limit{Burst: 4 << 20, Rate: 64 << 10}, Party: ledger.Limit{Burst: 32 << 20, Rate: 1 << 20}, All: ledger.Limit{Burst: 256 << 20, Rate: 16 << 20},
		},
		costRecords: {
			What: "records of themselves that are taken", Beyond: "the last one is taken later",
			One: ledger.Limit{Burst: 8, Rate: 1}, Party: ledger.Limit{Burst: 512, Rate: 64}, All: ledger.Limit{Burst: 4096, Rate: 256},
		},
		costNames: {
			What: "names that are new", Beyond: "`busy`",
			Party: names(partyShare), All: names(1),
		},
		costSays: {
			What: "messages, and one for each 256 bytes", Beyond: "`busy`, of all the sooner the later the gateway is",
			One: ledger.Limit{Burst: backlogSays, Rate: 2 * guestSaysRate}, Party: ledger.Limit{Burst: backlogSays, Rate: 4 * guestSaysRate}, All: ledger.Limit{Burst: paceBurst * fullPace, Rate: fullPace},
		},
		costAsks: {
			What: "questions that are open", Beyond: "`busy`",
			One: ledger.Limit{Burst: 64}, Party: ledger.Limit{Burst: mostQuestions / 8}, All: ledger.Limit{Burst: mostQuestions / 2},
		},
		costAnswered: {
			What: "bytes of answers to them that wait", Beyond: "the answer is `busy`",
			One: ledger.Limit{Burst: mostAnswers}, Party: ledger.Limit{Burst: 2 * mostAnswers}, All: ledger.Limit{Burst: 4 * mostAnswers},
		},
		costHears: {
			What: "times that they ask for what they have missed", Beyond: "`forbidden`",
			One: ledger.Limit{Burst: 8, Rate: 1}, Party: ledger.Limit{Burst: 256, Rate: 16},
		},
		costProbes: {
			What: "probes of others that are passed on", Beyond: "dropped",
			One: ledger.Limit{Burst: 16, Rate: 2}, Party: ledger.Limit{Burst: 64, Rate: 8},
		},
		costProbed: {
			What: "probes that others' guests want of one", Beyond: "dropped",
			One: ledger.Limit{Burst: 16, Rate: 2},
		},
	}
}

// maxAnswers is how much a guest may owe as answers, in frames and KiB.
const maxAnswers = 1024

// bearable says whether a connection may send a frame of so many bytes now; too
// long is too long, by however much.
func (c *conn) bearable(size int, now int64) bool {
	return c.cost == nil || c.cost.Take(now, costFrames, frameUnits(size)) == ledger.Enough
}

func frameUnits(size int) int64 { return 1 + int64(min(size, wire.MaxFrame)>>10) }

// owes takes note that the peer was sent what may want an answer of so many frames and KiB.
func (c *conn) owes(units int64) { c.owed = min(c.owed+units, maxAnswers) }

// pardon gives back what a frame costs by which a guest answers: that it had to is
// not its own doing: one frame for each that it was sent, and what an answer may have for each question.
func (c *conn) pardon(kind wire.Kind, size int) {
	switch kind {
	case wire.KindAlive, wire.KindAnswers, wire.KindSaid, wire.KindTook:
		if c.cost != nil {
			units := min(frameUnits(size), c.owed)
			c.owed -= units
			c.cost.Give(costFrames, units)
		}
	}
}

// mayProbe says whether a probe that a guest wants is passed on to another: to a guest
// no more than it bears, whoever asks.
func (o *overlay) mayProbe(from string, c *conn, to string) bool {
	if c.guest && c.cost.Take(o.now, costProbes, 1) != ledger.Enough {
		return false
	}
	g := o.peer(to)
	return g == nil || !g.guest || o.replica.isDurable(from) || g.cost.Take(o.now, costProbed, 1) == ledger.Enough
}

// putOff keeps what a guest says of itself until more of it may be taken. What is later
// takes the place of what is kept.
func (o *overlay) putOff(c *conn, w *wire.Record) {
	if c.early == nil {
		c.early = new([2]wire.Record)
		o.after(Second, earlyDue, "", uint64(c.id))
	}
	kept := &c.early[w.Set]
	if kept.Name != "" && (kept.Stamp > w.Stamp || kept.Stamp == w.Stamp && kept.Rank >= w.Rank) {
		return
	}
	*kept = *w
	kept.Name, kept.Value = c.name, strings.Clone(w.Value)
}
