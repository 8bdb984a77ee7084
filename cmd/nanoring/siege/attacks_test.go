//go:build linux

package siege

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

// attacks are all that there are. A guest's token and nobody's are one siege, a reader's and
// nobody's another.
var attacks = []attack{
	{"names", "guest", newNames, 16},
	{"sizes", "guest", bigNames, 8},
	{"flap", "guest", flap, 8},
	{"claim", "guest", claim, 8},
	{"tags", "guest", changeTags, 40},
	{"crowd", "guest", crowd, 200},
	{"gossips", "guest", gossips, 16},
	{"text", "guest", evilText, 4},
	{"frames", "guest", wrongFrames, 8},
	{"cut", "guest", cutFrames, 8},
	{"pings", "guest", pings, 4},
	{"empties", "guest", empties, 4},
	{"halves", "guest", halves, 32},
	{"relays", "guest", relays, 30},
	{"syncs", "guest", syncs, 40},
	{"deaf", "guest", deafSyncs, 16},
	{"messages", "guest", messages, 16},
	{"tells", "guest", tells, 16},
	{"questions", "guest", questions, 8},
	{"hears", "guest", hears, 8},
	{"events", "reader", events, 7000},
	{"hearing", "reader", hearing, 2000},
	{"come", "reader", streamsThatGo, 16},
	{"reads", "reader", reads, 16},
	{"unread", "reader", unread, 200},
	{"idle", "", idle, 500},
	{"handshakes", "", handshakes, 16},
	{"half", "", halfHandshakes, 300},
	{"slow", "", slowRequests, 300},
	{"headers", "", bigHeaders, 16},
	{"guesses", "", guesses, 16},
	{"why", "", why, 16},
}

// fill is as many tags as a guest may have.
func fill(bytes int) []wire.Tag {
	return []wire.Tag{{Key: fmt.Sprintf("k%d", rand.IntN(1000)), Value: strings.Repeat("x", bytes)}}
}

const (
	mostTags = 440 // bytes, of the 512 of a value
	longName = 240 // of the 255 of a name
)

// newNames takes a new name for each connection, with all the tags that it may have.
func newNames(d *deed) {
	s := d.enter(d.any(), d.next(), fill(mostTags)...)
	if s == nil {
		return
	}
	s.say(&wire.Frame{Kind: wire.KindProbe, Seq: 1})
	if d.last.Load()%2 == 0 {
		s.bye(1000, "")
	}
	d.sleep(5 * time.Millisecond)
	d.leave(s)
}

// bigNames does so with records as long as a frame takes, and names as long as there are.
func bigNames(d *deed) {
	name := d.next()
	s := d.open(d.any())
	if s == nil {
		return
	}
	s.name = name + strings.Repeat("n", longName-len(name))
	s.say(s.hello())
	member := s.member()
	if d.i%2 == 0 { // a map of one key more, which is kept as it is
		member.Value = "\x82\xa1e\xc3\xa1z\xc5\x0f\x00" + strings.Repeat("z", 0xf00)
	}
	s.say(&wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{member, s.presence(fill(3900)...)}})
	s.say(&wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{member, s.presence(fill(200)...)}})
	d.sleep(20 * time.Millisecond)
	d.leave(s)
}

// flap comes and goes under one name, at any gateway.
func flap(d *deed) {
	s := d.enter(d.any(), fmt.Sprintf("evil-flap-%d", d.i), fill(100)...)
	if s == nil {
		return
	}
	d.sleep(time.Duration(rand.IntN(30)) * time.Millisecond)
	if rand.IntN(2) == 0 {
		s.bye(1000, "")
	}
	d.leave(s)
}

// claim says hello under names and instances of others: one name for all who claim it.
func claim(d *deed) {
	s := d.open(d.any())
	if s == nil {
		return
	}
	hello := s.hello()
	switch h := &hello.Hello; rand.IntN(6) {
	case 0:
		h.Name = d.Honest[rand.IntN(len(d.Honest))]
	case 1:
		h.Name = gatewayName(d.any())
	case 2:
		h.Name, h.Instance = "evil-claim", wire.Instance{Start: 1, Nonce: 1}
	case 3:
		h.Name, h.Ephemeral, h.Address = "evil-claim", false, "127.0.0.1:1"
	case 4:
		h.Name, h.Wall = "evil-claim", 1
	case 5:
		h.Name, h.Ring = "evil-claim", "another"
	}
	s.say(hello)
	s.name = "evil-claim"
	s.say(&wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{s.member(), s.presence()}})
	d.sleep(10 * time.Millisecond)
	d.leave(s)
}

// stay holds a guest's connection, and acts again and again until it is cut off.
func (d *deed) stay(every time.Duration, name string, act func(*socket) bool) {
	s := d.enter(d.i%len(d.Nodes), name, fill(20)...)
	if s == nil {
		return
	}
	for d.ctx.Err() == nil && !s.over() && act(s) {
		d.sleep(max(every, d.Pause))
	}
	d.leave(s)
}

// bearable is how long a guest waits between frames that is just borne.
const bearable = time.Second / 60

// changeTags changes its tags as often as it may.
func changeTags(d *deed) {
	d.stay(bearable, fmt.Sprintf("evil-tags-%d", d.i), func(s *socket) bool {
		return s.say(&wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{s.presence(fill(mostTags)...)}})
	})
}

// crowd is there, as many as may be, and gossips as who is honest does.
func crowd(d *deed) {
	d.stay(time.Second, fmt.Sprintf("evil-crowd-%d", d.i), func(s *socket) bool {
		return s.say(&wire.Frame{Kind: wire.KindGossip, Seq: 1, Wall: time.Now().UnixMicro()})
	})
}

// gossips has its gateway answer as often as it may, with a record of its own each time.
func gossips(d *deed) {
	seq := uint64(0)
	d.stay(bearable, fmt.Sprintf("evil-gossips-%d", d.i), func(s *socket) bool {
		seq++
		return s.say(&wire.Frame{Kind: wire.KindGossip, Seq: seq, Wall: time.Now().UnixMicro(), Records: []wire.Record{s.presence(fill(mostTags)...)}})
	})
}

// evilText says what a terminal, or a log, takes for something else.
func evilText(d *deed) {
	const text = "\x1b[2J\x1b]52;c;ZXZpbA==\x07\r\n2026-01-01 level=ERROR msg=\"dev1 is gone\"\u202e\u2066\u200b"
	s := d.enter(d.any(), d.next()+"-\u202egnp\u2066", wire.Tag{Key: "k\u202e", Value: text}, wire.Tag{Key: "public-url", Value: "wss://" + text})
	if s == nil {
		return
	}
	d.sleep(20 * time.Millisecond)
	switch rand.IntN(3) {
	case 0:
		s.say(&wire.Frame{Kind: wire.KindError, Code: 4000 + wire.Code(rand.IntN(100)), Text: text})
	case 1:
		s.bye(uint16(4000+rand.IntN(100)), text)
	case 2:
		s.bye(1008, text)
	}
	d.sleep(20 * time.Millisecond)
	d.leave(s)
}
