package core

import (
	"slices"

	"github.com/nanoring/nanoring/core/wire"
)

const (
	cordonTime = 10 * Second // for another node to say that it is cordoned, or no longer
	restTime   = 10 * Second // for a guest that came back, since no other gateway took it in
	mostMoved  = 32          // guests that a Drain sends on at most
)

// cordon owns whether this node is cordoned, and what it asks of others.
type cordon struct {
	is     bool // it is given nothing new
	kept   bool // nor is the next process, until an operator says otherwise
	wishes []wish
}

// wish is a Cordon or an Uncordon of another node, until that one says so itself.
type wish struct {
	_     incomparable
	id    uint64
	name  string
	on    bool
	until int64
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
	w, s := wish{id: cmd.ID, name: cmd.Name, on: cmd.Op == Cordon, until: r.now + cordonTime}, r.replica.look(cmd.Name)
	switch {
	case r.cfg.Ephemeral:
		return wire.CodeForbidden, "a guest cordons nobody: ask its gateway's operator"
	case s.state == Removed:
		return wire.CodeUnknown, unknownNode(w.name)
	case s.guest:
		return wire.CodeInvalid, w.name + " is a guest: it owns nothing, and takes no guests"
	case w.name == r.cfg.Name:
		o.set(r, w.on, w.on)
		r.result(w.id, w.name, 0, "")
		return 0, ""
	case !s.isUp():
		return wire.CodeUnreachable, w.name + " is " + s.state.String() + ", and it alone can say that of itself: try again when it is up"
	}
	opposed := false
	o.answer(r, func(old *wish) (done bool, code wire.Code, text string) {
		done = old.name == w.name && old.on != w.on
		opposed = opposed || done
		return done, wire.CodeBusy, "the contrary was wished of " + w.name + " since"
	})
	if s.says.Cordoned == w.on && !opposed {
		r.result(w.id, w.name, 0, "")
		return 0, ""
	}
	o.wishes = append(o.wishes, w)
	r.overlay.route(w.name, cordonFrame(w.on), nil)
	return 0, ""
}

func cordonFrame(on bool) []byte {
	return (&wire.Frame{Kind: wire.KindCordon, On: on}).Append(nil)
}

// see answers what is wished of a node that says so now, or is up no more.
func (o *cordon) see(r *Ring, name string, s *standing) {
	o.answer(r, func(w *wish) (done bool, code wire.Code, text string) {
		switch {
		case w.name != name:
			return false, 0, ""
		case !s.isUp():
			return true, wire.CodeUnreachable, name + " is " + s.state.String() + " meanwhile"
		}
		return s.says.Cordoned == w.on, 0, ""
	})
}

// repeat asks those again who did not say so yet: nothing says that they heard it. Whom
// this node cannot reach itself another may.
func (o *cordon) repeat(r *Ring) {
	o.answer(r, func(w *wish) (done bool, code wire.Code, text string) {
		s := r.replica.look(w.name)
		switch {
		case r.now < w.until:
			r.overlay.route(w.name, cordonFrame(w.on), nil)
			o.askThrough(r, w)
			return false, 0, ""
		case s.says.Cordoned == w.on: // it was so before
			return true, 0, ""
		}
		return true, wire.CodeTimeout, w.name + " has not said so yet: it may still do so"
	})
}

// askThrough has another node, any one, pass on what is wished of a node with which this
// one is not connected.
func (o *cordon) askThrough(r *Ring, w *wish) {
	if r.overlay.peer(w.name) != nil {
		return
	}
	var through []*conn
	for _, c := range r.overlay.live {
		if helps(c, w.name) {
			through = append(through, c)
		}
	}
	if n := len(through); n > 0 {
		r.sendBytes(through[r.rand.IntN(n)], relayed(r.cfg.Name, w.name, 0, string(cordonFrame(w.on))))
	}
}

// answer ends the wishes that are done.
func (o *cordon) answer(r *Ring, judge func(*wish) (done bool, code wire.Code, text string)) {
	if len(o.wishes) == 0 {
		return
	}
	o.wishes = slices.DeleteFunc(o.wishes, func(w wish) bool {
		done, code, text := judge(&w)
		if done {
			r.result(w.id, w.name, code, text)
		}
		return done
	})
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
	var here []*conn
	guests := 0
	for _, c := range r.overlay.live {
		if c.guest {
			if guests++; !c.cameBack || r.now-c.opened > restTime {
				here = append(here, c)
			}
		}
	}
	if guests > 0 && r.replica.gateways == 0 {
		return wire.CodeNobody, "no other node is up that takes guests, and is not cordoned"
	}
	for _, c := range here[:min(len(here), 1+guests/8, mostMoved)] {
		sendOn(r, c)
	}
	r.result(cmd.ID, r.cfg.Name, 0, "")
	return 0, ""
}

// sendNewOn sends guests on that came to this node while it was cordoned, as soon as
// they know the ring. One that comes back knows better, or can do no other.
func (o *cordon) sendNewOn(r *Ring) {
	if !o.is || r.replica.gateways == 0 {
		return
	}
	for _, c := range r.overlay.all() {
		if c.guest && c.isNew && r.now-c.opened > r.cfg.Period {
			sendOn(r, c)
		}
	}
}

func sendOn(r *Ring, c *conn) {
	r.close(c, wire.CodeCordoned, r.cfg.Name+" takes no guests any more: take another gateway")
}

// seat takes note of whether a guest was here before. That it was down meanwhile does
// not count: it found no other gateway.
func (o *cordon) seat(r *Ring, c *conn) {
	s := r.replica.look(c.name)
	c.cameBack = c.speaksIn(&s, r.cfg.Name)
	c.isNew = o.is && !c.cameBack
}
