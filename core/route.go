package core

import "github.com/nanoring/nanoring/core/wire"

// maxQueued is how many frames wait for a connection to be established.
const maxQueued = 8

// route sends a frame to a node: by its connection, else by its gateway's,
// else by dialling it. It never goes back where it came from.
func (o *overlay) route(to string, frame []byte, from *conn) bool {
	c, next, out := o.way(to, frame, from)
	if c == nil {
		return next == to && o.dialFor(to, out, from, dialRoute)
	}
	if c == from {
		return false
	}
	if from != nil && next == to && len(c.forwarded) < maxQueued {
		push(&c.forwarded, string(frame))
	}
	o.sendBytes(c, out)
	return true
}

// way says on which connection a frame gets to a node, or, if there is none, who is
// to be dialled: itself or its gateway, which is a guest's only way. A frame that is
// no relay yet is made one if it has to pass a gateway.
func (o *overlay) way(to string, frame []byte, from *conn) (c *conn, next string, out []byte) {
	if c = o.peer(to); c != nil {
		return c, to, frame
	}
	via := o.replica.via(to)
	if c = o.gateway(); o.cfg.Ephemeral && c != nil {
		via = c.name
	}
	if via == "" {
		return nil, to, frame
	}
	if from == nil {
		frame = relayed(o.cfg.Name, to, 0, string(frame))
	}
	return o.peer(via), via, frame
}

// dialFor sends a frame as soon as a node that is dialled for it is there. Messages,
// of guests too, leave room for others. A guest dials nobody but its gateways.
func (o *overlay) dialFor(to string, frame []byte, from *conn, why dialPurpose) bool {
	c, room := o.dials[to], maxQueued
	if why == dialTell {
		room /= 2
	}
	if c == nil {
		addr := o.replica.address(to)
		if addr == "" || to == o.cfg.Name || o.cfg.Ephemeral || o.left[why] <= 0 || from != nil && (from.guest && why != dialTell || o.shunning(to)) {
			return false
		}
		c = o.dial(addr, to, why)
	}
	if len(c.queue) >= room {
		return false
	}
	push(&c.queue, string(frame))
	return true
}

// tellRefused answers the probes that others wanted forwarded by a dial that was refused.
func (o *overlay) tellRefused(frames []string) {
	var f, probe wire.Frame
	for _, frame := range frames {
		if f.Decode([]byte(frame)) != nil || f.Kind != wire.KindRelay || probe.Decode([]byte(f.Inner)) != nil {
			continue // its own
		}
		if c := o.peer(f.From); c != nil && probe.Kind == wire.KindProbe {
			o.send(c, &wire.Frame{Kind: wire.KindRefused, Seq: probe.Seq})
		}
	}
}
