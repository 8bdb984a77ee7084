package core

import (
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// trust is how far this node relies on its own memory of who belongs to the ring:
//
//   - new: it has never agreed with another node. It knows what it was told so far,
//     which may be half of it, and nobody relies on that (its hello says that it
//     knows nobody). It is in touch as soon as it has agreed with one.
//   - in touch: it was told of each deletion, or will be, by a tombstone.
//   - stale: it was apart for so long that the others may have forgotten what they
//     deleted. It asks before it tells, until an authority has answered.
//
// A peer is an authority to a stale node when it is in touch and knows others.
type trust struct {
	lastContact int64 // wall time of the last gossip or ack from another durable node; 0 if this one is new
	young       int64 // the ring's clock: since when it is in touch with nodes alone that were new as well; 0 if with others
	compared    bool  // this process has agreed with another on who is there
	stale       bool
	staleSince  int64           // the ring's clock; of contact without a break, since when
	denials     map[string]bool // authorities that do not know this node
	outdated    []*conn         // they are to come again: see renew
}

// agreement is how many authorities have to agree that this node is none of the
// ring: one may be wrong, as after a disk was lost. Where fewer are up, all.
const agreement = 2

func (t *trust) isNew() bool { return t.lastContact == 0 }

// knows is what the hello says of how many members this node knows. New nodes that
// have met but each other are no authority for a while: the ring that they are to
// join may be there, and slower to answer.
func (rc *reconciler) knows() uint64 {
	if rc.isNew() || rc.young != 0 && rc.now-rc.young < StableFor {
		return 0
	}
	return uint64(rc.replica.durable)
}

// heard takes note of a frame that a peer sent when its clock said that. It may
// have waited here for long, unread.
func (rc *reconciler) heard(c *conn, wall int64) {
	wall = min(max(wall, 1), rc.wall)
	if !rc.stale && !rc.isNew() && !c.peerStale && !c.guest && (wall > rc.lastContact || rc.lastContact > rc.wall) {
		rc.lastContact = wall
	}
}

// agreed takes note that this node and a peer know the same. A new one is in
// touch by that, unless others are about to tell it more.
func (rc *reconciler) agreed(c *conn) {
	c.agreed = true
	young := c.hello.Members == 0
	if c.guest || young && rc.isTold() {
		return
	}
	if !rc.compared {
		rc.compared = true
		rc.event(EventJoined).Name = c.name
	}
	if rc.cfg.Ephemeral || c.peerStale {
		return
	}
	if !young {
		rc.young = 0
	}
	if !rc.isNew() {
		return
	}
	if rc.lastContact = rc.wall; young {
		rc.young = rc.now
	}
	rc.replica.version++
}

// isTold says whether a peer is there that is in touch.
//
//go:noinline
func (rc *reconciler) isTold() bool {
	for _, c := range rc.overlay.live {
		if !c.guest && !c.peerStale && c.hello.Members > 0 {
			return true
		}
	}
	return false
}

// rejuvenate has a process that begins in a node's first minutes be as young as the
// one before may have been.
func (rc *reconciler) rejuvenate() {
	if rc.wall-rc.replica.nodes.Get(rc.cfg.Name).Stamp < StableFor {
		rc.young = rc.now
	}
}

// checkStale finds out whether this node was apart for so long that the others
// may have forgotten what they deleted.
func (rc *reconciler) checkStale() {
	if rc.stale || rc.replica.alone() || rc.cfg.Ephemeral || rc.isNew() || rc.wall-rc.lastContact <= StaleAfter {
		return
	}
	rc.becomeStale(rc.lastContact)
}

func (rc *reconciler) becomeStale(lastContact int64) {
	rc.stale, rc.staleSince, rc.lastContact = true, rc.now, lastContact
	for _, c := range rc.overlay.live {
		c.authority = rc.isAuthority(c)
	}
	rc.event(EventStale).Name = rc.cfg.Name
}

// fresh ends staleness: what this node holds now is what the ring does.
func (rc *reconciler) fresh() {
	rc.stale, rc.denials = false, nil
	rc.lastContact = rc.wall
	rc.replica.version++
	for _, c := range rc.overlay.live {
		c.authority = c.authority && rc.cfg.Ephemeral
	}
	rc.event(EventFresh).Name = rc.cfg.Name
}

// renew has all peers but one come again who merged with this node as with one of
// their kind: its hello, and theirs, say no longer how far its memory is to be trusted.
func (rc *reconciler) renew(but *conn) {
	for _, c := range rc.overlay.live {
		if c != but && !c.guest && (c.hello.LastContact != 0 || c.hello.Members <= 1) {
			push(&rc.outdated, c)
		}
	}
}

// meet decides what a new peer is to this node: an authority, or not. It returns
// false for one that is to come again: a new node that is told by others has no
// use for the memories of a stale one.
func (rc *reconciler) meet(c *conn) bool {
	switch {
	case rc.cfg.Ephemeral:
		c.authority = true
	case rc.isNew() && c.peerStale && !c.guest:
		if rc.isTold() {
			return false
		}
		rc.becomeStale(c.hello.LastContact) // what it has, it has from a stale node
		rc.renew(c)
	default:
		c.authority = rc.isAuthority(c)
	}
	return true
}

// isAuthority says whether what a peer lacks is gone.
func (rc *reconciler) isAuthority(c *conn) bool {
	return rc.stale && !c.peerStale && !c.guest && c.hello.Members > 1
}

// vouch ends staleness by the word of an operator, who joins the ring of a peer
// to what this node holds.
func (rc *reconciler) vouch(c *conn) {
	if rc.stale && !c.peerStale && c.hello.Members > 1 && !rc.replica.isMember(c.name) {
		rc.fresh()
	}
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

// answered takes note that an authority has shown all that it knows, and whether
// this node was in it. One that so many do not know was deleted so long ago that
// even its tombstone is gone.
func (rc *reconciler) answered(c *conn, denied bool) {
	if !denied {
		rc.fresh()
		rc.renew(c)
		return
	}
	if rc.denials == nil {
		rc.denials = make(map[string]bool)
	}
	rc.denials[c.name] = true
	own := rc.replica.nodes.Get(rc.cfg.Name)
	if len(rc.denials) >= min(agreement, rc.replica.peersUp-1) && own != nil && own.Rank == rankAdd {
		rc.replica.put(wire.Nodes, own.Next(own.Stamp+1, rankDel))
		rc.fresh()
	}
}

// outlast ends staleness when nobody knows better: there are no others, or those
// that were in reach, long and without a break, are stale as well.
func (rc *reconciler) outlast() {
	if !rc.stale {
		return
	}
	inReach := false
	for _, c := range rc.overlay.live {
		inReach = inReach || !c.guest && !c.authority
	}
	if !inReach || rc.denials != nil {
		rc.staleSince = rc.now
	}
	if rc.replica.alone() || rc.now-rc.staleSince >= StableFor {
		rc.fresh()
	}
}
