//go:build linux

package siege

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nanoring/nanoring/core/wire"
)

// orders are what the process that attacks is told.
type orders struct {
	Nodes  []string // where they listen; they are called dev1 and so on
	Honest []string // guests
	Guests []string // tokens for the names evil-*
	Reader string   // a reader's
	Only   []string // attacks; all of the token's if there are none
	For    time.Duration
	Pause  time.Duration // after each deed of an attack
	Few    bool          // an eighth as many attack
}

// besieger carries them out.
type besieger struct {
	*orders
	ctx  context.Context
	wg   sync.WaitGroup
	last atomic.Int64 // of names
	mu   sync.Mutex
	told map[string]int // by attack and outcome
}

// attack is one way to attack.
type attack struct {
	name string
	by   string // guest, reader; nobody is both
	make func(*deed)
	of   int // so many at a time
}

// deed is one of those who carry out an attack.
type deed struct {
	*besieger
	name string
	i    int // which of them
}

// besiege attacks, and says what came of it.
func besiege(o *orders) map[string]int {
	ctx, cancel := context.WithTimeout(context.Background(), o.For)
	defer cancel()
	b := &besieger{orders: o, ctx: ctx, told: make(map[string]int)}
	for _, a := range attacks {
		if len(o.Only) > 0 && !slices.Contains(o.Only, a.name) || a.by == "guest" && len(o.Guests) == 0 || a.by == "reader" && o.Reader == "" {
			continue
		}
		if o.Few {
			a.of = max(a.of/8, 1)
		}
		for i := range a.of {
			b.wg.Go(func() {
				for d := (&deed{b, a.name, i}); ctx.Err() == nil; d.rest() {
					a.make(d)
				}
			})
		}
	}
	b.wg.Wait()
	return b.told
}

// rest is between two deeds.
func (d *deed) rest() { d.sleep(d.Pause) }

func (d *deed) sleep(pause time.Duration) {
	if pause > 0 {
		select {
		case <-d.ctx.Done():
		case <-time.After(pause):
		}
	}
}

// came counts an outcome.
func (d *deed) came(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if what := d.name + ": " + fmt.Sprintf(format, args...); d.told[what] > 0 || len(d.told) < 500 {
		d.told[what]++
	}
}

// next is a name that was not used before.
func (d *deed) next() string { return fmt.Sprintf("evil-%s-%d", d.name, d.last.Add(1)) }

func (d *deed) any() int { return rand.IntN(len(d.Nodes)) }

func gatewayName(node int) string { return fmt.Sprintf("dev%d", node+1) }

// dial connects with a node, from any address of loopback.
func (d *deed) dial(node int) *tcp {
	from := &net.TCPAddr{IP: net.IPv4(127, byte(rand.IntN(255)), byte(rand.IntN(255)), byte(1+rand.IntN(254)))}
	c, err := (&net.Dialer{LocalAddr: from, Timeout: 10 * time.Second}).DialContext(d.ctx, "tcp", d.Nodes[node])
	if err != nil {
		d.came("no connection")
		d.sleep(50 * time.Millisecond)
		return nil
	}
	own := &tcp{TCPConn: c.(*net.TCPConn)}
	own.SetLinger(0) // leaves nothing behind
	own.stop = context.AfterFunc(d.ctx, func() { c.Close() })
	return own
}

// tcp is a connection that is closed when all is over.
type tcp struct {
	*net.TCPConn
	stop func() bool
}

func (c *tcp) Close() error {
	c.stop()
	return c.TCPConn.Close()
}

// open opens a WebSocket by a guest's token.
func (d *deed) open(node int) *socket {
	c := d.dial(node)
	if c == nil {
		return nil
	}
	s, status := upgrade(c, d.Nodes[node], "Authorization: Bearer "+d.Guests[d.i%len(d.Guests)]+"\r\n")
	if status != 101 {
		c.Close()
		d.came("refused: %d", status)
		d.sleep(20 * time.Millisecond)
		return nil
	}
	s.node, s.instance = node, wire.Instance{Start: time.Now().UnixMicro(), Nonce: rand.Uint64()}
	return s
}

// enter comes in as a guest: it says hello, and adds itself with tags.
func (d *deed) enter(node int, name string, tags ...wire.Tag) *socket {
	s := d.open(node)
	if s == nil {
		return nil
	}
	s.name, s.proper = name, true
	s.say(s.hello())
	select {
	case <-s.let:
	case <-s.read:
	case <-d.ctx.Done():
	}
	s.say(&wire.Frame{Kind: wire.KindRumor, Records: []wire.Record{s.member(), s.presence(tags...)}})
	return s
}

// leave closes, and counts how the other side saw it: what it said, if anything.
func (d *deed) leave(s *socket) {
	in := !s.over()
	s.Close()
	if <-s.read; in && s.ended == "broken" {
		s.ended = "by itself"
	}
	if s.proper && strings.HasPrefix(s.ended, "forbidden: its presence") {
		d.came("%s: %s", noAttack, s.ended)
		return
	}
	d.came("ended: %.60q", s.ended)
}

// noAttack is what came of it where a node took who attacks for no guest at all: it is not what
// was to be tried.
const noAttack = "is no attack"

func (s *socket) hello() *wire.Frame {
	return &wire.Frame{Kind: wire.KindHello, Hello: wire.Hello{
		Name: s.name, Ring: ringName, Ephemeral: true, Instance: s.instance, Min: 1, Max: 1, Wall: time.Now().UnixMicro(),
	}}
}

func (s *socket) member() wire.Record {
	return wire.Record{Set: wire.Nodes, Name: s.name, Stamp: time.Now().UnixMicro(), Value: wire.Member{Ephemeral: true}.Value()}
}

func (s *socket) presence(tags ...wire.Tag) wire.Record {
	return wire.Record{Set: wire.Up, Name: s.name, Stamp: time.Now().UnixMicro(),
		Value: wire.Presence{Via: gatewayName(s.node), Ephemeral: true, Instance: s.instance, Version: 1, Tags: wire.SortTags(tags)}.Value()}
}
