//go:build linux

package siege

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

// relays has one after the other who is honest be probed by all, as often as it is borne, and nodes,
// and who is not there.
func relays(d *deed) {
	inner := string((&wire.Frame{Kind: wire.KindProbe, Seq: 7}).Append(nil))
	i := d.i
	d.stay(bearable, fmt.Sprintf("evil-relays-%d", d.i), func(s *socket) bool {
		i++
		to, hops := d.Honest[int(time.Now().Unix()/3)%len(d.Honest)], uint8(0)
		switch i % 16 {
		case 0:
			to, hops = gatewayName(d.any()), uint8(rand.IntN(4))
		case 1:
			to = fmt.Sprintf("evil-tags-%d", i%40)
		}
		return s.say(&wire.Frame{Kind: wire.KindRelay, From: s.name, To: to, Hops: hops, Inner: inner})
	})
}

// wholeSet asks for all that there is, by fingerprints that nobody has.
func wholeSet(seq uint64) *wire.Frame {
	f := &wire.Frame{Kind: wire.KindSync, Seq: seq}
	for _, set := range []wire.SetID{wire.Nodes, wire.Up} {
		f.Items = append(f.Items, wire.Item{Kind: wire.ItemFingerprint, Range: wire.Range{Set: set}, Fingerprint: wire.Fingerprint{Count: 1, Sum: rand.Uint64()}})
	}
	return f
}

// parts asks for as many parts of it as one frame has.
func parts(seq uint64) *wire.Frame {
	f := &wire.Frame{Kind: wire.KindSync, Seq: seq}
	for i := range uint64(wire.MaxItems) {
		f.Items = append(f.Items, wire.Item{Kind: wire.ItemFingerprint,
			Range: wire.Range{Set: wire.SetID(i % 2), Depth: 2, Prefix: (i / 2) << 56}, Fingerprint: wire.Fingerprint{Count: 1, Sum: rand.Uint64()}})
	}
	return f
}

// syncs asks for it again and again.
func syncs(d *deed) {
	seq := uint64(0)
	d.stay(bearable*2, fmt.Sprintf("evil-syncs-%d", d.i), func(s *socket) bool {
		if seq++; d.i%2 == 0 {
			return s.say(parts(seq))
		}
		return s.say(wholeSet(seq))
	})
}

// deafSyncs does, and does not read the answers.
func deafSyncs(d *deed) {
	seq := uint64(0)
	d.stay(bearable*2, fmt.Sprintf("evil-deaf-%d", d.i), func(s *socket) bool {
		s.deaf.Store(true)
		seq++
		return s.say(wholeSet(seq))
	})
}

func (s *socket) message(seq uint64, verb wire.Verb, topic string, bytes int) *wire.Frame {
	m := wire.Message{Name: s.name, Instance: s.instance, Seq: seq, Step: 1, Since: wire.Window, Verb: verb, Topic: topic, Payload: strings.Repeat("m", bytes)}
	if verb == wire.VerbAsk {
		m.Wait = wire.MaxWait
	}
	return &wire.Frame{Kind: wire.KindMessage, Messages: []wire.Message{m}}
}

// messages sends messages, long and short, on topics that it may use, and now and then on others.
func messages(d *deed) {
	seq := uint64(0)
	d.stay(bearable, fmt.Sprintf("evil-messages-%d", d.i), func(s *socket) bool {
		seq++
		topic := "chat.siege"
		if seq%1000 == 0 {
			topic = "deploy"
		}
		return s.say(s.message(seq, wire.VerbSend, topic, []int{0, 200, 8 << 10}[d.i%3]))
	})
}

// tells tells each honest guest, and nodes, something.
func tells(d *deed) {
	seq := uint64(0)
	d.stay(bearable, fmt.Sprintf("evil-tells-%d", d.i), func(s *socket) bool {
		seq++
		to := d.Honest[rand.IntN(len(d.Honest))]
		if seq%8 == 0 {
			to = gatewayName(d.any())
		}
		inner := (&wire.Frame{Kind: wire.KindTell, Seq: seq, Instance: s.instance, Tell: wire.Tell{Topic: "chat.siege", Payload: strings.Repeat("t", 1000)}}).Append(nil)
		return s.say(&wire.Frame{Kind: wire.KindRelay, From: s.name, To: to, Inner: string(inner)})
	})
}

// questions asks nodes for what costs them most to answer.
func questions(d *deed) {
	seq := uint64(0)
	d.stay(bearable*2, fmt.Sprintf("evil-questions-%d", d.i), func(s *socket) bool {
		seq++
		f := s.message(seq, wire.VerbAsk, []string{"nanoring.why", "nanoring.reach", "nanoring.rtt", "nanoring.records", "nanoring.node", "chat.who"}[seq%6], 0)
		f.Messages[0].Payload = []string{d.Honest[0], "", "dev1", "", "", ""}[seq%6]
		return s.say(f)
	})
}

// hears asks for other topics, and for what it missed, again and again.
func hears(d *deed) {
	d.stay(bearable*2, fmt.Sprintf("evil-hears-%d", d.i), func(s *socket) bool {
		f := &wire.Frame{Kind: wire.KindHear, Window: wire.Window}
		for i := range wire.MaxTopics {
			f.Topics = append(f.Topics, fmt.Sprintf("chat.*a*a*a*a*a*a*a*a*%d", i))
		}
		f.Topics[0] = "chat.*"
		return s.say(f)
	})
}
