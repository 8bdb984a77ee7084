package core

import "github.com/nanoring/nanoring/core/wire"

// What a guest's syncs are answered with.
const (
	guestAnswers = 4 << 10 // KiB of records at once,
	answerRate   = 64      // and a second
)

// answerSync answers as many items as fit a frame, one at least.
func (rc *reconciler) answerSync(c *conn, f *wire.Frame) {
	seq := f.Seq
	answer := wire.Frame{Kind: wire.KindSynced, Seq: seq}
	size := 0
	for i := range f.Items {
		if size >= syncBytes || rc.refusedAll(c) {
			break
		}
		item := &f.Items[i]
		answer.Handled++
		switch item.Kind {
		case wire.ItemSome:
			rc.takeIn(c, item.Records)
		case wire.ItemAll:
			if some := rc.mergeRange(c, item.Range, item.Records, false); len(some) > 0 {
				out := rc.give(item.Range, some)
				answer.Items = append(answer.Items, out)
				size += sizeOf(out.Records)
			}
		case wire.ItemPrint:
			if out, differs := rc.compareRange(item); differs {
				answer.Items = append(answer.Items, out)
				size += sizeOf(out.Records) + wire.RangeChildren*10
			}
		}
	}
	if c.guest && !c.answered.take(rc.now, int64(size>>10), guestAnswers, answerRate) {
		return // it asks again in a while
	}
	if !rc.halted && c.state == connEstablished {
		rc.send(c, &answer)
	}
}

// compareRange answers a fingerprint: nothing if it is the same here, else
// the records if they are few, else the fingerprints of the children.
func (rc *reconciler) compareRange(item *wire.Item) (out wire.Item, differs bool) {
	mine := rc.fingerprintOf(item.Range)
	if mine == item.Print {
		return out, false
	}
	out.Range = item.Range
	if rc.sendWhole(mine.Count, item.Print.Count, true) || item.Range.Depth == wire.RangeDepth {
		all := rc.recordsIn(item.Range)
		if fits(all) {
			out.Kind, out.Records = wire.ItemAll, all
			return out, true
		}
		return rc.give(item.Range, all), true
	}
	return rc.childrenOf(item.Range), true
}

// give makes the item for records of a range that the peer lacks: too many of
// them are left to the descent. Below the last level, where only names made to
// collide can be so many, a sync gives what fits, and the next one the rest.
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
		out.Children[i] = wire.Print(p)
	}
	return out
}
