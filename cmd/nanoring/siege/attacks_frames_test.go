//go:build linux

package siege

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

// forbidden are frames of each kind, as a guest may not send them.
func (d *deed) forbidden(s *socket) []*wire.Frame {
	durable := gatewayName(d.any())
	victim := wire.Record{Set: wire.Up, Name: durable, Rank: 2, Stamp: time.Now().UnixMicro(), Value: wire.Presence{Address: "127.0.0.1:1", Instance: s.instance, Version: 1}.Value()}
	gone := wire.Record{Set: wire.Nodes, Name: durable, Rank: 2, Stamp: time.Now().UnixMicro(), Value: wire.Member{}.Value()}
	other := wire.Record{Set: wire.Up, Name: d.Honest[0], Rank: 3, Stamp: time.Now().UnixMicro(), Value: wire.Presence{Via: durable, Instance: s.instance, Version: 1}.Value()}
	later := s.presence()
	later.Stamp += int64(time.Hour / time.Microsecond)
	all := []wire.Record{victim, gone, other, later}
	probe := string((&wire.Frame{Kind: wire.KindProbe, Seq: 1}).Append(nil))
	cordon := string((&wire.Frame{Kind: wire.KindCordon, On: true}).Append(nil))
	evil := wire.Message{Name: d.Honest[0], Instance: s.instance, Seq: 1, Step: 1, Since: wire.Window, Verb: wire.VerbSend, Topic: "chat.x", Payload: "forged"}
	stream := wire.Stream{Name: durable, Instance: s.instance, Upto: 1 << 40}
	return []*wire.Frame{
		s.hello(),
		{Kind: wire.KindGossip, Seq: 1, Wall: time.Now().Add(time.Hour).UnixMicro(), Records: all[3:]},
		{Kind: wire.KindGossip, Seq: 1, Wall: 1, Records: all[:1]},
		{Kind: wire.KindAck, Seq: 1, Wall: 1, Records: all[1:2]},
		{Kind: wire.KindRumor, Records: all[2:3]},
		{Kind: wire.KindSync, Seq: 1, Items: []wire.Item{{Kind: wire.ItemAll, Range: wire.Range{Set: wire.Up}, Records: all[:1]}}},
		{Kind: wire.KindSync, Seq: 1, Items: []wire.Item{{Kind: wire.ItemChildren}}},
		{Kind: wire.KindSynced, Seq: 1, Handled: 1, Items: []wire.Item{{Kind: wire.ItemSome, Range: wire.Range{Set: wire.Up}, Records: all[:1]}}},
		{Kind: wire.KindAlive, Seq: 1, Instance: s.instance},
		{Kind: wire.KindRelay, From: durable, To: d.Honest[0], Inner: probe},
		{Kind: wire.KindRelay, From: s.name, To: durable, Inner: cordon},
		{Kind: wire.KindRelay, From: s.name, To: s.name, Inner: probe},
		{Kind: wire.KindRefused, Seq: 1},
		{Kind: wire.KindCordon, On: true},
		{Kind: wire.KindMessage, Messages: []wire.Message{evil}},
		{Kind: wire.KindSeen, Window: wire.Window, Streams: []wire.Stream{stream}},
		{Kind: wire.KindHave, Streams: []wire.Stream{{Name: durable, Instance: s.instance, Seqs: []uint64{1, 2, 3}}}},
		{Kind: wire.KindWant, Streams: []wire.Stream{{Name: durable, Instance: s.instance, Seqs: []uint64{1, 2, 3}}}},
		{Kind: wire.KindWant},
		{Kind: wire.KindTook, Bytes: 1 << 62},
		{Kind: wire.KindTell, Seq: 1, Instance: s.instance, Tell: wire.Tell{Topic: "deploy", Payload: "now"}},
		{Kind: wire.KindSaid, Seq: 1, Code: 8},
		{Kind: wire.KindAnswers, Asker: d.Honest[0], Instance: s.instance, Seq: 1, Answers: []wire.Answer{{Name: s.name, Payload: "forged"}}},
		{Kind: wire.KindIDs, IDs: []wire.RingID{{Start: 1, Nonce: 1}}},
		{Kind: wire.KindKnown, Digests: []uint64{1, 2, 3}},
		{Kind: wire.KindLack, Digests: []uint64{1, 2, 3}},
		{Kind: wire.KindError, Code: wire.CodeNameTaken, Text: "dev1 is elsewhere"},
		{Kind: wire.KindError, Code: wire.CodeRemoved, Text: "you were removed"},
	}
}

// wrongFrames sends some of them.
func wrongFrames(d *deed) {
	s := d.enter(d.any(), d.next())
	if s == nil {
		return
	}
	frames := d.forbidden(s)
	for range 1 + rand.IntN(3) {
		s.say(frames[rand.IntN(len(frames))])
	}
	d.sleep(5 * time.Millisecond)
	d.leave(s)
}

// cutFrames sends what does not decode, as long as may be: garbage, frames that were cut off or
// changed, text, frames full of empty records.
func cutFrames(d *deed) {
	s := d.enter(d.any(), d.next())
	if s == nil {
		return
	}
	frames := d.forbidden(s)
	b := frames[rand.IntN(len(frames))].Append(nil)
	switch rand.IntN(6) {
	case 0:
		s.put(fin|opBinary, b[:rand.IntN(len(b))])
	case 1:
		b[rand.IntN(len(b))] ^= 1 << rand.IntN(8)
		s.put(fin|opBinary, b)
	case 2:
		s.put(fin|opText, b)
	case 3:
		s.put(fin|opBinary, []byte("\x92\x04\xdd\xff\xff\xff\xff"+strings.Repeat("\x90", wire.MaxFrame-7)))
	case 4:
		s.put(fin|opBinary, []byte("\x92\x04\xdc\xff\xff"+strings.Repeat("\x91", wire.MaxFrame-5)))
	case 5: // a hello that is as long, and no hello
		s.put(fin|opBinary, make([]byte, wire.MaxFrame+1))
	}
	d.sleep(5 * time.Millisecond)
	d.leave(s)
}

// pings sends pings as fast as they go, and does not read what comes back for long.
func pings(d *deed) {
	b := make([]byte, 125)
	d.stay(0, d.next(), func(s *socket) bool {
		for range 64 {
			if !s.put(fin|opPing, b) {
				return false
			}
		}
		return true
	})
}

// empties sends a message that does not end, of fragments in which nothing is.
func empties(d *deed) {
	many := []byte(strings.Repeat("\x00\x80\x00\x00\x00\x00", 200))
	begun := false
	d.stay(0, d.next(), func(s *socket) bool {
		if !begun {
			begun = true
			return s.put(opBinary, nil)
		}
		return s.raw(many)
	})
}

// halves leaves in the middle of things, and waits.
func halves(d *deed) {
	var s *socket
	switch rand.IntN(7) {
	case 0: // no hello
		s = d.open(d.any())
	case 1: // half a hello
		if s = d.open(d.any()); s != nil {
			s.name = d.next()
			b := s.hello().Append(nil)
			s.put(opBinary, b[:len(b)/2])
		}
	case 2: // half a message of the greatest length
		if s = d.enter(d.any(), d.next()); s != nil {
			s.put(opBinary, make([]byte, wire.MaxFrame-1))
		}
	case 3: // a length that is announced
		if s = d.enter(d.any(), d.next()); s != nil {
			s.raw(append(binary.BigEndian.AppendUint64([]byte{fin | opBinary, 0x80 | 127}, wire.MaxFrame), 0, 0, 0, 0))
		}
	case 4: // a length that none can have
		if s = d.enter(d.any(), d.next()); s != nil {
			s.raw(append(binary.BigEndian.AppendUint64([]byte{fin | opBinary, 0x80 | 127}, 1<<62), 0, 0, 0, 0))
		}
	case 5: // no mask, and bits that are reserved
		if s = d.enter(d.any(), d.next()); s != nil {
			s.raw([]byte{fin | 0x70 | opBinary, 1, 0x90})
		}
	case 6: // one byte of a frame after the other
		if s = d.enter(d.any(), d.next()); s != nil {
			for range 60 {
				s.put(opMore, []byte{0x90})
				d.sleep(100 * time.Millisecond)
			}
		}
	}
	if s == nil {
		return
	}
	select {
	case <-s.read:
	case <-d.ctx.Done():
	case <-time.After(30 * time.Second):
		d.came("30 s in the middle of something")
	}
	d.leave(s)
}
