package core

import "github.com/nanoring/nanoring/core/wire"

// received takes one frame. Whatever is not right about it costs its sender the connection.
func (r *Ring) received(id ConnID, frame []byte) {
	c := r.overlay.conns[id]
	if c == nil || c.state == connDialing {
		return
	}
	if !c.bearable(len(frame), r.now) {
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
		r.greet(c, &f.Hello)
		return
	}
	if c.unsure && !r.believe(c) {
		return
	}
	c.heard, c.probed, c.forwarded = r.now, false, nil
	c.pardon(f.Kind, len(frame))
	switch f.Kind {
	case wire.KindGossip:
		r.gossip(c, f)
	case wire.KindAck:
		r.ack(c, f)
	case wire.KindRumor:
		r.mergeAll(c, f.Records)
	case wire.KindSync:
		if !r.reconciler.answerSync(c, f) {
			r.fail(c, wire.CodeForbidden, "a guest asks what its gateway has, and does not say what it has itself")
		}
	case wire.KindSynced:
		if !r.reconciler.synced(c, f) {
			r.fail(c, wire.CodeOrder, "a synced frame answers one item at least, and none that was not sent")
		}
	case wire.KindProbe:
		r.send(c, &wire.Frame{Kind: wire.KindAlive, Seq: f.Seq, Instance: r.cfg.Instance})
	case wire.KindAlive:
		r.detector.alive(c.name, c, f.Seq, f.Instance)
	case wire.KindRelay:
		r.relay(c, f, len(frame))
	case wire.KindRefused:
		r.detector.refusedToo(c.name, f.Seq)
	case wire.KindCordon:
		r.cordon.obey(r, c, f.On)
	case wire.KindKnown, wire.KindLack:
		if c.guest || r.cfg.Ephemeral {
			r.fail(c, wire.CodeForbidden, "a guest is told of records, and asks for them, as they are")
			return
		}
		if f.Kind == wire.KindKnown {
			r.lacks.known(c, f.Digests)
		} else {
			r.debts.give(c, f.Digests)
		}
	case wire.KindIDs:
		if c.guest {
			r.fail(c, wire.CodeForbidden, "a guest brings no rings together")
			return
		}
		c.knows = union(c.knows, f.IDs)
		r.ids.take(c, f.IDs)
	default:
		if wrong := r.messages.receive(c, f, len(frame)); wrong != "" {
			r.fail(c, wire.CodeForbidden, wrong)
		}
	}
}

// relay takes a frame that carries from and to: it is for this node, or
// forwarded by the rule that everybody uses.
func (r *Ring) relay(c *conn, f *wire.Frame, size int) {
	from, to, hops, inner := f.From, f.To, f.Hops, f.Inner
	if c.guest && from != c.name {
		r.fail(c, wire.CodeForbidden, "a guest speaks for itself alone")
		return
	}
	if c.guest && wire.Kind(inner[1]) == wire.KindCordon {
		r.cordon.obey(r, c, false) // which it may not, whoever is meant
		return
	}
	var in wire.Frame
	if err := in.Decode([]byte(inner)); err != nil {
		r.fail(c, wire.CodeBadFrame, err.Error())
		return
	}
	c.pardon(in.Kind, size)
	if wrong := c.mayNotSay(&in); wrong != "" {
		r.fail(c, wire.CodeForbidden, wrong)
		return
	}
	says := in.Kind == wire.KindTell || in.Kind == wire.KindSaid || in.Kind == wire.KindAnswers
	if says {
		r.messages.spread.came(c, size)
	}
	if to != r.cfg.Name {
		if hops < wire.MaxHops {
			forward := relayed(from, to, hops+1, inner)
			switch {
			case says:
				r.messages.forward(from, to, forward, c, &in)
			case in.Kind == wire.KindProbe && !r.overlay.mayProbe(from, c, to):
			case r.detector.isRefused(to):
				r.overlay.tellRefused([]string{string(forward)})
			default:
				r.overlay.route(to, forward, c)
			}
		}
		return
	}
	switch in.Kind {
	case wire.KindProbe:
		alive := wire.Frame{Kind: wire.KindAlive, Seq: in.Seq, Instance: r.cfg.Instance}
		r.sendBytes(c, relayed(r.cfg.Name, from, 0, string(alive.Append(nil))))
	case wire.KindAlive:
		r.detector.alive(from, nil, in.Seq, in.Instance)
	case wire.KindCordon:
		r.cordon.obey(r, c, in.On)
	default:
		r.messages.addressed(from, c, &in, true)
	}
}
