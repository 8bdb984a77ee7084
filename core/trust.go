package core

import "github.com/nanoring/nanoring/core/lww"

// trust is how far this node may rely on its own memory of who belongs to the
// ring. It was apart from the others for so long that they may have forgotten
// what they deleted: then it is stale, and asks them before it tells.
type trust struct {
	lastContact int64 // wall time of the last frame from another durable node
	stale       bool
	staleSince  int64 // the ring's clock
}

// heard takes note of a frame from a peer.
func (rc *reconciler) heard(c *conn) {
	if !rc.stale && !c.peerStale && !c.guest {
		rc.lastContact = rc.wall
	}
}

// checkStale finds out whether this node was apart for so long that the others
// may have forgotten what they deleted.
func (rc *reconciler) checkStale() {
	if rc.stale || rc.replica.alone() || rc.cfg.Ephemeral || rc.lastContact == 0 || rc.wall-rc.lastContact <= StaleAfter {
		return
	}
	rc.becomeStale(rc.lastContact)
}

func (rc *reconciler) becomeStale(lastContact int64) {
	rc.stale, rc.staleSince, rc.lastContact = true, rc.now, lastContact
	rc.emit(Event{Kind: EventStale, Name: rc.cfg.Name})
}

func (rc *reconciler) fresh() {
	rc.stale = false
	rc.lastContact = rc.wall
	rc.replica.version++
	for _, c := range rc.overlay.live {
		c.authority = c.authority && rc.cfg.Ephemeral
	}
	rc.emit(Event{Kind: EventFresh, Name: rc.cfg.Name})
}

// meet decides what a new peer is to this node: an authority, or not.
func (rc *reconciler) meet(c *conn) {
	switch {
	case rc.cfg.Ephemeral:
		c.authority = true
	case rc.replica.alone() && c.peerStale && !c.guest:
		rc.becomeStale(c.hello.LastContact) // what it has, it has from a stale node
	default:
		c.authority = rc.isAuthority(c)
	}
}

// isAuthority says whether what a peer lacks is gone.
func (rc *reconciler) isAuthority(c *conn) bool {
	return rc.stale && !c.peerStale && !c.guest && c.hello.Members > 1
}

// drops says whether a record that an authority does not know is dropped: a
// guest mirrors its gateway but for itself, a stale node drops the members
// that are older than its last contact.
func (rc *reconciler) drops(rec *lww.Record) bool {
	if rc.cfg.Ephemeral {
		return rec.Name != rc.cfg.Name
	}
	return rec.Stamp <= rc.lastContact && rc.replica.nodes.Get(rec.Name) == rec
}

// outlast ends staleness when nobody in reach knows better.
func (rc *reconciler) outlast() {
	if rc.stale && (rc.replica.alone() || rc.replica.peersUp > 1 && rc.now-rc.staleSince >= StableFor) {
		rc.fresh()
	}
}
