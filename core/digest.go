package core

import (
	"github.com/nanoring/nanoring/core/lww"
	"github.com/nanoring/nanoring/core/wire"
)

// find returns the record with a digest, nil if there is none.
func (ds *debts) find(digest uint64) (wire.SetID, *lww.Record) {
	if d := ds.by.find(digest); d != nil {
		return d.set, d.rec
	}
	if rec := ds.replica.nodes.Half(digest); rec != nil {
		return wire.Nodes, rec
	}
	return wire.Up, ds.replica.up.Half(digest)
}

// told takes note that a peer knows the record with a digest, and says whether this node does.
func (ds *debts) told(c *conn, digest uint64) bool {
	if d := ds.by.find(digest); d != nil {
		ds.settle(c, d.rec)
		return true
	}
	_, rec := ds.find(digest)
	return rec != nil
}

// give sends a peer what it lacks, as far as a frame goes, and owes it the rest.
func (ds *debts) give(c *conn, digests []uint64) {
	for _, digest := range digests {
		if id, rec := ds.find(digest); rec != nil {
			ds.oweItself(c, id, rec)
		}
	}
	ds.sendRumor(c, false)
}
