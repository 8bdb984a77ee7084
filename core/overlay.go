package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/ledger"
	"github.com/nanoring/nanoring/core/wire"
)

const (
	outbound = 6          // connections that a node keeps open of its own
	rotation = 256        // one round in so many opens a new one,
	searches = 4          // and in so many times as many as others have fallen for each that is up
	lonely   = 8          // and one round in so many without peers tries those to join
	rarely   = 1024       // at least one in so many tries those where no member is
	crossing = 2 * Second // two dials, one from each side, that connected within it did not know of each other
)

// overlay owns the connections: which there are, which to open, and which to
// close. Together those of all nodes are a random graph.
type overlay struct {
	*self
	replica  *replica
	conns    map[ConnID]*conn
	live     []*conn // established, in that order
	byName   map[string]*conn
	guests   int              // of live, by their role
	dials    map[string]*conn // not yet established, by the name that is meant
	nextConn ConnID
	rounds   uint64
	joinTurn int               // whose turn it is in Config.Join
	joined   bool              // some node let this process in,
	forsaken bool              // and was gone before the two knew the same: it is to join as before
	found    map[string]string // who was found at an address to join
	left     [dialPurposes]int // dials, until the next round
	broken   []brokenOff       // whose turn to be dialled has not come
	shunned  map[string]*aside
	refusals map[string]*refusal
	costs    *ledger.Ledger // of guests
	filling  bool           // maintain is to be called soon
}

func newOverlay(s *self, rep *replica) overlay {
	return overlay{
		self:     s,
		replica:  rep,
		conns:    make(map[ConnID]*conn),
		byName:   make(map[string]*conn),
		found:    make(map[string]string),
		dials:    make(map[string]*conn),
		shunned:  make(map[string]*aside),
		refusals: make(map[string]*refusal),
		costs:    ledger.New(GuestCosts(s.cfg.MaxGuests)),
	}
}

// opened takes in that the runtime has opened a connection; nil if it was given
// up in the meantime.
func (o *overlay) opened(in *Input, known bool) *conn {
	c := o.conns[in.Conn]
	if c == nil && (in.Conn%2 == 1 || !known) {
		c = &conn{id: in.Conn, dialed: in.Conn%2 == 0, role: in.Role, addr: in.Addr}
		o.conns[c.id] = c
	}
	if c == nil {
		o.hangUp(in.Conn, wire.CodeTimeout, "")
		return nil
	}
	if c.state != connDialing {
		return nil
	}
	c.state, c.opened, c.authenticated, c.tags, c.own = connOpen, o.now, in.Name, slices.Clone(in.Tags), slices.Clone(in.Own)
	c.line.may = in.Topics
	if in.Role == Guest {
		c.cost = o.costs.Open(o.now, in.Party)
	}
	c.timer.stop()
	c.timer = o.after(o.helloTimeout(), helloDue, "", uint64(c.id))
	return c
}

// charge opens the account of an ephemeral peer that authentication takes for a node.
func (o *overlay) charge(c *conn) {
	if c.guest && c.cost == nil {
		c.cost = o.costs.Open(o.now, "")
	}
}

// welcome takes note that a peer let this node in.
func (o *overlay) welcome(c *conn) {
	if (!o.joined || o.forsaken) && !c.guest {
		o.joined, o.forsaken = true, false
		e := o.event(EventLetIn)
		e.Name, e.Addr = c.name, c.addr
	}
	o.undial(c)
	if c.dialed {
		delete(o.refusals, c.name)
	}
	if c.dialed && c.why == dialJoin {
		o.found[c.addr] = c.name
	}
	o.unshun(c.name)
	if s := o.shunned[c.name]; s != nil && s.skewed != 0 {
		s.skewed = 0
		e := o.event(EventSkew)
		e.Name, e.Addr = c.name, c.addr
	}
}

// admit counts a connection to the established ones.
//
//go:noinline
func (o *overlay) admit(c *conn) {
	o.byName[c.name] = c
	push(&o.live, c)
	o.count(c, +1)
}

// count keeps how many guests there are.
func (o *overlay) count(c *conn, by int) {
	if c.role == Guest {
		o.guests += by
	}
}

// replace puts c in old's place.
func (o *overlay) replace(old, c *conn) {
	o.live[slices.Index(o.live, old)] = c
	o.byName[c.name] = c
	old.name = ""
	o.count(old, -1)
	o.count(c, +1)
}

// drop forgets a connection, and says whether there was one.
func (o *overlay) drop(c *conn) bool {
	if o.conns[c.id] != c {
		return false
	}
	delete(o.conns, c.id)
	o.undial(c)
	c.timer.stop()
	if c.cost != nil {
		c.cost.Close()
	}
	if c.state == connEstablished && c.name != "" {
		delete(o.byName, c.name)
		o.count(c, -1)
		if i, last := slices.Index(o.live, c), len(o.live)-1; i >= 0 {
			copy(o.live[i:], o.live[i+1:])
			o.live[last] = nil
			o.live = o.live[:last]
		}
	}
	c.state = connOver
	return true
}

func (o *overlay) undial(c *conn) {
	if o.dials[c.want] == c {
		delete(o.dials, c.want)
	}
}

// gateway returns the connection by which a node that has no address is reached: one
// that it dialled or, if those who know it by an address of theirs dialled all, another;
// and of these one to a node that is not cordoned, if there is any.
//
//go:noinline
func (o *overlay) gateway() (gw *conn) {
	is := false // gw is cordoned
	for _, c := range o.live {
		if c.guest || gw != nil && (gw.dialed && !c.dialed || !is && c.dialed == gw.dialed) {
			continue
		}
		if s := o.replica.look(c.name); gw == nil || c.dialed && !gw.dialed || !s.says.Cordoned {
			gw, is = c, s.says.Cordoned
		}
	}
	return gw
}

// maintain opens what is missing of a node's own connections to random up nodes.
func (o *overlay) maintain() {
	if o.halted {
		return
	}
	if o.hasGuestsAlone(0) || o.cfg.Ephemeral {
		o.dialJoin()
	}
	if o.cfg.Ephemeral {
		return
	}
	open, pending := o.own()
	for own := open + pending; own < outbound && o.left[dialOwn] > 0 && o.dialRandom(); own++ {
	}
}

// fillSoon calls maintain as soon as a batch of news is merged, if there are
// too few connections of any kind for the overlay to carry rumors: who joins
// does not wait for its round.
func (o *overlay) fillSoon() {
	if o.filling || o.cfg.Ephemeral || !o.joined || len(o.live) >= outbound || len(o.live)+o.pending() >= outbound {
		return
	}
	o.filling = true
	o.after(coalesce, connectionsDue, "", 0)
}

// dialJoin dials the addresses that this node was given: as long as nobody has let
// it in, and stayed until the two knew the same, or it knows nobody, and rarely when all whom it knows are gone.
func (o *overlay) dialJoin() {
	if o.cfg.Ephemeral && (len(o.live) > 0 || len(o.conns) > 0) || len(o.cfg.Join) == 0 {
		return
	}
	if o.cfg.Ephemeral {
		o.dial(o.cfg.Join[o.joinTurn%len(o.cfg.Join)], "", dialJoin)
		o.joinTurn++
		return
	}
	if o.joined && !o.forsaken && !o.replica.alone() && (o.replica.peersUp > 1 || o.rounds%lonely != 0) {
		return
	}
	o.dialAll(false)
}

// dialAll dials the addresses to join, in turn: all, or those that are no member's that is up.
func (o *overlay) dialAll(strange bool) {
	for range o.cfg.Join {
		addr := o.cfg.Join[o.joinTurn%len(o.cfg.Join)]
		if o.left[dialJoin] <= 0 {
			return // the others have their turn in the next round
		}
		o.joinTurn++
		if s := o.replica.look(o.found[addr]); !strange || !s.isUp() || s.address() != addr {
			o.dialTo(addr)
		}
	}
}

func (o *overlay) dialTo(addr string) {
	if o.left[dialJoin] > 0 && !o.dialingTo(addr) && addr != o.cfg.Address {
		o.dial(addr, "", dialJoin)
	}
}

// seek dials addresses to join that are no member's that is up: there may be an island
// of the ring, of which this node cannot know. It does so more and more rarely, for ever.
func (o *overlay) seek() {
	if o.rounds < lonely || o.rounds&(o.rounds-1) != 0 && o.rounds%rarely != 0 || o.cfg.Ephemeral {
		return
	}
	o.dialAll(true)
}

func (o *overlay) dialingTo(addr string) bool {
	for _, c := range o.conns {
		if c.addr == addr && c.state != connEstablished {
			return true
		}
	}
	return false
}

// dialRandom dials a random durable up node that is not connected; false if none was found.
func (o *overlay) dialRandom() bool {
	n := o.replica.up.Len()
	if n < 2 {
		return false
	}
	// In a small ring all are tried, from a random one on; in a large one a few at random.
	at := o.rand.IntN(n)
	for range min(n, 32) {
		name := o.replica.up.At(at).Name
		if at++; at >= n || n > 32 {
			at = o.rand.IntN(n)
			if n <= 32 {
				at = 0
			}
		}
		s := o.replica.look(name)
		if s.guest || !s.isUp() || !o.dialable(name) || len(o.live) > 0 && o.refuses(name, &s) {
			continue
		}
		o.dial(o.replica.address(name), name, dialOwn)
		return true
	}
	return false
}

// isExpecting says whether another node than that one is about to be connected.
func (o *overlay) isExpecting(name string) bool {
	for _, c := range o.conns {
		s := o.replica.look(c.want)
		if c.state == connOpen || c.state == connDialing && c.want != name && s.isUp() {
			return true
		}
	}
	return false
}

func (o *overlay) dialable(name string) bool {
	return name != o.cfg.Name && o.byName[name] == nil && o.dials[name] == nil && o.replica.address(name) != "" && !o.shunning(name)
}

// rotate opens one connection more in one round of many: in as many more as less
// of the ring is up, since that finds those out who are dead and connected with
// nobody who could say so. Of those that are too many it returns the one on which the
// peer's last round is the longest ago, but for one that is busy; or nil. A peer that
// has few others, and perhaps cannot replace them, has its rounds here all the time.
func (o *overlay) rotate(busy *conn) *conn {
	if o.cfg.Ephemeral {
		return nil
	}
	open, pending := o.own()
	if open+pending <= outbound && o.replica.peersUp-1 > len(o.live) && o.left[dialOwn] > 0 && o.rand.IntN(rotation*o.replica.peersUp) < searches*o.replica.durable-(searches-1)*o.replica.peersUp {
		o.dialRandom()
	}
	if open <= outbound {
		return nil
	}
	var least *conn
	for _, c := range o.live {
		if c.dialed && (least == nil || c.needed < least.needed) && c != busy && o.cfg.Address != "" {
			least = c
		}
	}
	return least
}

// heal dials members that are not up: over the whole ring, each about once a Period.
func (o *overlay) heal() {
	lost := o.replica.lost.list
	if o.cfg.Ephemeral || len(lost) == 0 {
		return
	}
	n := max(o.replica.peersUp, 1)
	attempts := len(lost) / n
	if o.rand.IntN(n) < len(lost)%n {
		attempts++
	}
	for ; attempts > 0 && o.left[dialHeal] > 0; attempts-- {
		name := lost[o.rand.IntN(len(lost))]
		if o.dialable(name) && !o.isTaken(name) {
			o.dial(o.replica.address(name), name, dialHeal)
		}
	}
}

// isStranger says whether a peer does not become a member: who joins does so
// within a round, who was deleted has RemovalGrace to go. A guest is one that was
// deleted.
func (o *overlay) isStranger(c *conn) bool {
	if c.authority || o.replica.isMember(c.name) || c.guest && !o.replica.isDeleted(c.name) {
		c.strange = 0
		return false
	}
	if c.strange == 0 {
		c.strange = o.now
		return false
	}
	grace := o.cfg.RemovalGrace
	if !c.guest {
		grace *= 2
	}
	return o.now-c.strange > grace
}

// turn picks the connection that was silent for longest: a round-robin (SWIM 4.3)
// in which whoever has just spoken has had its turn. Who falls silent is thus
// asked by all of its peers within half the time that going around takes.
func (o *overlay) turn() (longest *conn) {
	for _, c := range o.live {
		if c.guest || c.strange != 0 && o.rounds%4 != 0 { // members come first
			continue
		}
		if longest == nil || c.lastTurn() < longest.lastTurn() {
			longest = c
		}
	}
	return longest
}
