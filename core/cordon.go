package core

import "github.com/nanoring/nanoring/core/wire"

const (
	cordonTime = 10 * Second // for another node to say that it is cordoned, or no longer
	restTime   = 10 * Second // for a guest that came back, since no other gateway took it in
	mostMoved  = 32          // guests that are sent on at once
)

// cordon owns whether this node is cordoned, and what it asks of others.
type cordon struct {
	is     bool // it is given nothing new
	kept   bool // nor is the next process, until an operator says otherwise
	wishes []*wish
}

// wish is a Cordon or an Uncordon of another node, until that one says so itself.
type wish struct {
	_     incomparable
	id    uint64
	name  string
	on    bool
	until int64
	sure  bool // what it says now it does not say before it has heard of the contrary
}

// resume makes the cordon of a process that begins. One that takes over has the one
// that it had.
func (o *cordon) resume(had *wire.Presence) {
	o.is = o.kept
	if had != nil {
		o.is = had.Cordoned
	}
}

// set cordons this node, or ends that.
func (o *cordon) set(r *Ring, on, kept bool) {
	if o.kept != kept {
		o.kept = kept
		r.replica.unsaved.rest = r.replica.version + 1
		r.replica.version++
	}
	if o.is != on {
		o.is = on
		if r.replica.up.Get(r.cfg.Name) != nil {
			r.mintPresence(0)
		}
	}
}

// wish takes an operator's Cordon or Uncordon: a node that is another is asked.
func (o *cordon) wish(r *Ring, cmd *Command) (wire.Code, string) {
	s := r.replica.look(cmd.Name)
	switch on := cmd.Op == Cordon; {
	case r.cfg.Ephemeral:
		return wire.CodeForbidden, "a guest cordons nobody: ask its gateway's operator"
	case s.state == Removed:
		return wire.CodeUnknown, unknownNode(cmd.Name)
	case s.guest:
		return wire.CodeInvalid, cmd.Name + " is a guest: it owns nothing, and takes no guests"
	case cmd.Name == r.cfg.Name:
		o.set(r, on, on)
		r.replica.result(cmd.ID, cmd.Name, 0, "")
	default:
		w := &wish{id: cmd.ID, name: cmd.Name, on: on, until: r.now + cordonTime, sure: true}
		for _, old := range o.wishes {
			if old.name == w.name && old.on != on {
				old.until, w.sure = 0, false
			}
		}
		push(&o.wishes, w)
		if s.isUp() {
			o.ask(r, w) // also who says so already: it may be otherwise since
		}
		o.review(r, "", false)
	}
	return 0, ""
}

// review answers what is wished of nodes that say so by now, or is in vain, and asks the
// others, again and again: nothing says that they heard it. What is said of a name is new.
//
//go:noinline
func (o *cordon) review(r *Ring, name string, ask bool) {
	keep(&o.wishes, func(w *wish) bool {
		s := r.replica.look(w.name)
		w.sure = w.sure || w.name == name
		switch {
		case !s.isUp():
			r.replica.result(w.id, w.name, wire.CodeUnreachable, w.name+" is "+s.state.String()+", and it alone can say that of itself: try again when it is up")
		case s.says.Cordoned == w.on && (w.sure || r.now >= w.until):
			r.replica.result(w.id, w.name, 0, "")
		case r.now >= w.until:
			r.replica.result(w.id, w.name, wire.CodeTimeout, w.name+" has not said so yet, or the contrary was wished of it since")
		default:
			if ask {
				o.ask(r, w)
			}
			return true
		}
		return false
	})
}

// ask sends a wish on its way. Whom this node is not connected with another may reach.
func (o *cordon) ask(r *Ring, w *wish) {
	frame := (&wire.Frame{Kind: wire.KindCordon, On: w.on}).Append(nil)
	n := len(r.overlay.live)
	if r.overlay.route(w.name, frame, nil) && (r.overlay.peer(w.name) != nil || r.replica.via(w.name) != "") || n == 0 {
		return
	}
	for i, at := 0, r.rand.IntN(n); i < n; i++ {
		if c := r.overlay.live[(at+i)%n]; helps(c, w.name) {
			r.sendBytes(c, relayed(r.cfg.Name, w.name, 0, string(frame)))
			return
		}
	}
}

// obey does what an operator wishes of this node at another one.
func (o *cordon) obey(r *Ring, c *conn, on bool) {
	if c.guest {
		r.fail(c, wire.CodeForbidden, "a guest cordons nobody")
		return
	}
	if code, _ := r.unable(); code == 0 && !r.cfg.Ephemeral && !r.replica.isDeleted(c.name) {
		o.set(r, on, on)
	}
}

// drain cordons this node, for as long as it runs, and sends some of its guests on: not
// all at once, and none that has just come back.
func (o *cordon) drain(r *Ring, cmd *Command) (wire.Code, string) {
	if r.cfg.Ephemeral {
		return wire.CodeForbidden, "a guest has no guests"
	}
	o.set(r, true, o.kept)
	guests := 0
	for _, c := range r.overlay.live {
		if c.guest {
			guests++
		}
	}
	if guests > 0 && r.replica.gateways == 0 {
		return wire.CodeNobody, "no other node is up that takes guests, and is not cordoned: start one, or uncordon one"
	}
	o.sendOn(r, min(1+guests/8, mostMoved), func(c *conn) bool { return !c.cameBack || r.now-c.opened > restTime })
	r.replica.result(cmd.ID, r.cfg.Name, 0, "")
	return 0, ""
}

// sendNewOn sends guests on that came to this node while it was cordoned, as soon as
// they know the ring. One that comes back knows better, or can do no other.
func (o *cordon) sendNewOn(r *Ring) {
	if o.is && r.replica.gateways > 0 {
		o.sendOn(r, mostMoved, func(c *conn) bool { return c.isNew && r.now-c.opened > r.cfg.Period })
	}
}

// sendOn has some guests go to other gateways, those first that came first.
func (o *cordon) sendOn(r *Ring, most int, which func(*conn) bool) {
	for _, c := range r.overlay.all() {
		if c.guest && most > 0 && which(c) {
			most--
			r.close(c, wire.CodeCordoned, r.cfg.Name+" takes no guests any more: take another gateway")
		}
	}
}

// avoid has a node that cannot be dialled choose another gateway than one that became
// cordoned, if it can.
func (o *cordon) avoid(r *Ring, name string) {
	if r.cfg.Address == "" && !r.cfg.Ephemeral && r.replica.via(r.cfg.Name) == name {
		if gw := r.overlay.gateway(); gw != nil && gw.name != name {
			r.mintPresence(0)
		}
	}
}

// seat takes note of whether a guest was here before. That it was down meanwhile does
// not count: it found no other gateway.
func (o *cordon) seat(r *Ring, c *conn) {
	s := r.replica.look(c.name)
	c.cameBack = c.speaksIn(&s, r.cfg.Name)
	c.isNew = o.is && !c.cameBack
}
