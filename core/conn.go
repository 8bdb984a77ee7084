package core

import (
	"slices"
	"strings"

	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

type connState uint8

const (
	connDialing     connState = iota // Dial was asked for
	connOpen                         // its hello is awaited
	connHeld                         // its hello is here; an older instance of the name is asked first
	connEstablished                  // hellos were exchanged
	connOver                         // it is closed, or given up
)

// conn is one connection, from Dial or Opened until it is over. A node has a dozen of them: what
// is small stands together, and what guests alone have elsewhere.
type conn struct {
	asserter // the peer; its name from connEstablished on

	id        ConnID
	state     connState
	dialed    bool
	role      Role // of an accepted one
	why       dialPurpose
	tries     uint8 // how often it was dialled before, in vain: see Ring.retry
	authority bool  // what the peer lacks, this node drops: see reconciliation
	peerStale bool
	unsure    bool // whether the peer, which dialled, lets this node in: see ringIDs.meet
	probed    bool // a guest that is silent has been asked
	cameBack  bool // a guest that was here before
	isNew     bool // a guest that is to be sent on: see cordon.sendNewOn
	differs   bool // a sync is due as soon as the one under way is over
	agreed    bool // once, the two knew the same: from then on what changes is owed

	authenticated string // who authentication says that it is: see Input.Name
	addr          string // dialled, or remote
	want          string // the name that was meant by a dial; "" for any
	begun         int64  // when it was dialled
	add           *adding
	timer         *timer   // for hello
	queue         []string // frames that wait for it to be established

	hello     wire.Hello    // the peer's; from connHeld on
	knows     []wire.RingID // of the ring, as far as is known
	trip      roundTrip
	opened    int64           // the ring's clock when it opened
	heard     int64           // the ring's clock at the last frame
	used      int64           // and at the last round
	needed    int64           // and at the last one of the peer's: see rotate
	strange   int64           // since when the peer is no member; 0 if it is one
	checked   int64           // since when any sign of life is awaited; 0 if it is not: see check
	suspected int64           // when this node took in that it is a suspect
	accused   *lww.Record     // the presence of which others say that it is down: see contest
	refute    *timer          // of accused: until then it may
	owed      int64           // frames that a guest may answer with
	early     *[2]wire.Record // of a guest, by set: what is taken later, if there is a name; nil if nothing is
	forwarded []string        // probes that went to the peer since it was last heard

	place     place // in this node's debts, from established on
	lacks     int   // records that are awaited, of which the peer was the first to say that it has them
	line      line  // of messages
	syncAt    int64 // no sync before: backoff
	backoff   int64
	answering *answering // a sync frame of the peer's
}

// hasGuestsAlone says whether no durable node is connected, or none whose connection is older.
//
//go:noinline
func (o *overlay) hasGuestsAlone(older int64) bool {
	for _, c := range o.live {
		if !c.guest && c.opened+older <= o.now {
			return false
		}
	}
	return true
}

// peer returns the connection that is established with a node, or nil.
//
//go:noinline
func (o *overlay) peer(name string) *conn { return o.byName[name] }

// knowsDigests says whether a peer takes digests: no guest does.
func (c *conn) knowsDigests() bool { return c.hello.Digests && !c.guest }

// established returns the connection with an id, nil if it is not established any more.
//
//go:noinline
func (o *overlay) established(id ConnID) *conn {
	if c := o.conns[id]; c != nil && c.state == connEstablished {
		return c
	}
	return nil
}

// all returns the established connections, which may change then.
//
//go:noinline
func (o *overlay) all() []*conn { return slices.Clone(o.live) }

// admits says whether authentication lets the other end have a name.
func (c *conn) admits(name string) bool {
	begin, some := strings.CutSuffix(c.authenticated, "*")
	return c.authenticated == "" || name == c.authenticated || some && c.role == Guest && strings.HasPrefix(name, begin)
}

// unites is what c was dialled for, as a hello says it.
func (c *conn) unites() wire.Unite {
	switch {
	case c.add != nil:
		return wire.UniteAdd
	case c.dialed && c.why == dialJoin:
		return wire.UniteYoung
	}
	return wire.UniteNever
}

// crosses says whether c, which is established with the same process as old, was
// dialled from the other side at the same time. One that is dialled later is to
// replace the other.
func (c *conn) crosses(old *conn, now int64) bool {
	return old.instance == c.instance && old.dialed != c.dialed && now-old.opened < crossing
}

// greeted keeps a hello, without the frame that it came in.
func (c *conn) greeted(h *wire.Hello) {
	c.hello = *h
	c.hello.Name, c.hello.Ring, c.hello.Address = kept(h.Name), kept(h.Ring), kept(h.Address)
}

// establish makes the peer the one of the hello.
func (c *conn) establish(now int64) {
	c.timer.stop()
	c.state, c.name, c.guest, c.instance = connEstablished, c.hello.Name, c.hello.Ephemeral, c.hello.Instance
	c.peerStale = c.hello.LastContact != 0
	c.heard, c.used, c.needed = now, now, now
}

// lastTurn is when the peer was last heard of, or gossiped with.
func (c *conn) lastTurn() int64 { return max(c.heard, c.used) }
