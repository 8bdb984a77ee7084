package core

// dialPurpose is what a dial is for.
type dialPurpose uint8

const (
	dialOwn    dialPurpose = iota // one more of the connections that a node keeps open
	dialHeal                      // a member that is not up may be there again
	dialRedial                    // a connection broke
	dialRoute                     // a frame has to get there
	dialJoin                      // an address that this node was given
	dialAdd                       // an operator's command
	dialTell                      // a message, or an answer, has to get there
	dialPurposes
)

// perPeriod is how many dials are begun in a period at most. Each purpose has its
// own, so that dials that hang, or are in vain, keep none of the others waiting.
var perPeriod = [dialPurposes]int{dialOwn: 10, dialHeal: 10, dialRedial: 32, dialRoute: 32, dialJoin: 10, dialTell: 10}

// brokenOff is a peer that is to be dialled again.
type brokenOff struct {
	name  string
	queue []string // frames for it
}

// dialTimeout is how long the runtime has to open what it was asked to dial. A guest goes to
// another gateway sooner.
func (o *overlay) dialTimeout() int64 {
	if o.cfg.Ephemeral {
		return o.helloTimeout()
	}
	return max(8*Second, 16*o.cfg.AckTimeout)
}

// helloTimeout is how long the hello of a connection that is open may take.
func (o *overlay) helloTimeout() int64 { return max(5*Second, 8*o.cfg.AckTimeout) }

// dial asks the runtime for a connection to addr, where name ("" for any) is expected.
func (o *overlay) dial(addr, name string, why dialPurpose) *conn {
	o.nextConn += 2
	c := &conn{id: o.nextConn, dialed: true, addr: addr, want: name, why: why, begun: o.now}
	o.left[why]--
	o.conns[c.id] = c
	if name != "" {
		o.dials[name] = c
	}
	c.timer = o.after(o.dialTimeout(), dialDue, "", uint64(c.id))
	e := o.effect(Dial)
	e.Conn, e.Addr = c.id, addr
	return c
}

// redial dials a peer whose connection broke, at once or when its turn comes.
func (o *overlay) redial(name string, queue []string) {
	o.broken = append(o.broken, brokenOff{name, queue})
	o.redialNext()
}

// redialNext dials those whose connections broke, the first ones first. Some may
// have come back by themselves, or be down by now.
func (o *overlay) redialNext() {
	n := 0
	for ; n < len(o.broken) && o.left[dialRedial] > 0; n++ {
		b := &o.broken[n]
		s, c := o.replica.look(b.name), o.dials[b.name]
		if !s.isUp() || s.address() == "" || o.peer(b.name) != nil {
			continue
		}
		if c == nil {
			c = o.dial(s.address(), b.name, dialRedial)
		}
		c.why = dialRedial
		c.queue = append(c.queue, b.queue[:min(len(b.queue), maxQueued-len(c.queue))]...)
	}
	if o.broken = o.broken[n:]; len(o.broken) == 0 {
		o.broken = nil
	}
}

// outsleep drops what has waited for a connection while this process was not run: it says
// how old it was when it was written.
func (o *overlay) outsleep() {
	for _, c := range o.conns {
		if c.state != connEstablished {
			c.queue = nil
		}
	}
	for i := range o.broken {
		o.broken[i].queue = nil
	}
}

// refill begins a period.
func (o *overlay) refill() {
	o.left = perPeriod
	o.redialNext()
}

// own counts the connections that this node opened, and those of its own that it
// is about to open.
func (o *overlay) own() (open, pending int) {
	for _, c := range o.live {
		if c.dialed {
			open++
		}
	}
	return open, o.pending()
}

//go:noinline
func (o *overlay) pending() (n int) {
	for _, c := range o.dials {
		if c.why == dialOwn {
			n++
		}
	}
	return n
}
