package core

import (
	"github.com/nanoring/nanoring/core/ledger"
	"github.com/nanoring/nanoring/core/wire"
)

// What an answer costs beside its bytes, in bytes: of each item that was taken
// in, and of each record that was looked at for it.
const (
	itemCost = 64
	lookCost = 16
	mostCost = 4 * syncBytes // of a frame
)

// answerSync answers as many items as fit a frame, and as cost no more than one
// is worth; one at least. It returns false if a guest asks as none does: it knows
// better than its gateway of nothing but itself.
func (rc *reconciler) answerSync(c *conn, f *wire.Frame) bool {
	for i := range f.Items {
		if kind := f.Items[i].Kind; c.guest && (kind == wire.ItemAll || kind == wire.ItemChildren) {
			return false
		}
	}
	if c.guest && c.cost.Take(rc.now, costAnswers, mostCost) != ledger.Enough {
		return true // it asks again in a while
	}
	rc.answerOn(c, wire.MaxFrame) // the frame before, of who did not wait for its answer
	c.answering = &answering{items: f.Items, answer: wire.Frame{Kind: wire.KindSynced, Seq: f.Seq}}
	f.Items = nil
	rc.answerOn(c, stepRecords)
	return true
}

// answering is a sync frame that is being answered.
type answering struct {
	items  []wire.Item // that are not answered yet
	answer wire.Frame
	size   int // of its records
	looked int // at so many records for it
}

func (a *answering) cost() int {
	return a.size + int(a.answer.Handled)*itemCost + a.looked*lookCost
}

// answerOn takes in about so many records of a frame that is being answered, and goes on
// in another step, so that none takes long.
func (rc *reconciler) answerOn(c *conn, most int) {
	a := c.answering
	if a == nil {
		return
	}
	for taken := 0; len(a.items) > 0 && a.size < syncBytes && a.cost() < 2*syncBytes && !rc.refusedAll(c); {
		if taken >= most {
			rc.after(1, answerDue, "", uint64(c.id))
			return
		}
		item := &a.items[0]
		a.items = a.items[1:]
		taken += len(item.Records)
		a.answer.Handled++
		rc.looked = 0
		if out, differs := rc.answerItem(c, item); differs {
			a.answer.Items = append(a.answer.Items, out)
			a.size += sizeOf(out.Records)
			if out.Kind == wire.ItemChildren {
				a.size += wire.RangeChildren * 10
			}
		}
		a.looked += rc.looked
	}
	c.answering = nil
	if c.guest {
		c.cost.Give(costAnswers, max(mostCost-int64(a.cost()), 0))
	}
	if !rc.halted && c.state == connEstablished {
		rc.send(c, &a.answer)
	}
}

// answerItem answers one item of a sync, if there is anything to say.
func (rc *reconciler) answerItem(c *conn, item *wire.Item) (out wire.Item, differs bool) {
	switch item.Kind {
	case wire.ItemSome:
		rc.takeIn(c, item.Records)
	case wire.ItemAll:
		if item.Range.Depth < wire.RangeDepth && rc.fingerprintOf(item.Range).Count > uint64(len(item.Records)+mostLooked) {
			rc.takeIn(c, item.Records)
			return rc.childrenOf(item.Range), true // more than fits is missing
		}
		if some := rc.mergeRange(c, item.Range, item.Records, false); len(some) > 0 {
			return rc.give(item.Range, some), true
		}
	case wire.ItemFingerprint:
		return rc.compareRange(item)
	case wire.ItemAfter:
		out = wire.Item{Kind: wire.ItemSome, Range: item.Range}
		out.Records, _ = rc.page(item.Range, item.After, syncBytes)
		return out, len(out.Records) > 0
	}
	return out, false
}

// compareRange answers a fingerprint: nothing if it is the same here, else
// the records if they are few, else the fingerprints of the children.
func (rc *reconciler) compareRange(item *wire.Item) (out wire.Item, differs bool) {
	mine := rc.fingerprintOf(item.Range)
	if mine == item.Fingerprint {
		return out, false
	}
	out.Range = item.Range
	if item.Range.Depth == wire.RangeDepth {
		var whole bool
		if out.Records, whole = rc.page(item.Range, "", syncBytes); whole {
			out.Kind = wire.ItemAll
		} else {
			out.Kind = wire.ItemSome
		}
		return out, true
	}
	if rc.sendWhole(mine.Count, item.Fingerprint.Count, true) {
		if all := rc.recordsIn(item.Range); fits(all) {
			out.Kind, out.Records = wire.ItemAll, all
			return out, true
		}
	}
	return rc.childrenOf(item.Range), true
}

// give makes the item for records of a range that the peer lacks: too many of
// them are left to the descent, and on its last level to questions for what is after.
func (rc *reconciler) give(rg wire.Range, some []wire.Record) wire.Item {
	if !fits(some) && rg.Depth < wire.RangeDepth {
		return rc.childrenOf(rg)
	}
	for !fits(some) {
		some = some[:len(some)/2]
	}
	return wire.Item{Kind: wire.ItemSome, Range: rg, Records: some}
}

func (rc *reconciler) childrenOf(rg wire.Range) wire.Item {
	out := wire.Item{Kind: wire.ItemChildren, Range: rg}
	for i, p := range rc.replica.set(rg.Set).Children(lwwRange(rg)) {
		out.Children[i] = wire.Fingerprint(p)
	}
	return out
}
