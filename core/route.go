package core

import "github.com/nanoring/nanoring/core/wire"

// maxQueued is how many frames wait for a connection to be established.
const maxQueued = 8

// route sends a frame to a node: by its connection, else by its gateway's,
// else by dialling it. It never goes back where it came from. A frame that is
// no relay yet is made one if it has to pass a gateway.
func (o *overlay) route(to string, frame []byte, from *conn) bool {
	if c := o.peer(to); c != nil {
		if c == from {
			return false
		}
		if from != nil && len(c.forwarded) < maxQueued {
			c.forwarded = append(c.forwarded, string(frame))
		}
		o.sendBytes(c, frame)
		return true
	}
	if via := o.replica.via(to); via != "" {
		c := o.peer(via)
		if c == nil || c == from {
			return false
		}
		if from == nil {
			frame = relayed(o.cfg.Name, to, 0, string(frame))
		}
		o.sendBytes(c, frame)
		return true
	}
	c := o.dials[to]
	if c == nil {
		addr := o.replica.address(to)
		if addr == "" || o.left[dialRoute] <= 0 || from != nil && (from.guest || o.shunning(to)) {
			return false
		}
		c = o.dial(addr, to, dialRoute)
	}
	if len(c.queue) >= maxQueued {
		return false
	}
	c.queue = append(c.queue, string(frame))
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
