package core

import "github.com/nanoring/nanoring/core/wire"

// carry sends a frame of messages or answers to a node, by its route, and says
// whether that was possible now.
func (sp *spread) carry(to string, f *wire.Frame) bool {
	return sp.pass(to, f.Append(nil), nil)
}

// pass is carry for the bytes of a frame, or of a relay that came from a peer.
func (sp *spread) pass(to string, frame []byte, from *conn) bool {
	c, next, out := sp.overlay.way(to, frame, from)
	switch {
	case c == nil:
		if from == nil && next == to { // at that address may be another by now
			out = relayed(sp.cfg.Name, to, 0, string(frame))
		}
		return sp.overlay.dialFor(next, out, from, dialTell)
	case c == from || !c.room():
		return false
	}
	sp.sendBytes(c, out)
	c.line.out += frameCost(len(out))
	return true
}
