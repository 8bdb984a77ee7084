package core

import "github.com/nanoring/nanoring/core/wire"

// relay takes a frame that carries from and to: it is for this node, or
// forwarded by the rule that everybody uses.
func (r *Ring) relay(c *conn, f *wire.Frame) {
	from, to, hops, inner := f.From, f.To, f.Hops, f.Inner
	if c.guest && from != c.name {
		r.fail(c, wire.CodeForbidden, "a guest speaks for itself alone")
		return
	}
	if to != r.cfg.Name {
		if hops < wire.MaxHops {
			forward := wire.Frame{Kind: wire.KindRelay, From: from, To: to, Hops: hops + 1, Inner: inner}
			r.route(to, forward.Append(nil), c)
		}
		return
	}
	var in wire.Frame
	if err := in.Decode([]byte(inner)); err != nil {
		r.fail(c, wire.CodeBadFrame, err.Error())
		return
	}
	switch in.Kind {
	case wire.KindProbe:
		alive := wire.Frame{Kind: wire.KindAlive, Seq: in.Seq, Instance: r.cfg.Instance}
		r.send(c, &wire.Frame{Kind: wire.KindRelay, From: r.cfg.Name, To: from, Inner: string(alive.Append(nil))})
	case wire.KindAlive:
		r.alive(from, in.Seq, in.Instance)
	}
}

// route sends a frame to a node: by its connection, else by its gateway's,
// else by dialling it. It never goes back where it came from. A frame that is
// no relay yet is made one if it has to pass a gateway.
func (r *Ring) route(to string, frame []byte, from *conn) bool {
	if c := r.byName[to]; c != nil {
		if c == from {
			return false
		}
		if from != nil && len(c.forwarded) < maxQueued {
			c.forwarded = append(c.forwarded, string(frame))
		}
		r.sendBytes(c, frame)
		return true
	}
	if via := r.via(to); via != "" {
		c := r.byName[via]
		if c == nil || c == from {
			return false
		}
		if from == nil {
			frame = (&wire.Frame{Kind: wire.KindRelay, From: r.cfg.Name, To: to, Inner: string(frame)}).Append(nil)
		}
		r.sendBytes(c, frame)
		return true
	}
	c := r.dials[to]
	if c == nil {
		addr := r.address(to)
		if addr == "" || r.budget <= 0 || from != nil && from.guest {
			return false
		}
		r.budget--
		c = r.dial(addr, to)
	}
	if len(c.queue) >= maxQueued {
		return false
	}
	c.queue = append(c.queue, string(frame))
	return true
}

// via returns the gateway through which name is reached, or "".
func (r *Ring) via(name string) string {
	s := r.look(name)
	if s.says.Address != "" {
		return ""
	}
	return s.says.Via
}
