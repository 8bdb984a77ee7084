package core

import (
	"slices"
	"unicode/utf8"

	"github.com/nanoring/nanoring/core/wire"
)

const (
	helloTimeout = 5 * Second // for the hello of a connection that is open
	dialTimeout  = 5 * Second // for the runtime to open what it was asked to dial
	maxQueued    = 8          // frames that wait for a connection to open
)

type connState uint8

const (
	connDialing     connState = iota // Dial was asked for
	connOpen                         // its hello is awaited
	connHeld                         // its hello is here; an older instance of the name is asked first
	connEstablished                  // hellos were exchanged
)

// conn is one connection, from Dial or Opened until it is dropped.
type conn struct {
	id     ConnID
	state  connState
	dialed bool
	role   Role       // of an accepted one
	is     string     // who authentication says that it is: see Input.Name
	tags   []wire.Tag // the labels that it has to have; nil for any
	addr   string     // dialled, or remote
	want   string     // the name that was meant by a dial; "" for any
	add    *adding
	timer  *timer // for hello
	queue  []string

	hello     wire.Hello // the peer's; from connHeld on
	name      string
	guest     bool // the peer is a guest of this node
	authority bool // what the peer lacks, this node drops: see reconciliation
	peerStale bool
	trip      roundTrip
	opened    int64     // the ring's clock when it opened
	heard     int64     // the ring's clock at the last frame
	used      int64     // and at the last round
	strange   int64     // since when the peer is no member; 0 if it is one
	probed    bool      // a guest that is silent has been asked
	asserted  int       // records that were taken from a guest since the last round
	heaped    allowance // frames and KiB that a guest has sent
	answered  allowance // KiB of records that its syncs were answered with
	forwarded []string  // probes that went to the peer since it was last heard
	deleted   bool      // the peer is, as of
	judged    uint64    // the ring's version + 1

	slot    int   // of its debts, from established on
	owing   int   // how many records it has not shown to know
	syncAt  int64 // no sync before: backoff
	backoff int64
	differs bool // a sync is due as soon as the one under way is over
}

// dial asks the runtime for a connection to addr, where name ("" for any) is expected.
func (r *Ring) dial(addr, name string) *conn {
	r.nextConn += 2
	c := &conn{id: r.nextConn, dialed: true, addr: addr, want: name}
	r.conns[c.id] = c
	if name != "" {
		r.dials[name] = c
	}
	c.timer = r.after(dialTimeout, func() { r.giveUp(c, "no connection in time") })
	r.effects = append(r.effects, Effect{Kind: Dial, Conn: c.id, Addr: addr})
	return c
}

func (r *Ring) opened(in Input) {
	c := r.conns[in.Conn]
	if c == nil && (in.Conn%2 == 1 || !r.started) {
		c = &conn{id: in.Conn, dialed: in.Conn%2 == 0, role: in.Role, addr: in.Addr}
		r.conns[c.id] = c
	}
	if c == nil { // given up in the meantime
		r.effects = append(r.effects, Effect{Kind: Close, Conn: in.Conn, Code: wire.CodeTimeout})
		return
	}
	if c.state != connDialing {
		return
	}
	c.state, c.opened, c.is, c.tags = connOpen, r.now, in.Name, slices.Clone(in.Tags)
	c.timer.stop()
	c.timer = r.after(helloTimeout, func() { r.giveUp(c, "no hello in time") })
	if c.dialed && r.started { // else it was said: see inherit
		r.sayHello(c)
	}
}

// giveUp ends a connection that does not come about. If it was dialled, that
// is as good as unreachable.
func (r *Ring) giveUp(c *conn, text string) {
	if c.state == connOpen {
		r.send(c, &wire.Frame{Kind: wire.KindError, Code: wire.CodeTimeout, Text: text})
	}
	r.effects = append(r.effects, Effect{Kind: Close, Conn: c.id, Code: wire.CodeTimeout, Text: text})
	r.lose(c, wire.CodeUnreachable)
}

func (r *Ring) send(c *conn, f *wire.Frame) {
	start := len(r.buf)
	r.buf = f.Append(r.buf)
	r.sendBytes(c, r.buf[start:len(r.buf):len(r.buf)])
}

//go:noinline
func (r *Ring) sendBytes(c *conn, frame []byte) {
	r.effects = append(r.effects, Effect{Kind: Send, Conn: c.id, Frame: frame})
}

// received takes one frame. Whatever is not right about it costs its sender the connection.
func (r *Ring) received(id ConnID, frame []byte) {
	c := r.conns[id]
	if c == nil || c.state == connDialing {
		return
	}
	if !r.bearable(c, len(frame)) {
		r.fail(c, wire.CodeForbidden, "more frames, or bytes, than a guest may send")
		return
	}
	f := &r.in
	if err := f.Decode(frame); err != nil {
		r.fail(c, wire.CodeBadFrame, err.Error())
		return
	}
	if f.Kind == wire.KindError {
		r.refusedBy(c, f.Code, f.Text)
		return
	}
	if c.state == connHeld && c.dialed {
		return // the peer holds it for open; what is lost is found by a sync
	}
	if (f.Kind == wire.KindHello) != (c.state == connOpen) || c.state == connHeld {
		r.fail(c, wire.CodeOrder, "a hello is the first frame each way, and the only one")
		return
	}
	if f.Kind == wire.KindHello {
		r.greet(c, f.Hello)
		return
	}
	r.heardOf(c)
	switch f.Kind {
	case wire.KindGossip:
		r.gossip(c, f)
	case wire.KindAck:
		r.ack(c, f)
	case wire.KindRumor:
		r.mergeAll(c, f.Records)
	case wire.KindSync:
		r.answerSync(c, f)
	case wire.KindSynced:
		r.synced(c, f)
	case wire.KindProbe:
		r.send(c, &wire.Frame{Kind: wire.KindAlive, Seq: f.Seq, Instance: r.cfg.Instance})
	case wire.KindAlive:
		r.alive(c.name, f.Seq, f.Instance)
	case wire.KindRelay:
		r.relay(c, f)
	case wire.KindRefused:
		r.refusedToo(c.name, f.Seq)
	}
}

func (r *Ring) heardOf(c *conn) {
	c.heard, c.probed, c.forwarded = r.now, false, nil
	if !r.stale && !c.peerStale && !c.guest {
		r.lastContact = r.wall
	}
}

func (r *Ring) mergeAll(c *conn, records []wire.Record) {
	for i := range records {
		if r.refusedAll(c) {
			break
		}
		if w := &records[i]; r.merge(w, c) == isOlder {
			r.oweTo(c, w.Set, w.Name)
		}
	}
}

// fail tells the peer what it did wrong, and closes.
func (r *Ring) fail(c *conn, code wire.Code, text string) {
	if n := wire.MaxText; len(text) > n {
		for !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n]
	}
	r.send(c, &wire.Frame{Kind: wire.KindError, Code: code, Text: text})
	if c.state == connEstablished {
		r.emitRarely(Event{Kind: EventRefused, Name: c.name, Addr: c.addr, Code: code, Text: text})
	}
	r.close(c, code, text)
}

// close ends a connection from this side.
func (r *Ring) close(c *conn, code wire.Code, text string) {
	if r.conns[c.id] != c {
		return
	}
	r.effects = append(r.effects, Effect{Kind: Close, Conn: c.id, Code: code, Text: text})
	r.lose(c, code)
}

// closed takes the runtime's word that a connection is gone.
func (r *Ring) closed(id ConnID, code wire.Code) {
	if c := r.conns[id]; c != nil {
		r.lose(c, code)
	}
}

// lose forgets a connection and draws the conclusions from how it ended.
func (r *Ring) lose(c *conn, code wire.Code) {
	if r.conns[c.id] != c {
		return
	}
	delete(r.conns, c.id)
	r.undial(c)
	c.timer.stop()
	if c.state != connEstablished {
		r.missed(c, code)
		return
	}
	name := c.name
	if name == "" {
		return // replaced by another
	}
	delete(r.byName, name)
	r.debts.dismiss(c)
	r.live = slices.DeleteFunc(r.live, func(o *conn) bool { return o == c })
	if r.sync != nil && r.sync.conn == c {
		r.sync = nil
	}
	if r.halted {
		return
	}
	switch {
	case c.guest:
		r.guestGone(c, code)
	case r.cfg.Ephemeral:
		r.maintain()
	default:
		if r.cfg.Address == "" && r.via(r.cfg.Name) == name && r.gateway() != nil {
			r.mintPresence(0)
		}
		if r.via(name) == r.cfg.Name {
			r.await(name, r.cfg.Name) // it cannot be dialled: it has to come back
		}
		if code == wire.CodeDuplicate {
			r.shun(name) // for another process of this node's name: give way, so that it is found out
		}
		// Only what broke is evidence; a close with a code means nothing by itself.
		if code < wire.CodeBye {
			r.redial(name, c.forwarded)
		} else {
			r.maintain()
		}
	}
}

// missed draws the conclusions from a connection that never was established.
func (r *Ring) missed(c *conn, code wire.Code) {
	r.missAdd(c, code)
	if c.want != "" && code == wire.CodeUntrusted && !r.joined {
		r.shun(c.want) // nobody has let this process in: more likely it is this one that lacks the ring's secret
		return
	}
	if c.dialed && c.want != "" && code < wire.CodeBye {
		if code == wire.CodeRefused {
			r.tellRefused(c.queue)
		}
		r.unreachable(c.want, code == wire.CodeRefused)
	}
}

// redial tries a peer at once whose connection broke; if that fails, it is asked
// after. What others wanted forwarded, and may be lost, goes with it.
func (r *Ring) redial(name string, forwarded []string) {
	s := r.look(name)
	if !s.isUp() || r.dials[name] != nil {
		return
	}
	if addr := r.address(name); addr != "" {
		r.dial(addr, name).queue = forwarded
		return
	}
	r.unreachable(name, false)
}

func (r *Ring) undial(c *conn) {
	if r.dials[c.want] == c {
		delete(r.dials, c.want)
	}
}
