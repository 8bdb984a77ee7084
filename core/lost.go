package core

import (
	"unicode/utf8"

	"github.com/nanoring/nanoring/core/wire"
)

// maxTries is how often a dial whose outcome counts is repeated that broke before
// it was established.
const maxTries = 3

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
		r.emitRefused(c, c.name, code, text)
	}
	r.close(c, code, text)
}

// close ends a connection from this side.
func (r *Ring) close(c *conn, code wire.Code, text string) {
	if c.state == connOver {
		return
	}
	r.hangUp(c.id, code, text)
	r.lose(c, code)
}

// closeAll ends all that are established.
//
//go:noinline
func (r *Ring) closeAll(code wire.Code) {
	for _, c := range r.overlay.all() {
		r.close(c, code, "")
	}
}

// giveUp ends a connection that does not come about. If it was dialled, that
// is as good as unreachable.
func (r *Ring) giveUp(c *conn, text string) {
	if c.state == connOpen {
		r.send(c, &wire.Frame{Kind: wire.KindError, Code: wire.CodeTimeout, Text: text})
	}
	r.hangUp(c.id, wire.CodeTimeout, text)
	r.lose(c, wire.CodeUnreachable)
}

// lose forgets a connection and draws the conclusions from how it ended.
func (r *Ring) lose(c *conn, code wire.Code) {
	established := c.state == connEstablished
	if !r.overlay.drop(c) {
		return
	}
	if !established {
		r.missed(c, code)
		return
	}
	r.messages.questions.part(c)
	name := c.name
	if name == "" {
		return // replaced by another
	}
	r.debts.dismiss(c)
	if r.reconciler.abandon(c) && (code < wire.CodeBye || code == wire.CodeTimeout) {
		r.overlay.evidence(name, "unsynced", "")
	}
	if !r.reconciler.compared && r.overlay.hasGuestsAlone(0) {
		r.overlay.forsaken = true
	}
	if r.halted {
		return
	}
	switch {
	case c.guest:
		r.detector.guestGone(c, code)
	case r.cfg.Ephemeral:
		r.overlay.maintain()
	default:
		if r.cfg.Address == "" && r.replica.via(r.cfg.Name) == name && r.overlay.gateway() != nil && code != wire.CodeDuplicate { // else another one with it is about to be established
			r.mintPresence(0)
		}
		if r.replica.via(name) == r.cfg.Name {
			r.detector.awaitReturn(name, r.replica.up.Get(name).Stamp) // it cannot be dialled: it has to come back
		}
		if code == wire.CodeDuplicate && r.overlay.dials[name] == nil { // and not for the one that is about to be established
			r.overlay.shun(name, refusals) // for another process of this node's name: give way, so that it is found out
		}
		if isBreach(code) {
			r.overlay.shun(name, breaches)
		}
		// Only what broke is evidence; a close with a code means nothing by itself.
		if code < wire.CodeBye {
			if c.accused != nil {
				r.detector.endContest(name, c.accused.Stamp) // the others were right
			}
			r.redial(name, c.forwarded)
		} else {
			if code == wire.CodeRotated {
				r.detector.excuse(name)
			}
			r.overlay.maintain()
		}
	}
}

// isBreach says whether a connection was closed, by either side, since one of the
// two does not keep to the protocol: that will be so again.
func isBreach(code wire.Code) bool { return code == wire.CodeBadFrame || code == wire.CodeOrder }

// missed draws the conclusions from a connection that never was established.
func (r *Ring) missed(c *conn, code wire.Code) {
	r.missAdd(c, code)
	if c.want != "" && isBreach(code) {
		r.overlay.shun(c.want, breaches)
	}
	if c.want != "" && code == wire.CodeUntrusted && !r.overlay.joined {
		r.overlay.shun(c.want, refusals) // nobody has let this process in: more likely it is this one that lacks the ring's secret
		return
	}
	if c.dialed && c.want != "" && code < wire.CodeBye {
		r.overlay.evidence(c.want, "unreached", "")
		if code == wire.CodeRefused {
			r.overlay.tellRefused(c.queue)
			r.overlay.refused(c.want)
		} else if r.retry(c) {
			return
		}
		if !r.detector.unreached(c.want) && c.why != dialRoute && c.why != dialTell { // else who asked draws the conclusion
			if code == wire.CodeRefused || r.detector.health.late == 0 { // else it is slow itself
				r.detector.doubt(c.want, code == wire.CodeRefused && c.why == dialRedial)
			}
		}
	}
}

// retry dials again where a listener may have closed meanwhile, and says whether
// it does. A process that ends may close its connections before its listener,
// which accepts a dial then that it soon breaks: only the next one is refused.
func (r *Ring) retry(c *conn) bool {
	if c.tries >= maxTries || c.why != dialRedial && len(c.queue) == 0 || r.now-c.begun > r.cfg.AckTimeout {
		return false
	}
	next := r.overlay.dial(c.addr, c.want, c.why)
	next.queue, next.tries = c.queue, c.tries+1
	return true
}

// redial tries a peer at once whose connection broke; if that fails, it is asked
// after. What others wanted forwarded, and may be lost, goes with it.
func (r *Ring) redial(name string, forwarded []string) {
	s := r.replica.look(name)
	if !s.isUp() {
		return
	}
	if s.address() == "" {
		r.unreachable(name, false)
		return
	}
	r.overlay.redial(name, forwarded)
}

// unreachable draws the conclusions from a dial of name that failed.
func (r *Ring) unreachable(name string, refused bool) {
	if !r.detector.unreached(name) {
		r.detector.doubt(name, refused)
	}
}
